from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from jmuz_magic.notebook.cells import Cell, CellLog, clip, is_own

Run = Callable[..., None]


@pytest.fixture
def log(shell: Any) -> CellLog:
    made = CellLog(shell)
    made.attach(ExitStack())
    return made


@pytest.fixture
def briefly(shell: Any) -> None:
    """IPython itself shows errors without frames: for each frame it looks through all modules of the process."""
    shell.InteractiveTB.set_mode("Minimal")


@pytest.fixture
def run(shell: Any) -> Run:
    def run_cells(*sources: str, store_history: bool = True) -> None:
        for source in sources:
            shell.run_cell(source, store_history=store_history)

    return run_cells


def earlier(log: CellLog) -> list[Cell]:
    return list(log.earlier())


def error_of(log: CellLog) -> str:
    assert log.failed is not None
    return log.failed.error


def test_cells_come_newest_first_with_their_output(log: CellLog, run: Run) -> None:
    run("x = 1", "x + 1", "print('printed')")
    cells = earlier(log)
    assert [(cell.number, cell.source) for cell in cells] == [(3, "print('printed')"), (2, "x + 1"), (1, "x = 1")]
    assert [cell.output for cell in cells[1:]] == ["2", ""]


def test_what_a_cell_printed_is_output_where_ipython_keeps_it(log: CellLog, run: Run, shell: Any) -> None:
    run("import sys; print('out'); print('\\x1b[31merr\\x1b[0m', file=sys.stderr); 'value'")
    printed = ["out", "err"] if hasattr(shell.history_manager, "outputs") else []  # IPython 8 keeps the last value only
    assert earlier(log)[0].output.splitlines() == [*printed, "'value'"]


def test_the_running_cell_is_not_earlier(log: CellLog, run: Run, shell: Any) -> None:
    shell.user_ns["log"] = log
    run("x = 1", "seen = [cell.source for cell in log.earlier()]")
    assert shell.user_ns["seen"] == ["x = 1"]


def test_a_cell_outside_of_the_history_sees_all_that_ended(log: CellLog, run: Run, shell: Any) -> None:
    shell.user_ns["log"] = log
    run("x = 1", "y = 2")
    run("seen = [cell.source for cell in log.earlier()]", store_history=False)
    assert shell.user_ns["seen"] == ["y = 2", "x = 1"]


def test_cells_from_before_the_log_are_there(run: Run, shell: Any) -> None:
    run("x = 1", "x + 1")
    log = CellLog(shell)
    shell.user_ns["log"] = log
    run("seen = [cell.output for cell in log.earlier()]")
    assert shell.user_ns["seen"] == ["2", ""]


def test_cells_of_this_extension_and_empty_ones_are_left_out(log: CellLog, run: Run) -> None:
    run("x = 1", "%%jmuz -m x\nquestion", "   ", "%jmuz_use demo\n%jmuz_models", "# only a comment")
    assert [cell.source for cell in earlier(log)] == ["x = 1"]


@pytest.mark.parametrize(
    ("source", "own"),
    [
        ("%%jmuz\nhello", True),
        ("%jmuz hello", True),
        ("%load_ext jmuz_magic\n# ours\n%jmuz_use demo", True),
        ("%%time\n%jmuz hello", False),
        ("x = 1\n%jmuz hello", False),
        ("%load_ext autoreload", False),
        ("%%jmuzzle\nx", True),
        ("answer = get_ipython()", False),
    ],
)
def test_which_cells_only_speak_to_this_extension(source: str, own: bool) -> None:
    assert is_own(source) is own


def test_an_error_is_kept_as_python_prints_it_with_the_cells_name(log: CellLog, run: Run) -> None:
    run("x = 1", "def f():\n    return 1 / 0\nf()")
    assert log.failed is not None
    assert log.failed.source == "def f():\n    return 1 / 0\nf()"
    lines = error_of(log).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == '  File "Cell In[2]", line 3, in <module>'
    assert "    return 1 / 0" in lines
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "interactiveshell" not in error_of(log)
    assert earlier(log)[0].error == error_of(log)


