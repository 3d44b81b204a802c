"""The cell that asks, if known, and whether anybody watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jmuz_magic.content import without_files
from jmuz_magic.messages import Message

__all__ = ["Cell", "cell_values", "find_cell", "is_watched", "set_cell_finder", "set_watcher"]


@dataclass(frozen=True)
class Cell:
    """A cell, and one of its runs."""

    id: str
    run: str


_finder: Callable[[], Cell | None] | None = None
_watcher: Callable[[], bool] | None = None


def set_cell_finder(finder: Callable[[], Cell | None] | None) -> None:
    """Set the function that says which cell asks; None if nothing knows."""
    global _finder
    _finder = finder


def find_cell() -> Cell | None:
    """The cell that asks now; None if unknown."""
    return _finder() if _finder else None


def cell_values(cell: Cell | None, wording: Message | None, prompt: Message) -> dict[str, Any] | None:
    """The cell for the log, if known, with its wording of the prompt if another one is sent; None for neither."""
    known = {"id": cell.id, "run": cell.run} if cell else {}
    other = {"wording": without_files(wording)} if wording is not None and wording != prompt else {}
    return known | other or None


def set_watcher(watcher: Callable[[], bool] | None) -> None:
    """Set the function that says whether a user may be watching the cell; None if nothing knows."""
    global _watcher
    _watcher = watcher


def is_watched() -> bool:
    """Whether a user may be watching; not if the cell is run by nbclient or papermill."""
    return _watcher() if _watcher else True
