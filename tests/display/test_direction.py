"""Replies that are written from right to left."""

from __future__ import annotations

import pytest

from jmuz_magic.display.bundle import reply_bundle
from jmuz_magic.display.html.markdown import render_html
from jmuz_magic.messages import Reply
from tests.allow_list import problems


@pytest.mark.finding("A15")
@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("שלום עולם", '<p style="text-align:start" dir="auto">'),
        ("مرحبا **بك**", '<p style="text-align:start" dir="auto">'),
        ("English with עברית", '<p style="text-align:start" dir="auto">'),
        ("## عنوان", '<h4 dir="auto">'),
        ("- אחד\n- שתיים", '<ul dir="auto">\n<li>אחד'),
        ("3. یک\n4. two", '<ol start="3" dir="auto">\n<li>'),
        ("> ציטוט\n>\n> quote", '<blockquote dir="auto">\n<p style="text-align:start">'),
        (
            "| א | b |\n|---|---|\n| 1 | 2 |",
            '<div tabindex="0" style="overflow:auto"><table dir="auto">\n<thead>\n<tr>\n',
        ),
    ],
)
def test_a_block_with_such_letters_finds_its_direction(text: str, start: str) -> None:
    html = render_html(text)
    assert html.startswith(start)
    assert problems(html) == []


@pytest.mark.finding("A15")
def test_cells_are_aligned_as_the_table_runs_unless_the_reply_says_how() -> None:
    html = render_html("| א | ב | ג | ד |\n|---|:--|:-:|--:|\n| 1 | 2 | 3 | 4 |")
    assert [cell.partition('"')[0] for cell in html.split('<td style="text-align:')[1:]] == [
        "start",
        "left",
        "center",
        "right",
    ]


def test_blocks_without_such_letters_stay_as_they_were() -> None:
    html = render_html("# a\n\ntext\n\n- x\n\n| a |\n|---|\n| b |\n")
    assert "dir=" not in html
    assert "text-align:left" in html


def test_only_the_blocks_that_need_it_ask() -> None:
    assert render_html("שלום\n\nhello") == '<p style="text-align:start" dir="auto">שלום</p>\n<p>hello</p>\n'


@pytest.mark.finding("A15")
def test_code_among_such_letters_reads_as_code() -> None:
    assert '<code dir="auto">df.head()</code>' in render_html("קוד `df.head()` כאן")


def test_code_does_not_take_the_direction_of_a_list() -> None:
    html = render_html("- אחד\n\n  ```py\n  x = 1\n  ```\n")
    assert '<pre dir="auto">' in html
    assert "<pre>" in render_html("```py\nx = 'שלום'\n```\n")


@pytest.mark.finding("A15")
def test_prompts_and_reasoning_ask_too() -> None:
    reply = Reply(text="hello", reasoning="חושב")
    assert '<p style="text-align:start" dir="auto">חושב</p>' in reply_bundle(reply)["text/html"]

    from jmuz_magic.display.transcript import turn_bundle

    assert '<p dir="auto" style="text-align:start">שאלה</p>' in turn_bundle("שאלה", reply)["text/html"]
