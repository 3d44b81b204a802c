"""Text from strangers, made inert: what would control a screen is shown instead of obeyed."""

from __future__ import annotations

import html
import re

__all__ = ["TextCleaner", "clean_text", "escape_html", "text_html"]

# C0 (without tab and newline), DEL, C1, bidi overrides and isolates with their deprecated kin, interlinear
# annotations, and lone surrogates, which no encoding can write. A CR before a newline is no threat.
_INERT = re.compile("\r\n|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufff9-\ufffb\ud800-\udfff]")

_TEX_MARKS = re.compile(r"[$\\]")


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    if character == "\r\n":
        return "\n"
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)  # Unicode's own control pictures: ␛ for ESC, ␍ for CR
    if code == 0x7F:
        return "␡"
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"<U+{code:04X}>"


def clean_text(text: str) -> str:
    """`text` with every character that steers a terminal or reorders what is read made visible.

    Escapes, C1 controls, bidi overrides and single carriage returns stay readable (`␛`, `<U+202E>`) but do
    nothing; newlines and tabs stay, CR LF becomes a newline. Every text from outside passes here before it
    reaches a screen: replies, messages of servers, model ids.
    """
    return _INERT.sub(_visible, text)


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
