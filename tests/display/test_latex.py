"""Replies as LaTeX: text that only prints, formulas from a list, limits of TeX that no reply reaches."""

from __future__ import annotations

import re

import pytest

from jmuz_magic.display.bundle import reply_bundle
from jmuz_magic.display.html.markdown import Blocks
from jmuz_magic.display.latex import commands
from jmuz_magic.display.latex.formulas import formula_latex
from jmuz_magic.display.latex.rendering import render_latex
from jmuz_magic.messages import Citation, Reply, ToolCall
from tests.formulas import formulas
from tests.hostile import BOMBS, bomb, hostile_replies
from tests.latex_list import FORBIDDEN, latex_problems, near_formulas


def latex(text: str) -> str:
    blocks = Blocks()
    blocks.feed(text)
    blocks.finish()
    return render_latex(blocks.sources, blocks.references)


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("a **b *c*** `d_1`", r"a \textbf{b \emph{c}} \texttt{d\_1}"),
        ("50 % & $5 #1 {x} ~ ^ \\\\", r"50 \% \& \$5 \#1 \{x\} \textasciitilde{} \textasciicircum{} \textbackslash{}"),
        ('a--b ``c`` "d" \'e', "a-{}-{}b \\texttt{c} \\textquotedbl{}d\\textquotedbl{} '{}e"),
        ("# A *b*", "\\par{\\Large\\bfseries A \\emph{b}\\par}"),
        ("[a](https://b.example/c_d%20#e)", r"\href{https://b.example/c\_d\%20\#e}{a}"),
        ("[bank.example](https://b.example)", r"\href{https://b.example}{bank.example} (b.example)"),
        ("![p](https://b.example/p.png)", r"\href{https://b.example/p.png}{image: p} (b.example)"),
        ("[a](javascript:x)", "[a](javascript:x)"),
        ("7. a\n8. b", "\\begin{itemize}\n\\item[{7.}] a\n\n\\item[{8.}] b\n\n\\end{itemize}"),
        ("> a", "\\begin{quote}\na\n\n\\end{quote}"),
        ("$a^2$", "$a^{2}$"),
        ("*$\\begin{cases}a&b\\end{cases}$*", r"\emph{${\begin{cases}\relax a & b\end{cases}}$}"),
        ("- [ ] a", "\\begin{itemize}\n\\item{} \\ensuremath{\\square} a\n\n\\end{itemize}"),
        ("- [x] a", "\\begin{itemize}\n\\item{} \\ensuremath{\\checkmark} a\n\n\\end{itemize}"),
        ("~~a~~", r"\textasciitilde{}\textasciitilde{}a\textasciitilde{}\textasciitilde{}"),
        ("---", "\\par\\noindent\\rule{\\linewidth}{0.4pt}\\par"),
        ("a&#10;&#10;b", "a b"),
        ("[x][y]\n\n[y]: https://b.example", r"\href{https://b.example}{x}"),
    ],
)
def test_markdown_as_latex(markdown: str, expected: str) -> None:
    assert re.sub(r"\n{3,}", "\n\n", latex(markdown)).strip() == expected


def test_code_keeps_its_lines_and_ends_where_we_say() -> None:
    shown = latex("```python\nif x:\n\n\treturn {1}\n\\end{Verbatim}\\input{x}\n```")
    assert shown.strip().split("\n") == [
        r"\begin{Verbatim}[commandchars=\\\{\},fontsize=\small]",
        "if x:",
        "",
        r"        return \{1\}",
        r"\textbackslash{}end\{Verbatim\}\textbackslash{}input\{x\}",
        r"\end{Verbatim}",
    ]


def test_a_line_of_code_wider_than_the_page_is_continued() -> None:
    lines = latex("```\n" + "a" * 200 + "\n```").strip().split("\n")[1:-1]
    assert [line.removeprefix(r"\ensuremath{\hookrightarrow}").count("a") for line in lines] == [88, 88, 24]
    assert [line.startswith(r"\ensuremath") for line in lines] == [False, True, True]


