"""Several processes and one log: real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from jmuz_magic.log import exchange, exchange_row
from jmuz_magic.log.exchange import is_gone, this_process
from jmuz_magic.log.log import ExchangeLog
from jmuz_magic.log.store import connect
from tests.exchanges import new_log, request, text_of, write
from tests.waiting import wait_until

PROCESSES, EXCHANGES = 4, 250


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.exchanges", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.fault(62)
def test_four_processes_write_at_once_and_nothing_is_lost_or_torn(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    writers = [start("write", path, f"p{number}", str(EXCHANGES)) for number in range(PROCESSES)]
    outputs = [writer.communicate(timeout=120) for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * PROCESSES, outputs
    said = [line for output, _ in outputs for line in output.split("\n") if line]
    assert len(said) == 1, said
    assert "are logged in" in said[0]

    log, _ = new_log(path)
    rows = log.rows(-1)
    assert len(rows) == PROCESSES * EXCHANGES
    assert {(row.prompt, row.state, row.text) for row in rows} == {
        (f"p{process} {number}", "complete", text_of(f"p{process}", number))
        for process in range(PROCESSES)
        for number in range(EXCHANGES)
    }
    connection, _ = connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.close()


def test_a_killed_process_leaves_its_text_up_to_a_second_before(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    log, _ = new_log(path)
    with start("stream", path) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "streaming\n"
        wait_until(log.rows, "the exchange is logged")
        assert not log.get("last").gone
        assert writer.stdout.readline() == "streaming\n"  # at a moment that has nothing to do with the log's
        killed = time.time()
        writer.kill()
    last = log.get("last")
    assert (last.state, last.gone) == ("streaming", True)
    assert last.reply.finish_reason == "interrupted"
    newest = float(last.text.rpartition(" at ")[2])
    assert killed - newest < 1


def test_a_killed_process_is_known_before_its_parent_looks(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    log, _ = new_log(path)
    with start("stream", path) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "streaming\n"
        wait_until(log.rows, "the exchange is logged")
        os.kill(writer.pid, signal.SIGKILL)  # nobody has waited for it: it is a zombie
        wait_until(lambda: log.get("last").gone, "the writer is known to be gone", 10)


def test_a_writer_elsewhere_is_gone_after_a_silence() -> None:
    elsewhere = "another machine pid:[4026531836] 1"
    assert not is_gone(elsewhere, time.time() - 20)
    assert is_gone(elsewhere, time.time() - exchange.SILENCE - 1)
    assert not is_gone(this_process(), time.time())


def test_a_writer_is_given_up_only_after_several_signs_of_life_have_failed_to_come() -> None:
    assert 2 * exchange_row.HEARTBEAT < exchange.SILENCE


def test_a_silent_stream_still_says_that_it_lives(log: ExchangeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_row, "HEARTBEAT", 0.1)
    log.open(request())
    log.flush()
    assert log.path
    connection, _ = connect(log.path)
    first = connection.execute("SELECT heard FROM exchanges").fetchone()[0]
    wait_until(lambda: connection.execute("SELECT heard FROM exchanges").fetchone()[0] > first, "it is heard again")
    connection.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_writes_with_its_own_connection(log: ExchangeLog) -> None:
    write(log, "parent")
    log.flush()
    child = os.fork()
    if child == 0:
        try:
            write(log, "child")
            log.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    write(log, "parent again")
    assert {exchange.prompt for exchange in log.rows()} == {"parent", "child", "parent again"}


def test_an_exit_in_the_middle_keeps_the_text(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    program = (
        "import sys; from pathlib import Path; from tests.exchanges import new_log, request\n"
        "log, _ = new_log(Path(sys.argv[1])); writer = log.open(request()); writer.append('so far')"
    )
    finished = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, timeout=60)
    assert (finished.returncode, finished.stderr) == (0, "")
    log, _ = new_log(path)
    (row,) = log.rows()
    assert (row.text, row.state) == ("so far", "interrupted")


def test_threads_may_ask_at_once(log: ExchangeLog) -> None:
    threads = [threading.Thread(target=lambda: [write(log) for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(log.rows(-1)) == 400
