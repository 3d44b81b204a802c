"""What the notebook's cells did, as text, for `--context` and `%jmuz_fix`.

IPython itself keeps the sources and most outputs. A hook adds what it does not keep: a cell's error, formatted at once,
so that no exception, frame or variable outlives its cell.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import IPython
from IPython.core.error import UsageError

__all__ = ["MAX_CONTEXT", "Cell", "CellLog", "FailedCell", "cells_of", "clip", "is_own"]

MAX_CONTEXT = 20_000  # characters of earlier cells in a prompt, about 5,000 tokens; here, since it is needed at load
MAX_ERROR = 8_000  # characters of one formatted error
MAX_ERRORS = 200  # cells whose errors are kept
_COLOURS = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]")
_OWN_LINE = re.compile(r"""\s*(?:[^%='"#]+=\s*)?%{1,2}(?:jmuz\w*|(?:re|un)?load_ext\s+jmuz_magic)\b""")
_IPYTHON = str(Path(IPython.__file__).parent)


@dataclass(frozen=True, eq=False, repr=False)
class Cell:
    """An earlier cell: its number, its source, what it showed, and how it failed ("" if it did not)."""

    number: int
    source: str
    output: str = ""
    error: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class FailedCell:
    """A cell and its formatted error."""

    source: str
    error: str


_attached: dict[int, CellLog] = {}  # by the id of the shell, until the extension is unloaded


class CellLog:
    """The cells of one shell.

    Attributes:
        failed: the last cell that ended with an error; None before the first. Cells of this extension do not count,
            nor do those that the user stopped.
    """

    def __init__(self, shell: Any) -> None:
        self.failed: FailedCell | None = None
        self._shell = shell
        self._errors: dict[int, str] = {}
        self._finished = 0

    def attach(self, undo: ExitStack) -> None:
        """Listen to the shell until `undo` is closed."""
        _attached[id(self._shell)] = self
        undo.callback(_attached.pop, id(self._shell), None)
        self._shell.events.register("post_run_cell", self._after)
        undo.callback(self._shell.events.unregister, "post_run_cell", self._after)

    def earlier(self) -> Iterator[Cell]:
        """The cells that ran before this one, newest first, except empty ones and those of this extension."""
        sources = self._shell.history_manager.input_hist_raw
        for number in range(min(len(sources) - 1, self._last()), 0, -1):
            source = str(sources[number]).strip("\n")
            if source.strip() and not is_own(source):
                error = self._errors.get(number, "")
                yield Cell(number, source, self._output(number, error), error)

    def _last(self) -> int:
        # While a cell runs, the display hook knows its number; if that cell is already done (one that is not stored in
        # the history is running), it counts as earlier.
        return max(int(self._shell.displayhook.prompt_count) - 1, self._finished)

    def _output(self, number: int, error: str) -> str:
        manager = self._shell.history_manager
        outputs = getattr(manager, "outputs", {}).get(
            number
        )  # IPython 9 keeps all outputs, older versions the last value
        if outputs is None:
            return str(manager.output_hist_reprs.get(number, ""))
        texts = (_as_text(output.bundle) for output in outputs)
        # IPython writes errors that have their own rendering to stderr, and keeps them as output.
        end = error.rpartition("\n")[2]
        return "\n".join(text for text in texts if text and not (end and text.endswith(end)))

    def _after(self, result: Any) -> None:
        error = result.error_before_exec or result.error_in_exec
        number = result.execution_count if result.info.store_history else None
        if number:
            self._finished = max(self._finished, number)
        if error is None or isinstance(error, KeyboardInterrupt):
            return
        text = self._format(error)
        if number:
            self._errors[number] = text
            self._errors = dict(list(self._errors.items())[-MAX_ERRORS:])
        if not is_own(result.info.raw_cell):
            self.failed = FailedCell(result.info.raw_cell.strip("\n"), text)

    def _format(self, error: BaseException) -> str:
        """The error as Python prints it, without IPython's frames; local variables are never looked at."""
        lines = _own_rendering(error)
        if lines is None:
            formatted = traceback.TracebackException.from_exception(error, compact=True)
            for each in _chain(formatted):
                self._tidy(each)
            lines = list(formatted.format())
        return clip(_COLOURS.sub("", "".join(lines)).strip("\n"), MAX_ERROR)

    def _tidy(self, formatted: traceback.TracebackException) -> None:
        frames = [frame for frame in formatted.stack if not frame.filename.startswith(_IPYTHON)]
        for frame in frames:
            frame.filename = self._name(frame.filename)
        formatted.stack[:] = frames
        if isinstance(getattr(formatted, "filename", None), str):  # a SyntaxError's
            formatted.filename = self._name(formatted.filename)

    def _name(self, filename: str) -> str:
        """`Cell In[3]` for the temporary file name that IPython gives to a cell's code."""
        name = self._shell.compile.format_code_name(filename)
        return " ".join(name) if name else filename


def cells_of(shell: Any) -> CellLog:
    """The cells of a shell; without the errors and the latest cell if nothing has listened to it."""
    return _attached.get(id(shell)) or CellLog(shell)


def is_own(source: str) -> bool:
    """Whether a cell only uses this extension: prompts and settings are not part of the notebook's work."""
    lines = [line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if lines and lines[0].startswith("%%"):
        return bool(_OWN_LINE.match(lines[0]))
    return all(_OWN_LINE.match(line) for line in lines)


def clip(text: str, limit: int) -> str:
    """`text` cut to about `limit` characters: its beginning, a note of what is left out, and its end."""
    if len(text) <= limit:
        return text
    head, tail = limit // 3, limit - limit // 3
    return f"{text[:head]}\n[… {len(text) - limit:,} characters left out …]\n{text[-tail:]}"


def _own_rendering(error: BaseException) -> list[str] | None:
    """The lines of an error that has its own rendering in IPython."""
    if isinstance(error, UsageError):
        return [f"UsageError: {error}"]
    render = getattr(error, "_render_traceback_", None)
    try:
        return None if render is None else ["\n".join(map(str, render()))]
    except Exception:  # noqa: BLE001  # a user's class may do anything
        return None


def _chain(formatted: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    waiting = [formatted]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += filter(None, (each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ())))


def _as_text(bundle: dict[str, Any]) -> str:
    stream = bundle.get("stream")
    text = bundle.get("text/plain", "") if stream is None else stream
    return _COLOURS.sub("", "".join(text)).strip("\n")
