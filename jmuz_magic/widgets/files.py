"""Files in a panel: from the browser into a message, and from a message to what is shown of it."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from jmuz_magic.content import (
    data_url,
    file_words,
    files_of,
    image_part,
    image_type,
    text_of,
    text_part,
)
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Message
from jmuz_magic.notebook.files import check_file_size, document_of
from jmuz_magic.text import clean_line
from jmuz_magic.widgets.protocol import Ask, Picture, SentFile

__all__ = [
    "FILES",
    "Arrived",
    "describe_files",
    "message_of",
    "remember_thumbnail",
    "with_files_of",
]

FILES = 10  # in a turn
LOST = "{name} did not reach the kernel; send again"
LARGER = "make it smaller, or ask in a cell, which takes larger images: %%jmuz --chat -a FILE"
_THUMBNAIL = re.compile(r"data:image/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/]+={0,2}")
_THUMBNAIL_CHARS = 60_000

# Thumbnails for the transcript, by the hash of the full image: a message has no place for them, and the images
# themselves are too large for the state of a widget.
_thumbnails: OrderedDict[str, str] = OrderedDict()
_THUMBNAILS_KEPT = 200


class Arrived:
    """The files that views have sent, each until its prompt comes."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, bytes] = OrderedDict()

    def take(self, file: str, data: bytes) -> None:
        """Keep a file; of more than two prompts may have, the oldest go."""
        self._files[file] = data
        while len(self._files) > 2 * FILES:
            self._files.popitem(last=False)

    def given(self, files: Sequence[SentFile]) -> list[bytes]:
        """The contents of a prompt's files, which are not kept any longer.

        Raises:
            JmuzError: one has not come.
        """
        contents = [self._files.pop(file["id"], None) for file in files]
        lost = next((file["name"] for file, data in zip(files, contents, strict=True) if data is None), None)
        if lost is not None:
            raise JmuzError(LOST.format(name=clean_line(lost, 100) or "a file"))
        return [data for data in contents if data is not None]


def message_of(asked: Ask, contents: Sequence[bytes], *, takes_pdf: bool) -> Message:
    """The user's message.

    Args:
        asked: what a view sent.
        contents: the bytes of its files.
        takes_pdf: whether the endpoint does.

    Raises:
        JmuzError: there are too many files, or one cannot be sent.
    """
    if not asked.files:
        return {"role": "user", "content": asked.text}
    if len(contents) > FILES:
        raise JmuzError(f"expected at most {FILES} files, got {len(contents)}; remove some")
    parts: list[dict[str, Any]] = [text_part(asked.text)] if asked.text else []
    for file, data in zip(asked.files, contents, strict=True):
        part = _part(data, clean_line(file["name"], 100) or "file", takes_pdf)
        remember_thumbnail(part, file["thumbnail"])
        parts.append(part)
    return {"role": "user", "content": parts}


def with_files_of(before: Message, message: Message) -> Message:
    """Give an edited prompt the files that it had."""
    kept = files_of(before)
    if not kept:
        return message
    return {"role": "user", "content": [text_part(text_of(message)), *kept, *files_of(message)]}


def _part(data: bytes, name: str, takes_pdf: bool) -> dict[str, Any]:
    if kind := image_type(data):
        check_file_size(len(data), name, LARGER)
        return image_part(data_url(data, kind), name)
    return document_of(data, name, takes_pdf=takes_pdf).part


def remember_thumbnail(part: dict[str, Any], thumbnail: object) -> None:
    """Show `thumbnail`, a small `data:` image, wherever a prompt contains the image of `part`."""
    if not isinstance(thumbnail, str) or len(thumbnail) > _THUMBNAIL_CHARS or not _THUMBNAIL.fullmatch(thumbnail):
        return
    _thumbnails[_digest(part)] = thumbnail
    while len(_thumbnails) > _THUMBNAILS_KEPT:
        _thumbnails.popitem(last=False)


def describe_files(prompt: Message) -> list[Picture]:
    """What is shown of a message's files: a label, and for an image the thumbnail (`data`) or ""."""
    return [{"label": _label(part), "data": _thumbnails.get(_digest(part), "")} for part in files_of(prompt)]


def _label(part: dict[str, Any]) -> str:
    words, sent = file_words(part), part.get("file", {}).get("sent", "")
    if words.startswith(("http:", "https:")):
        return "image (linked)"
    return clean_line(f"{words}, {sent} sent" if sent else words, 200)


def _digest(part: dict[str, Any]) -> str:
    address = str(part.get("image_url", {}).get("url", ""))
    return hashlib.sha256(address.encode("utf-8", "replace")).hexdigest()
