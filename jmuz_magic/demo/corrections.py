"""What `%jmuz_fix` asks: a failed cell, corrected by a rule for its error."""

from __future__ import annotations

import ast
import builtins
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jmuz_magic.demo.answer import Answer, code_blocks
from jmuz_magic.demo.request import ChatRequest

__all__ = ["correct"]

ASKED = ("\nThe cell:\n", "\nThe error:\n")
LINE = re.compile(r'File "?(?:Cell In|<)[^\n]{,200}?line (\d+)')

CLOSE = 0.75
"""From 0 to 1; at 0.6 `licence` looks like `slice`."""

KEY = re.compile(r"""(?:['"](\w+)['"]|\b(\w+)=(?!=))""")
"""What a key or a column may be called, as far as a cell shows it."""

TERM = r"[A-Za-z_][\w.]*(?:\([^()]*\)|\[[^\[\]]*\])?"
IMPORTS = {
    "math": "import math",
    "np": "import numpy as np",
    "os": "import os",
    "Path": "from pathlib import Path",
    "pd": "import pandas as pd",
    "plt": "import matplotlib.pyplot as plt",
    "random": "import random",
    "re": "import re",
}


SITE = frozenset({"copyright", "credits", "exit", "license", "quit", "get_ipython", "display"})
"""Added to the builtins by `site` and by IPython: nobody misspells those."""


@dataclass(frozen=True)
class Rule:
    """How to correct one kind of error.

    Attributes:
        error: found in the last line of the error; its groups may be used in all that follows, as `{name}`.
        find: found in the line that failed, or in the whole cell if `everywhere`.
        put: what takes its place.
        why: what is said about it.
        everywhere: whether to look beyond that line.
        unless: found anywhere in the error, it rules the rule out.
    """

    error: str
    find: str
    put: str
    why: str
    everywhere: bool = False
    unless: str = r"\b\B"


RULES: Sequence[Rule] = (
    Rule(
        error=rf"NameError: name '(?P<wrong>{'|'.join(IMPORTS)})' is not defined",
        find=r"\A",
        put=r"{import}\n\n",
        why="`{wrong}` is used, but was never imported.",
        everywhere=True,
    ),
    Rule(
        error=r"NameError: name '(?P<wrong>\w+)' is not defined",
        find=r"(?<![.\w]){wrong}\b",
        put=r"{closest}",
        why="There is no `{wrong}`; `{closest}` looks like what was meant.",
        everywhere=True,
    ),
    Rule(
        error=r"ZeroDivisionError",
        find=r"\bsum\(([^()]+)\)\s*/\s*len\((?!\1\))[^()]*\)",
        put=r"sum(\1) / len(\1)",
        why="The sum is divided by the length of something else, which is empty. "
        "A mean divides by the number of values that were added up.",
    ),
    Rule(
        error=r"ZeroDivisionError",
        find=rf"(?<!\*\* )(?<![\w.)\]])({TERM}|[\d.]+) / ({TERM})(?! ?\*\*)(?![\w.(\[])",
        put=r'(\1 / \2 if \2 else float("nan"))',
        why="The divisor is 0. Not a number (NaN) is the usual result where there is nothing to divide by.",
    ),
    Rule(
        error=r"ZeroDivisionError",
        find=r"\A([^\n]*/ *0)\Z",
        put=r"try:\n    \1\nexcept ZeroDivisionError:\n    print('nothing can be divided by zero')",
        why="Dividing by the number 0 always fails. If that is to be expected, it can be caught and said.",
        everywhere=True,
    ),
    Rule(
        error=r"KeyError: '(?P<wrong>\w+)'$",
        find=r"(?<=\[)(['\"]){wrong}\1(?=\])",
        put=r"\1{key_meant}\1",
        why="There is no `{wrong}`; `{key_meant}` looks like what was meant.",
    ),
    Rule(
        error=r"AttributeError: 'DataFrame' object has no attribute '(?P<wrong>\w+)'",
        find=r"\.{wrong}\b(?!\()",
        put=r".{key_meant}",
        why="There is no column `{wrong}`; `{key_meant}` looks like what was meant.",
    ),
    Rule(
        error=r"KeyError: (?P<key>'[^'\\]+'|\d+)$",
        find=r"""(?<=[\w)\]])\[(['"]?){bare}\1\](?!\s*(?:[-+*/]?=)(?!=))""",
        put=r".get({key})",
        why="The key {key} does not exist. `get` returns None for it; a second argument would be returned instead.",
        unless=r"\bpandas\b",  # a column that is missing
    ),
    Rule(
        error=r"IndexError: (?:list|tuple|string) index out of range",
        find=r"(?<=[\w)\]])\[\d+\](?!\s*(?:[-+*/]?=)(?!=))",
        put=r"[-1]",
        why="The index is beyond the end. If the last item was meant, its index is -1, however many there are.",
    ),
    Rule(
        error=r"TypeError: can only concatenate str \(not \"\w+\"\) to str",
        find=rf"""((?:"[^"]*"|'[^']*') \+ )({TERM}|\d[\d.]*)(?![\w.(\[])""",
        put=r"\1str(\2)",
        why="Text can only be joined to text; `str` makes text of anything.",
    ),
    Rule(
        error=r"SyntaxError: expected ':'",
        find=r"[ \t]*(#.*)?$",
        put=r":  \1",
        why="The line begins a block, so it ends with a colon.",
    ),
    Rule(
        error=r"(?:SyntaxError|_IncompleteInputError): (?:'\(' was never closed|incomplete input)",
        find=r"$",
        put=r")",
        why="A bracket was opened and never closed.",
    ),
    Rule(
        error=r"SyntaxError: Missing parentheses in call to 'print'",
        find=r"\bprint (.+)$",
        put=r"print(\1)",
        why="`print` is a function: what it prints stands in brackets.",
    ),
)


