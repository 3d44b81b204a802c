"""The SQL of logged conversations: which of their turns are shown, in order."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

import msgspec

from jmuz_magic.log.exchange import Exchange, LoggedConversation
from jmuz_magic.log.rows import containing, erase, exchanges_of
from jmuz_magic.log.writer import Shown, notebook_name

__all__ = ["Place", "delete", "latest", "turns_shown", "write"]


_SHOWN = msgspec.json.Decoder(list[Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]])


class Place(NamedTuple):
    """Whose conversations: those of one notebook, by its full path; None for programs without one."""

    notebook: str | None


def write(connection: sqlite3.Connection, shown: Shown) -> None:
    """Insert or update the conversation's row.

    One without a name gets its row with its second turn: before that it is a reply that stands alone.
    """
    numbers = [turn.number for turn in shown.turns if turn.number is not None]
    values = (shown.name, shown.notebook, datetime.now(UTC).isoformat(timespec="milliseconds"), json.dumps(numbers))
    query = "UPDATE conversations SET name = ?, notebook = ?, changed_at = ?, shown = ? WHERE id = ?"
    if connection.execute(query, (*values, shown.id)).rowcount or len(numbers) < (2 if shown.name is None else 1):
        return
    query = "INSERT INTO conversations (name, notebook, changed_at, shown, id) VALUES (?, ?, ?, ?, ?)"
    connection.execute(query, (*values, shown.id))


def latest(
    connection: sqlite3.Connection, words: str = "", place: Place | None = None, key: str = ""
) -> Iterator[LoggedConversation]:
    """Conversations with at least one turn, those changed last first.

    Args:
        connection: the database.
        words: only those of which a turn contains each of the words, in any case.
        place: only those of one notebook.
        key: only those whose id begins so.
    """
    if not _is_known(connection):
        return
    condition, values = ("1", ()) if place is None else ("notebook IS ?", tuple(place))
    query = f"SELECT * FROM conversations WHERE {condition} ORDER BY changed_at DESC, rowid DESC"  # noqa: S608  # our text
    for row in connection.execute(query, values).fetchall():
        found = _conversation(connection, row) if str(row["id"]).startswith(key) else None
        if found and all(containing(connection, word, found.turns) for word in words.split()):
            yield found


def turns_shown(connection: sqlite3.Connection, conversation: LoggedConversation) -> Iterator[tuple[Exchange, ...]]:
    """The turns that are shown, in order, each with all its exchanges."""
    return (exchanges_of(connection, number) for number in conversation.turns)


def delete(connection: sqlite3.Connection, key: str) -> int:
    """Delete the conversation with that id for good, with undone and deleted turns; return how many turns it had.

    A turn that another conversation shows stays: both may go on with one reply.
    """
    row = connection.execute("SELECT * FROM conversations WHERE id = ?", (key,)).fetchone()
    if row is None:
        return 0
    numbers = _numbers(row)
    others = connection.execute("SELECT shown FROM conversations WHERE id <> ?", (key,)).fetchall()
    elsewhere = {number for other in others for number in _numbers(other)}
    for number in set(numbers) - elsewhere:  # the first may have been asked outside of it
        connection.execute("DELETE FROM exchanges WHERE id = ? OR turn = ?", (number, number))
    connection.execute("DELETE FROM exchanges WHERE conversation_id = ?", (key,))
    connection.execute("DELETE FROM conversations WHERE id = ?", (key,))
    erase(connection)
    return len(numbers)


def _is_known(connection: sqlite3.Connection) -> bool:
    """Whether the log has conversations: reading adds nothing to one of an older version."""
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'conversations'"
    return connection.execute(query).fetchone() is not None


def _conversation(connection: sqlite3.Connection, row: sqlite3.Row) -> LoggedConversation | None:
    """The conversation; None if it has no turn, or its row was made unreadable: the others must not go with it."""
    there = tuple(number for number in dict.fromkeys(_numbers(row)) if _is_there(connection, number))
    first = connection.execute("SELECT prompt FROM exchanges WHERE id = ?", there[:1] or (None,)).fetchone()
    changed_at = _moment(row["changed_at"])
    if first is None or changed_at is None:
        return None
    return LoggedConversation(
        id=str(row["id"]),
        name=None if row["name"] is None else str(row["name"]),
        notebook=notebook_name(row["notebook"]),
        changed_at=changed_at,
        turns=there,
        prompt=str(first["prompt"]),
    )


def _numbers(row: sqlite3.Row) -> list[int]:
    """The first exchanges of the shown turns; none if somebody wrote something else there."""
    try:
        return _SHOWN.decode(row["shown"])
    except (ValueError, TypeError):
        return []


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None


def _is_there(connection: sqlite3.Connection, number: int) -> bool:
    """Whether the exchange was not deleted."""
    return connection.execute("SELECT 1 FROM exchanges WHERE id = ?", (number,)).fetchone() is not None
