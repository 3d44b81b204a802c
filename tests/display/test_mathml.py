"""What is left of a converter's MathML: elements and attributes of a list, in a formula's order, or nothing."""

from __future__ import annotations

import pytest

from jmuz_magic.display.html.markdown import render_html
from tests.allow_list import problems
from tests.formulas import breaches, formulas

pytestmark = pytest.mark.threat(7)


def rewritten(inside: str) -> str | None:
    """A formula's content after reading and writing; None where it was refused."""
    from jmuz_magic.display.html.mathml import rewrite_mathml

    written = rewrite_mathml(f"<math>{inside}</math>")
    return None if written is None else written.removeprefix("<math>").removesuffix("</math>")


@pytest.mark.finding("D1")
def test_formulas_made_by_chance_hold_nothing_but_what_is_listed() -> None:
    assert next(breaches(seed=1, count=5000), None) is None


def test_chance_makes_formulas_that_are_converted() -> None:
    """The other side: a fuzzer whose formulas are all refused would find nothing."""
    converted = sum("<math" in render_html(formula, "mathml") for formula in formulas(seed=2, count=500))
    assert converted > 50


@pytest.mark.finding("D1")
@pytest.mark.parametrize(
    "formula",
    [
        r"$$\begin{matrix}x\operatorname{<iframe/onload=window.x=1>}\end{matrix}$$",
        r"$$\begin{matrix}x\operatorname{<img/src=//host.example/x>}\end{matrix}$$",
        r"\(\begin{align}\operatorname*{<b>}&1\end{align}\)",
        r"$$\begin{cases}\operatorname{a<b/>}\end{cases}$$",
        r"$\begin{vmatrix}1\operatorname{<}\end{vmatrix}$",
    ],
)
def test_an_operator_that_is_a_tag_is_shown_as_source(formula: str) -> None:
    html = render_html(formula, "mathml")
    assert problems(html, mathml=True) == []
    assert "<code>" in html


@pytest.mark.finding("D2")
@pytest.mark.parametrize("name", ["x", "location", "jp-main-dock-panel"])
def test_a_label_names_no_element(name: str) -> None:
    html = render_html(f"\\begin{{align}}\na\\label{{{name}}}\n\\end{{align}}", "mathml")
    assert "<mtable" in html
    assert f'"{name}"' not in html


@pytest.mark.finding("D2")
@pytest.mark.parametrize(
    "formula", [r"$\eqref{x}$", r"$$\text{see }\eqref{main}$$", r"\[\begin{matrix}\eqref{a b}\end{matrix}\]"]
)
def test_a_reference_is_no_link(formula: str) -> None:
    assert "<a" not in render_html(formula, "mathml")


@pytest.mark.parametrize(
    "inside",
    [
        '<mi id="x" class="y" href="#z" onclick="a()" data-x="1" xlink:href="b" style="background:url(c)">x</mi>',
        '<mi mathvariant="bold-script" style="color:red">x</mi>',
        '<mi style="color:#ff000;position:fixed;width: 100vw">x</mi>',
    ],
)
def test_attributes_off_the_list_are_left_out(inside: str) -> None:
    assert rewritten(inside) == "<mi>x</mi>"


def test_listed_attributes_stay_and_a_colour_is_no_style() -> None:
    written = rewritten('<mtd style="text-align: right;color:#FF0000;padding-left:0"><mspace width="-.5em"/></mtd>')
    style = "text-align: right;padding-left: 0"
    assert written == f'<mtd mathcolor="#FF0000" style="{style}"><mspace width="-.5em"></mspace></mtd>'


@pytest.mark.parametrize("length", ["1000em", "100px", "-200pt", "1vw", "calc(1em)", "1em;x", "1e9em", "0x1em", "١em"])
def test_a_length_that_moves_a_formula_out_of_its_place_is_left_out(length: str) -> None:
    assert rewritten(f'<mpadded voffset="{length}"><mi>x</mi></mpadded>') == "<mpadded><mi>x</mi></mpadded>"


