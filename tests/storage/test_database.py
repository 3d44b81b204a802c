"""SQLite opened with care, whatever is kept in it; what the log makes of it is tested in `tests/log`."""

from __future__ import annotations

import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest

from jmuz_magic.storage.database import (
    application_of,
    open_private,
    open_readable,
    set_aside,
    transaction,
    version_of,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "any.sqlite3"


def make(path: Path, *statements: str) -> None:
    with open_private(path) as connection:
        for statement in ("CREATE TABLE things (name TEXT)", *statements):
            connection.execute(statement)
    connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_new_database_is_for_the_user_alone(path: Path) -> None:
    make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_goes_wrong_takes_a_new_database_away(path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        make(path, "INSERT INTO nothing VALUES (1)")
    assert list(path.parent.iterdir()) == []


def test_what_goes_wrong_leaves_an_older_database(path: Path) -> None:
    make(path)
    with pytest.raises(sqlite3.OperationalError):
        make(path)
    assert path.exists()


def test_whose_it_is_and_which_schema_it_has(path: Path) -> None:
    path.touch()
    connection = open_readable(path)
    assert connection
    with closing(connection):
        assert (application_of(connection), version_of(connection)) == (None, 0)
    make(path, "PRAGMA application_id = 7", "PRAGMA user_version = 3")
    connection = open_readable(path)
    assert connection
    with closing(connection):
        assert (application_of(connection), version_of(connection)) == (7, 3)


def test_garbage_is_no_database(path: Path) -> None:
    path.write_bytes(b"no database " * 100)
    assert open_readable(path) is None


def test_what_is_set_aside_takes_along_what_belongs_to_it(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}.bad"):
        path.with_name(name).write_text(name)
    assert set_aside(path).read_text() == path.name
    assert sorted(each.name for each in path.parent.iterdir()) == [
        f"{path.name}.bad", f"{path.name}.bad1", f"{path.name}.bad1-wal",
    ]  # fmt: skip


def test_a_transaction_is_all_or_nothing(path: Path) -> None:
    make(path)
    with open_private(path) as connection, closing(connection):
        with pytest.raises(ValueError, match="stop"), transaction(connection):
            connection.execute("INSERT INTO things VALUES ('one')")
            raise ValueError("stop")
        with transaction(connection):
            connection.execute("INSERT INTO things VALUES ('two')")
        assert [row["name"] for row in connection.execute("SELECT name FROM things")] == ["two"]
