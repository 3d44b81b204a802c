"""Cells that IPython would misread.

These are prompts that end in `?` or contain a rare line separator, and `%%jmuz` cells of one line. `TRANSFORMS` are
cleanup transformers: IPython passes the lines of every cell through them before anything else reads them.
"""

from __future__ import annotations

import re
import tokenize

from IPython.core.inputtransformer2 import make_tokens_by_line

__all__ = ["TRANSFORMS", "add_body", "join_lines", "keep_prompts"]

# A prompt, or a comment on the line of any magic of ours.
_HELP_LIKE = re.compile(
    r"(?P<indent>\s*)%(?P<name>jmuz(?:_fix)?(?=\s)|jmuz_\w+(?=[ \t](?:.*[ \t])?\#))(?P<line>[ \t]+\S.*\?)\s*", re.DOTALL
)
_ONE_LINE_CELL = re.compile(r"%%jmuz[ \t]+\S")
_PROMPT_LINE = re.compile(r"\s*%%?jmuz(?:_fix)?\s")


def join_lines(lines: list[str]) -> list[str]:
    """Rejoin a prompt's line that IPython cut at U+2028, a form feed or the like.

    `str.splitlines` cuts there, and the rest would run as Python.
    """
    joined: list[str] = []
    for line in lines:
        if joined and not joined[-1].endswith(("\n", "\r")) and _PROMPT_LINE.match(joined[-1]):
            joined[-1] += line
        else:
            joined.append(line)
    return joined


def keep_prompts(lines: list[str]) -> list[str]:
    """Read `%jmuz what is X?` and `%jmuz_fix why?` as prompts.

    IPython takes any line that ends in `?`, even in a comment, for a request for help. `%jmuz?` remains one.
    """
    if lines and lines[0].startswith("%%"):
        return lines
    if not any(_HELP_LIKE.fullmatch(line) for line in lines):
        return lines
    starts = _statement_starts(lines)
    return [_as_call(line) if number in starts else line for number, line in enumerate(lines)]


def add_body(lines: list[str]) -> list[str]:
    """Give a one-line `%%jmuz PROMPT` a body: IPython refuses cell magics without one."""
    return [*lines, "\n"] if len(lines) == 1 and _ONE_LINE_CELL.match(lines[0]) else lines


# Not applied when IPython checks whether a cell is complete: in a console, Enter after `%%jmuz -m MODEL` continues with
# the prompt, and a blank line ends the cell, as after `%%time`.
add_body.has_side_effects = True  # type: ignore[attr-defined]  # IPython's protocol for transformers

TRANSFORMS = (join_lines, keep_prompts, add_body)


def _statement_starts(lines: list[str]) -> set[int]:
    """The lines that begin with a magic's `%`, except those inside a string."""
    starts = set()
    for tokens in make_tokens_by_line(lines):
        first = next((t for t in tokens if t.type not in (tokenize.INDENT, tokenize.DEDENT)), None)
        if first is not None and first.string == "%":
            starts.add(first.start[0] - 1)
    return starts


def _as_call(line: str) -> str:
    found = _HELP_LIKE.fullmatch(line)
    if found is None:
        return line
    return f"{found['indent']}get_ipython().run_line_magic({found['name']!r}, {found['line'].strip()!r})\n"