def test_local_variables_are_never_in_it(log: CellLog, run: Run) -> None:
    run("%xmode Verbose", "def f(password):\n    local = 'swordfish'\n    raise ValueError\nf('hunter' + str(22))")
    assert "swordfish'" not in error_of(log).replace("local = 'swordfish'", "")
    assert "hunter22" not in error_of(log)


def test_causes_and_groups_are_in_it_without_ipythons_frames(log: CellLog, run: Run) -> None:
    run("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('k') from e")
    assert "ZeroDivisionError" in error_of(log)
    assert "direct cause" in error_of(log)
    run("raise ExceptionGroup('several', [ValueError(1), KeyError(2)])")
    assert "ValueError: 1" in error_of(log)
    assert "interactiveshell" not in error_of(log)
    assert earlier(log)[0].output == "", "what stderr showed of it is not said twice"


def test_a_syntax_error_is_kept(log: CellLog, run: Run) -> None:
    run("x = = 1")
    assert "Cell In[1]" in error_of(log)
    assert error_of(log).endswith("SyntaxError: invalid syntax")


def test_a_usage_error_is_one_line(log: CellLog, run: Run) -> None:
    run("%no_such_magic")
    assert error_of(log).startswith("UsageError: ")
    assert "\n" not in error_of(log)


def test_an_error_that_shows_itself_is_kept_so(log: CellLog, run: Run) -> None:
    run("class E(Exception):\n    def _render_traceback_(self):\n        return ['\\x1b[31mred', 'line']\nraise E")
    assert error_of(log) == "red\nline"


def test_an_error_whose_parts_raise_is_kept_all_the_same(log: CellLog) -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise ValueError

        def _render_traceback_(self) -> list[str]:
            raise ValueError

    assert log._format(BrokenError()).endswith("BrokenError: <exception str() failed>")


@pytest.mark.usefixtures("briefly")
def test_a_recursion_is_kept_within_the_bound(log: CellLog, run: Run) -> None:
    run("def f(): f()\nf()", "raise ValueError('x' * 1_000_000)")
    assert len(error_of(log)) < 9_000
    assert "characters left out" in error_of(log)
    assert "RecursionError" in earlier(log)[1].error


def test_interrupts_own_cells_and_successes_leave_the_last_failure(log: CellLog, run: Run) -> None:
    run("1 / 0", "raise KeyboardInterrupt", "%jmuz no such magic here", "x = 1")
    assert "ZeroDivisionError" in error_of(log)


def test_no_exception_frame_or_variable_is_kept(log: CellLog, run: Run, shell: Any) -> None:
    class Large:
        pass

    made = Large()
    seen = weakref.ref(made)
    shell.user_ns["held"] = [made]
    del made
    run("def f():\n    large = held.pop()\n    raise ValueError\nf()", "raise KeyError", "x = 1")
    import sys

    for name in ("last_exc", "last_value", "last_traceback", "last_type"):  # IPython's own, for %debug
        if hasattr(sys, name):
            delattr(sys, name)
    shell.InteractiveTB.tb = None
    shell.last_execution_result = None
    gc.collect()
    assert seen() is None


@pytest.mark.usefixtures("briefly")
def test_many_failures_keep_the_newest_errors(log: CellLog, run: Run) -> None:
    run(*(f"raise ValueError({number})" for number in range(205)))
    assert len(log._errors) == 200
    assert earlier(log)[0].error.endswith("ValueError: 204")


def test_nothing_is_left_in_the_shell(shell: Any) -> None:
    before = list(shell.events.callbacks["post_run_cell"])
    undo = ExitStack()
    CellLog(shell).attach(undo)
    assert len(shell.events.callbacks["post_run_cell"]) == len(before) + 1
    undo.close()
    assert shell.events.callbacks["post_run_cell"] == before


def test_a_text_is_cut_in_its_middle_and_says_how_much() -> None:
    assert clip("short", 5) == "short"
    assert clip("a" * 100 + "b" * 200, 30) == "a" * 10 + "\n[… 270 characters left out …]\n" + "b" * 20
