"""The SQL of the log: insert, read and delete exchanges."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from jmuz_magic.errors import JmuzError
from jmuz_magic.log.exchange import FACTS, Exchange, is_gone
from jmuz_magic.log.store import missing
from jmuz_magic.messages import Reply, ToolCall, ToolResult, Usage
from jmuz_magic.request.facts import with_facts

__all__ = [
    "Here", "containing", "delete", "erase", "exchanges_of", "find", "insert", "latest", "prune", "turn_of",
    "turns", "update",
]  # fmt: skip

_HERE = "(notebook = ? OR (writer = ? AND asked_at >= ?))"
_SHARE = 50  # a log that is too big is measured again after each fiftieth of its exchanges is deleted


class Here(NamedTuple):
    """Which exchanges are those of one notebook: those that name it, and those of its kernel.

    Attributes:
        notebook: its file name; None if unknown.
        writer: its process, as `this_process` names it.
        since: when that process began, as `asked_at`, because the number of a process is used again.
    """

    notebook: str | None
    writer: str
    since: str


def insert(connection: sqlite3.Connection, values: Mapping[str, Any]) -> int:
    """Insert an exchange, given by column; return its id."""
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    row = connection.execute(f"INSERT INTO exchanges ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608  # our names
    assert row.lastrowid is not None
    return row.lastrowid


def update(connection: sqlite3.Connection, number: int, values: Mapping[str, Any]) -> None:
    """Change columns of an exchange; one deleted in the meantime stays deleted."""
    changes = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE exchanges SET {changes} WHERE id = ?", (*values.values(), number))  # noqa: S608  # our names


def latest(
    connection: sqlite3.Connection,
    words: str = "",
    limit: int = -1,
    *,
    oldest_first: bool = False,
    here: Here | None = None,
) -> Iterator[Exchange]:
    """Exchanges whose prompt or text contains all the words, in any case; at most `limit` unless it is -1.

    No word index is needed: reading 100,000 exchanges (200 MB, about what `max_bytes` allows) takes a tenth of a
    second, and this way parts of words are found, as are languages without spaces between words.
    """
    conditions, values = (["1"], []) if here is None else ([_HERE], list(here))
    for word in words.split():
        condition, patterns = _has_word(connection, word)
        conditions.append(condition)
        values += patterns
    order = "ASC" if oldest_first else "DESC"
    query = f"SELECT * FROM exchanges WHERE {' AND '.join(conditions)} ORDER BY id {order} LIMIT ?"  # noqa: S608  # our text
    return map(_exchange, connection.execute(query, (*values, limit)))


def containing(connection: sqlite3.Connection, word: str, numbers: Iterable[int]) -> bool:
    """Whether the word is in one of the turns, given by their first exchanges."""
    condition, patterns = _has_word(connection, word)
    query = f"SELECT 1 FROM exchanges WHERE (id = ? OR turn = ?) AND {condition} LIMIT 1"  # noqa: S608  # our text
    return any(connection.execute(query, (number, number, *patterns)).fetchone() for number in numbers)


def _has_word(connection: sqlite3.Connection, word: str) -> tuple[str, list[str]]:
    """The condition that prompt or text contains a word, with its values."""
    connection.create_function("casefold", 1, str.casefold, deterministic=True)
    pattern = f"%{_escaped(word.casefold())}%"
    # LIKE ignores case only in ASCII.
    columns = ("prompt", "text") if word.isascii() else ("casefold(prompt)", "casefold(text)")
    return "(" + " OR ".join(rf"{column} LIKE ? ESCAPE '\'" for column in columns) + ")", [pattern, pattern]


def turns(
    connection: sqlite3.Connection, words: str = "", limit: int = -1, here: Here | None = None
) -> Iterator[tuple[Exchange, ...]]:
    """The turns that have an exchange which `latest` finds, newest first; each with all its exchanges, in order."""
    whole = _whole_turns(connection, latest(connection, words, here=here))
    return whole if limit == -1 else islice(whole, limit)


def _whole_turns(connection: sqlite3.Connection, found: Iterator[Exchange]) -> Iterator[tuple[Exchange, ...]]:
    seen, knows_turns = set(), _knows_turns(connection)
    for exchange in found:
        first = exchange.turn or exchange.id
        if first not in seen:
            seen.add(first)
            yield exchanges_of(connection, first) if knows_turns else (exchange,)


def turn_of(connection: sqlite3.Connection, exchange: Exchange) -> tuple[Exchange, ...]:
    """All exchanges of the turn that this one belongs to, in order."""
    return exchanges_of(connection, exchange.turn or exchange.id) if _knows_turns(connection) else (exchange,)


def _knows_turns(connection: sqlite3.Connection) -> bool:
    """Whether it is no log of version 0.1, where each exchange is a turn: reading adds no column."""
    return "turn" not in missing(connection)


def exchanges_of(connection: sqlite3.Connection, first: int) -> tuple[Exchange, ...]:
    """The exchanges of the turn that begins with this one, in order."""
    query = "SELECT * FROM exchanges WHERE id = ? OR turn = ? ORDER BY id"
    return tuple(map(_exchange, connection.execute(query, (first, first))))


def find(connection: sqlite3.Connection | None, number: int | str) -> Exchange:
    """The exchange with that id, or the latest for `"last"`.

    Raises:
        JmuzError: there is none, or no log.
    """
    if number != "last" and not str(number).isdecimal():
        raise JmuzError(f"expected an exchange's number or last, got {number!r}")
    if number == "last":
        found = next(latest(connection, limit=1), None) if connection else None
    else:
        row = connection and connection.execute("SELECT * FROM exchanges WHERE id = ?", (int(number),)).fetchone()
        found = _exchange(row) if row else None
    if found is None:
        raise JmuzError("nothing is logged yet" if number == "last" else f"the log has no exchange {number}")
    return found


def delete(connection: sqlite3.Connection, *, number: int | None = None, before: datetime | None = None) -> int:
    """Delete the turn of one exchange, or all asked before a time, for good; return how many exchanges there were."""
    if before is not None:
        count = _delete_before(connection, before)
    else:
        first = "(SELECT coalesce(turn, id) FROM exchanges WHERE id = ?)"
        query = f"DELETE FROM exchanges WHERE id = {first} OR turn = {first}"  # noqa: S608  # our text
        count = connection.execute(query, (number, number)).rowcount
    if count:
        _forget_conversations(connection)
        erase(connection)
    return count


def prune(connection: sqlite3.Connection, max_bytes: int, max_age_days: float) -> None:
    """Delete what is too old, then the oldest exchanges until the log is a tenth below its limit."""
    with contextlib.suppress(OverflowError):  # an age beyond the calendar's start: nothing is too old
        _delete_before(connection, datetime.now(UTC) - timedelta(days=max_age_days))
    if _size(connection) > max_bytes:
        query = "DELETE FROM exchanges WHERE id IN (SELECT id FROM exchanges ORDER BY id LIMIT ?)"
        while _size(connection) > 0.9 * max_bytes:
            count = connection.execute("SELECT count(*) FROM exchanges").fetchone()[0]
            if not connection.execute(query, (max(1, count // _SHARE),)).rowcount:
                break
    _forget_conversations(connection)
    _give_back(connection)


def _delete_before(connection: sqlite3.Connection, moment: datetime) -> int:
    query = "DELETE FROM exchanges WHERE asked_at < ?"
    return connection.execute(query, (moment.astimezone(UTC).isoformat(),)).rowcount


def _forget_conversations(connection: sqlite3.Connection) -> None:
    """Delete conversations that have no exchange any longer."""
    any_exchange = "SELECT 1 FROM exchanges WHERE conversation_id = conversations.id"
    connection.execute(f"DELETE FROM conversations WHERE NOT EXISTS ({any_exchange})")  # noqa: S608  # our text


def _size(connection: sqlite3.Connection) -> int:
    """Bytes in use, not counting freed pages."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def erase(connection: sqlite3.Connection) -> None:
    """Leave nothing of what was deleted in the files."""
    _give_back(connection)
    # The journal still contains what was deleted; this empties it unless another kernel is using it right now.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _give_back(connection: sqlite3.Connection) -> None:
    # Not `execute`: before Python 3.12 it takes only one step of a statement without columns, freeing only one page.
    connection.executescript("PRAGMA incremental_vacuum")