def test_a_narrow_table_is_as_wide_as_its_text_and_a_wide_one_breaks_its_lines() -> None:
    assert r"\begin{longtable}{lc}" in latex("|a|b|\n|-|:-:|\n|1|2|")
    wide = latex(f"|a|b|\n|-|:-:|\n|{'word ' * 40}|2|")
    assert "p{" in wide
    assert r"\centering{}2" in wide


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (r"$\frac12 x'^2_i$", r"$\frac{1}{2}x_{i}^{\prime 2}$"),
        (r"$\sum\limits_{i=1}^n \sqrt[3]{x}$", r"$\sum\limits _{{i=1}}^{n}\sqrt[{3}]{x}$"),
        (r"$\left( a \middle| b \right]$", r"$\left(a\middle|b\right]$"),
        (r"$\text{if } x \leq 1$", r"$\text{if }x\leq 1$"),
        (r"$\operatorname{arg\,max}_x$", r"$\operatorname{arg\,max}_{x}$"),
        (r"$\begin{pmatrix}1&2\\[1pt] [3]&4\end{pmatrix}$", None),
        ("\\begin{align*}\na&=b\\\\\nc&=d\\label{x}\n\\end{align*}", None),
        (r"$\bm{x}\coloneqq\mathcal{x^2}^3$", r"$\boldsymbol{x}\mathrel{:=}{\mathcal{x^{2}}}^{3}$"),
        (r"$\ $", "$~$"),
    ],
)
def test_formulas_are_written_anew(formula: str, expected: str | None) -> None:
    shown = formula_latex(formula, False)
    assert r"\texttt" not in shown
    if expected:
        assert shown == expected
    else:
        assert r"\\\relax" in shown


@pytest.mark.parametrize("name", FORBIDDEN)
@pytest.mark.parametrize("shape", ["${}$", "$$x^{{{}{{decoy}}}}$$", r"$\begin{{matrix}}{} decoy\end{{matrix}}$"])
def test_a_formula_with_a_command_that_is_not_listed_is_its_source(name: str, shape: str) -> None:
    formula = shape.format(f"\\{name}")
    shown = formula_latex(formula, False)
    assert shown.startswith(r"\texttt{") or name in ("label", "tag")  # whose commands never come through
    assert latex_problems(shown) == []
    assert f"\\{name}" not in shown


@pytest.mark.parametrize(
    "formula",
    [
        "$x^1^2$", "$x^^5cinput{a}$", "$a%b$", "$#1$", "$a&b$x", "$\\left(a$", "$\\right)$", "${$", "$}$",
        r"$\begin{cases}a&b&c\end{cases}$", r"$\begin{array}{c}a&b\end{array}$", r"$\begin{array}{p{1cm}}a\end{array}$",
        r"$\begin{matrix}a\end{pmatrix}$", r"$\frac1$", r"$\text{$x$}$", r"$\text{\input{x}}$", r"$\hline$", "$é$",
        r"$\begin{verbatim}\end{verbatim}$", r"$\begin{filecontents}{x}\end{filecontents}$", r"$\sqrt[{x}$",
        "$" + "{" * 40 + "}" * 40 + "$", "$x" + "^{x" * 40 + "}" * 40 + "$", r"$\big x$", "$\\$",
    ],
)  # fmt: skip
def test_a_formula_that_tex_would_stop_at_is_its_source(formula: str) -> None:
    shown = formula_latex(formula, False)
    assert r"\texttt{" in shown or r"\begin{aligned}" in shown
    assert latex_problems(shown) == []


def test_the_list_has_nothing_that_reads_writes_or_defines() -> None:
    listed = commands.SYMBOLS | commands.ARGUMENTS.keys() | commands.TEXTS | commands.BIG | commands.DROPPED
    assert not listed & set(FORBIDDEN)


@pytest.mark.threat(1, 3, 4)
def test_hostile_replies_and_formulas_are_on_the_list() -> None:
    texts = [*hostile_replies("http://127.0.0.1:9").values(), *formulas(2, 1000), *near_formulas(2, 1000)]
    problems = {text: found for text in texts if (found := latex_problems(latex(text)))}
    assert problems == {}


@pytest.mark.parametrize("name", BOMBS)
def test_no_bomb_reaches_a_limit_of_tex(name: str) -> None:
    start, unit = BOMBS[name]
    shown = latex(start + bomb(unit, 20_000))
    assert latex_problems(shown) == []
    assert max(map(len, shown.split("\n"))) < 190_000
    assert deepest(shown, r"\begin{itemize}", r"\end{itemize}") <= 4
    assert deepest(shown, "{", "}") < 100


def deepest(text: str, opening: str, closing: str) -> int:
    depth = most = 0
    for piece in text.replace("\\{", "").replace("\\}", "").replace(closing, f"\0{closing}").split(opening):
        depth -= piece.count(closing)
        most = max(most, depth)
        depth += 1
    return most


def test_the_bundle_leaves_reasoning_out_and_says_what_else_there_is() -> None:
    reply = Reply(
        "*Hi*",
        "because",
        finish_reason="length",
        tool_calls=(ToolCall("1", "f", '{"a": "\\\\input{x}"}'),),
        citations=(Citation("https://b.example", "B_c"),),
    )
    shown = reply_bundle(reply)["text/latex"]
    assert shown.startswith("\\emph{Hi}\n\n")
    assert "because" not in shown
    assert "tool call: f(" in shown
    assert r"{[}1{]} B\_c (\href{https://b.example}" in shown
    assert "cut by length" in shown
    assert latex_problems(shown) == []
