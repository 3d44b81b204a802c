"""Messages as every dialect sends them: checked, copied, with images attached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jmuz_magic.content import data_url, file_words, files_of, image_part, image_type, parts_of, text_part, texts_of
from jmuz_magic.errors import JmuzError

__all__ = ["SYSTEM_ROLES", "Image", "attach_images", "copied"]

Image = str | bytes | Path
"""A URL (`https:` or `data:`), the bytes of a PNG, JPEG, GIF or WebP file, or a path to one."""

SYSTEM_ROLES = ("system", "developer")


def copied(messages: Sequence[Any], takes_pdf: bool) -> list[dict[str, Any]]:
    """Copies of the messages as services know them, without what only we say of their files.

    Args:
        messages: the conversation.
        takes_pdf: whether the service takes PDFs; else each is replaced by a line that names it.

    Raises:
        JmuzError: there are none, or one is invalid.
    """
    copies = [dict(message) for message in messages if isinstance(message, Mapping) and "role" in message]
    if not copies or len(copies) != len(messages):
        raise JmuzError('expected messages such as [{"role": "user", "content": "Hello"}], got something else')
    return [_without_our_own(message, takes_pdf) for message in copies]


def _without_our_own(message: dict[str, Any], takes_pdf: bool) -> dict[str, Any]:
    """The message as services know it: what only we say of a file is left out, and a PDF that cannot be sent is named.

    Texts alone are joined, because many local servers take nothing but a string.
    """
    if not any("filename" in part or "file" in part for part in files_of(message)):
        return message
    parts = [_part_as_sent(part, takes_pdf) for part in parts_of(message)]
    if all(part.get("type") == "text" for part in parts):
        return {**message, "content": "\n\n".join(texts_of({"content": parts}))}
    return {**message, "content": parts}


def _part_as_sent(part: dict[str, Any], takes_pdf: bool) -> dict[str, Any]:
    match part.get("type"):
        case "text":
            return text_part(part["text"])
        case "image_url":
            return {name: value for name, value in part.items() if name != "filename"}
        case "file" if not takes_pdf:
            return text_part(f"[file: {file_words(part)}; not sent, since this service takes no PDF]")
    return part


def attach_images(messages: Iterable[Mapping[str, Any]], images: Sequence[Image]) -> list[dict[str, Any]]:
    """The messages with the images as parts of the last user message.

    Raises:
        JmuzError: there is no user message, or an image is invalid.
    """
    copies = [dict(message) for message in messages]
    last = next((message for message in reversed(copies) if message.get("role") == "user"), None)
    if last is None:
        raise JmuzError("images belong to a user message, but there is no user message")
    last["content"] = parts_of(last) + [image_part(_image_url(image)) for image in images]
    return copies


def _image_url(image: Image) -> str:
    if isinstance(image, str):
        if image.startswith(("https://", "http://", "data:image/")):
            return image
        raise JmuzError("expected an image as a URL, bytes or a Path, got other text")
    if isinstance(image, Path):
        image = _read(image)
    kind = image_type(image)
    if not kind:
        raise JmuzError("expected a PNG, JPEG, WebP or GIF image, got something else")
    return data_url(image, kind)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        problem = error.strerror
    raise JmuzError(f"cannot read the image {path.name}: {problem}")
