"""Servers of others, as processes of their own."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import wait_until

__all__ = ["listening"]


@contextmanager
def listening(command: Sequence[str | Path], log: Path, environment: dict[str, str] | None = None) -> Iterator[str]:
    """Run a server until the end of the block; gives the first `http://HOST:PORT` that it prints."""
    # A Python that writes to a file keeps its lines to itself until they are many.
    variables = {**(os.environ if environment is None else environment), "PYTHONUNBUFFERED": "1"}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, env=variables
        ) as process,
    ):

        def address() -> str | None:
            found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text(encoding="utf-8"))
            return found[0] if found else None

        try:
            wait_until(lambda: address() or process.poll() is not None, f"{command[0]} listens or has ended")
            origin = address()
            assert origin is not None, f"{command[0]} ended before it listened: {log.read_text(encoding='utf-8')}"
            yield origin
        finally:
            process.terminate()
