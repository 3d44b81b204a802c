"""Checks LaTeX against the list of what a reply may become, and makes formulas that are nearly on it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from jmuz_magic.display.latex.commands import (
    ARGUMENTS,
    BIG,
    CHARACTERS,
    DELIMITERS,
    ENVIRONMENTS,
    OPERATORS,
    SYMBOLS,
    TEXTS,
)

__all__ = ["FORBIDDEN", "latex_problems", "near_formulas"]

_STRUCTURE = (
    "par noindent begin end item textbullet href textbf emph texttt footnotesize small Large large normalsize bfseries "
    "rule linewidth hline endhead tabularnewline raggedright raggedleft centering leavevmode newline allowbreak "
    "textbackslash textasciicircum textasciitilde textless textgreater textbar textquotedbl textasciigrave ensuremath "
    "hookrightarrow displaystyle relax left right middle limits prime sqrt not substack qquad"
)
STRUCTURE = frozenset(_STRUCTURE.split())
BLOCKS = frozenset(("itemize", "quote", "longtable", "Verbatim", "aligned", "gathered"))
_FORBIDDEN = (
    "input include openin openout read readline write immediate special csname endcsname catcode def edef gdef xdef "
    "let futurelet newcommand renewcommand providecommand DeclareMathOperator newenvironment usepackage documentclass "
    "includegraphics verbatiminput lstinputlisting VerbatimInput bibliography InputIfFileExists IfFileExists "
    "makeatletter expandafter noexpand string jobname meaning scantokens directlua XeTeXinterchartoks toks count dimen "
    "skip loop repeat global long outer lowercase uppercase everymath everypar output shipout unless if ifx else fi "
    "aftergroup afterassignment mathchardef mathcode char accent mathchoice discretionary hbox vbox vsplit halign "
    "valign noalign omit span cr vskip hskip kern write18 file url hyperref label ref tag"
)
FORBIDDEN = tuple(_FORBIDDEN.split())
"""Commands that no reply may contain; some would read or write files."""

_COMMAND = re.compile(r"\\([A-Za-z@]+|.)", re.DOTALL)
_ESCAPES = frozenset("\\{}$&#%_()[],;:!>|")


def latex_problems(latex: str) -> list[str]:
    """What in `latex` is not on the list; [] if all is."""
    found = [name for name in _COMMAND.findall(latex) if not _is_listed(name)]
    blocks = [name for name in re.findall(r"\\(?:begin|end)\{(.*?)\}", latex) if not _is_block(name)]
    carets = ["^^"] if "^^" in latex else []
    comments = ["%"] if re.search(r"(?<!\\)%(?!\n\{\})", latex) else []
    return [*found, *blocks, *carets, *comments, *_unbalanced(latex)]


def _is_listed(name: str) -> bool:
    known = name in STRUCTURE or name in SYMBOLS or name in ARGUMENTS or name in TEXTS or name in BIG
    return name in _ESCAPES if len(name) == 1 else (known or f"\\{name}" in DELIMITERS or name == "mathrel")


def _is_block(name: str) -> bool:
    return name in BLOCKS or name in {written for written, _ in ENVIRONMENTS.values()}


def _unbalanced(latex: str) -> list[str]:
    plain = re.sub(r"\\.", "", latex.replace("commandchars=\\\\\\{\\}", ""), flags=re.DOTALL)
    depth = 0
    for brace in re.findall("[{}]", plain):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return ["}"]
    return ["{"] if depth else []


def near_formulas(seed: int, count: int) -> Iterator[str]:
    """So many formulas of listed commands, right and wrong, as `tests.formulas` makes them of others."""
    random_ = random.Random(seed)
    for _ in range(count):
        opener, closer = random_.choice([("$$", "$$"), ("$", "$"), ("\\[", "\\]")])
        yield opener + _terms(random_, 2) + closer


_SYMBOLS, _ARGUMENTS, _TEXTS, _NAMES = (sorted(each) for each in (SYMBOLS, ARGUMENTS, TEXTS, ENVIRONMENTS))
_DELIMITERS, _CHARACTERS, _BIG, _OPERATORS = (sorted(each) for each in (DELIMITERS, CHARACTERS, BIG, OPERATORS))
_SPECS = {"array": "{l|c|r}", "darray": "{cc}", "alignat": "{2}", "alignedat": "{2}"}
_MIDDLES = ("", r"\middle| x")
_WORDS = ("a b", "x_1", "<[]>", "é 中", "a\\,b", "\\% x", "$x$", "\\input{x}")
_REST = ("\\not=", "\\not\\in ", "\\tag{1}", "\\label{x}", "\\nonumber ", "\\substack{a\\\\[b]}", "'", "~", "\\ ")
_WRONG = ("&", "\\\\", "}", "{", "\\right)", "\\end{matrix}", "^^5c", "%", "#", "$", "\\input{x}", "\\hline ", '"')


def _terms(random_: random.Random, depth: int) -> str:
    return "".join(_term(random_, depth) + _scripts(random_, depth) for _ in range(random_.randint(1, 4)))


def _term(random_: random.Random, depth: int) -> str:
    pick = random_.choice
    if depth <= 0 or random_.random() < 0.25:
        return pick([pick(_CHARACTERS), f"\\{pick(_SYMBOLS)} "])
    inner = _terms(random_, depth - 1)
    name = pick(_ARGUMENTS)
    return pick(
        [
            f"\\{name}" + "".join(f"{{{_terms(random_, depth - 1)}}}" for _ in range(ARGUMENTS[name])),
            f"\\{pick(_TEXTS)}{{{pick(_WORDS)}}}",
            f"\\left{pick(_DELIMITERS)} {inner}{pick(_MIDDLES)}\\right{pick(_DELIMITERS)} ",
            f"\\{pick(_BIG)}{pick(_DELIMITERS)} ",
            f"\\sqrt{pick(['', '[3]', '[[x]'])}{{{inner}}}",
            f"\\{pick(_OPERATORS)}\\limits ",
            pick(_REST),
            f"{{{inner}}}",
            _environment(random_, depth),
            _environment(random_, depth),
        ]
    )


def _environment(random_: random.Random, depth: int) -> str:
    name = random_.choice(_NAMES)
    above = ["", r"\hline "] if name in ("array", "darray") else [""]
    rows = [
        random_.choice(above) + "&".join(_terms(random_, depth - 1) for _ in range(random_.randint(1, 3)))
        for _ in range(random_.randint(1, 3))
    ]
    body = random_.choice([r"\\", r"\\[2pt]", r"\\ [x]"]).join(rows) + random_.choice(["", r"\\"])
    return rf"\begin{{{name}}}{_SPECS.get(name, '')}{body}\end{{{name}}}"


def _scripts(random_: random.Random, depth: int) -> str:
    scripts = ""
    if depth > 0 and random_.random() < 0.3:
        scripts += random_.choice("_^") + random_.choice([f"{{{_terms(random_, depth - 1)}}}", "x", r"\alpha "])
    if random_.random() < 0.1:
        scripts += random_.choice(["_2", "^x", "'", "''", "_", "^"])
    return scripts + (random_.choice(_WRONG) if random_.random() < 0.01 else "")
