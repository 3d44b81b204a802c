"""`--continue`: replies that stood alone, and conversations that begin with them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from jmuz_magic.errors import JmuzError
from jmuz_magic.request.cell import find_cell

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation
    from jmuz_magic.conversation.turn import Turn

__all__ = ["LoneReplies"]

KEPT = 100


class LoneReplies:
    """The latest replies that stood alone, and which of them each cell goes on with."""

    def __init__(self) -> None:
        self._turns: deque[tuple[object, Turn]] = deque(maxlen=KEPT)  # each with the cell that asked
        self._taken: dict[str, object] = {}  # by the cell that goes on, the cell that had asked

    def add(self, turn: Turn) -> None:
        """Note a turn that the running cell asks alone."""
        cell = find_cell()
        self._turns.append((cell.id if cell else turn, turn))

    def begin(self, conversation: Conversation, name: str | None) -> None:
        """Let the conversation begin with the last of them; one that already does goes on.

        A cell that runs again goes on with the reply of the same cell, as it is now.

        Raises:
            JmuzError: there is none, or the conversation has other turns.
        """
        cell = find_cell()
        wanted = self._taken.get(cell.id) if cell else None
        replies = [each for each in self._turns if each[1].ended and each[1].is_remembered]
        found = next((each for each in reversed(replies) if wanted in (None, each[0])), None)
        if found is None:
            raise JmuzError("--continue: no reply of this kernel stands alone; ask without --chat first")
        asker, turn = found
        earlier = {other for its, other in self._turns if its == asker}
        _begin(conversation, turn, earlier, name)
        if cell:
            self._taken[cell.id] = asker


def _begin(conversation: Conversation, turn: Turn, earlier: set[Turn], name: str | None) -> None:
    transcript = conversation.transcript
    if transcript and transcript[0] not in earlier:
        raise JmuzError(
            f"--continue: conversation {name!r} has other turns; choose another with --chat=NAME, or add --new"
        )
    if transcript[:1] == (turn,):
        return
    first = turn.request.messages[0]
    if conversation.system is None and first["role"] == "system":
        conversation.configure(system=first["content"])
    conversation.begin(turn)
