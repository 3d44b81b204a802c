"""Cells that IPython would misread: a question that ends in `?`, and a `%%jmuz` cell of one line."""

from __future__ import annotations

import re
import tokenize

from IPython.core.inputtransformer2 import make_tokens_by_line

__all__ = ["keep_questions"]

_QUESTION = re.compile(r"(?P<indent>\s*)%(?P<name>jmuz(?:_fix)?)(?P<line>[ \t]+\S.*\?)\s*", re.DOTALL)
_ONE_LINE_CELL = re.compile(r"%%jmuz[ \t]+\S")


def keep_questions(lines: list[str]) -> list[str]:
    """A cleanup transformer: IPython calls it with the lines of every cell before anything else reads them.

    `%jmuz what is X?` and `%jmuz_fix why?` stay questions (IPython takes a line that ends in `?` for a request for
    help), while `%jmuz?` stays one for help. `%%jmuz question` without a body is given one: IPython refuses empty
    bodies.
    """
    if len(lines) == 1 and _ONE_LINE_CELL.match(lines[0]):
        return [*lines, "\n"]
    if lines and lines[0].startswith("%%"):
        return lines
    if not any(_QUESTION.fullmatch(line) for line in lines):
        return lines
    starts = _statement_starts(lines)
    return [_as_call(line) if number in starts else line for number, line in enumerate(lines)]


def _statement_starts(lines: list[str]) -> set[int]:
    """The lines that begin with a magic's `%`, not those that look so inside a string."""
    starts = set()
    for tokens in make_tokens_by_line(lines):
        first = next((t for t in tokens if t.type not in (tokenize.INDENT, tokenize.DEDENT)), None)
        if first is not None and first.string == "%":
            starts.add(first.start[0] - 1)
    return starts


def _as_call(line: str) -> str:
    found = _QUESTION.fullmatch(line)
    if found is None:
        return line
    return f"{found['indent']}get_ipython().run_line_magic({found['name']!r}, {found['line'].strip()!r})\n"
