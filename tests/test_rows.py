"""Every row of the fault and threat tables has a test where it needs one, or a reason why not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import rows
from tests.reporting import PLACES

ROOT = Path(__file__).resolve().parent.parent


def test_every_row_is_proved_or_explained(pytestconfig: pytest.Config) -> None:
    places = pytestconfig.stash.get(PLACES, None)
    lines = rows.report(places) if places else listed()
    assert [line for line in lines if "rows are proved" in line], "\n".join(lines)
    assert [line for line in lines if rows.UNEXPLAINED in line] == []


def listed() -> list[str]:
    """As `make rows` prints it: where only a part of the suite runs, the whole is collected for this."""
    arguments = ["--rows", "--quiet", "--no-header", "--no-summary", "-p", "no:cacheprovider"]
    done = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip().splitlines()


def test_both_tables_are_whole() -> None:
    assert list(rows.TABLES["fault"]) == list(range(1, 65))
    assert list(rows.TABLES["threat"]) == list(range(1, 28))


def everywhere() -> dict[tuple[str, int], set[str]]:
    return {(table, number): {"", "K", "B"} for table, numbers in rows.TABLES.items() for number in numbers}


def test_a_row_without_a_test_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "excuses", lambda: {("fault", 3): "no such network here"})
    places = everywhere()
    assert rows.report(places)[-1] == "91 of 91 rows are proved where they have to be"
    del places["fault", 2], places["fault", 3]
    places["threat", 25] = {"", "K"}
    assert rows.report(places) == [
        "not proved: fault 2, connection refused: no test (not explained)",
        "not proved: fault 3, a connection that hangs before it stands: no test (no such network here)",
        "not proved: threat 25, ids of models as HTML: no test at B (not explained)",
        "88 of 91 rows are proved where they have to be",
    ]


def test_a_row_that_is_none_and_a_reason_that_is_none_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "excuses", lambda: {("fault", 3): "no such network here"})
    assert rows.report({**everywhere(), ("fault", 65): {""}})[:2] == [
        "not proved: fault 65: not explained, it is in no table",
        "not explained any more: fault 3, a connection that hangs before it stands has its test",
    ]
