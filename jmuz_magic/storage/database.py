"""SQLite databases opened with care: private to the user, with a journal fit for the file system, garbage set aside.

This module imports `sqlite3`, so it is itself imported only at the first exchange.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from jmuz_magic.storage.filesystems import is_network

__all__ = [
    "application_of",
    "make_directory",
    "open_private",
    "open_readable",
    "set_aside",
    "transaction",
    "version_of",
]

BUSY = 5.0  # seconds to wait for other processes before giving up until later
_BESIDE = ("-wal", "-shm", "-journal")  # they belong to one database and would corrupt another


def make_directory(directory: Path) -> None:
    """Create the directory, readable only by the user, if it does not exist."""
    if not directory.is_dir():
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def open_private(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for writing, which stays open; a missing file is created, readable only by the user.

    An error inside closes it, and removes a database that was created for it.

    Raises:
        OSError, sqlite3.Error: it cannot be created, opened or written.
    """
    is_new = not path.exists()
    if is_new:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = None
    try:
        connection = _connect(path, "rw")
        _prepare(connection, path)
        yield connection
        path.chmod(0o600)
    except BaseException:
        if connection:
            connection.close()
        if is_new:
            _remove(path)
        raise


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside happens, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def open_readable(path: Path) -> sqlite3.Connection | None:
    """A connection for reading; None if SQLite finds no database in the file. An empty file counts as one.

    Raises:
        sqlite3.Error: the file cannot be read for another reason.
    """
    connection = None
    try:
        connection = _connect(path, "ro")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if connection:
            connection.close()
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return None
        raise
    return connection


def application_of(connection: sqlite3.Connection) -> int | None:
    """The application that owns the database, by the number in the file's header; None for one without tables."""
    if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        return None
    return int(connection.execute("PRAGMA application_id").fetchone()[0])


def version_of(connection: sqlite3.Connection) -> int:
    """The number of the schema; 0 for a database without tables."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def set_aside(path: Path) -> Path:
    """Rename the file and what belongs to it so that the name ends in `.bad`; return the new path."""
    number = 0
    while (aside := path.with_name(f"{path.name}.bad{number or ''}")).exists():
        number += 1
    path.rename(aside)
    for suffix in _BESIDE:
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def _connect(path: Path, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=BUSY, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if application_of(connection) is None:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # so that deleting shrinks the file
    # WAL lets processes read and write side by side, but its shared memory does not cross a network.
    connection.execute(f"PRAGMA journal_mode = {'DELETE' if is_network(path) else 'WAL'}")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")  # so that deleted content is overwritten


def _remove(path: Path) -> None:
    for suffix in ("", *_BESIDE):
        with contextlib.suppress(OSError):
            path.with_name(path.name + suffix).unlink()
