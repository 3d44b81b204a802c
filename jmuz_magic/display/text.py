"""Text from outside, made inert for a screen or for HTML."""

from __future__ import annotations

import html
import re

from jmuz_magic.text import clean_text

__all__ = ["TextCleaner", "direction", "escape_html", "text_html"]

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]")
_TEX_MARKS = re.compile(r"[$\\]")


class TextCleaner:
    """`clean_text` for text that comes in pieces: any cutting gives the same result."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, delta: str) -> str:
        """The cleaned text that is decided; a CR at the end waits for what follows it."""
        text = self._held + delta
        self._held = "\r" if text.endswith("\r") else ""
        return clean_text(text[:-1] if self._held else text)

    def flush(self) -> str:
        """What was held."""
        held, self._held = self._held, ""
        return clean_text(held)


def escape_html(text: str) -> str:
    """`text` cleaned and escaped, for HTML content and quoted attributes.

    Cleaned here too, because Markdown entities such as `&#x202e;` become characters after the source was cleaned.
    """
    return html.escape(clean_text(text))


def text_html(text: str) -> str:
    """`text` as HTML in which a front end finds no formula: every dollar and backslash is alone in its element."""
    return _TEX_MARKS.sub(r"<span>\g<0></span>", escape_html(text))


def direction(*texts: str) -> str:
    """The attribute that lets a browser find the direction of a block with these texts.

    "" for texts without a letter that is written from right to left: they read alike without.
    """
    return ' dir="auto"' if any(map(_RIGHT_TO_LEFT.search, texts)) else ""