def _escaped(word: str) -> str:
    for character in ("\\", "%", "_"):
        word = word.replace(character, "\\" + character)
    return word


def _exchange(row: sqlite3.Row) -> Exchange:
    streaming = row["state"] == "streaming"
    reply = _reply(row)
    return Exchange(
        id=row["id"],
        asked_at=datetime.fromisoformat(row["asked_at"]),
        state=row["state"],
        gone=streaming and is_gone(row["writer"], row["heard"]),
        request=(request := json.loads(row["request"])),
        messages=tuple(_added(row, "messages") or request.get("messages") or ()),
        turn=row["turn"] if "turn" in row.keys() else None,  # noqa: SIM118  # as in _added
        tool_results=msgspec.convert(_added(row, "tool_results") or (), tuple[ToolResult, ...]),
        cell=_added(row, "cell"),
        removed_adverts=tuple(json.loads(row["removed_adverts"] or "[]")),
        **{name: row[name] for name in _PLAIN},
        **{name: getattr(reply, name) for name in FACTS},
    )


def _reply(row: sqlite3.Row) -> Reply:
    """The reply from stored JSON; members added by a newer version are ignored."""
    calls = msgspec.json.decode(row["tool_calls"] or "[]", type=tuple[ToolCall, ...])
    reply = Reply("", usage=msgspec.json.decode(row["usage"] or "null", type=Usage | None), tool_calls=calls)
    facts = _added(row, "facts")
    return with_facts(reply, facts) if facts else reply


def _added(row: sqlite3.Row, column: str) -> Any:
    """The JSON of a column that a log of an older version does not have: reading adds none."""
    text = row[column] if column in row.keys() else None  # noqa: SIM118  # a Row is not a dict
    return json.loads(text) if text else None


_PLAIN = (
    "provider", "origin", "model", "prompt", "text", "reasoning", "finish_reason", "seconds", "error", "conversation",
    "notebook",
)  # fmt: skip
