"""A paragraph that grows: marks that are not closed yet do not flicker, and leave no trace in what is finished."""

from __future__ import annotations

import html
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmuz_magic.display.html.markdown import Blocks, render_html
from jmuz_magic.display.html.settling import settled
from tests.allow_list import problems
from tests.hostile import hostile_replies

PARAGRAPH = (
    "Some **bold** and *em*, ***both***, ~~gone~~, `code` and ``a ` b``, **bold with `code` in it**, "
    "[a link](https://a.example/x_y_z), **[strong](https://b.example)**, <https://c.example/d> and the end"
)
TAG = re.compile(r"<[^>]*>")


def growing(text: str) -> str:
    """The HTML of the open part."""
    blocks = Blocks()
    blocks.feed(text)
    return blocks.open


def read(shown: str) -> str:
    return html.unescape(TAG.sub("", shown)).rstrip("\n")


def test_no_mark_of_a_growing_paragraph_is_seen() -> None:
    whole = read(render_html(PARAGRAPH))
    for end in range(1, len(PARAGRAPH) + 1):
        shown = read(growing(PARAGRAPH[:end]))
        assert whole.startswith(shown.rstrip()), PARAGRAPH[:end]


def test_what_has_been_formatted_stays_so() -> None:
    seen = ""
    for end in range(len("Some **bo"), len("Some **bold** and") + 1):
        seen = growing(PARAGRAPH[:end])
        assert "<strong>bo" in seen
    assert "<strong>bold</strong> and" in seen


@pytest.mark.parametrize("formula", ["$a_1 * b_2^*", "\\(a_1 * b_2", "$$a_1 * b_2"])
def test_half_a_formula_is_its_source(formula: str) -> None:
    assert read(growing(f"so {formula}")) == f"so {formula}"
    assert "<em>" not in growing(f"so {formula}")


@pytest.mark.parametrize(
    "text",
    ["It costs $5 and **more** is", "2 * 3 is 6", "a snake_case_name is", "x [1] and", "an escaped \\* mark", ""],
)
def test_what_opens_nothing_is_left_alone(text: str) -> None:
    assert settled(text) == text


def test_an_asterisk_that_nothing_closes_is_one() -> None:
    assert "<em>" in growing("see *args")
    assert "<em>" not in growing("see *args " + "and so on " * 30)


def test_code_that_is_open_is_not_a_paragraph() -> None:
    assert growing("A **b\n\n```\n**c").count("<strong>") == 0


@pytest.mark.threat(24)
@pytest.mark.parametrize(("opens", "closes"), [("*a ", "b* "), ("_a ", "b_ "), ("[*a ", "] ")])
def test_many_open_marks_take_time_in_proportion(opens: str, closes: str) -> None:
    settled("**warm")

    def seconds(count: int) -> float:
        began = time.process_time()
        settled(opens * count + closes * count)
        return time.process_time() - began

    short, long = (min(seconds(count) for _ in range(3)) for count in (1_000, 8_000))
    assert long < 24 * short, (short, long)  # measured: 8; it was 60


@given(st.text(alphabet="ab *_`~[]()!<>$\\\n1", max_size=60))
@settings(max_examples=300, deadline=None)
def test_a_finished_text_does_not_depend_on_it(text: str) -> None:
    blocks = Blocks()
    for character in text:
        blocks.feed(character)
        assert problems(blocks.open) == []
    blocks.finish()
    assert "".join(blocks.committed) == render_html(text)


def test_hostile_replies_cut_anywhere_stay_on_the_list() -> None:
    for reply in hostile_replies("http://a.example").values():
        text = reply[:2_000]
        for end in range(1, len(text), max(1, len(text) // 20)):
            assert problems(growing(text[:end])) == [], text[:end]
