from __future__ import annotations

import pytest

from jmuz_magic.magics.line.values import cell_count
from jmuz_magic.notebook.cells import MAX_CONTEXT, Cell, FailedCell
from jmuz_magic.notebook.context import build_context, build_fix, fenced
from jmuz_magic.secret import Secret

KEY = "sk-proj-Abc123def456Ghi789jkl012"
CELLS = [Cell(3, "c = 3", "", "ValueError: no"), Cell(2, "b", "2"), Cell(1, "a = 1")]


def test_earlier_cells_stand_oldest_first_with_input_output_and_error() -> None:
    context = build_context(CELLS, 10)
    assert (context.cells, context.sent_in_part) == (3, ())
    assert context.text == (
        "Earlier cells of this notebook, oldest first:\n\n"
        "In [1]:\n```python\na = 1\n```\n\n"
        "In [2]:\n```python\nb\n```\nOutput of [2]:\n```text\n2\n```\n\n"
        "In [3]:\n```python\nc = 3\n```\nError of [3]:\n```text\nValueError: no\n```"
    )


def test_only_as_many_as_asked_for_are_taken_and_no_more_are_read() -> None:
    cells = iter(CELLS)
    context = build_context(cells, 1)
    assert "c = 3" in context.text
    assert "In [2]" not in context.text
    assert context.sent_in_part == ()


def test_without_cells_there_is_no_text() -> None:
    assert build_context([], 5).text == ""


def test_beyond_the_bound_the_oldest_are_left_out_and_counted() -> None:
    cells = [Cell(number, f"x = '{'y' * 900}'") for number in range(50, 0, -1)]
    context = build_context(cells, 10**9)
    assert len(context.text) < MAX_CONTEXT + 200
    assert context.sent_in_part == (f"{context.cells} of 50 earlier cells",)
    assert "In [50]" in context.text
    assert f"(the {50 - context.cells} before them are left out)" in context.text
    assert f"In [{50 - context.cells}]:" not in context.text


def test_one_cell_beyond_the_bound_is_cut_not_left_out() -> None:
    context = build_context([Cell(1, "start" + "x" * 100_000 + "end", "o" * 100_000, "last")], 1)
    assert context.cells == 1
    assert len(context.text) < MAX_CONTEXT + 500
    assert "start" in context.text
    assert "end\n" in context.text
    assert "last" in context.text
    assert "characters left out" in context.text
    assert context.sent_in_part == ("about 20,000 characters of the latest cell",)


def test_keys_are_masked_also_where_a_text_is_cut() -> None:
    for length in range(0, 4 * MAX_CONTEXT, 997):
        context = build_context([Cell(1, "x", "-" * length + f" {KEY} " + "-" * 3 * MAX_CONTEXT)], 1)
        assert "sk-proj" not in context.text
    assert "swordfish" not in build_context([Cell(1, "swordfish")], 1, secrets=[Secret("swordfish")]).text


def test_a_fence_in_a_cell_does_not_end_the_block() -> None:
    assert fenced("```\nx\n````") == "`````text\n```\nx\n````\n`````"
    assert fenced("x", "python") == "```python\nx\n```"


@pytest.mark.parametrize(("word", "count"), [("prev", 1), ("1", 1), ("12", 12)])
def test_how_many_cells_a_word_means(word: str, count: int) -> None:
    assert cell_count(word) == count


def test_all_means_all() -> None:
    assert cell_count("all") >= 10**9


@pytest.mark.parametrize("word", ["", "0", "-1", "none", "1.5", "²"])
def test_other_words_are_refused(word: str) -> None:
    with pytest.raises(ValueError, match="expected prev, all or a number"):
        cell_count(word)


def test_the_question_about_a_failed_cell_holds_it_its_error_and_the_hint() -> None:
    question = build_fix(FailedCell("1/0", "ZeroDivisionError: division by zero"), "use numpy")
    assert "```python\n1/0\n```" in question
    assert "```text\nZeroDivisionError: division by zero\n```" in question
    assert question.endswith("\n\nuse numpy")
    assert build_fix(FailedCell("1/0", "E")).endswith("```")


def test_keys_and_the_home_directory_are_masked_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    failed = FailedCell(f"ask('{KEY}')", f'File "/home/ann/x.py"\nE: {KEY} swordfish')
    question = build_fix(failed, secrets=[Secret("swordfish")])
    assert KEY not in question
    assert "swordfish" not in question
    assert 'File "~/x.py"' in question


def test_a_huge_cell_is_cut() -> None:
    assert len(build_fix(FailedCell("x" * 1_000_000, "E"))) < 25_000
