"""Fenced code blocks in a stream of lines, as far as it needs no Markdown parser.

https://spec.commonmark.org/0.31.2/#fenced-code-blocks
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["OPENING_BEGUN", "Fence", "opened_by"]

# Marks of quotes and list items before a fence; nobody nests deeper.
_MARKS = r"(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]))){0,10}[ \t]*"
_OPENING = re.compile(rf"({_MARKS})(?:(`{{3,}})[^`]*|(~{{3,}}).*)")

OPENING_BEGUN = rf"{_MARKS}(?:[-+*]|\d{{1,9}}[.)]?|``?|```+[^`]*|~+)?"
"""Regular expression of every line that may still open a fence: behind backticks there may come another."""

# By whether the fence stands in a quote or list item, where more may stand before its end.
_INDENT = {False: " {0,3}", True: r"[ \t>]*"}
_NOT_CLOSING = {False: re.compile(r" {0,3}[^ `~]| {4}"), True: re.compile(r"[ \t>]*[^ \t>`~]")}
_CLOSING_BEGUN = {nested: re.compile(rf"{indent}(?:(?:`+|~+)[ \t\r]*)?") for nested, indent in _INDENT.items()}


class Fence(NamedTuple):
    """An open fence: what opened it, and whether it stands in a quote or list item."""

    run: str
    nested: bool

    def stays_open(self, text: str, start: int, end: int) -> bool:
        """Whether the line at `text[start:end]` starts as none does that closes the fence."""
        return _NOT_CLOSING[self.nested].match(text, start, end) is not None

    def may_close(self, line: str) -> bool:
        """Whether `line` may become one that closes the fence."""
        return _CLOSING_BEGUN[self.nested].fullmatch(line) is not None

    def is_closed_by(self, line: str) -> bool:
        closing = rf"{_INDENT[self.nested]}{self.run[0]}{{{len(self.run)},}}[ \t\r]*"
        return re.fullmatch(closing, line) is not None


def opened_by(line: str) -> Fence | None:
    """The fence that `line` opens, given without its line break."""
    opening = _OPENING.fullmatch(line)
    if opening is None:
        return None
    return Fence(opening[2] or opening[3], nested=bool(opening[1].strip()))
