"""What pytest tells beside its results: which tests did not run and why, and which test proves which row.

`tests/conftest.py` registers these hooks by importing them.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rows import TABLES, report

__all__ = [
    "pytest_addoption",
    "pytest_collection_finish",
    "pytest_collection_modifyitems",
    "pytest_runtestloop",
    "pytest_terminal_summary",
]

ROOT = Path(__file__).resolve().parent.parent
PLACES = pytest.StashKey[dict[tuple[str, int], set[str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rows", action="store_true", help="list fault and threat rows with their tests; run nothing")
    parser.addoption("--finding", action="append", default=[], help="run only the tests of this finding; repeatable")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let reports name the findings that a test proves (`tests/findings.py` reads them), and choose tests by them.

    Where the whole suite was collected, `PLACES` keeps what its tests prove, those left out among them.
    """
    if [config.rootpath / argument for argument in config.args] == [ROOT / "tests"]:
        config.stash[PLACES] = row_places(items)
    wanted = set(config.option.finding)
    for item in items:
        names = [str(name) for marker in item.iter_markers("finding") for name in marker.args]
        item.user_properties += [("finding", name) for name in names]
    if wanted:
        chosen = [item for item in items if any(value in wanted for _, value in item.user_properties)]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.collect()
    gc.freeze()  # thousands of tests live to the end; IPython collects garbage whenever a shell is reset
    if session.config.option.rows:
        lines = row_lines(session.items)
        if session.config.args_source is pytest.Config.ArgsSource.TESTPATHS:  # the whole suite, not a part of it
            lines += ["", *report(row_places(session.items))]
        print("\n".join(lines))


def row_lines(items: list[pytest.Item]) -> list[str]:
    """One line for each (table, row, test function), in the order of the rows."""
    found = {(table, row, item.nodeid.partition("[")[0]) for item in items for table, row in rows_of(item)}
    return [f"{table} {row:>2}  {test}" for table, row, test in sorted(found)]


def row_places(items: list[pytest.Item]) -> dict[tuple[str, int], set[str]]:
    """Where each row has tests: "K" in a kernel, "B" in a browser, "" below both."""
    places: dict[tuple[str, int], set[str]] = {}
    for item in items:
        for row in rows_of(item):
            place = "B" if item.get_closest_marker("browser") else "K" if item.get_closest_marker("kernel") else ""
            places.setdefault(row, set()).add(place)
    return places


def rows_of(item: pytest.Item) -> Iterator[tuple[str, int]]:
    for marker in item.iter_markers():
        if marker.name in TABLES:
            yield from ((marker.name, int(row)) for row in marker.args)


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    return True if session.config.option.rows else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line for each reason to skip, and leave them for `tests/run.py`."""
    lines = did_not_run(terminalreporter.stats.get("skipped", []))
    for line in lines:
        terminalreporter.write_line(f"did not run: {line}")
    if path := os.environ.get("JMUZ_DID_NOT_RUN"):
        Path(path).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def did_not_run(skipped: list[pytest.TestReport | pytest.CollectReport]) -> list[str]:
    reasons = Counter(skip_reason(report) for report in skipped)
    return [f"{count} {'test' if count == 1 else 'tests'}: {reason}" for reason, count in sorted(reasons.items())]


def skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")
