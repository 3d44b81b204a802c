"""Where something is asked: in which cell, where that is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Place", "find_place", "set_place_finder"]


@dataclass(frozen=True)
class Place:
    """A cell, and which of its runs."""

    cell: str
    run: str


_finder: Callable[[], Place | None] | None = None


def set_place_finder(finder: Callable[[], Place | None] | None) -> None:
    """How to learn which cell asks; None where nobody knows."""
    global _finder
    _finder = finder


def find_place() -> Place | None:
    """The cell that asks now; None where that is not known."""
    return _finder() if _finder else None
