"""Fenced code blocks in a stream of lines, as far as it needs no Markdown parser.

https://spec.commonmark.org/0.31.2/#fenced-code-blocks
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["CLOSING_BEGUN", "OPENING_BEGUN", "Fence", "opened_by"]

# Marks of quotes and list items before a fence.
_MARKS = r"(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t])))*[ \t]*"
_OPENING = re.compile(rf"({_MARKS})(?:(`{{3,}})[^`]*|(~{{3,}}).*)")

OPENING_BEGUN = rf"{_MARKS}(?:[-+*]|\d{{1,9}}[.)]?|``?|```+[^`]*|~+)?"
"""Regular expression of every line that may still open a fence: behind backticks there may come another."""

CLOSING_BEGUN = re.compile(r"[ \t>]*(?:`*|~*)[ \t\r]*")
"""Every line that may still close a fence."""


class Fence(NamedTuple):
    """The fence that is open: what opened it, and whether it stands in a quote or list item."""

    run: str
    nested: bool

    def is_closed_by(self, line: str) -> bool:
        indent = r"[ \t>]*" if self.nested else " {0,3}"
        closing = rf"{indent}{self.run[0]}{{{len(self.run)},}}[ \t\r]*"
        return re.fullmatch(closing, line) is not None


def opened_by(line: str) -> Fence | None:
    """The fence that `line` opens, given without its line break."""
    opening = _OPENING.fullmatch(line)
    if opening is None:
        return None
    return Fence(opening[2] or opening[3], nested=bool(opening[1].strip()))
