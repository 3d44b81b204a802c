"""Mends text that some channels cannot carry: surrogate pairs cut in two by deltas, and NUL."""

from __future__ import annotations

from jmuz_magic.text import storable

__all__ = ["Mender", "mend"]


class Mender:
    """Joins surrogate pairs cut in two by deltas, and drops NUL: neither passes through zmq, sqlite or a file.

    Attributes:
        pending: the first half of a character whose second half has not arrived.
    """

    def __init__(self) -> None:
        self.pending = ""

    def feed(self, text: str) -> str:
        """The complete characters of what was pending and `text`."""
        text = self.pending + text.replace("\0", "")
        self.pending = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
        return storable(text.removesuffix(self.pending))

    def flush(self) -> str:
        """The replacement for half a character at the end."""
        pending, self.pending = self.pending, ""
        return "\ufffd" if pending else ""


def mend(text: str) -> str:
    """A whole text, mended."""
    return storable(text.replace("\0", ""))
