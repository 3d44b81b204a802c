"""`%jmuz_fix` at the demo endpoint: cells that fail as cells do, corrected by its rules, run."""

from __future__ import annotations

import pytest

from tests.magics.loaded import UserShell

FRAME = "import pandas\ndf = pandas.DataFrame({'city': ['A'], 'units': [3]})\n"

pytestmark = pytest.mark.finding("C7")


@pytest.mark.parametrize(
    ("cell", "corrected"),
    [
        ("units = [1, 2]\nmean = sum(units) / len([])", "units = [1, 2]\nmean = sum(units) / len(units)"),
        ("x, y = 0, 3\nprint(y / x)", 'x, y = 0, 3\nprint((y / x if x else float("nan")))'),
        ("1 / 0", "try:\n    1 / 0\nexcept ZeroDivisionError:\n    print('nothing can be divided by zero')"),
        ("1/0", "try:\n    1/0\nexcept ZeroDivisionError:\n    print('nothing can be divided by zero')"),
        ("total = 3\nprint(totl + totl)", "total = 3\nprint(total + total)"),
        ("prnt(3)", "print(3)"),
        ("math.sqrt(4)", "import math\n\nmath.sqrt(4)"),
        ("d = {'units': 1}\nprint(d['unit'])", "d = {'units': 1}\nprint(d['units'])"),
        (f"{FRAME}print(df['unit'])", f"{FRAME}print(df['units'])"),
        (f"{FRAME}print(df.unit.sum())", f"{FRAME}print(df.units.sum())"),
        ("d = {'a': 1}\nprint(d['b'])", "d = {'a': 1}\nprint(d.get('b'))"),
        ("items = [1, 2]\nitems[2]", "items = [1, 2]\nitems[-1]"),
        ("n = 3\nprint('n: ' + n)", "n = 3\nprint('n: ' + str(n))"),
        ("for i in range(3)  # each\n    print(i)", "for i in range(3):  # each\n    print(i)"),
        ("print((1, 2)", "print((1, 2))"),
        ("print 'a b'", "print('a b')"),
        ("def half(n):\n    return n / zero\nzero = 0\nhalf(1)", None),
    ],
)
def test_a_cell_is_corrected_and_then_runs(user: UserShell, cell: str, corrected: str | None) -> None:
    user.line("%jmuz_use demo")
    assert not user.shell.run_cell(cell).success
    user.line("%jmuz_fix")
    if corrected is not None:
        assert user.shell.user_ns["_jmuz_code"] == corrected
    assert user.shell.run_cell(user.shell.user_ns["_jmuz_code"]).success


@pytest.mark.parametrize(
    "cell",
    [
        "d = {}\nd['x'] += 1",
        "items = []\nitems[0] = 1",
        "open('/no/such/file')",
        f"{FRAME}df['price']",
        "print(licence)",
        "quitt",
    ],
)
def test_what_no_rule_corrects_is_said_so(user: UserShell, cell: str) -> None:
    user.line("%jmuz_use demo")
    user.shell.run_cell(cell)
    assert "has no rule that corrects it" in user.line("%jmuz_fix")
    assert "_jmuz_code" not in user.shell.user_ns


def test_earlier_cells_do_not_hide_the_one_that_failed(user: UserShell) -> None:
    user.line("%jmuz_use demo")
    for cell in ("other = 3", "total = 3\nprint(totl)"):
        user.shell.run_cell(cell, store_history=True)
    user.line("%jmuz_fix --context all")
    assert user.shell.user_ns["_jmuz_code"] == "total = 3\nprint(total)"
