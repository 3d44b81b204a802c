"""`make guards` takes minutes; here its list is only read: every guard still has its place, and its tests are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edits import Edit, PlaceError, call, condition, edited, first, operand, option, path_of, piece, statement
from tests.guards import GUARDS, ROOT, SCRIPT_GUARDS, Guard, ScriptGuard

SOURCE = """
PATTERN = "[a-z]é"

class Reader:
    def read(self, data, size=0):
        \"\"\"What was read.\"\"\"
        if data and size > 10:
            self.drop(data, "é")
        self.keep(data, whole=True)
        return [each for each in data if each]
"""


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_has_its_place(guard: Guard) -> None:
    changed = guard.taken_out(ROOT)
    compile(changed, guard.symbol, "exec")
    assert changed != path_of(guard.symbol, ROOT).read_text(encoding="utf-8")


@pytest.mark.parametrize("guard", SCRIPT_GUARDS, ids=lambda guard: guard.name)
def test_a_guard_in_a_script_has_its_place(guard: ScriptGuard) -> None:
    assert guard.taken_out(ROOT) != guard.path(ROOT).read_text(encoding="utf-8")


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_the_tests_of_a_guard_are_there(guard: Guard) -> None:
    files, _, expression = guard.tests.partition(" -k ")
    found = [(ROOT / file).read_text(encoding="utf-8") for file in files.split()]
    assert re.search(rf"def test_\w*{expression}", "\n".join(found)), "a guard out of which no test falls"


def test_what_stands_there_without_a_guard_names_only_what_is_known(tmp_path: Path) -> None:
    """A test that fails by a NameError would say nothing of the guard."""
    for number, guard in enumerate(GUARDS):
        (tmp_path / f"{number}.py").write_text(guard.taken_out(ROOT), encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select=F821", "--output-format=concise"]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (operand("size"), "        if data and True:"),
        (condition("data", "10", becomes="data"), "        if data:"),
        (condition("each", becomes="True"), "        return [each for each in data if True]"),
        (statement("keep"), "        pass"),
        (call("drop", "$0.keep($2, $1)"), '            self.keep("é", data)'),
        (option("whole", "False"), "        self.keep(data, whole=False)"),
        (first("if not data:\n    return []"), "        if not data:"),
    ],
    ids=lambda value: value.what if isinstance(value, Edit) else "",
)
def test_an_edit_changes_the_one_place_that_fits(edit: Edit, line: str) -> None:
    changed = edited(SOURCE, "module:Reader.read", (edit,))
    compile(changed, "module", "exec")
    assert line in changed.splitlines()
    assert line not in SOURCE.splitlines()


def test_a_piece_of_a_string_is_changed_in_its_symbol() -> None:
    assert 'PATTERN = "[A-Z]é"' in edited(SOURCE, "module:PATTERN", (piece("a-z", "A-Z"),))


@pytest.mark.parametrize(
    ("symbol", "edit"),
    [
        ("module:Reader.write", statement("keep")),
        ("module:Writer", statement("keep")),
        ("module:Reader.read", statement("sort")),
        ("module:Reader.read", condition(becomes="True")),
        ("module:PATTERN", piece("0-9", "")),
    ],
)
def test_a_place_that_is_missing_or_not_the_only_one_is_an_error(symbol: str, edit: Edit) -> None:
    with pytest.raises(PlaceError):
        edited(SOURCE, symbol, (edit,))
