"""Tables: what cuts a cell and what does not, line breaks in cells, and the rest of GitHub's rule."""

from __future__ import annotations

import random
import re
import time

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from jmuz_magic.display.html.markdown import render_html
from jmuz_magic.display.html.parser import make_parser


def rows(text: str, math: str = "tex") -> list[list[str]]:
    """The HTML of the cells of a table."""
    html = render_html(text, math)  # type: ignore[arg-type]  # one of the two literals
    lines = re.findall(r"<tr>\n(.*?)</tr>", html, re.DOTALL)
    return [[re.sub(r"^<t[hd][^>]*>", "", cell) for cell in line.split("</td>\n")[:-1]] for line in lines][1:]


@pytest.mark.finding("A18")
@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (r"| $\ln|x| + C$ | x |", [r"<span>$\ln|x| + C$</span>", "x"]),
        (r"| $P(A|B)$ | $\{x | x > 0\}$ |", ["<span>$P(A|B)$</span>", r"<span>$\{x | x &gt; 0\}$</span>"]),
        (r"| \(|a|\) | \[|b|\] |", [r"<span>\(|a|\)</span>", r"<span>\[|b|\]</span>"]),
        ("| `a|b` | ``c|`d`` |", ["<code>a|b</code>", "<code>c|`d</code>"]),
        ("a | `x || y`", ["a", "<code>x || y</code>"]),
    ],
)
def test_a_bar_in_a_formula_or_in_code_cuts_nothing(row: str, cells: list[str]) -> None:
    assert rows(f"| a | b |\n|---|---|\n{row}\n") == [cells]


@pytest.mark.finding("A18")
def test_a_bar_in_the_header_cuts_nothing() -> None:
    assert "<span>$|x|$</span></th>" in render_html("| $|x|$ | y |\n|---|---|\n| 1 | 2 |\n")


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("|US$|EUR$|", ["US<span>$</span>", "EUR<span>$</span>"]),
        ("| `a | b` |", ["`a", "b`"]),
        (r"| a \| b | `c \| d` |", ["a | b", "<code>c | d</code>"]),
        ("| $5 | $6 |", ["<span>$</span>5", "<span>$</span>6"]),
        ("| ` | b |", ["`", "b"]),
        (r"| \( | b |", [r"(", "b"]),
        ("| a |", ["a", ""]),
        ("| a | b | c |", ["a", "b"]),
        ("a|b", ["a", "b"]),
    ],
)
def test_all_other_bars_cut(row: str, cells: list[str]) -> None:
    assert rows(f"| a | b |\n|---|---|\n{row}\n") == [cells]


@pytest.mark.finding("A16")
@pytest.mark.parametrize(
    ("cell", "html"),
    [
        ("one<br>two", "one<br>\ntwo"),
        ("one<br/>two<BR />three", "one<br>\ntwo<br>\nthree"),
        ("**a<br>b**", "<strong>a<br>\nb</strong>"),
        ("1. x<br>2. $y$<br>", "1. x<br>\n2. <span>$y$</span><br>\n"),
    ],
)
def test_a_line_break_in_a_cell(cell: str, html: str) -> None:
    assert rows(f"| a |\n|---|\n| {cell} |\n") == [[html]]


@pytest.mark.parametrize("cell", ["`<br>`", "\\<br>", "&lt;br&gt;", "<br class=x>", "<br onclick=x>", "</br>", "<brr>"])
def test_no_other_text_is_a_line_break(cell: str) -> None:
    (((shown,),)) = rows(f"| a |\n|---|\n| {cell} |\n")
    assert "<br" not in shown
    assert "br" in shown


def test_outside_of_a_cell_the_tag_is_text() -> None:
    assert render_html("use <br> here") == "<p>use &lt;br&gt; here</p>\n"


def facts(tokens: list[Token]) -> list[tuple[str, str, str]]:
    """What matters of tokens."""
    return [(token.type, str(token.attrs), token.content) for token in tokens]


PLAIN = [
    "| a | b |\n|---|:-:|\n| 1 | 2 |\n| 3 |\n",
    "a | b\n-|-\n1 | 2\n\nafter",
    "| a |\n|---|\n| 1 |\n> quote\n",
    "| a |\n|---|\n- item\n",
    "- | a |\n  |---|\n  | 1 |\n",
    "> | a |\n> |---|\n> | 1 |\n| 2 |\n",
    "| a | b |\n|---|\n| 1 |\n",
    "| a |\n- - -\n",
    "a\n---\n",
    "| a |\n---\n",
    "| a |\n| - |\n",
    "para\n| a |\n|---|\n| 1 |\n",
    "    | a |\n    |---|\n",
    "| a |\n|:-:|\n# head\n",
    "||\n|-|\n",
    "|a||b|\n|-|-|-|\n|1||2|\n",
    "| a |\n|---|",
    "| a |\n|--x|\n",
    "| a |\n| : |\n",
    "|a|\n|-\n|b\n",
]


@pytest.mark.parametrize("text", PLAIN)
def test_otherwise_a_table_is_what_it_was(text: str) -> None:
    plain = MarkdownIt("commonmark", {"html": False}).enable("table").parse(text)
    assert facts(make_parser().parse(text)) == facts(plain)


def test_nor_do_tables_made_by_chance_differ() -> None:
    random_, plain = random.Random(5), MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    for _ in range(3_000):
        text = "".join(random_.choices(["|", "|", "-", "-", ":", " ", "\n", "\n", "a", "\\", "> ", "* ", "\t"], k=25))
        assert facts(make_parser().parse(text)) == facts(plain.parse(text)), repr(text)


@pytest.mark.threat(24)
@pytest.mark.parametrize("unit", ["|", "$|", "`|", "``|`", "\\(|", "<br>", "a|$x$", "|<br", "$"])
def test_a_long_row_takes_linear_time(unit: str) -> None:
    def seconds(size: int) -> float:
        table = "| a | b |\n|---|---|\n| " + unit * (size // len(unit)) + " |\n"
        began = time.process_time()
        render_html(table)
        return time.process_time() - began

    seconds(1_000)
    assert seconds(40_000) < 10 * min(seconds(10_000), seconds(10_001)) + 0.3


@pytest.mark.threat(24)
def test_empty_cells_are_bounded() -> None:
    width = 1_000
    assert len(render_html("|a" * width + "|\n" + "|-" * width + "|\n" + "|x\n" * 2_000)) < 5_000_000
