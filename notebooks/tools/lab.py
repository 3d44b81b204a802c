"""`make demo`: JupyterLab with copies of the shipped notebooks and the demo endpoint, until either ends."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
import webbrowser
from collections.abc import Iterator, Mapping
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir

from jmuz_magic.demo import DemoServer
from notebooks.tools.copies import refresh

__all__ = ["main", "open_lab"]

ROOT = Path(__file__).resolve().parents[2]
COPIES = ROOT / "demo"
FIRST = "quickstart.ipynb"

POLL_SECONDS = 0.2
START_SECONDS = 90.0
STOP_SECONDS = 15.0
"""What JupyterLab gets to shut its kernels down."""


def main() -> int:
    """Run until JupyterLab ends or a signal says so; return the exit status."""
    with DemoServer() as server:
        return open_lab({"JMUZ_API_BASE": server.api_base})


def open_lab(variables: Mapping[str, str], first: str = FIRST) -> int:
    """Show the copies in JupyterLab, say where, and wait for its end.

    Args:
        variables: of the environment of JupyterLab and its kernels.
        first: the notebook that the address opens.
    """
    for name in refresh(ROOT / "notebooks", COPIES):
        print(f"{COPIES.name}/{name} was edited and is kept; notebooks/{name} is newer")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    with _running_lab(variables) as lab:
        address = _address(lab, first)
        if address:
            print(f"These are copies in {COPIES.name}/, where your changes stay; Ctrl-C ends JupyterLab.")
            print(f"Open {address}", flush=True)
            _open_browser(address)
        return _wait(lab)


def _stop(number: int, frame: object) -> None:
    for each in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)  # one is enough, but a terminal sends several
    raise SystemExit(0)


@contextlib.contextmanager
def _running_lab(variables: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    # In a new session, so that only we get Ctrl-C, and JupyterLab is told to end rather than asking for confirmation.
    # It prints a token that it makes itself at any log level, but not one that it is given.
    environment = {**os.environ, "JUPYTER_TOKEN": secrets.token_hex(16), **variables}
    with subprocess.Popen(_command(), env=environment, stdin=subprocess.DEVNULL, start_new_session=True) as lab:  # noqa: S603
        try:
            yield lab
        finally:
            lab.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                lab.wait(STOP_SECONDS)
            lab.kill()


def _command() -> list[str]:
    options = {
        "ServerApp.root_dir": str(COPIES),
        "ServerApp.port": "0",  # a port is looked for long before it is taken: two started together find the same
        "ServerApp.open_browser": "False",
        "ServerApp.log_level": "WARN",
        "LabApp.log_level": "WARN",
        "LabApp.news_url": "None",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # it refuses to run as root unless told so; containers often are
        options["ServerApp.allow_root"] = "True"
    return [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]


def _address(lab: subprocess.Popen[bytes], first: str) -> str:
    """The address of the first notebook, once JupyterLab answers there; "" if it ended before."""
    path = Path(jupyter_runtime_dir()) / f"jpserver-{lab.pid}.json"  # written by every Jupyter server
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + START_SECONDS
    while lab.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError):  # not there yet, half written, or not listening
            server = json.loads(path.read_bytes())
            with direct.open(f"{server['url']}api/status?token={server['token']}", timeout=10):
                return f"{server['url']}lab/tree/{first}?token={server['token']}"
        time.sleep(POLL_SECONDS)
    return ""


def _open_browser(address: str) -> None:
    # Without a screen Python would find a text browser, in which JupyterLab does not run.
    if sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(address)


def _wait(lab: subprocess.Popen[bytes]) -> int:
    """Wait until JupyterLab ends, or the process that started this is gone."""
    parent = os.getppid()
    while os.getppid() == parent:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return lab.wait(1.0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
