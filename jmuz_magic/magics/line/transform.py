"""Cells that IPython would misread.

These are prompts that end in `?` or contain a rare line separator, replies that are assigned (`answer = %jmuz …`),
`%%jmuz` cells of one line, those whose `%%jmuz` is not in their first line, and prompts below an `answer = %jmuz`.
`transforms` are cleanup transformers: IPython passes the lines of every cell through them before anything else reads
them.
"""

from __future__ import annotations

import re
import tokenize
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from IPython.core.error import UsageError
from IPython.core.inputtransformer2 import assemble_continued_line, find_end_of_continued_line, make_tokens_by_line

from jmuz_magic.magics.line.parser import MagicParser

__all__ = ["Transform", "transforms"]

Transform = Callable[[list[str]], list[str]]

# A prompt, or a comment on the line of any magic of ours.
_HELP_LIKE = re.compile(
    r"(?P<indent>\s*)%(?P<name>jmuz(?:_fix)?(?=\s)|jmuz_\w+(?=[ \t](?:.*[ \t])?\#))(?P<line>[ \t]+\S.*\?)\s*", re.DOTALL
)
_ONE_LINE_CELL = re.compile(r"%%jmuz[ \t]+\S")
_PROMPT_LINE = re.compile(r"""\s*(?:[^%='"#]+=\s*)?%%?jmuz(?:_fix)?\s""")
_ASSIGNED = re.compile(r"=\s*%jmuz(?:_fix)?(?!\S)")
_PROMPTED = re.compile(r"%\w+(?!\S)")
_ASKS = re.compile(r"%(?P<name>\w+)\s*(?P<target>[A-Za-z_]\w*\s*<<\s*)?(?P<line>.*)", re.DOTALL)
_TARGET = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*")
_LATE_CELL = re.compile(r"\s*%%jmuz(?!\w)")
_NOT_PYTHON = {"%", "!", "?"}  # what a line of IPython's own begins with


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


def bind_replies(lines: list[str]) -> list[str]:
    """Let `answer = %jmuz …` bind the reply; alone, `%jmuz …` returns None, so that `Out` stays empty."""
    if not any(map(_ASSIGNED.search, lines)) or lines[0].startswith("%%"):
        return lines
    while (start := _first_assigned(lines)) is not None:  # tokenized anew each time: a prompt may be an open quote
        row, column = start
        end = find_end_of_continued_line(lines, row)
        asks = _ASKS.fullmatch(assemble_continued_line(lines, start, end))
        assert asks is not None
        call = _call(asks["name"], f"{asks['target'] or ''}--assigned {asks['line']}")
        lines = [*lines[:row], lines[row][:column] + call, *lines[end + 1 :]]
    return lines


def refuse_parted(parser: MagicParser[Any]) -> Transform:
    """Refuse `answer = %jmuz` with its prompt in the lines below, which Python would call a syntax error."""

    def refuse(lines: list[str]) -> list[str]:
        if not any(map(_ASSIGNED.search, lines)) or lines[0].startswith("%%"):
            return lines
        start = _first_assigned(lines)
        if start is not None and _is_parted(lines, start, parser):
            row, column = start
            target = _TARGET.fullmatch(lines[row][:column])
            name = target[1] if target else "answer"
            raise UsageError(
                f"%jmuz: expected a prompt in the line of {name} = %jmuz; one of several lines takes a cell that "
                f"begins with %%jmuz {name} << (nothing was run)"
            )
        return lines

    refuse.has_side_effects = True  # type: ignore[attr-defined]  # as of `refuse_late_cell`
    return refuse


def _is_parted(lines: list[str], start: tuple[int, int], parser: MagicParser[Any]) -> bool:
    """Whether only options follow the `%jmuz` there, and below it are other lines."""
    end = find_end_of_continued_line(lines, start[0])
    asks = _ASKS.fullmatch(assemble_continued_line(lines, start, end))
    if asks is None or asks["name"] != "jmuz" or not any(map(str.strip, lines[end + 1 :])):
        return False
    try:
        _, options, prompt = parser.read_prompt(asks["line"])
    except UsageError:  # the magic will say it
        return False
    return not (prompt.strip() or options.help)


