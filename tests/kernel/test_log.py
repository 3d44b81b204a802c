"""The exchange log, as cells and other kernels see it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from jmuz_magic.demo import DemoServer
from tests.exchanges import new_log
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Kernel
from tests.waiting import wait_until

pytestmark = pytest.mark.kernel

WARNING = "replies are shown, but not logged"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "log.sqlite3"


@pytest.fixture
def slow_endpoint() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=100) as server:
        yield server
        wait_until(lambda: server.open_streams == 0, "no stream of the demo endpoint is open any more")


def loaded(start_kernel: StartKernel, endpoint: DemoServer, path: Path) -> Kernel:
    # IPython's own history would speak up where the disk is full.
    arguments = ["--HistoryManager.enabled=False"]
    kernel = start_kernel(env={"JMUZ_API_BASE": endpoint.api_base, "JMUZ_LOG": str(path)}, arguments=arguments)
    kernel.run("%load_ext jmuz_magic")
    return kernel


def test_the_text_of_a_killed_kernel_is_shown_and_marked(
    start_kernel: StartKernel, slow_endpoint: DemoServer, path: Path
) -> None:
    kernel = loaded(start_kernel, slow_endpoint, path)
    execution = kernel.submit("%%jmuz -m demo-long\ntell me all\n")
    log, _ = new_log(path)
    wait_until(lambda: path.exists() and [row for row in log.rows(1) if len(row.text) > 1000], "some text is logged")
    kernel.read()
    os.kill(kernel.pid, 9)
    killed_at = log.get("last").text
    assert not execution.done

    again = loaded(start_kernel, slow_endpoint, path)
    assert "kernel died" in again.run("%jmuz_log").text
    shown = again.run("%jmuz_log --show=last")
    assert shown.text.startswith(killed_at[:1000])
    assert "incomplete: the kernel died mid-reply; this is what had arrived" in shown.html


def test_one_line_tells_of_a_new_log_below_the_first_reply(
    start_kernel: StartKernel, demo_endpoint: DemoServer, path: Path
) -> None:
    kernel = loaded(start_kernel, demo_endpoint, path)
    assert not path.exists()
    first = kernel.run("%%jmuz -m demo-echo\nhello\n")
    assert first.stdout == f"exchanges are logged in {path}, which only you can read; JMUZ_LOG=off turns this off\n"
    assert kernel.run("%%jmuz -m demo-echo\nhello\n").stdout == ""


def test_exchanges_are_listed_found_shown_exported_and_deleted(
    start_kernel: StartKernel, demo_endpoint: DemoServer, path: Path, tmp_path: Path
) -> None:
    kernel = loaded(start_kernel, demo_endpoint, path)
    asked = kernel.run("%%jmuz -m demo-markdown\nthe first question\n")
    kernel.run("%%jmuz -m demo-echo\n<b>second</b>\n")
    kernel.execute("%%jmuz -m nope\nthird\n")

    listed = kernel.run("%jmuz_log")
    assert [line.split()[0] for line in listed.text.splitlines()] == ["id", "3", "2", "1"]
    assert "failed" in listed.text
    assert "&lt;b&gt;second" in listed.html
    assert len(kernel.run("%jmuz_log -n 1").text.splitlines()) == 2
    assert [line[0] for line in kernel.run("%jmuz_log --search FIRST quest").text.splitlines()] == ["i", "1"]
    assert kernel.run("%jmuz_log --search nothing such").text == "no logged exchange contains 'nothing such'"

    shown = kernel.run("%jmuz_log --show=1")
    assert shown.html == "".join(output["data"].get("text/html", "") for output in asked.outputs if "data" in output)
    failed = kernel.run("%jmuz_log --show 3").html
    assert "nope" in failed
    assert "no reply" not in failed

    assert kernel.run(f"%jmuz_log --export '{tmp_path}/all.jsonl'").text == "3 exchanges written\n"
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 3
    assert "already exists; give another name" in kernel.execute(f"%jmuz_log --export '{tmp_path}/all.jsonl'").text
    assert kernel.run("%jmuz_log --delete 2").text == "1 exchange deleted\n"
    assert kernel.run("%jmuz_log --delete --before 2001-01-31").text == "0 exchanges deleted\n"
    assert "cannot ask, so nothing was deleted; --yes" in kernel.execute("%jmuz_log --delete --before 2999-01-31").text
    assert kernel.run("%jmuz_log --delete --before 2999-01-31 --yes").text == "2 exchanges deleted\n"
    assert kernel.run("%jmuz_log").text == "nothing is logged yet"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--show=7", "the log has no exchange 7"),
        ("--show=x", "expected an exchange's number or last, got 'x'"),
        ("--delete 7", "the log has no exchange 7"),
        ("--delete --before yesterday", "expected a day such as 2025-12-31, got 'yesterday'"),
        ("--delete --before 2025-13-45", "expected a day such as 2025-12-31, got '2025-13-45'"),
        ("--export log.sqlite3", "expected a file name that ends in .jsonl"),
        ("-n 0", "-n: expected a whole number of at least 1"),
        ("--show=1 --delete 1", "--show and --delete cannot be combined"),
        ("--nonsense", "unknown option '--nonsense'"),
    ],
)
def test_wrong_lines_are_answered_in_one(kernel: Kernel, path: Path, line: str, says: str) -> None:
    kernel.run("%reload_ext jmuz_magic")
    path.parent.mkdir(parents=True)
    log, _ = new_log(path)
    log.close()
    kernel.run(f"%config JmuzMagics.log = {str(path)!r}")
    execution = kernel.execute(f"%jmuz_log {line}")
    assert execution.status == "error"
    assert execution.text.startswith("UsageError: ")
    assert says in execution.text
    assert len(execution.text.strip().splitlines()) == 1


def test_a_log_that_is_off_says_so(jmuz_kernel: Kernel) -> None:
    jmuz_kernel.run("%config JmuzMagics.log = 'off'")
    execution = jmuz_kernel.run("%%jmuz -m demo-echo\nhello\n")
    assert execution.text == "hello"
    assert "the log is off" in jmuz_kernel.execute("%jmuz_log").text


@pytest.mark.fault(61)
@pytest.mark.parametrize("trouble", ["full", "garbage", "newer", "no directory"])
def test_trouble_costs_one_line_and_no_reply(
    start_kernel: StartKernel, demo_endpoint: DemoServer, path: Path, trouble: str
) -> None:
    path.parent.mkdir()
    if trouble == "garbage":
        path.write_bytes(b"something else " * 1000)
    elif trouble == "no directory":
        path = path / "data" / "log.sqlite3"
        path.parent.parent.write_text("a file")
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE exchanges (id)")
            connection.execute(f"PRAGMA application_id = {0x6A6D757A}")
            connection.execute(f"PRAGMA user_version = {99 if trouble == 'newer' else 1}")
        connection.close()
    before = path.read_bytes() if path.is_file() else b""
    kernel = loaded(start_kernel, demo_endpoint, path)
    cell = "get_ipython().run_cell_magic('jmuz', '-m demo-markdown', 'show me')"
    limit = "import resource; soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
    if trouble == "full":
        cell = f"{limit}resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))\n{cell}\n"
        cell += "resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))"
    execution = kernel.run(cell)
    displayed = "".join(output["data"]["text/plain"] for output in execution.outputs if "data" in output)
    assert displayed.rstrip().endswith("The end.")
    lines = execution.stdout.splitlines()
    says = {"full": WARNING, "newer": "newer jmuz_magic", "garbage": "log.sqlite3.bad", "no directory": WARNING}
    assert says[trouble] in lines[0]
    assert len(lines) == (2 if trouble == "garbage" else 1)
    kept = path.with_name("log.sqlite3.bad") if trouble == "garbage" else path
    assert (kept.read_bytes() if kept.is_file() else b"") == before


def test_four_kernels_log_250_exchanges_each(start_kernel: StartKernel, demo_endpoint: DemoServer, path: Path) -> None:
    kernels = [loaded(start_kernel, demo_endpoint, path) for _ in range(4)]
    ask = (
        "from jmuz_magic import Conversation\n"
        "for number in range(250):\n"
        "    reply = Conversation('demo-echo').ask(f'{NAME} {number} ' + 'word ' * 100)"
    )
    running = [kernel.submit(ask.replace("NAME", repr(n))) for n, kernel in enumerate(kernels)]
    for kernel, execution in zip(kernels, running, strict=True):
        kernel.finish(execution, timeout=150)
        assert execution.status == "ok", execution.text
        kernel.run("%unload_ext jmuz_magic")
    log, _ = new_log(path)
    rows = log.rows(-1)
    assert {row.prompt for row in rows} == {f"{n} {number} " + "word " * 100 for n in range(4) for number in range(250)}
    assert len(rows) == 1000
    assert {(row.state, row.text.strip() == row.prompt.strip()) for row in rows} == {("complete", True)}
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_the_notebook_is_named_where_the_kernel_knows_it(
    start_kernel: StartKernel, demo_endpoint: DemoServer, path: Path
) -> None:
    kernel = start_kernel(
        env={"JMUZ_API_BASE": demo_endpoint.api_base, "JMUZ_LOG": str(path), "JPY_SESSION_NAME": "work/analysis.ipynb"}
    )
    kernel.run("%load_ext jmuz_magic")
    kernel.run("%%jmuz -m demo-echo --chat=trip\nhello\n")
    log, _ = new_log(path)
    assert (log.get("last").notebook, log.get("last").conversation) == ("analysis.ipynb", "trip")
    assert json.loads(json.dumps(log.get("last").request))["model"] == "demo-echo"


def test_an_interrupted_reply_is_logged_as_that(
    start_kernel: StartKernel, slow_endpoint: DemoServer, path: Path
) -> None:
    kernel = loaded(start_kernel, slow_endpoint, path)
    execution = kernel.submit("%%jmuz -m demo-long\ntell me all\n")
    kernel.wait(execution, lambda: len(execution.html) > 300, "some text is shown")
    kernel.interrupt()
    kernel.finish(execution)
    assert "interrupted" in kernel.run("%jmuz_log").text
    assert "interrupted: the reply is incomplete" in kernel.run("%jmuz_log --show=last").html


def test_reloading_leaves_one_thread_and_unloading_none(
    start_kernel: StartKernel, demo_endpoint: DemoServer, path: Path
) -> None:
    kernel = loaded(start_kernel, demo_endpoint, path)
    names = "[thread.name for thread in __import__('threading').enumerate() if 'jmuz' in thread.name]"
    for _ in range(3):
        kernel.run("%reload_ext jmuz_magic")
        kernel.run("%%jmuz -m demo-echo\nhello\n")
    assert sorted(kernel.value(names)) == ["jmuz-bridge", "jmuz-log"]
    kernel.run("%unload_ext jmuz_magic")
    assert kernel.value(names) == []
    assert kernel.value("'sqlite3' in __import__('sys').modules") is True
