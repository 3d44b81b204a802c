"""`python -m jmuz_magic.demo` as a process, and what it imports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from jmuz_magic.demo import DemoServer

COMMAND = [sys.executable, "-m", "jmuz_magic.demo"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_says_where_it_is_answers_and_stops_quietly(stop: signal.Signals) -> None:
    with subprocess.Popen([*COMMAND, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        with urllib.request.urlopen(f"{address}/models", timeout=30) as response:
            assert json.load(response)["data"]
        process.send_signal(stop)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def test_serves_while_a_command_runs_and_ends_with_it() -> None:
    code = "import os, urllib.request as u; print(u.urlopen(os.environ['JMUZ_API_BASE'] + '/models').status)"
    program = f"{code}; raise SystemExit(3)"
    command = [*COMMAND, "--port=0", "--deltas-per-second=0", "--run", sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.splitlines()[-1] == "200"


def test_an_interrupt_is_left_to_the_command_that_runs() -> None:
    code = "import time\ntry:\n print('runs', flush=True)\n time.sleep(30)\nexcept KeyboardInterrupt: print('stopped')"
    command = [*COMMAND, "--port=0", "--run", sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "runs":
            pass
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it: to both
        output, _ = process.communicate(timeout=30)
    assert (process.returncode, output) == (0, "stopped\n")


@pytest.mark.finding("C6")
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    ("obeys", "status"), [("os.write(1, b'ends\\n'); raise SystemExit(7)", 7), ("signal.raise_signal(9)", 137)]
)
def test_what_ends_the_endpoint_lets_the_command_end_first(stop: signal.Signals, obeys: str, status: int) -> None:
    code = (
        f"import os, signal, sys, time\ndef end(*_):\n    {obeys}\nsignal.signal(signal.SIGTERM, end)\n"
        "print('runs', flush=True)\ntime.sleep(60)"
    )
    command = [*COMMAND, "--port=0", "--run", sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "runs":
            pass
        process.send_signal(stop)  # to this one alone
        output, _ = process.communicate(timeout=30)
    assert (process.returncode, output) == (status, "ends\n" if status == 7 else "")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--port=http"], "expected a port from 0 to 65535, got 'http'"),
        (["--port=65536"], "expected a port from 0 to 65535, got '65536'"),
        (["--deltas-per-second=-1"], "expected a number of at least 0, got '-1'"),
        (["--deltas-per-second=fast"], "expected a number of at least 0, got 'fast'"),
        (["--deltas-per-second=inf"], "expected a number of at least 0, got 'inf'"),
        (["--key-env=NO_SUCH_NAME"], "NO_SUCH_NAME is not set"),
    ],
)
def test_a_wrong_argument_is_one_clear_line(arguments: list[str], reason: str) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert reason in done.stderr.splitlines()[-1]


def test_a_taken_port_is_one_clear_line(demo_endpoint: DemoServer) -> None:
    port = demo_endpoint.api_base.removesuffix("/v1").rpartition(":")[2]
    done = subprocess.run([*COMMAND, f"--port={port}"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"cannot listen on port {port}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_needs_nothing_but_the_standard_library_and_aiohttp(tmp_path: Path) -> None:
    """Nor the dialects besides chat completions, before somebody speaks them."""
    script = tmp_path / "guarded.py"
    script.write_text(
        "import sys\n"
        "refused = ('IPython', 'ipywidgets', 'anywidget', 'traitlets', 'msgspec', 'markdown_it', 'pygments')\n"
        "import jmuz_magic.demo.__main__\n"
        "floors = [m for m in sys.modules if m.startswith('jmuz_magic.') and not m.startswith('jmuz_magic.demo')]\n"
        "later = [m for m in sys.modules if m.startswith(('jmuz_magic.demo.responses', 'jmuz_magic.demo.anthropic'))]\n"
        "print(floors + later + [m for m in refused if m in sys.modules])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
