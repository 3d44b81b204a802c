"""The log's database: one table, schema versions, columns that came later.

`sqlite3` is imported with this module, which happens with the first exchange and not before.
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

__all__ = ["MIGRATIONS", "connect", "connect_to_read", "shown"]

APPLICATION_ID = 0x6A6D757A  # "jmuz", in the file's header: nobody else's database is ever written to

# What a listing reads stands before what may be long, so that SQLite need not walk over it.
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
"""Scripts; number n (from 1) brings a database of schema n - 1 to schema n, which older versions then refuse."""
ADDED = {"facts": "TEXT"}
"""Columns that came later, by name, with their types; JSON of `facts_of`. They are added without a new schema number:
an older version, which writes and reads columns by their names, goes on with the same file.
"""


def connect(path: Path) -> tuple[sqlite3.Connection, list[str]]:
    """The database at `path` for writing, made or brought to our schema first, and what the user should be told.

    A file that cannot be read at all is set aside as `.bad`; no other is touched unless it is ours to write.

    Raises:
        JmuzError: the file is another program's, or of a newer schema.
        OSError, sqlite3.Error: it cannot be opened or written.
    """
    said = []
    make_directory(path.parent)
    with locked(path.with_name(path.name + ".lock")):
        if path.exists() and not _is_ours(path):
            said.append(f"{shown(path)} was no database and is now {set_aside(path).name}; a new log was begun")
        if not path.exists():
            said.append(f"exchanges are logged in {shown(path)}, readable by you alone; JMUZ_LOG=off turns this off")
        with open_private(path) as connection:
            _migrate(connection)
    return connection, said


def connect_to_read(path: Path) -> sqlite3.Connection | None:
    """The database at `path` for reading; None where there is none.

    Raises:
        JmuzError: the file is no log, or of a newer schema.
        OSError, sqlite3.Error: it cannot be opened.
    """
    if not path.exists():
        return None
    if not _is_ours(path):
        raise JmuzError(f"{shown(path)} is no SQLite database; the next exchange sets it aside and begins a new log")
    connection = open_readable(path)
    if connection and version_of(connection) < len(MIGRATIONS):
        connection.close()
        return connect(path)[0]
    return connection


def shown(path: Path) -> str:
    """The path for a line that a notebook keeps: without the home directory."""
    try:
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    except (ValueError, RuntimeError):
        return str(path)


def _is_ours(path: Path) -> bool:
    """Whether there is a log, or an empty database; False where there is no database at all."""
    connection = open_readable(path)
    if connection is None:
        return False
    with closing(connection):
        if application_of(connection) not in (None, APPLICATION_ID):
            raise JmuzError(f"{shown(path)} is another program's database; nothing is logged, choose another JMUZ_LOG")
        version = version_of(connection)
    if version > len(MIGRATIONS):
        raise JmuzError(
            f"{shown(path)} was written by a newer jmuz_magic (schema {version}, this one knows {len(MIGRATIONS)}); "
            "nothing is logged, update or choose another JMUZ_LOG"
        )
    return True


def _migrate(connection: sqlite3.Connection) -> None:
    if version_of(connection) == len(MIGRATIONS) and not _missing(connection):
        return
    with transaction(connection):
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for script in MIGRATIONS[version_of(connection) :]:
            for statement in script.split(";\n"):
                connection.execute(statement)
        for column in _missing(connection):  # looked at again: another kernel may have been quicker
            connection.execute(f"ALTER TABLE exchanges ADD COLUMN {column} {ADDED[column]}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _missing(connection: sqlite3.Connection) -> list[str]:
    """The columns that a database of an older version does not have yet."""
    there = {row["name"] for row in connection.execute("PRAGMA table_info(exchanges)")}
    return [column for column in ADDED if column not in there]
