"""A file as a part of a message: an image or a PDF as it is, a text as the model reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from jmuz_magic.content import files_of, pdf_part, size_words, text_file_part
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Message
from jmuz_magic.notebook.context import fenced

__all__ = ["FILE_BYTES", "Document", "check_file_size", "document_of", "parts_sent"]

FILE_BYTES = 5 * 2**20  # each
TEXT_BYTES = 100 * 1024  # of a text that are sent
SMALLER = "make it smaller"
KINDS = "an image (PNG, JPEG, WebP, GIF), a text or a PDF"
_CONTROLS = "[\x00-\x08\x0e-\x1a\x1c-\x1f]"  # that no text has
_BINARY = re.compile(_CONTROLS.encode())
_NO_TEXT = re.compile(_CONTROLS)


@dataclass(frozen=True)
class Document:
    """A text or a PDF to send with a prompt.

    Attributes:
        part: it as a part of a message.
    """

    part: dict[str, Any]


def check_file_size(size: int, name: str, advice: str = SMALLER) -> None:
    """Refuse a file that is too large.

    Args:
        size: in bytes.
        name: of the file.
        advice: what to do then.

    Raises:
        JmuzError: it is.
    """
    if size > FILE_BYTES:
        most, has = _sizes(FILE_BYTES, size)
        raise JmuzError(f"{name}: expected a file of at most {most}, but it has {has}; {advice}")


def document_of(data: bytes, name: str, *, takes_pdf: bool) -> Document:
    """The document that a file which is no image holds.

    Args:
        data: its content.
        name: what the model is told that it is called.
        takes_pdf: whether the endpoint takes PDFs.

    Raises:
        JmuzError: it is too large or something else, or a PDF that the endpoint does not take.
    """
    check_file_size(len(data), name)
    if data.startswith(b"%PDF-"):
        if not takes_pdf:
            raise JmuzError(f"{name}: this endpoint takes no PDF; send its text, or choose another endpoint")
        return Document(pdf_part(data, name))
    text = _text_in(data)
    if text is None:
        raise JmuzError(f"{name}: expected {KINDS}, got something else")
    return Document(_text_part(text, name, data))


def _text_in(data: bytes) -> str | None:
    """The text of a file; None if it holds none. What is neither UTF-8 nor UTF-16 is taken as Windows writes it."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = data.decode("utf-16")
            return None if _NO_TEXT.search(text) else text  # UTF-32 begins the same
        return None if _BINARY.search(data) else data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None if data.startswith((b"\xff\xfe", b"\xfe\xff")) else data.decode("cp1252", "replace")


def _text_part(text: str, name: str, data: bytes) -> dict[str, Any]:
    """The text as the model reads it: named, fenced, and cut at the end of a line."""
    encoded = text.encode()
    if len(encoded) <= TEXT_BYTES:
        return text_file_part(f"File {name}:\n{fenced(text)}", name, data)
    kept = encoded[:TEXT_BYTES].decode("utf-8", "ignore")
    end = kept.rfind("\n", len(kept) // 2)
    kept = kept if end == -1 else kept[:end]
    sent = " of ".join(_sizes(len(kept.encode()), len(encoded)))
    return text_file_part(f"The first {sent} of the file {name}:\n{fenced(kept)}", name, data, sent)


def _sizes(one: int, other: int) -> tuple[str, str]:
    """Two sizes in words that differ as the sizes do."""
    words = size_words(one), size_words(other)
    return words if words[0] != words[1] else (f"{one:,} bytes", f"{other:,} bytes")


def parts_sent(prompt: Message) -> tuple[str, ...]:
    """The files that are sent only in part, as `Reply.sent_in_part` says it."""
    texts = [part["file"] for part in files_of(prompt) if part.get("type") == "text"]
    return tuple(f"{file['sent']} of `{file['filename']}`" for file in texts if file.get("sent"))
