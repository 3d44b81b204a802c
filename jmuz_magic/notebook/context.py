"""Cells of the notebook in a prompt: earlier ones for `--context`, the last failed one for `%jmuz_fix`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from jmuz_magic.notebook.cells import MAX_CONTEXT, Cell, FailedCell, clip
from jmuz_magic.notebook.masking import mask
from jmuz_magic.secret import Secret

__all__ = ["Context", "build_context", "build_fix", "fenced"]

_OUTSIDE = 4 * MAX_CONTEXT  # where outputs are cut before keys are searched for, far beyond what is kept
TASK = (
    "This cell of my notebook raised an error. Say in a few words why, then give the whole corrected cell in one "
    "Python code block."
)
MAX_SOURCE = 20_000  # characters of the cell; its error was cut when it was kept


@dataclass(frozen=True)
class Context:
    """Earlier cells as text, oldest first.

    Attributes:
        text: "" if there are none.
        cells: how many there are.
        sent_in_part: what is left out because of the limit, as `Reply` says it.
    """

    text: str
    cells: int
    sent_in_part: tuple[str, ...]


def build_context(
    earlier: Iterable[Cell], count: int, *, max_chars: int = MAX_CONTEXT, secrets: Iterable[Secret] = ()
) -> Context:
    """The newest `count` cells that fit `max_chars` characters, keys masked.

    A single cell that is too long is cut in the middle; of several the oldest are left out, and the text says how many.

    Args:
        earlier: the cells, newest first.
        count: the most cells to send.
        max_chars: the most characters in total.
        secrets: what to mask besides what looks like a key.
    """
    secrets = tuple(secrets)
    wanted = [_masked(cell, secrets) for _, cell in zip(range(count), earlier, strict=False)]
    kept: list[str] = []
    left = max_chars
    for cell in wanted:
        text = _cell_text(cell)
        if len(text) > left and kept:
            break
        kept.append(text if len(text) <= left else _cell_text(_cut(cell, left)))
        left -= len(text)
    omitted = len(wanted) - len(kept)
    left_out = [f"{len(kept)} of {len(wanted)} earlier cells"] if omitted else []
    left_out += [f"about {max_chars:,} characters of the latest cell"] if left < 0 else []
    return Context(_joined(kept[::-1], omitted), len(kept), tuple(left_out))


def build_fix(failed: FailedCell, hint: str = "", *, secrets: Iterable[Secret] = ()) -> str:
    """The prompt: the cell and its error, with keys and the home directory masked, and the user's hint verbatim.

    Args:
        failed: the cell with its formatted error.
        hint: what the user adds; not masked.
        secrets: what to mask besides what looks like a key.
    """
    secrets = tuple(secrets)
    parts = [
        TASK,
        f"The cell:\n{fenced(clip(mask(failed.source, secrets), MAX_SOURCE), 'python')}",
        f"The error:\n{fenced(mask(failed.error, secrets))}",
    ]
    return "\n\n".join([*parts, hint.strip()] if hint.strip() else parts)


def fenced(text: str, language: str = "text") -> str:
    """`text` as a code block that no fence inside can end, and that is not taken for Python unless labelled so."""
    longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _joined(cells: list[str], omitted: int) -> str:
    if not cells:
        return ""
    head = "Earlier cells of this notebook, oldest first:"
    if omitted:
        head += f" (the {omitted} before them are left out)"
    return "\n\n".join([head, *cells])


def _cell_text(cell: Cell) -> str:
    parts = [f"In [{cell.number}]:\n{fenced(cell.source, 'python')}"]
    if cell.output:
        parts.append(f"Output of [{cell.number}]:\n{fenced(cell.output)}")
    if cell.error:
        parts.append(f"Error of [{cell.number}]:\n{fenced(cell.error)}")
    return "\n".join(parts)


def _masked(cell: Cell, secrets: tuple[Secret, ...]) -> Cell:
    # Long outputs are cut first, far beyond what is kept, so that no half key remains at the cut.
    texts = (mask(clip(text, _OUTSIDE), secrets) for text in (cell.source, cell.output, cell.error))
    return Cell(cell.number, *texts)


def _cut(cell: Cell, limit: int) -> Cell:
    """The cell in about `limit` characters, shared equally by its parts."""
    part = max(limit // 3, 200)
    return Cell(cell.number, clip(cell.source, part), clip(cell.output, part), clip(cell.error, part))