def correct(request: ChatRequest) -> Answer | None:
    """The corrected cell, if this is the prompt of `%jmuz_fix`; where no rule fits, the answer says so."""
    prompt = request.prompt
    # Earlier cells stand before it, if they were sent too.
    blocks = [code for _, code in code_blocks(prompt[max(prompt.find(ASKED[0]), 0) :])]
    if len(blocks) < 2 or not all(words in prompt for words in ASKED):
        return None
    cell, error = blocks[:2]
    said = error.strip().rpartition("\n")[2]
    for rule in RULES:
        if (found := re.search(rule.error, said)) and not re.search(rule.unless, error):
            words = _words(found, cell)
            corrected = _applied(rule, words, cell, error)
            if corrected != cell and _parses(corrected, cell):
                return Answer(f"{_filled(rule.why, words)}\n\n```python\n{corrected}\n```\n", f"It says: {said}\n")
    return Answer(
        f"The error is `{said}`. The demo has no rule that corrects it; a language model would read the cell and its "
        "traceback, and suggest a correction.\n"
    )


def _words(error: re.Match[str], cell: str) -> Mapping[str, str]:
    """What a rule may mention in braces."""
    words = error.groupdict()
    wrong = words.get("wrong", "")
    known = {name for name in re.findall(r"[A-Za-z_]\w+", cell) if name != wrong} | set(dir(builtins)) - SITE
    keys = {name for pair in KEY.findall(cell) for name in pair if name not in ("", wrong)}
    return {
        **words,
        "import": IMPORTS.get(wrong, ""),
        "closest": next(iter(difflib.get_close_matches(wrong, sorted(known), 1, CLOSE)), wrong),
        "key_meant": next(iter(difflib.get_close_matches(wrong, sorted(keys), 1, CLOSE)), wrong),
        "bare": re.escape(words.get("key", "").strip("'")),
    }


def _applied(rule: Rule, words: Mapping[str, str], cell: str, error: str) -> str:
    find, put = _filled(rule.find, words), _filled(rule.put, words)
    if rule.everywhere:
        return re.sub(find, put, cell)
    lines = cell.split("\n")
    at = [int(number) for number in LINE.findall(error)]
    if not at or at[-1] > len(lines):
        return cell
    lines[at[-1] - 1] = re.sub(find, put, lines[at[-1] - 1], count=1).rstrip()
    return "\n".join(lines)


def _filled(template: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda name: words.get(name[1], name[0]), template)


def _parses(corrected: str, cell: str) -> bool:
    """Whether it is Python; a cell with magics is not, before and after."""
    try:
        ast.parse(corrected)
    except (MemoryError, RecursionError, SyntaxError, ValueError):
        return "%" in cell or "!" in cell
    return True
