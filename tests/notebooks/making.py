"""`make demo` and `make demo-model`, run as a reader runs them, in a tree of their own."""

from __future__ import annotations

import os
import queue
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from tests.waiting import wait_until

__all__ = ["Demo", "running_demo"]

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("Makefile", "jmuz_magic", "notebooks", "pyproject.toml")
MARK = "JMUZ_MARK_OF_THE_TEST"
START_SECONDS = 90.0


class Demo:
    """A running `make demo`, or another target that opens JupyterLab.

    Attributes:
        make: its process, in a session of its own, as a terminal has it.
        tree: the checkout in which it runs.
        said: the lines that it printed so far.
    """

    def __init__(self, tree: Path, target: str) -> None:
        self.tree = tree
        self.said: list[str] = []
        self._mark = secrets.token_hex(8)
        command = ["make", target, f"BIN={Path(sys.executable).parent}"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        environment |= {MARK: self._mark}
        self.make = subprocess.Popen(
            command, cwd=tree, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(self.make.stdout,), daemon=True).start()

    def _read(self, stdout: IO[str]) -> None:
        with suppress(ValueError):  # closed
            for line in stdout:
                self._lines.put(line.rstrip("\n"))

    def line(self) -> str:
        """The next line that it prints."""
        with suppress(queue.Empty):
            self.said.append(self._lines.get(timeout=START_SECONDS))
            return self.said[-1]
        raise AssertionError(f"nothing more was printed in {START_SECONDS:g} s after {self.said}")

    def address(self) -> str:
        """Of the first notebook; it is the last line."""
        while not (last := self.line()).startswith("Open http"):
            pass
        return last.removeprefix("Open ")

    def processes(self) -> dict[int, dict[str, str]]:
        """Everything that it started and that still runs: process id to environment, which children inherit."""
        found = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal():
                with suppress(OSError):
                    pairs = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
                    environment = dict(pair.partition("=")[::2] for pair in pairs if pair)
                    if environment.get(MARK) == self._mark:
                        found[int(folder.name)] = environment
        return found

    def close(self) -> None:
        """End what is left."""
        with suppress(ProcessLookupError):
            os.killpg(self.make.pid, signal.SIGTERM)
        with suppress(AssertionError):
            wait_until(lambda: not self.processes(), "everything ended")
        for process in self.processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.make.wait(10)
        if self.make.stdout:
            self.make.stdout.close()


@contextmanager
def running_demo(folder: Path, target: str = "demo") -> Iterator[Demo]:
    """Run it in a copy of the checkout; the packages of the tests stand in for those that it would install."""
    tree = folder / "checkout"
    tree.mkdir()
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
        elif source.exists():
            shutil.copy(source, tree / name)
    (tree / ".venv").mkdir()
    (tree / ".venv" / ".lab").touch()
    demo = Demo(tree, target)
    try:
        yield demo
    finally:
        demo.close()
