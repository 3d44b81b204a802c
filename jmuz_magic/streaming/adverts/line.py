"""The line that the cleaner judges, as far as it has arrived."""

from __future__ import annotations

import re

from jmuz_magic.streaming.adverts.rules import HOLD_LIMIT

__all__ = ["Line"]

_VISIBLE = re.compile(r"[^ \t\r\n]")


class Line:
    """The start of the line at `text[start:end]`, and what follows it.

    Attributes:
        start: the line without its line break, cut to what may be held.
        long: whether the line is longer than that.
        partial: whether more of it may come and may be waited for.
    """

    def __init__(self, text: str, start: int, end: int, ended: bool) -> None:
        content = end - (text[end - 1] == "\n")
        self.start = text[start : min(content, start + HOLD_LIMIT)]
        self.long = content - start > HOLD_LIMIT
        self.partial = content == end and not self.long and not ended
        self._text, self._start, self._end, self._ended = text, start, end, ended

    def is_followed(self) -> bool | None:
        """Whether visible text follows; None if it has not come yet and may be waited for."""
        limit = self._start + HOLD_LIMIT
        if _VISIBLE.search(self._text, self._end, limit + 1):
            return True
        return False if self._ended or len(self._text) > limit else None
