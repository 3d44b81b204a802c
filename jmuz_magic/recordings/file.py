"""The file of a recording: JSON Lines, one exchange each; unchanged lines are kept byte for byte."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from jmuz_magic.errors import JmuzError
from jmuz_magic.recordings.line import RecordedExchange, read_line
from jmuz_magic.storage.locking import locked
from jmuz_magic.storage.replacing import replaced

__all__ = ["Lines", "RecordingFile", "shown"]

Lines: TypeAlias = list[RecordedExchange | bytes]
_State: TypeAlias = tuple[int, int, int]

SETTLED = 2 * 10**9  # nanoseconds: a file changed longer ago gets a new time when it changes again, even on FAT


class RecordingFile:
    """One file; each of its lines is parsed only once.

    Attributes:
        path: the file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._state: _State | None = None
        self._lines: Lines = []

    def lines(self) -> Lines:
        """The exchanges of the file, and its blank lines verbatim; empty if there is no file.

        Raises:
            JmuzError: it cannot be read, or a line is not one of ours.
        """
        with self._lock:
            try:
                return list(self._current())
            except FileNotFoundError:
                return []
            except OSError as error:
                raise JmuzError(f"the recording {shown(self.path)} cannot be read: {error.strerror or error}") from None

    def change(self, change: Callable[[Lines], bool]) -> None:
        """Let `change` edit the lines; if it returns True they are written as a whole, while other processes wait.

        Raises:
            JmuzError: the file cannot be read or written.
        """
        # Windows does not replace an open file, not even for the process that opened it.
        lock = self.path if os.name == "posix" else self.path.with_name(self.path.name + ".lock")
        try:
            with locked(lock, mode=0o666):
                lines = self.lines()
                if change(lines):
                    self._write(lines)
        except OSError as error:
            raise JmuzError(f"the reply was not recorded: {shown(self.path)}: {error.strerror or error}") from None

    def _current(self) -> Lines:
        found = self.path.stat()
        state = (found.st_mtime_ns, found.st_size, found.st_ino)
        if state != self._state:
            content = self.path.read_bytes()
            self._lines = self._parsed(content)
            settled = time.time_ns() - found.st_mtime_ns > SETTLED and len(content) == found.st_size
            self._state = state if settled else None
        return self._lines

    def _parsed(self, content: bytes) -> Lines:
        known = {line.raw: line for line in self._lines if isinstance(line, RecordedExchange)}
        raws = content.split(b"\n")
        if not raws[-1]:
            raws.pop()
        return [
            (known.get(raw) or read_line(raw, f"line {n} of {self.path.name}")) if raw.strip() else raw
            for n, raw in enumerate(raws, 1)
        ]

    def _write(self, lines: Lines) -> None:
        with replaced(self.path) as file:
            file.writelines((line if isinstance(line, bytes) else line.raw) + b"\n" for line in lines)
        with self._lock:
            self._lines, self._state = lines, None


def shown(path: Path) -> str:
    """The path as users type it: relative to the working directory if it is inside."""
    working = Path.cwd()
    return path.relative_to(working).as_posix() if path.is_relative_to(working) else str(path)
