"""Fenced code blocks in a stream of lines, as far as they can be told without a Markdown parser.

https://spec.commonmark.org/0.31.2/#fenced-code-blocks
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["OPENING_BEGUN", "Fence", "opened_by"]

# Markers of quotes and list items before a fence; nobody nests deeper than ten.
_MARKS = r"(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]))){0,10}[ \t]*"
_OPENING = re.compile(rf"({_MARKS})(?:(`{{3,}})[^`]*|(~{{3,}}).*)")

OPENING_BEGUN = rf"{_MARKS}(?:[-+*]|\d{{1,9}}[.)]?|``?|```+[^`]*|~+)?"
"""Matches every line that may still become an opening fence: another backtick may follow."""

# Keyed by whether the fence is inside a quote or list item, where more may precede the closing fence.
_INDENT = {False: " {0,3}", True: r"[ \t>]*"}
_NOT_CLOSING = {False: re.compile(r" {0,3}[^ `~]| {4}"), True: re.compile(r"[ \t>]*[^ \t>`~]")}
_CLOSING_BEGUN = {nested: re.compile(rf"{indent}(?:(?:`+|~+)[ \t\r]*)?") for nested, indent in _INDENT.items()}


class Fence(NamedTuple):
    """An open fence: the run that opened it, and whether it is inside a quote or list item."""

    run: str
    nested: bool

    def stays_open(self, text: str, start: int, end: int) -> bool:
        """Whether the start of the line at `text[start:end]` rules out that it closes the fence."""
        return _NOT_CLOSING[self.nested].match(text, start, end) is not None

    def may_close(self, line: str) -> bool:
        """Whether `line` may still become one that closes the fence."""
        return _CLOSING_BEGUN[self.nested].fullmatch(line) is not None

    def is_closed_by(self, line: str) -> bool:
        closing = rf"{_INDENT[self.nested]}{self.run[0]}{{{len(self.run)},}}[ \t\r]*"
        return re.fullmatch(closing, line) is not None


def opened_by(line: str) -> Fence | None:
    """The fence that `line`, given without its line break, opens."""
    opening = _OPENING.fullmatch(line)
    if opening is None:
        return None
    return Fence(opening[2] or opening[3], nested=bool(opening[1].strip()))
