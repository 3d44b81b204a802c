"""The log's database: its tables, schema versions, columns added later.

This module imports `sqlite3`, so it is itself imported only at the first exchange.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from jmuz_magic.errors import JmuzError
from jmuz_magic.storage.database import (
    application_of,
    make_directory,
    open_private,
    open_readable,
    set_aside,
    transaction,
    version_of,
)
from jmuz_magic.storage.locking import locked

__all__ = ["MIGRATIONS", "connect", "connect_to_read", "missing", "shown"]

APPLICATION_ID = 0x6A6D757A  # "jmuz", in the file's header: no other program's database is ever written to

# What a listing reads comes before what may be long, so that SQLite need not read past it.
_FIRST = """
CREATE TABLE exchanges (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- so that a number is never given twice
    asked_at TEXT NOT NULL,                -- ISO 8601, UTC
    state TEXT NOT NULL,
    writer TEXT NOT NULL,                  -- this_process()
    heard REAL NOT NULL,                   -- when the writer last said that it lives, seconds since 1970
    provider TEXT NOT NULL,
    origin TEXT NOT NULL,
    model TEXT NOT NULL,
    conversation TEXT,
    notebook TEXT,
    finish_reason TEXT,
    usage TEXT,                            -- JSON, as the next two
    removed_adverts TEXT,
    tool_calls TEXT,
    seconds REAL,
    error TEXT,
    prompt TEXT NOT NULL,
    text TEXT NOT NULL DEFAULT '',
    reasoning TEXT NOT NULL DEFAULT '',
    request TEXT NOT NULL                  -- JSON
);
CREATE INDEX exchanges_by_time ON exchanges (asked_at);
"""
MIGRATIONS = [_FIRST]
"""Scripts; number n (from 1) brings a database from schema n - 1 to n, which older versions then refuse."""
ADDED = {
    "facts": "TEXT",  # JSON of `facts_of`
    "messages": "TEXT",  # JSON, as asked; NULL if `request` holds the same
    "turn": "INTEGER",  # id of the first exchange of the same turn; NULL for that one
    "tool_results": "TEXT",  # JSON
    "conversation_id": "TEXT",  # of `conversations`, which may not have it: a reply that stands alone has one, too
    "cell": "TEXT",  # JSON: the cell that asked, its run, and the prompt as the cell has it if another one was sent
}
"""Columns added later, by name, with their types. The schema number does not change: older versions, which write and
read columns by name, can keep using the same file.
"""

_BESIDE = (
    "CREATE INDEX IF NOT EXISTS exchanges_by_turn ON exchanges (turn) WHERE turn IS NOT NULL",
    """CREATE INDEX IF NOT EXISTS exchanges_by_conversation ON exchanges (conversation_id)
        WHERE conversation_id IS NOT NULL""",
    """CREATE TABLE IF NOT EXISTS conversations (
        id TEXT PRIMARY KEY,       -- random
        name TEXT,                 -- as in %%jmuz --chat=NAME
        notebook TEXT,             -- its full path as the server tells it, which leaves the log nowhere
        changed_at TEXT NOT NULL,  -- ISO 8601, UTC
        shown TEXT NOT NULL        -- JSON: the number of each shown turn's first exchange, in order
    )""",
)
"""What was added later beside columns; older versions do not notice it."""


def connect(path: Path) -> tuple[sqlite3.Connection, list[str]]:
    """The database at `path` for writing, created or migrated first, and lines for the user.

    A file that is not a database is renamed `.bad`; any other is left alone unless it is ours.

    Raises:
        JmuzError: the file belongs to another program, or has a newer schema.
        OSError, sqlite3.Error: it cannot be opened or written.
    """
    said = []
    make_directory(path.parent)
    with locked(path.with_name(path.name + ".lock")):
        if path.exists() and not _is_ours(path):
            said.append(
                f"{shown(path)} was not a database and was renamed {set_aside(path).name}; a new log was started"
            )
        if not path.exists():
            said.append(f"exchanges are logged in {shown(path)}, which only you can read; JMUZ_LOG=off turns this off")
        with open_private(path) as connection:
            _migrate(connection)
    return connection, said


def connect_to_read(path: Path) -> sqlite3.Connection | None:
    """The database at `path` for reading; None if there is none.

    Raises:
        JmuzError: the file is not a log, or has a newer schema.
        OSError, sqlite3.Error: it cannot be opened.
    """
    if not path.exists():
        return None
    if not _is_ours(path):
        raise JmuzError(f"{shown(path)} is not an SQLite database; the next exchange renames it and starts a new log")
    connection = open_readable(path)
    if connection and version_of(connection) < len(MIGRATIONS):
        connection.close()
        return connect(path)[0]
    return connection


def shown(path: Path) -> str:
    """The path for lines that notebooks keep: with `~` for the home directory."""
    try:
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    except (ValueError, RuntimeError):
        return str(path)


def _is_ours(path: Path) -> bool:
    """Whether there is a log or an empty database, rather than no database at all."""
    connection = open_readable(path)
    if connection is None:
        return False
    with closing(connection):
        if application_of(connection) not in (None, APPLICATION_ID):
            raise JmuzError(
                f"{shown(path)} is another program's database; nothing is logged: set JMUZ_LOG to another file"
            )
        version = version_of(connection)
    if version > len(MIGRATIONS):
        raise JmuzError(
            f"{shown(path)} was written by a newer jmuz_magic (schema {version}, this one knows {len(MIGRATIONS)}); "
            "nothing is logged: install the newer version, or set JMUZ_LOG to another file"
        )
    return True


def _migrate(connection: sqlite3.Connection) -> None:
    if version_of(connection) == len(MIGRATIONS) and not missing(connection) and _has_all(connection):
        return
    with transaction(connection):
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for script in MIGRATIONS[version_of(connection) :]:
            for statement in script.split(";\n"):
                connection.execute(statement)
        for column in missing(connection):  # checked again: another kernel may have been quicker
            connection.execute(f"ALTER TABLE exchanges ADD COLUMN {column} {ADDED[column]}")
        for statement in _BESIDE:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def missing(connection: sqlite3.Connection) -> list[str]:
    """The columns that a database of an older version lacks."""
    there = {row["name"] for row in connection.execute("PRAGMA table_info(exchanges)")}
    return [column for column in ADDED if column not in there]


def _has_all(connection: sqlite3.Connection) -> bool:
    """Whether nothing of `_BESIDE` is missing."""
    there = {row["name"] for row in connection.execute("SELECT name FROM sqlite_master")}
    return there >= {"exchanges_by_turn", "exchanges_by_conversation", "conversations"}
