"""The tokens of a formula, one after the other."""

from __future__ import annotations

import re

__all__ = ["RefusedError", "Tokens"]

_MAX_DEPTH = 30
_TOKEN = re.compile(r"\\(?:[A-Za-z]+\*?|.)|\S", re.DOTALL)
_SPACE = re.compile(r"\s*")


class RefusedError(Exception):
    """The formula has something in it that is not listed, or would not compile."""


class Tokens:
    """A formula that is read from its start.

    Attributes:
        depth: how many groups are open.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self.depth = 0

    def deeper(self) -> None:
        """A group opens."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise RefusedError("depth")

    def peek(self) -> str:
        """The next token; "" at the end."""
        space = _SPACE.match(self._source, self._at)
        found = _TOKEN.match(self._source, space.end() if space else self._at)
        return found.group() if found else ""

    def next(self) -> str:
        token = self.peek()
        self._at = self._source.index(token, self._at) + len(token)
        return token

    def take(self, wanted: str) -> None:
        if not wanted or self.next() != wanted:
            raise RefusedError(wanted)

    def taken(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What matches here, which is then read."""
        found = pattern.match(self._source, self._at)
        if found:
            self._at = found.end()
        return found
