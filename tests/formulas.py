"""Formulas made by chance: commands in environments, with arguments of a plain alphabet.

`python -m tests.formulas 20000` shows so many to whatever `jmuz_magic` is imported and prints what it wrote that is
not on the list of `allow_list.py`; with `PYTHONPATH` set to an older version, this asks that one.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator

from jmuz_magic.display.html.markdown import render_html
from tests.allow_list import problems

__all__ = ["breaches", "formulas", "main"]

# By how many arguments they take.
COMMANDS = {
    0: "alpha cdot displaystyle hdashline hline int langle lim limits log max middle nonumber nolimits notag over pi "
    "prod quad rm scriptstyle sum tiny to",
    1: "acute angl bar bcancel big Big bigg bigl bmod boldsymbol boxed bra Braket breve cancel check cramped ddot dot "
    "emph eqref fbox grave hat hphantom hskip hspace intertext kern ket label left mathbb mathbf mathbin mathcal "
    "mathclose mathfrak mathinner mathit mathop mathopen mathord mathpunct mathrel mathring mathrm mathscr mathsf "
    "mathtt mkern mod not operatorname operatorname* operatornamewithlimits overbrace overleftarrow overline phantom "
    "phase pmod ref right slashed smash sqrt substack tag tag* text textbf textit textnormal textrm textsc textsf "
    "texttt tilde underbrace underline vec vphantom widehat xcancel xleftarrow xrightarrow",
    2: "binom cfrac choose color colorbox dbinom dfrac enclose frac overset raisebox rule sideset stackrel tbinom "
    "textcolor tfrac underset",
    3: "prescript sideset",
    6: "genfrac",
}
ARITY = {name: arity for arity, names in COMMANDS.items() for name in names.split()}
NAMES = list(ARITY)
_ENVIRONMENTS = (
    "align align* alignat aligned array bmatrix Bmatrix cases darray dcases eqnarray equation equation* flalign gather "
    "gathered math matrix multline pmatrix smallmatrix split subarray vmatrix Vmatrix"
)
ENVIRONMENTS = _ENVIRONMENTS.split()
# What a keyboard has; the characters that TeX keeps for itself are rarer, for most commands refuse them in names.
LETTERS = "abcxyzABC0123456789 +-*/=.,;:!?'\"()[]|<<>>@"
SPECIAL = LETTERS + "&#%~^_$é中"
OPTIONS = (*[""] * 12, "[a]", "[1em]", "[<]")
SPECS = {"array": ("{c|c}", "{lr}", "{l::r}"), "darray": ("{c|c}",), "subarray": ("{c}",), "alignat": ("{2}",)}


def formulas(seed: int, count: int) -> Iterator[str]:
    """So many formulas with their delimiters; the same for the same seed."""
    random_ = random.Random(seed)
    for _ in range(count):
        yield _formula(random_)


def _formula(random_: random.Random) -> str:
    tex = _terms(random_, depth=2)
    for _ in range(random_.randrange(3)):
        tex = _environment(random_, tex)
    opener, closer = random_.choice([("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")])
    return opener + tex + closer


def _environment(random_: random.Random, tex: str) -> str:
    name = random_.choice(ENVIRONMENTS)
    between = random_.choice(["", "&", r"\\ ", "&x", r"\hline "])
    return rf"\begin{{{name}}}{random_.choice(SPECS.get(name, ('',)))}{tex}{between}{_terms(random_, 1)}\end{{{name}}}"


def _terms(random_: random.Random, depth: int) -> str:
    return "".join(_term(random_, depth) for _ in range(random_.randint(1, 3)))


def _term(random_: random.Random, depth: int) -> str:
    if not depth or random_.random() < 0.3:
        return random_.choice(["x", "1", "+", "a_1", "b^2", r"\pi ", "<", "{y}"])
    name = random_.choice(NAMES)
    count = ARITY[name] if random_.random() < 0.9 else random_.randrange(4)
    arguments = "".join(f"{{{_argument(random_, depth)}}}" for _ in range(count))
    return f"\\{name}{random_.choice(OPTIONS)}{arguments or ' '}"


def _argument(random_: random.Random, depth: int) -> str:
    if random_.random() < 0.4:
        return _terms(random_, depth - 1)
    if random_.random() < 0.2:
        return random_.choice(["1em", "-2.5em", "red", "#00ff00", "x_1", "eq:a"])
    return "".join(random_.choices(random_.choice([LETTERS, LETTERS, SPECIAL]), k=random_.randint(1, 6)))


def breaches(seed: int, count: int) -> Iterator[tuple[int, str, list[str]]]:
    """The number of each formula that is shown with what is not on the list, the formula, and what that is."""
    for number, formula in enumerate(formulas(seed, count), 1):
        if found := problems(render_html(formula, "mathml"), mathml=True):
            yield number, formula, found


def main(count: int, seed: int = 1) -> int:
    """Print the first breaches and how many there are of each kind."""
    converted = sum("<math" in render_html(formula, "mathml") for formula in formulas(seed, count))
    found = list(breaches(seed, count))
    for number, formula, what in found[:20]:
        print(f"{number}: {formula}\n    {what[0]}")
    kinds = Counter(what.split("=")[0][:12] for _, _, each in found for what in each[:1])
    print(f"{count} formulas, {converted} converted, {len(found)} breaches: {dict(kinds.most_common(12))}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
