"""Text from outside, made inert for a screen or for HTML."""

from __future__ import annotations

import html
import re

from jmuz_magic.text import clean_text

__all__ = ["TextCleaner", "direction", "escape_html", "text_html", "unbroken"]

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]")
_TEX_MARKS = re.compile(r"[$\\]")
_BLANK_LINE = re.compile(r"\n(?=[ \t]*\n)")


class TextCleaner:
    """`clean_text` for text that arrives in deltas; the result does not depend on how it is cut."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, delta: str) -> str:
        """The cleaned text decided so far; a CR at the end waits for what follows."""
        text = self._held + delta
        self._held = "\r" if text.endswith("\r") else ""
        return clean_text(text[:-1] if self._held else text)

    def flush(self) -> str:
        """What was held."""
        held, self._held = self._held, ""
        return clean_text(held)


def escape_html(text: str) -> str:
    """`text` cleaned and escaped, for HTML content and quoted attributes.

    It is cleaned here too, because entities such as `&#x202e;` become characters after the source was cleaned.
    """
    return html.escape(clean_text(text))


def text_html(text: str) -> str:
    """`text` as HTML in which no front end finds a formula: each dollar and backslash has its own element."""
    return _TEX_MARKS.sub(r"<span>\g<0></span>", escape_html(text))


def unbroken(html: str) -> str:
    """`html` without blank lines: each gets an empty element.

    In Markdown, which `nbconvert --to markdown` writes, a blank line ends a block of HTML, and Markdown follows. The
    first line must have a tag, and no attribute a line break.
    """
    return _BLANK_LINE.sub("\n<span></span>", html)


def direction(*texts: str) -> str:
    """The attribute that lets a browser detect the direction of a block with these texts.

    "" for texts without right-to-left letters, which do not need it.
    """
    return ' dir="auto"' if any(map(_RIGHT_TO_LEFT.search, texts)) else ""