@pytest.mark.parametrize(
    "inside",
    [
        "<script>x</script>",
        "<mi><b>x</b></mi>",
        "<mi><mi>x</mi></mi>",
        "<mrow><b>x</b></mrow>",
        "<mrow>x</mrow>",
        "<mspace>x</mspace>",
        "<mtext><a href='#x'>x</a></mtext>",
        "<mtext><mrow><mi>x</mi></mrow></mtext>",
        "<mtext><p>x</p></mtext>",
        "<mi>x",
        "<mi>a<b</mi>",
        "<mi>&nosuchentity;</mi>",
        "<mi>a & b</mi>",
        "<mi x>a</mi>",
        "<mi x='1' x='2'>a</mi>",
        "<mi>a</mi><!-- x -->",
        "<?php x ?>",
        "<mtext><![CDATA[x]]></mtext>",
        "<math><mi>x</mi></math>",
        "<annotation-xml encoding='text/html'><b>x</b></annotation-xml>",
        "<semantics><mi>x</mi></semantics>",
        "<maction><mi>x</mi></maction>",
        "<mglyph/>",
        "<svg/>",
        "<MI>x</MI>",
        "<x:mi>x</x:mi>",
        "<mi>\x00</mi>",
        "</math><math>",
        "<mrow>" * 300 + "</mrow>" * 300,
        "<mi>" + "x" * 500_000 + "</mi>",
    ],
)
def test_what_is_no_formula_is_refused(inside: str) -> None:
    assert rewritten(inside) is None


def test_a_document_type_defines_nothing() -> None:
    from jmuz_magic.display.html.mathml import rewrite_mathml

    lots = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "x"}">' for n in range(12))
    assert rewrite_mathml(f"<!DOCTYPE math [{lots}]><math><mi>&a11;</mi></math>") is None
    assert rewrite_mathml("<!DOCTYPE math SYSTEM 'file:///etc/passwd'><math/>") is None
    assert rewrite_mathml("<?xml version='1.0'?><math></math>") is None
    assert rewrite_mathml("") is None
    assert rewrite_mathml("<mi>x</mi>") is None


def test_text_is_escaped_anew_and_named_characters_are_read() -> None:
    assert rewritten("<mo>&lt;b&gt;</mo><mo>&ApplyFunction;</mo><mo>&#60;</mo>") == (
        "<mo>&lt;b&gt;</mo><mo>\u2061</mo><mo>&lt;</mo>"
    )
    assert rewritten("<mtext>a\u202eb</mtext>") == "<mtext>a&lt;U+202E&gt;b</mtext>"


@pytest.mark.parametrize(
    ("tex", "kept"),
    [
        (r"\frac{a}{b}", "<mfrac>"),
        (r"\begin{array}{c|c}a&b\end{array}", 'style="border-right: 0.05em solid currentcolor"'),
        (r"\color{red}{x}", 'mathcolor="#FF0000"'),
        (r"\boxed{x}", 'notation="box"'),
        (r"\text{if \textbf{so}}", "so"),
        (r"\textsc{a}", "small-caps"),
        (r"a \bmod b", "<mspace width="),
        (r"a\!b", 'style="margin-left: -0.16666667em"'),
        (r"\left(\sum_{i=0}^{n} x_i\right)", "<munderover>"),
        (r"\sin x", "<mo lspace="),
        (r"\overbrace{x}^{n}", "<mover"),
        (r"\binom{n}{k}", 'linethickness="0"'),
        (r"\raisebox{1em}{x}", 'voffset="1em"'),
    ],
)
def test_what_formulas_are_made_of_stays(tex: str, kept: str) -> None:
    html = render_html(f"${tex}$", "mathml")
    assert kept in html
    assert problems(html, mathml=True) == []
