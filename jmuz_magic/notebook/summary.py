"""Turns a value of the notebook into text for a model: readable, and of limited length.

Strings are used verbatim. Tables show their shape, types and first rows; arrays their shape, type and corners;
anything else looks as in the notebook, cut after `MAX_CHARS`. pandas and numpy are used if the notebook has imported
them, never imported.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from typing import Any

from IPython.lib.pretty import RepresentationPrinter

from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Reply
from jmuz_magic.notebook.images import imported_class
from jmuz_magic.text import clean_line, raised

__all__ = ["MAX_CHARS", "part_of", "summarise"]

MAX_CHARS = 10_000  # about 2,500 tokens: a value is one part of a prompt
MAX_ROWS = 20
MAX_COLUMNS = 30
MAX_CELL = 100  # characters of one cell or column name
MAX_ELEMENTS = 1_000  # shown of a list, dict or set
_CUT = re.compile(r"\n\[cut after [^\n]+\]\Z")
_EDGE = 4  # elements shown at each end of a long dimension of an array
_WHOLE_ARRAY = 200  # elements of an array that is shown whole


def summarise(value: object, name: str) -> str:
    """`value` as text for a prompt: a string whole, anything else within `MAX_CHARS` plus a note of what is left out.

    Args:
        value: anything.
        name: what the user called it, for the error.

    Raises:
        JmuzError: its `__str__` or `__repr__` raised an error.
    """
    try:
        return _text(value)
    except Exception as error:  # noqa: BLE001  # a user's class may do anything
        line = f"{name}: showing this {clean_line(type(value).__name__, 60)} {raised(error)}"
    raise JmuzError(line)


def part_of(value: object, text: str) -> str:
    """How much of `value` the text from `summarise` shows, such as `20 of 400 rows`; "" for all of it."""
    if isinstance(value, str | Reply):
        return ""
    cut = [f"the first {MAX_CHARS:,} characters"] if _CUT.search(text) else []
    if cut and _is_container(value):
        return cut[0]
    return " and ".join([f"{count:,} of {size:,} {what}" for count, size, what in _counts(value) if count < size] + cut)


def _counts(value: Any) -> Iterator[tuple[int, int, str]]:
    """How many of how many parts of a value are shown at most, and what they are."""
    if isinstance(value, imported_class("pandas", "DataFrame")):
        yield MAX_ROWS, len(value), "rows"
        yield MAX_COLUMNS, len(value.columns), "columns"
    elif isinstance(value, imported_class("pandas", "Series")):
        yield MAX_ROWS, len(value), "values"
    elif isinstance(value, imported_class("numpy", "ndarray")):
        corners = math.prod(min(length, 2 * _EDGE) for length in value.shape)
        yield corners if value.size > _WHOLE_ARRAY else value.size, value.size, "elements"
    elif _is_container(value):
        yield MAX_ELEMENTS, len(value), "elements"


def _text(value: object) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Reply):
        return value.text
    if isinstance(value, imported_class("pandas", "DataFrame")):
        return _bounded(_frame(value))
    if isinstance(value, imported_class("pandas", "Series")):
        return _bounded(_series(value))
    if isinstance(value, imported_class("numpy", "ndarray")):
        return _bounded(_array(value))
    if isinstance(value, imported_class("numpy", "generic")):
        return _bounded(str(value))
    return _array_header(value) + _pretty(value)


def _frame(frame: Any) -> str:
    rows, columns = frame.shape
    types = [
        f"{clean_line(str(name), MAX_CELL)} {kind}"
        for name, kind in zip(frame.columns[:MAX_COLUMNS], frame.dtypes, strict=False)
    ]
    if columns > MAX_COLUMNS:
        types.append(f"… and {columns - MAX_COLUMNS:,} more columns")
    table = frame.head(MAX_ROWS).to_string(max_cols=MAX_COLUMNS, max_colwidth=MAX_CELL)
    head = f"{type(frame).__name__}: {rows:,} rows × {columns:,} columns\ndtypes: {', '.join(types)}"
    return f"{head}\n{_rows_shown(rows)}\n{table}"


def _series(series: Any) -> str:
    rows = len(series)
    named = "" if series.name is None else f" {clean_line(str(series.name), MAX_CELL)!r}"
    table = series.head(MAX_ROWS).to_frame().to_string(header=False, index_names=False, max_colwidth=MAX_CELL)
    return f"{type(series).__name__}{named}: {rows:,} values, dtype {series.dtype}\n{_rows_shown(rows)}\n{table}"


def _rows_shown(rows: int) -> str:
    return "all rows:" if rows <= MAX_ROWS else f"first {MAX_ROWS} of {rows:,} rows:"


def _array(array: Any) -> str:
    with sys.modules["numpy"].printoptions(threshold=_WHOLE_ARRAY, edgeitems=_EDGE, linewidth=120):
        values = str(array)
    return f"{type(array).__name__}: shape {array.shape}, dtype {clean_line(str(array.dtype), 500)}\n{values}"


def _array_header(value: object) -> str:
    """Shape and type of another library's array (by the array API), since its repr often lacks them."""
    if not hasattr(type(value), "__dlpack__"):
        return ""
    shape, dtype = getattr(value, "shape", "?"), getattr(value, "dtype", "?")
    return f"{type(value).__name__}: shape {tuple(shape) if shape != '?' else shape}, dtype {dtype}\n"


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]}\n[cut after {MAX_CHARS:,} characters]"


class _FullError(Exception):
    """The sink is full."""


class _Sink:
    """Takes `MAX_CHARS` and then stops the printer, so that a value of gigabytes is not traversed to its end."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text[: MAX_CHARS - len(self.text) + 1]
        if len(self.text) > MAX_CHARS:
            self.text = self.text[:MAX_CHARS]
            raise _FullError


def _pretty(value: object) -> str:
    sink = _Sink()
    try:
        printer: Any = RepresentationPrinter(sink, max_seq_length=MAX_ELEMENTS)  # type: ignore[no-untyped-call]  # untyped in IPython
        printer.pretty(value)
        printer.flush()
    except _FullError:
        return f"{sink.text}\n[cut after {MAX_CHARS:,} characters{_size(value)}]"
    if _is_container(value) and len(value) > MAX_ELEMENTS:  # type: ignore[arg-type]  # those have a length
        return f"{sink.text}\n[the first {MAX_ELEMENTS:,} elements{_size(value)}]"
    return sink.text


def _size(value: Any) -> str:
    return f"; this {type(value).__name__} has {len(value):,}" if _is_container(value) else ""


def _is_container(value: object) -> bool:
    return isinstance(value, dict | frozenset | list | set | tuple)
