"""Tables in LaTeX: as wide as their text where that fits, else with lines that break inside the cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Cell", "table_latex"]

_LINE = 80  # characters of a line on paper
_MAX_COLUMNS = 16
_SIDES = {"center": "\\centering", "right": "\\raggedleft"}


class Cell(NamedTuple):
    """A cell, its alignment ("" for none), and about how many characters wide it is."""

    latex: str
    side: str
    width: int


def table_latex(rows: Sequence[Sequence[Cell]]) -> str:
    """A table whose first row is its head; rows that are too wide for any page become lines of text."""
    columns = len(rows[0])
    if columns > _MAX_COLUMNS:
        return "".join("\n\\textbar{} ".join(cell.latex for cell in row) + "\n\n" for row in rows)
    widths = [max(row[column].width for row in rows) for column in range(columns)]
    breaks = sum(widths) + 3 * columns > _LINE
    spec = "".join(map(_broken_column, _shares(widths)) if breaks else (_column(cell.side) for cell in rows[0]))
    head, *body = [_row(row, breaks) for row in rows]
    lines = [head, "\\hline\n\\endhead\n", *body, "\\hline\n"]
    return f"\\begin{{longtable}}{{{spec}}}\n\\hline\n{''.join(lines)}\\end{{longtable}}\n\n"


def _column(side: str) -> str:
    return {"center": "c", "right": "r"}.get(side, "l")


def _broken_column(share: float) -> str:
    return f"p{{{share:.3f}\\linewidth}}"


def _shares(widths: Sequence[int]) -> list[float]:
    """Each column's part of the line, less the space between columns; none is too narrow for a word."""
    bounded = [min(max(width, 8), 60) for width in widths]
    room = max(0.3, 1 - 0.026 * len(widths))
    return [room * width / sum(bounded) for width in bounded]


def _row(cells: Sequence[Cell], breaks: bool) -> str:
    written = [f"{_SIDES.get(cell.side, chr(92) + 'raggedright')}{{}}{cell.latex}" for cell in cells] if breaks else []
    return " & ".join(written or [f"{{}}{cell.latex}" for cell in cells]) + " \\tabularnewline\n"
