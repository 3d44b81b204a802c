"""A conversation in the log: its id, and which of its turns are shown."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from jmuz_magic.log.log import exchange_log

if TYPE_CHECKING:
    from jmuz_magic.conversation.turn import Turn
    from jmuz_magic.log.writer import InLog

__all__ = ["ShownTurns"]


class ShownTurns:
    """Tells the log which turns a conversation shows, so that it can be resumed as it is.

    Attributes:
        id: the conversation's id in the log; random.
        is_logged: whether the log has turns that were asked under this id; until then nothing is told.
    """

    def __init__(self, key: str = "", turns: Iterable[Turn] = ()) -> None:
        """A conversation that is new, unless it is one of the log, with these turns."""
        self.id = key or os.urandom(8).hex()
        self.is_logged = bool(key)
        self._told: tuple[InLog, ...] = _logged(turns)

    def tell(self, name: str | None, turns: Iterable[Turn]) -> None:
        """Tell the log if they have changed; a turn that was set aside is not one of them."""
        logged = _logged(turns)
        if self.is_logged and logged != self._told:
            self._told = logged
            exchange_log.show(self.id, name, logged)


def _logged(turns: Iterable[Turn]) -> tuple[InLog, ...]:
    return tuple(each.logged for each in turns if each.logged and not each.is_set_aside)
