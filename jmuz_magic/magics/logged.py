"""The conversations of the log as `%jmuz_history` lists and deletes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jmuz_magic.errors import JmuzError
from jmuz_magic.log.exchange import ID_CHARS
from jmuz_magic.log.log import exchange_log
from jmuz_magic.magics.resuming import confirm
from jmuz_magic.magics.wording import PROMPT
from jmuz_magic.text import clean_line, minute

if TYPE_CHECKING:
    from jmuz_magic.log.exchange import LoggedConversation
    from jmuz_magic.magics.session import Session

__all__ = ["conversations_bundle", "delete_logged"]

HEADINGS = ("id", "changed", "notebook", "name", "turns", "first prompt")
SHOWN = 20


def conversations_bundle(words: str, *, everywhere: bool) -> dict[str, str]:
    """The conversations that contain all the words, those changed last first, as a table.

    Raises:
        JmuzError: the log is off or cannot be read.
    """
    from jmuz_magic.display.table import table_bundle

    found = exchange_log.conversations(words, SHOWN, here=not everywhere)
    rows = list(map(_row, found))
    columns = [heading for heading in HEADINGS if everywhere or heading != "notebook"]
    return table_bundle(columns, [[row[column] for column in columns] for row in rows], _nothing(words, everywhere))


def delete_logged(session: Session, key: str, *, yes: bool) -> None:
    """Delete the conversation whose id begins so, after a question unless the answer is known.

    Raises:
        JmuzError: there is none or more than one, or the user does not want it.
    """
    found = exchange_log.conversations(limit=2, key=key)
    if len(found) != 1:
        how_many = "more than one conversation has" if found else "no conversation has"
        raise JmuzError(
            f"%jmuz_history: --delete: {how_many} an id that begins with {key!r}; %jmuz_history --all lists them"
        )
    (one,) = found
    named = f"the conversation {one.name!r}" if one.name else "a conversation without a name"
    if not yes:
        confirm(f"delete {named}, {one.words}, for good?", "nothing was deleted")
    exchange_log.delete_conversation(one.id)
    is_here = any(conversation.id == one.id for conversation in session.conversations.values())
    session.say(f"deleted from the log{'; its turns stay in this kernel until it ends' if is_here else ''}")


def _row(conversation: LoggedConversation) -> dict[str, str]:
    return {
        "id": conversation.id[:ID_CHARS],
        "changed": minute(conversation.changed_at),
        "notebook": conversation.notebook or "",
        "name": conversation.name or "",
        "turns": str(len(conversation.turns)),
        "first prompt": clean_line(conversation.prompt, PROMPT),
    }


def _nothing(words: str, everywhere: bool) -> str:
    where = "the log" if everywhere else "the log of this notebook"
    return f"no conversation in {where} contains {words!r}" if words else f"there is no conversation in {where} yet"
