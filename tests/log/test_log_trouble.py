"""A log that cannot be written: one warning, the reply unharmed, the old file as it was."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from jmuz_magic.errors import JmuzError
from jmuz_magic.log import store as log_store
from jmuz_magic.log.log import ExchangeLog
from jmuz_magic.log.migrate import main
from tests.exchanges import new_log, request, write

# What a turn does, in a process of its own whose disk the test has spoiled; prints what the user is told.
TURN = """
import asyncio, sys, time
from pathlib import Path
from tests.exchanges import new_log, reply, request
log, said = new_log(Path(sys.argv[1]))

async def turn():
    writer = log.open(request())
    started = time.monotonic()
    await writer.stored()
    for _ in range(100):
        writer.append("x" * 1000)
        await asyncio.sleep(0.005)
    writer.close("complete", reply("x" * 100_000))

for _ in range(3):
    asyncio.run(turn())
    log.flush()
log.close()
print(*said, sep="\\n")
"""
LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))\n"


def run(program: str, path: Path, *prefix: str) -> list[str]:
    """The lines that the user was told."""
    command = [*prefix, sys.executable, "-W", "error", "-c", program, str(path)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (finished.returncode, finished.stderr) == (0, "")
    return finished.stdout.splitlines()


def files(directory: Path) -> dict[str, bytes]:
    """Contents by name, without what is empty and comes and goes beside a database."""
    return {
        file.name: file.read_bytes()
        for file in directory.iterdir()
        if not file.name.endswith(("-shm", "-wal", "-journal", ".lock"))
    }


def old_log(directory: Path) -> tuple[Path, dict[str, bytes]]:
    """A log with one exchange, and what is in the directory now."""
    path = directory / "log.sqlite3"
    log, _ = new_log(path)
    write(log, "old")
    log.close()
    return path, files(directory)


@pytest.mark.fault(61)
@pytest.mark.parametrize("limit", [0, 4_096, 40_000])
def test_a_full_disk_costs_one_warning(tmp_path: Path, limit: int) -> None:
    path, before = old_log(tmp_path)
    (line,) = run(LIMITED.format(limit) + TURN, path)
    assert line.startswith(f"the log {path} cannot be written (")
    assert line.endswith("replies are shown, but not logged")
    if limit <= 4_096:
        assert files(tmp_path) == before
    log, _ = new_log(path)
    assert log.rows()[-1].prompt == "old"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_full_disk_leaves_no_half_made_log(tmp_path: Path) -> None:
    (line,) = run(LIMITED.format(1000) + TURN, tmp_path / "log.sqlite3")
    assert "cannot be written" in line
    assert files(tmp_path) == {}


def in_mounts(tmp_path: Path, script: str) -> list[str]:
    """A command prefix that runs the rest where `script` has mounted something; needs rights that CI has."""
    prefix = ["unshare", "--mount", "sh", "-c", f'{script} && exec "$@"', "sh"]
    if shutil.which("unshare") is None or subprocess.run([*prefix, "true"], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    return prefix


def test_a_small_file_system_that_fills_up_costs_one_warning(tmp_path: Path) -> None:
    prefix = in_mounts(tmp_path, f"mount -t tmpfs -o size=160k tmpfs '{tmp_path}'")
    lines = run(TURN, tmp_path / "log.sqlite3", *prefix)
    assert [line.partition(" (")[0] for line in lines if "are logged in" not in line] == [
        f"the log {tmp_path / 'log.sqlite3'} cannot be written"
    ]


@pytest.mark.fault(61)
def test_a_read_only_directory_costs_one_warning(tmp_path: Path) -> None:
    path, before = old_log(tmp_path)
    if os.getuid():
        tmp_path.chmod(0o500)
        prefix = []
    else:
        here = f"'{tmp_path}'"
        prefix = in_mounts(tmp_path, f"mount --bind {here} {here} && mount -o remount,ro,bind {here}")
    lines = run(TURN, path, *prefix)
    tmp_path.chmod(0o700)
    assert len(lines) == 1
    assert lines[0].startswith(f"the log {path} cannot be written (")
    assert files(tmp_path) == before


def test_a_place_that_is_none_costs_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    log, said = new_log(tmp_path / "file" / "log.sqlite3")
    for _ in range(3):
        write(log)
    log.flush()
    assert len(said) == 1
    assert "cannot be written (" in said[0]
    log.close()


@pytest.mark.fault(61)
@pytest.mark.parametrize(
    "garbage",
    [b"hello", b"not a database at all, " * 1000, b"SQLite format 3\0" + b"\xff" * 5000, b"\0" * 4096],
    ids=["short", "text", "header", "zeros"],
)
def test_garbage_is_set_aside_whole(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "log.sqlite3"
    path.write_bytes(garbage)
    log, said = new_log(path)
    write(log)
    assert len(log.rows()) == 1
    log.close()
    assert (tmp_path / "log.sqlite3.bad").read_bytes() == garbage
    assert len(said) == 2
    assert said[0].endswith("was not a database and was renamed log.sqlite3.bad; a new log was started")


def test_what_was_set_aside_before_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    for text in ("one", "two", "three"):
        path.write_text(text)
        log, _ = new_log(path)
        write(log)
        log.close()
    assert [(tmp_path / f"log.sqlite3.bad{n}").read_text() for n in ("", 1, 2)] == ["one", "two", "three"]


def test_reading_garbage_sets_nothing_aside(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    path.write_text("garbage")
    log, _ = new_log(path)
    with pytest.raises(JmuzError, match="is not an SQLite database"):
        log.rows()
    assert files(tmp_path) == {"log.sqlite3": b"garbage"}


def test_two_processes_set_garbage_aside_once(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    path.write_text("garbage")
    command = [sys.executable, "-m", "tests.exchanges", "write", str(path), "p", "5"]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for writer in writers:
        writer.communicate(timeout=60)
    log, _ = new_log(path)
    assert len(log.rows(-1)) == 20
    assert sorted(files(tmp_path)) == ["log.sqlite3", "log.sqlite3.bad"]


@pytest.mark.fault(61)
def test_a_newer_schema_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_store, "MIGRATIONS", [*log_store.MIGRATIONS, "ALTER TABLE exchanges ADD x"])
    path, before = old_log(tmp_path)
    monkeypatch.undo()
    log, said = new_log(path)
    for _ in range(3):
        write(log)
        log.flush()
    assert len(said) == 1
    assert "was written by a newer jmuz_magic (schema 2, this one knows 1)" in said[0]
    assert files(tmp_path) == before
    with pytest.raises(JmuzError, match="newer jmuz_magic"):
        log.rows()
    log.close()
    assert files(tmp_path) == before


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE places (url)")
    connection.commit()
    connection.close()
    before = files(tmp_path)
    log, said = new_log(path)
    write(log)
    log.close()
    assert len(said) == 1
    assert "another program's database" in said[0]
    assert files(tmp_path) == before


def test_a_damaged_page_costs_one_warning_and_the_file_is_kept(tmp_path: Path) -> None:
    path, _ = old_log(tmp_path)
    log, _ = new_log(path)
    for number in range(50):
        write(log, f"{number}", "x" * 3000)
    log.close()
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 20] = b"\xfe" * (4096 * 18)
    path.write_bytes(content)
    log, said = new_log(path)
    with pytest.raises(JmuzError, match=r"log\.sqlite3 cannot be read: database disk image is malformed"):
        log.rows(-1)
    write(log)
    log.close()
    assert [line for line in said if "cannot be written" in line or "was renamed" in line]
    assert len(said) <= 2
    kept = files(tmp_path)
    assert bytes(content) in kept.values() or len(kept["log.sqlite3"]) >= len(content)


def test_a_log_that_can_be_written_again_is_used_again(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.write_text("in the way")
    log, said = new_log(directory / "log.sqlite3")
    write(log)
    log.flush()
    directory.unlink()
    write(log)
    assert len(log.rows()) == 1
    assert len(said) == 2
    log.close()


def test_a_request_is_not_held_up_by_a_log_that_is_stuck(log: ExchangeLog) -> None:
    write(log)
    log.flush()
    assert log.path
    blocker = sqlite3.connect(log.path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")

    async def ask() -> None:
        await asyncio.wait_for(log.open(request()).stored(), 4)

    asyncio.run(ask())
    blocker.execute("ROLLBACK")
    blocker.close()


def test_the_migration_of_what_is_no_file_costs_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_log_that_cannot_be_written_is_not_called_empty(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "x.db"
    log, said = new_log(path)
    assert log.rows() == []  # so far nothing was asked
    write(log)
    for read in (log.rows, lambda: log.get("last"), lambda: log.delete(1)):
        with pytest.raises(JmuzError) as caught:
            read()
        assert str(caught.value).startswith(f"the log {path} cannot be written (")
    assert len(said) == 1
    log.close()


def test_a_log_whose_folder_is_closed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.sqlite3"

    def refused(*_: object) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refused)  # root may enter every folder
    log, _ = new_log(path)
    with pytest.raises(JmuzError, match="cannot be read: Permission denied"):
        log.rows()