def refuse_late_cell(lines: list[str]) -> list[str]:
    """Refuse a cell whose `%%jmuz` is not in its first line, before any of it runs.

    Raises:
        UsageError: this is such a cell.
    """
    if any(map(_LATE_CELL.match, lines)) and not lines[0].startswith("%%"):
        for tokens in _statements(lines):
            if [token.string for token in tokens[:3]] == ["%", "%", "jmuz"]:
                raise UsageError(
                    "%%jmuz must be in the first line of its cell; move what is above it to another cell "
                    "(nothing was run)"
                )
    return lines


def add_body(lines: list[str]) -> list[str]:
    """Give a one-line `%%jmuz PROMPT` a body: IPython refuses cell magics without one."""
    return [*lines, "\n"] if len(lines) == 1 and _ONE_LINE_CELL.match(lines[0]) else lines


# Not applied when IPython checks whether a cell is complete: in a console, Enter after `%%jmuz -m MODEL` continues with
# the prompt, and a blank line ends the cell, as after `%%time`; nor must an error stop the check.
add_body.has_side_effects = True  # type: ignore[attr-defined]  # IPython's protocol for transformers
refuse_late_cell.has_side_effects = True  # type: ignore[attr-defined]  # likewise


def transforms(parser: MagicParser[Any]) -> tuple[Transform, ...]:
    """The transformers, in order.

    Args:
        parser: of `%jmuz`.
    """
    return (join_lines, refuse_late_cell, refuse_parted(parser), bind_replies, keep_prompts, add_body)


def _statements(lines: list[str]) -> Iterator[list[tokenize.TokenInfo]]:
    """The tokens of each statement.

    Read anew after each magic: from Python 3.12 on, tokens end at a quote that a prompt leaves open.
    """
    first: int | None = 0
    while first is not None:
        row, first = first, None
        for tokens in make_tokens_by_line(lines[row:]):
            statement = [_below(token, row) for token in tokens if token.type not in (tokenize.INDENT, tokenize.DEDENT)]
            yield statement
            if statement and statement[0].string == "%":
                first = find_end_of_continued_line(lines, statement[0].start[0] - 1) + 1
                break


def _below(token: tokenize.TokenInfo, rows: int) -> tokenize.TokenInfo:
    (start, column), (end, last) = token.start, token.end
    return token._replace(start=(start + rows, column), end=(end + rows, last))


def _statement_starts(lines: list[str]) -> set[int]:
    """The lines that begin with a magic's `%`, except those inside a string."""
    return {tokens[0].start[0] - 1 for tokens in _statements(lines) if tokens and tokens[0].string == "%"}


def _first_assigned(lines: list[str]) -> tuple[int, int] | None:
    """Row and column of the first `%jmuz` that is assigned."""
    for tokens in _statements(lines):
        if tokens and tokens[0].string not in _NOT_PYTHON and (percent := _assigned(tokens)):
            row, column = percent.start[0] - 1, percent.start[1]
            if _PROMPTED.match(lines[row], column):  # `answer = %jmuz?` asks for help
                return row, column
    return None


def _assigned(tokens: Sequence[tokenize.TokenInfo]) -> tokenize.TokenInfo | None:
    """The `%` of a magic that asks, right of the statement's first `=`; IPython, too, looks only there."""
    depth = 0
    for equals, percent, name in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if equals.string == "=" and not depth:
            asks = percent.string == "%" and percent.end == name.start and name.string in ("jmuz", "jmuz_fix")
            return percent if asks else None
        depth += (equals.string in {"(", "[", "{"}) - (equals.string in {")", "]", "}"})
    return None


def _as_call(line: str) -> str:
    found = _HELP_LIKE.fullmatch(line)
    return line if found is None else found["indent"] + _call(found["name"], found["line"])


def _call(name: str, line: str) -> str:
    return f"get_ipython().run_line_magic({name!r}, {line.strip()!r})\n"
