from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Reply
from jmuz_magic.notebook.summary import MAX_CHARS, part_of, summarise
from jmuz_magic.secret import Secret

ABOUT_MAX = MAX_CHARS + 200  # a note comes on top


def text(value: object) -> str:
    return summarise(value, "{{x}}")


def test_a_string_goes_in_as_it_is_however_long() -> None:
    assert text("") == ""
    assert text("a\n{{b}}\x1b") == "a\n{{b}}\x1b"
    assert text("x" * (2 * MAX_CHARS)) == "x" * (2 * MAX_CHARS)


def test_a_reply_is_its_text() -> None:
    assert text(Reply("**yes**", model="m")) == "**yes**"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, "3"),
        (None, "None"),
        (True, "True"),
        (2.5, "2.5"),
        ([1, "a"], "[1, 'a']"),
        ({"a": [1, 2]}, "{'a': [1, 2]}"),
        (b"ab", "b'ab'"),
        (dt.date(2025, 1, 2), "datetime.date(2025, 1, 2)"),
        (np.float64(2.5), "2.5"),
        (np.int64(7), "7"),
        (Secret("sk-0123456789"), "***"),
    ],
)
def test_other_values_look_as_the_notebook_shows_them(value: object, expected: str) -> None:
    assert text(value) == expected


def test_a_table_shows_shape_types_and_first_rows() -> None:
    frame = pd.DataFrame({"n": range(1000), "name": ["a", "b"] * 500})
    lines = text(frame).splitlines()
    assert lines[0] == "DataFrame: 1,000 rows × 2 columns"
    assert lines[1].startswith("dtypes: n int64, name ")
    assert lines[2] == "first 20 of 1,000 rows:"
    assert lines[3].split() == ["n", "name"]
    assert lines[4].split() == ["0", "0", "a"]
    assert lines[-1].split() == ["19", "19", "b"]


def test_a_small_table_is_shown_whole() -> None:
    assert "all rows:" in text(pd.DataFrame({"n": [1, 2]}))
    assert "0 rows" in text(pd.DataFrame())


def test_a_table_that_is_wide_or_has_long_cells_stays_bounded() -> None:
    wide = text(pd.DataFrame(np.zeros((100, 5000))))
    assert "100 rows × 5,000 columns" in wide
    assert "… and 4,970 more columns" in wide
    long = text(pd.DataFrame({"c" * 500: ["x" * 100_000] * 100}))
    assert max(len(wide), len(long)) < ABOUT_MAX


def test_a_table_with_repeated_and_nested_columns_is_shown() -> None:
    assert "a int64, a int64" in text(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    assert "('a', 'b') int64" in text(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])))


def test_a_series_shows_name_length_and_type() -> None:
    lines = text(pd.Series(range(50), name="age")).splitlines()
    assert lines[0] == "Series 'age': 50 values, dtype int64"
    assert lines[1] == "first 20 of 50 rows:"
    assert lines[2].split() == ["0", "0"]
    assert "Series: 1 values" in text(pd.Series([1.5]))
    assert len(text(pd.Series(["x" * 100_000]))) < 500


def test_an_array_shows_shape_type_and_corners() -> None:
    small = text(np.array([[1, 2], [3, 4]]))
    assert small.splitlines() == ["ndarray: shape (2, 2), dtype int64", "[[1 2]", " [3 4]]"]
    large = text(np.zeros((1000, 1000)))
    assert "shape (1000, 1000), dtype float64" in large
    assert "..." in large
    assert len(large) < 2000


def test_an_array_of_long_strings_or_many_dimensions_stays_bounded() -> None:
    assert len(text(np.array(["x" * 100_000] * 3, dtype=object))) < ABOUT_MAX
    assert len(text(np.zeros((3,) * 10))) < ABOUT_MAX


def test_masked_values_of_an_array_stay_hidden() -> None:
    assert "[1 -- 3]" in text(np.ma.masked_array([1, 2, 3], [False, True, False]))


def test_an_array_of_another_library_shows_its_shape_and_type() -> None:
    class Tensor:
        shape = (2, 3)
        dtype = "float32"

        def __dlpack__(self) -> None: ...

        def __repr__(self) -> str:
            return "tensor(…)"

    assert text(Tensor()) == "Tensor: shape (2, 3), dtype float32\ntensor(…)"


@pytest.mark.fault(60)
@pytest.mark.parametrize(
    ("value", "note"),
    [
        (list(range(1_000_000)), "[the first 1,000 elements; this list has 1,000,000]"),
        (["x" * 100] * 1000, "[cut after 10,000 characters; this list has 1,000]"),
        ({"a": "x" * 1_000_000}, "[cut after 10,000 characters; this dict has 1]"),
        ([[1] * 1000] * 1000, "[cut after 10,000 characters; this list has 1,000]"),
        (b"x" * 1_000_000, "[cut after 10,000 characters]"),
    ],
)
def test_a_huge_value_is_cut_and_says_so(value: object, note: str) -> None:
    summary = text(value)
    assert summary.endswith("\n" + note)
    assert len(summary) < ABOUT_MAX


def test_a_nested_value_without_end_is_not_walked() -> None:
    shown: list[int] = []

    class Item:
        def __repr__(self) -> str:
            shown.append(1)
            return "x" * 1000

    text([Item()] * 1000)
    assert len(shown) < 20


def test_a_cycle_ends() -> None:
    value: list[Any] = [1]
    value.append(value)
    assert text(value) == "[1, [...]]"


class SilentError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.fault(60)
@pytest.mark.parametrize("error", [ValueError("no\nway"), SilentError(), RecursionError()])
def test_a_repr_that_raises_is_one_line(error: Exception) -> None:
    class Bad:
        def __repr__(self) -> str:
            raise error

    with pytest.raises(JmuzError) as caught:
        summarise({"key": Bad()}, "{{x}}")
    assert str(caught.value).startswith("{{x}}: showing this dict raised " + type(error).__name__)
    assert "\n" not in str(caught.value)
    assert caught.value.__context__ is None


def test_neither_pandas_nor_numpy_is_imported() -> None:
    code = (
        "import sys; from jmuz_magic.magics.prompt.expander import Expander\n"
        "Expander({'x': [1]}).text('{{x}}', what='prompt')\n"
        "print([n for n in ('numpy', 'pandas', 'matplotlib', 'PIL') if n in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.finding("C17")
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (pd.DataFrame({"a": range(400)}), "20 of 400 rows"),
        (pd.DataFrame([range(40)] * 21), "20 of 21 rows and 30 of 40 columns"),
        (pd.Series(range(1_000)), "20 of 1,000 values"),
        (list(range(2_000)), "1,000 of 2,000 elements"),
        (["x" * 100] * 500, "the first 10,000 characters"),
        (["x" * 100] * 2_000, "the first 10,000 characters"),
        (np.zeros((100, 100)), "64 of 10,000 elements"),
        (np.zeros((100, 2)), ""),
        (pd.DataFrame([["x" * 90] * 9] * 400), "20 of 400 rows and the first 10,000 characters"),
        (pd.DataFrame({"a": range(20)}), ""),
        ("text\n[cut after 10,000 characters]", ""),
        ({"a": 1}, ""),
    ],
)
def test_a_value_that_is_sent_in_part_says_how_much(value: object, said: str) -> None:
    assert part_of(value, text(value)) == said
