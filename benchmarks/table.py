"""The results as Markdown: one table for each section, with the versions that they were measured with."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

__all__ = ["Section", "markdown", "versions"]

PACKAGES = ("ipython", "ipykernel", "jupyterlab", "aiohttp", "msgspec", "markdown-it-py", "pygments", "anywidget")


@dataclass
class Section:
    """One table.

    Attributes:
        title: its heading.
        note: what was measured, and how; the budgets.
        columns: headings.
        rows: as many cells each.
    """

    title: str
    note: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [self.columns, ["---", *["---:"] * (len(self.columns) - 1)], *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"## {self.title}\n\n{self.note}\n\n{table}\n"


def versions() -> str:
    """Of Python and of everything that the figures depend on."""
    found = [f"Python {platform.python_version()}", f"{os.cpu_count()} cores, {platform.machine()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def markdown(sections: Sequence[Section], extra: str = "") -> str:
    """The whole report."""
    head = f"# Measured\n\nBy `make bench`, on {versions()}{extra}.\n"
    return "\n".join([head, *map(str, sections)])
