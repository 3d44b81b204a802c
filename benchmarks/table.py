"""The results as Markdown: the budgets, then one table for each section, with the versions that were measured."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

__all__ = ["Budget", "Section", "interval", "markdown", "versions"]

PACKAGES = ("ipython", "ipykernel", "jupyterlab", "aiohttp", "msgspec", "markdown-it-py", "pygments", "anywidget",
            "httpx", "httpx-sse", "openai", "anthropic")  # fmt: skip
HEAD = """\
# Measured

By `make bench`, on {versions}.
Load average of the last minute at the start {before:.1f}, at the end {after:.1f}{extra}.
Times on a machine that does other things as well are too long; ratios to what was measured in the same run, turn by
turn, stay. A spread is the lowest and the highest of all rounds.
"""


@dataclass(frozen=True)
class Budget:
    """One promise: `measured` must be at most `limit`; None where it could not be measured, `why` says then why."""

    what: str
    limit: float
    measured: float | None
    unit: str = ""
    why: str = ""

    @property
    def row(self) -> Sequence[str]:
        if self.measured is None:
            return (self.what, f"≤ {self.limit:g} {self.unit}".strip(), "not measured", self.why)
        verdict = "met" if self.measured <= self.limit else "**missed**"
        if verdict != "met" and self.limit:
            verdict += f": {self.measured / self.limit:.2f} times as much"
        return (self.what, f"≤ {self.limit:g} {self.unit}".strip(), f"{self.measured:.3g} {self.unit}".strip(), verdict)


@dataclass
class Section:
    """One table.

    Attributes:
        title: its heading.
        note: what was measured, and how; the budgets.
        columns: headings.
        rows: as many cells each.
        budgets: what the figures say of the promises.
    """

    title: str
    note: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.columns:
            return f"## {self.title}\n\n{self.note}\n"
        lines = [self.columns, ["---", *["---:"] * (len(self.columns) - 1)], *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"## {self.title}\n\n{self.note}\n\n{table}\n"

    def add(self, *cells: str) -> None:
        """Append a row, and show it to whoever waits."""
        self.rows.append(cells)
        print("  ".join(cells), flush=True)


def interval(values: Iterable[float], digits: int = 2) -> str:
    """Median, with the lowest and the highest."""
    values = list(values)
    low, high = min(values), max(values)
    return f"{statistics.median(values):,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"


def versions() -> str:
    """Of Python and of everything that the figures depend on."""
    found = [f"Python {platform.python_version()}", f"{os.cpu_count()} cores, {platform.machine()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} not had")
    return ", ".join(found)


def markdown(sections: Sequence[Section], before: float = 0.0, extra: str = "") -> str:
    """The whole report; `before` is the load average at the start."""
    head = HEAD.format(versions=versions(), before=before, after=os.getloadavg()[0], extra=extra)
    budgets = [budget.row for section in sections for budget in section.budgets]
    note = "Each is explained in the section that measures it; what misses its budget, in ARCHITECTURE.md."
    summary = Section("Budgets", note, ("what", "budget", "measured", ""), budgets)
    return "\n".join([head, *map(str, [summary, *sections] if budgets else sections)])
