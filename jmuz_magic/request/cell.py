"""The cell that asks, if known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Cell", "find_cell", "set_cell_finder"]


@dataclass(frozen=True)
class Cell:
    """A cell, and one of its runs."""

    id: str
    run: str


_finder: Callable[[], Cell | None] | None = None


def set_cell_finder(finder: Callable[[], Cell | None] | None) -> None:
    """Set the function that says which cell asks; None if nothing knows."""
    global _finder
    _finder = finder


def find_cell() -> Cell | None:
    """The cell that asks now; None if unknown."""
    return _finder() if _finder else None
