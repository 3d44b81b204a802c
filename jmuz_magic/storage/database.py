"""SQLite databases opened with care: for the user alone, with a journal that works where they are, garbage set aside.

`sqlite3` is imported with this module, which happens with the first exchange and not before.
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

BUSY = 5.0  # seconds to wait for other processes before trying again later
_BESIDE = ("-wal", "-shm", "-journal")  # they belong to one database and would spoil another


def make_directory(directory: Path) -> None:
    """Make a directory that only the user can look into, where there is none."""
    if not directory.is_dir():
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def open_private(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that writes, open afterwards; the file is made where there is none, for the user alone.

    What goes wrong inside closes it, and takes a database away that was made for it.

    Raises:
        OSError, sqlite3.Error: it cannot be made, opened or written.
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
    """All of what is inside, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def open_readable(path: Path) -> sqlite3.Connection | None:
    """A connection that reads; None where SQLite finds no database in the file. An empty one is a database.

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
    """Whose database it is, by the number in the file's header; None for one without tables, which is nobody's."""
    if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        return None
    return int(connection.execute("PRAGMA application_id").fetchone()[0])


def version_of(connection: sqlite3.Connection) -> int:
    """The number of its schema; 0 for one without tables."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def set_aside(path: Path) -> Path:
    """Rename the file, and what belongs to it, to a name that ends in `.bad`; the new path."""
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
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # deleting makes the file smaller
    # WAL lets processes read and write side by side, but its shared memory does not cross a network.
    connection.execute(f"PRAGMA journal_mode = {'DELETE' if is_network(path) else 'WAL'}")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")  # deleted means gone


def _remove(path: Path) -> None:
    for suffix in ("", *_BESIDE):
        with contextlib.suppress(OSError):
            path.with_name(path.name + suffix).unlink()
