"""What happens around a reply in a process: forks, its end, and packages that are not there."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jmuz_magic.demo import DemoServer
from tests.waiting import wait_until

SHELL = """
import asyncio, os, sys, threading, warnings
from IPython.core.interactiveshell import InteractiveShell
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of every fork beside a thread
shell = InteractiveShell.instance(colors="nocolor")
def run(cell):
    result = shell.run_cell(cell)
    assert result.success, cell
"""


def python(script: str, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *flags, "-c", SHELL + textwrap.dedent(script)]
    return subprocess.run(command, env={**os.environ, **environment}, timeout=60, capture_output=True, text=True)


@pytest.mark.fault(47)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("how", ["os.fork", "multiprocessing"])
def test_a_forked_child_asks_on_connections_of_its_own(demo_endpoint: DemoServer, how: str) -> None:
    script = """
    def ask(what):
        run(f"%jmuz -m demo-echo {what}")
        sys.stdout.flush()
    run("%load_ext jmuz_magic")
    ask("before")
    if sys.argv[1:] == ["os.fork"]:
        child = os.fork()
        if child == 0:
            ask("in the child")
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    else:
        import multiprocessing
        child = multiprocessing.get_context("fork").Process(target=ask, args=["in the child"])
        child.start()
        child.join()
        code = child.exitcode
    assert code == 0, code
    ask("after")
    """
    command = [sys.executable, "-c", SHELL + textwrap.dedent(script), how]
    env = {**os.environ, "JMUZ_API_BASE": demo_endpoint.api_base}
    done = subprocess.run(command, env=env, timeout=60, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "before\nin the child\nafter\n"
    assert [request.state for request in demo_endpoint.requests] == ["complete"] * 3


@pytest.fixture
def slow_endpoint() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=20, keep_requests=10) as server:
        yield server
        wait_until(lambda: server.open_streams == 0, "no stream of the demo endpoint is open any more")


@pytest.mark.fault(52)
@pytest.mark.parametrize("ending", ["", "sys.exit(0)", 'run("%unload_ext jmuz_magic")'], ids=["end", "exit", "unload"])
def test_a_process_ends_quietly_and_soon_with_a_reply_in_flight(slow_endpoint: DemoServer, ending: str) -> None:
    script = f"""
    import time
    run("%load_ext jmuz_magic")
    run("%jmuz job << --background -m demo-long go")
    while not shell.user_ns["job"]._turn.reply.text:
        time.sleep(0.01)
    print(time.monotonic(), flush=True)
    {ending}
    """
    done = python(script, "-X", "dev", "-W", "error::ResourceWarning", JMUZ_API_BASE=slow_endpoint.api_base)
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - float(done.stdout) < 10  # far below the minutes that the reply would take
    wait_until(lambda: slow_endpoint.requests[-1].state == "closed", "the endpoint saw the close")


BLOCKED = """
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"anywidget", "ipywidgets", "keyring", "math_core", "rich"}:
            raise ModuleNotFoundError(f"No module named {name!r}")
sys.meta_path.insert(0, Blocked())
"""


@pytest.mark.fault(53)
def test_a_terminal_without_widgets_has_everything_but_the_panel(demo_endpoint: DemoServer) -> None:
    script = BLOCKED + textwrap.dedent("""
    run("%load_ext jmuz_magic")
    run("%%jmuz -m demo-echo\\nhello")
    run("%jmuz_models gpt")
    assert not shell.run_cell("%jmuz_chat").success
    """)
    done = python(script, JMUZ_API_BASE=demo_endpoint.api_base)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("hello\n")
    assert "gpt-4o  (default; answered by demo-chat)" in done.stdout
    assert "%jmuz_chat: the panel is a widget and needs a notebook" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_script_of_a_user_needs_no_shell(demo_endpoint: DemoServer, tmp_path: Path) -> None:
    """In Python there is neither a shell nor a display."""
    script = BLOCKED + textwrap.dedent("""
    class NoIPython:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in {"IPython", "traitlets"}:
                raise ModuleNotFoundError(f"No module named {name!r}")
    sys.meta_path.insert(0, NoIPython())
    from jmuz_magic import Conversation
    print(Conversation(model="demo-echo").ask("hello"))
    """)
    command = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", "import sys\n" + script]
    env = {**os.environ, "JMUZ_API_BASE": demo_endpoint.api_base}
    done = subprocess.run(command, env=env, cwd=tmp_path, timeout=60, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")
