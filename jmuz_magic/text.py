"""Makes text from outside inert (control characters are shown, not obeyed), one-line, or storable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["clean_id", "clean_line", "clean_text", "counted", "inert_json", "minute", "raised", "storable"]

# C0 (except tab and newline), DEL, C1, bidi overrides and isolates with their deprecated relatives, interlinear
# annotations, and lone surrogates, which no encoding can write. A CR before a newline is harmless.
_INERT = re.compile("\r\n|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ufff9-\ufffb\ud800-\udfff]")

# What other programs take for a line break, and controls and bidi marks: a diff would lie and a terminal obey.
_UNREADABLE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


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
    """`text` with every character that steers a terminal or reorders text made visible.

    Escapes, C1 controls, bidi overrides and lone carriage returns become visible and harmless (`␛`, `<U+202E>`);
    newlines and tabs stay, and CR LF becomes a newline. Every text from outside (replies, server messages, model
    ids) passes through here before it reaches a screen.
    """
    return _INERT.sub(_visible, text)


def clean_line(text: str, longest: int | None = None) -> str:
    """The same on one line with single spaces; text longer than `longest` characters is cut and ends in `…`."""
    if longest is None:
        return " ".join(clean_text(text).split())
    line = " ".join(clean_text(text[: 20 * longest]).split())  # no need to clean a megabyte of which little is shown
    return line if len(line) <= longest else line[: longest - 1] + "…"


def clean_id(text: str) -> str:
    """A model's id on one line, with everything in it visible, even tabs and line breaks."""
    return clean_text(text).replace("\n", "␊").replace("\t", "␉")


def storable(text: str) -> str:
    """The text in a form that UTF-8 can encode: surrogate pairs joined, U+FFFD for lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def inert_json(text: str) -> str:
    r"""The same JSON, safe for `cat`: what a terminal would obey or hide is written as `\u…`.

    JSON itself escapes only the characters below U+0020.
    """
    return _UNREADABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def counted(number: int, one: str, many: str = "") -> str:
    """`1 turn`, `2 turns`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def minute(moment: datetime) -> str:
    """A moment in local time: `2026-11-27 18:04`."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def raised(error: BaseException) -> str:
    """`raised ZeroDivisionError: division by zero`, even if the error's text cannot be read."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001  # a user's class may do anything
        message = ""
    return f"raised {type(error).__name__}" + (f": {clean_line(message, 200)}" if message.strip() else "")
