"""Dollars that are money, formulas that are formulas, and what may be in one."""

from __future__ import annotations

import re
import sys

import pytest

from jmuz_magic.display.html import maths
from jmuz_magic.display.html.markdown import render_html

MONEY = [
    "$5 and $10",
    "costs $5, or ($6)",
    "between $1,000 and $2,000.",
    "US$5 and US$6",
    "$HOME and $PATH",
    "a $ b $ c",
    "$5-$10",
    "**$5** to **$6**",
    "\\$5 and \\$6",
    "`$x$` and `$y$`",
    "$`x`$",
    "one $ only",
    "$$",
    "$$$$",
    "\\\\(x\\\\)",
    "\\begin{align} without end",
    "\\( without end",
]


def formulas(html: str) -> list[str]:
    """What a front end finds: delimiters in one text, where no element comes between."""
    texts = re.split(r"<[^>]*>", re.sub(r"<code.*?</code>", "", html, flags=re.DOTALL))
    return [text for text in texts if re.search(r"\$.*\$|\\\(.*\\\)|\\\[.*\\\]|\\begin", text, re.DOTALL)]


@pytest.mark.parametrize("text", MONEY)
def test_money_is_no_formula(text: str) -> None:
    assert formulas(render_html(text)) == []


@pytest.mark.parametrize(
    "formula",
    [
        "$x$", "$a^2 + b^2$", "$5x$", "$x_1$", "$$x$$", "$$\\int_0^1 x$$", "\\(x\\)", "\\[x\\]", "$a*b*c$", "$\\{x\\}$",
        "$a\\$b$", "\\(a_1 * b_1 * c\\)", "\\[a\nb\\]", "$x<y$",
    ],
)  # fmt: skip
def test_inline_formula_stays_whole(formula: str) -> None:
    found = formulas(render_html(f"so {formula} is"))
    assert found == [formula.replace("<", "&lt;")]


@pytest.mark.parametrize(
    "formula",
    [
        "$$\nx\n$$",
        "$$\n\\begin{bmatrix}\na & b\n\\end{bmatrix}\n$$",
        "\\[\na\n+ b\n- c\n= d\n\\]",
        "\\begin{align}\na &= b \\\\\n&= c\n\\end{align}",
        "\\begin{equation*}\nx\n\\end{equation*}",
        "$$x = 1$$",
        "\\[ x \\]",
    ],
)
def test_formula_on_lines_of_its_own(formula: str) -> None:
    html = render_html(f"before\n{formula}\nafter")
    shown = formula.replace("&", "&amp;")
    assert (
        html
        == f'<p>before</p>\n<div class="jmuz-math" tabindex="0" style="overflow:auto">{shown}</div>\n<p>after</p>\n'
    )


def test_formula_in_a_list() -> None:
    html = render_html("1. so\n   \\[\n   a\n   + b\n   \\]\n2. next\n")
    assert '<div class="jmuz-math" tabindex="0" style="overflow:auto">\\[\na\n+ b\n\\]</div>' in html
    assert html.count("<li>") == 2


def test_no_formula_holds_a_blank_line() -> None:
    assert formulas(render_html("$$\na\n\nb\n$$")) == []


def test_formulas_stand_apart() -> None:
    assert "<span>$a$</span> <span>$b$</span>" in render_html("$a$ $b$")


@pytest.mark.threat(7)
@pytest.mark.parametrize(
    "formula",
    [
        "$\\href{javascript:alert(1)}{x}$",
        "$$\\require{html}$$",
        "\\(\\style{background:url(https://evil.example)}{x}\\)",
        "\\[\\bbox[background:url(https://evil.example)]{x}\\]",
        "\\begin{align}\n\\def\\a{\\a\\a}\\a\n\\end{align}",
        "$\\htmlData{a=b}{x}$",
        "$\\newcommand{\\x}{y}$",
    ],
)
@pytest.mark.parametrize("math", ["tex", "mathml"])
def test_formula_that_reaches_out_is_shown_as_source(formula: str, math: str) -> None:
    html = render_html(formula, math)  # type: ignore[arg-type]  # one of the two literals
    assert "<code>" in html
    assert formulas(html) == []
    assert "<math" not in html


def test_commands_that_only_look_like_those_are_formulas() -> None:
    assert formulas(render_html("$\\stylefoo \\classical \\dataset \\default$")) != []


def test_formula_as_mathml() -> None:
    assert "<mfrac>" in render_html("$\\frac{a}{b}$", "mathml")
    assert '<div class="jmuz-math"><math display="block"' in render_html("\\[\nx\n\\]", "mathml")


@pytest.mark.fault(53)
def test_without_the_converter_a_formula_is_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "math_core", None)  # as where it has no build
    maths._converter.cache_clear()
    try:
        assert render_html("$x^2$", "mathml") == "<p><code>$x^2$</code></p>\n"
    finally:
        maths._converter.cache_clear()


@pytest.mark.threat(7)
@pytest.mark.parametrize(
    "tex", ["{" * 3000 + "}" * 3000, "\\frac" * 1000, "x^" * 1000, "\\unknowncommand", "x" * 5000, "\\frac{"]
)
def test_formula_that_cannot_be_converted_is_its_source(tex: str) -> None:
    html = render_html(f"$$\n{tex}\n$$", "mathml")
    assert "<math" not in html
    assert tex[:20] in html


@pytest.mark.threat(7, 24)
@pytest.mark.parametrize("command", ["\\frac{1}", "\\sqrt"])
def test_formula_nested_deeper_than_a_typesetter_bears_is_its_source(command: str) -> None:
    def nested(depth: int) -> str:
        return render_html("$$" + f"{command}{{" * depth + "x" + "}" * depth + "$$")

    assert "<code>" in nested(41)
    assert formulas(nested(41)) == []
    assert "<code>" not in nested(39)
    assert "<code>" not in render_html("$$" + "\\{" * 60 + "x" + "\\}" * 60 + "$$")
