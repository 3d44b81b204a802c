"""Removes adverts inside a line, except in inline code."""

from __future__ import annotations

from jmuz_magic.streaming.adverts.patterns import SpanPatterns
from jmuz_magic.streaming.adverts.rules import HOLD_LIMIT

__all__ = ["Spans"]


class Spans:
    """Removes spans from the lines of one reply, except in inline code.

    Attributes:
        suspect: see `SpanPatterns`.
        matter: see `SpanPatterns`.
        after_backtick: whether the last character was a backtick.
    """

    def __init__(self, patterns: SpanPatterns, removed: list[str]) -> None:
        self.suspect, self.matter = patterns.suspect.search, patterns.matter.search
        self._token, self._tokens = patterns.token.search, patterns.token.finditer
        self._begun = patterns.begun.search
        self._removed = removed
        self.start_line()

    def start_line(self) -> None:
        self._in_code = False
        self.after_backtick = False

    def clean(self, piece: str, whole: bool) -> tuple[str, int]:
        """The visible part of a piece of a line, and how much of the piece is decided: all of it if `whole`."""
        begun = None if whole else self._begun(piece, max(0, len(piece) - HOLD_LIMIT))
        end = begun.start() if begun else len(piece)
        if not self._token(piece, 0, end):
            end = len(piece) if self._in_code else end
            self.after_backtick = self.after_backtick and not end
            return piece[:end], end
        kept = []
        last = 0
        for token in self._tokens(piece, 0, end):
            if piece[token.start()] == "`":
                # A run cut in two counts once.
                self._in_code ^= not (self.after_backtick and token.start() == 0)
            elif not self._in_code:
                kept.append(piece[last : token.start()])
                last = token.end()
                self._removed.append(token[0])
        if self._in_code:
            end = len(piece)
        self.after_backtick = piece[end - 1] == "`" if end else self.after_backtick
        kept.append(piece[last:end])
        return "".join(kept), end
