"""The log's SQLite database: opened with care, one table, schema versions.

`sqlite3` is imported with this module, which happens with the first exchange and not before.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jmuz_magic.errors import JmuzError
from jmuz_magic.storage.filesystems import is_network
from jmuz_magic.storage.locking import locked

__all__ = ["MIGRATIONS", "connect", "connect_to_read", "shown", "transaction"]

APPLICATION_ID = 0x6A6D757A  # "jmuz", in the file's header: nobody else's database is ever written to
BUSY = 5.0  # seconds to wait for other kernels before trying again later

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
    _make_directory(path.parent)
    with locked(path.with_name(path.name + ".lock")):
        if path.exists() and not _is_readable(path):
            said.append(_set_aside(path))
        created = not path.exists()
        try:
            connection = _open(path)
        except BaseException:
            if created:
                _remove(path)
            raise
    if created:
        said.append(f"exchanges are logged in {shown(path)}, readable by you alone; JMUZ_LOG=off turns this off")
    return connection, said


def connect_to_read(path: Path) -> sqlite3.Connection | None:
    """The database at `path` for reading; None where there is none.

    Raises:
        JmuzError: the file is no log, or of a newer schema.
        OSError, sqlite3.Error: it cannot be opened.
    """
    if not path.exists():
        return None
    if not _is_readable(path):
        raise JmuzError(f"{shown(path)} is no SQLite database; the next exchange sets it aside and begins a new log")
    connection = _connect(path, "ro")
    if _version(connection) < len(MIGRATIONS):
        connection.close()
        return connect(path)[0]
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of what is inside, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def shown(path: Path) -> str:
    """The path for a line that a notebook keeps: without the home directory."""
    try:
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    except (ValueError, RuntimeError):
        return str(path)


def _open(path: Path) -> sqlite3.Connection:
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = _connect(path, "rw")
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    path.chmod(0o600)
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    fresh = not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    if fresh:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # deleting makes the file smaller
    # WAL lets kernels read and write side by side, but its shared memory does not cross a network.
    connection.execute(f"PRAGMA journal_mode = {'DELETE' if is_network(path) else 'WAL'}")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")  # deleted means gone
    if _version(connection) == len(MIGRATIONS) and not _missing(connection):
        return
    with transaction(connection):
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for script in MIGRATIONS[_version(connection) :]:
            for statement in script.split(";\n"):
                connection.execute(statement)
        for column in _missing(connection):  # looked at again: another kernel may have been quicker
            connection.execute(f"ALTER TABLE exchanges ADD COLUMN {column} {ADDED[column]}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _missing(connection: sqlite3.Connection) -> list[str]:
    """The columns that a database of an older version does not have yet."""
    there = {row["name"] for row in connection.execute("PRAGMA table_info(exchanges)")}
    return [column for column in ADDED if column not in there]


def _is_readable(path: Path) -> bool:
    """False where SQLite finds no database in the file; an empty file is a database without tables."""
    try:
        connection = _connect(path, "ro")
    except sqlite3.DatabaseError as error:
        return _reraise_unless_garbage(error)
    try:
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = _version(connection)
    except sqlite3.DatabaseError as error:
        return _reraise_unless_garbage(error)
    finally:
        connection.close()
    if tables and application != APPLICATION_ID:
        raise JmuzError(f"{shown(path)} is another program's database; nothing is logged, choose another JMUZ_LOG")
    if version > len(MIGRATIONS):
        raise JmuzError(
            f"{shown(path)} was written by a newer jmuz_magic (schema {version}, this one knows {len(MIGRATIONS)}); "
            "nothing is logged, update or choose another JMUZ_LOG"
        )
    return True


def _reraise_unless_garbage(error: sqlite3.DatabaseError) -> bool:
    if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return False
    raise error


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=BUSY, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _make_directory(directory: Path) -> None:
    if not directory.is_dir():
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)


def _set_aside(path: Path) -> str:
    number = 0
    while (aside := path.with_name(f"{path.name}.bad{number or ''}")).exists():
        number += 1
    path.rename(aside)
    for suffix in ("-wal", "-shm", "-journal"):  # they belong to the old file and would spoil the new one
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return f"{shown(path)} was no database and is now {aside.name}; a new log was begun"


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + suffix).unlink()
