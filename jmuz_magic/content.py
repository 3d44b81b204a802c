"""The content of a message: its parts, texts, images and files."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = [
    "IMAGE_TYPES",
    "MAX_IMAGE_BYTES",
    "MAX_PROMPT_BYTES",
    "data_url",
    "described",
    "file_words",
    "files_of",
    "image_part",
    "image_type",
    "images_of",
    "parts_of",
    "pdf_part",
    "size_words",
    "text_file_part",
    "text_of",
    "text_part",
    "texts_of",
    "without_files",
]

IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")
"""What chat endpoints accept and send; no front end runs code in these."""

MAX_PROMPT_BYTES = 2**20
"""The limit for a prompt: far above what any model reads; a whole data file in a cell is a mistake."""

MAX_IMAGE_BYTES = 20 * 2**20
"""The limit for one attached image: large services accept 5 to 20 MB; more is a mistake anywhere."""

_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


def parts_of(message: Mapping[str, object]) -> list[Any]:
    """The parts of a message; plain text is one part, "" and None have none."""
    content = message.get("content")
    if isinstance(content, str):
        return [text_part(content)] if content else []
    return list(content) if isinstance(content, list | tuple) else []


def texts_of(message: Mapping[str, object]) -> list[str]:
    """The texts among the parts of a message."""
    texts = (part.get("text") for part in parts_of(message) if isinstance(part, Mapping))
    return [text for text in texts if isinstance(text, str)]


def text_of(message: Mapping[str, object]) -> str:
    """The text of a message without that of its files, its parts on separate lines."""
    return "\n".join(texts_of({"content": [part for part in parts_of(message) if not _is_file(part)]}))


def images_of(message: Mapping[str, object]) -> list[dict[str, Any]]:
    """The image parts of a message."""
    return [part for part in parts_of(message) if isinstance(part, dict) and part.get("type") == "image_url"]


def files_of(message: Mapping[str, object]) -> list[dict[str, Any]]:
    """The parts of a message that are files: images, texts and PDFs."""
    return [part for part in parts_of(message) if _is_file(part)]


def described(message: Mapping[str, object]) -> str:
    """The text of a message, with a line that describes each other part."""
    return "\n".join(_described(part) for part in parts_of(message))


def without_files(message: Mapping[str, Any]) -> dict[str, Any]:
    """The message with name, size and hash for each file that it holds; what only has an address stays."""
    parts = parts_of(message)
    kept = [_without_file(part) for part in parts]
    if all(new is part for new, part in zip(kept, parts, strict=True)):
        return dict(message)
    if all(part.get("type") == "text" for part in kept):
        return {**message, "content": "\n\n".join(str(part["text"]) for part in kept)}
    return {**message, "content": kept}


def file_words(part: Mapping[str, Any]) -> str:
    """What a file is called, and its size: `report.csv, 340 kB`."""
    return _file(part).words


def size_words(size: int) -> str:
    """`12 bytes`, `340 kB`, `1.2 MB`."""
    if size < 1024:
        return f"{size} byte" if size == 1 else f"{size} bytes"
    if size < 1024 * 1000:
        return f"{size / 1024:.0f} kB"
    return f"{size / 2**20:.1f}".removesuffix(".0") + " MB"


class _File(NamedTuple):
    """What is known of a file: its name, the number of its bytes and their hash; without these, it is elsewhere."""

    name: str
    size: int | None = None
    sha256: str = ""

    @property
    def words(self) -> str:
        return self.name if self.size is None else f"{self.name}, {size_words(self.size)}"


def _is_file(part: Any) -> bool:
    return isinstance(part, Mapping) and (part.get("type") in ("image_url", "file") or "file" in part)


def _file(part: Mapping[str, Any]) -> _File:
    inside = part.get("file")
    about: Mapping[str, Any] = inside if isinstance(inside, Mapping) else {}
    if part.get("type") == "text":
        return _File(str(about["filename"]), int(about["bytes"]), str(about["sha256"]))
    if part.get("type") == "file":
        return _held(str(about.get("file_data", "")), str(about.get("filename", "file")))
    url = str(part.get("image_url", {}).get("url", ""))
    kind = url[5:].partition(";")[0] if url.startswith("data:") else url
    return _held(url, str(part.get("filename") or kind))


def _held(url: str, name: str) -> _File:
    """A file in a `data:` URL."""
    head, _, encoded = url.partition(";base64,")
    try:
        data = base64.b64decode(encoded, validate=True) if head.startswith("data:") and encoded else None
    except binascii.Error:
        data = encoded.encode("utf-8", "replace")
    return _File(name) if data is None else _File(name, len(data), _sha256(data))


def _sha256(data: bytes) -> str:
    import hashlib  # OpenSSL, which loading need not pay

    return hashlib.sha256(data).hexdigest()


def _without_file(part: Any) -> Any:
    """The line that describes a file, in its place; the part itself if it holds none."""
    file = _file(part) if _is_file(part) else None
    return part if file is None or file.size is None else text_part(_file_line(part, file))


def _file_line(part: Mapping[str, Any], file: _File) -> str:
    kind = "image: " if part["type"] == "image_url" else "file: "
    return f"[{kind}{file.words}{f', sha256 {file.sha256}' if file.sha256 else ''}]"


def _described(part: Mapping[str, Any]) -> str:
    if _is_file(part):
        return _file_line(part, _file(part))
    text = part.get("text")
    return text if isinstance(text, str) else f"[{part.get('type', 'part')}]"


def text_part(text: str) -> dict[str, Any]:
    """Text as a part of a message."""
    return {"type": "text", "text": text}


def image_part(url: str, name: str = "") -> dict[str, Any]:
    """The image at a URL (`https:` or `data:`) as a part of a message; its name is for us, and not sent."""
    part = {"type": "image_url", "image_url": {"url": url}}
    return part | {"filename": name} if name else part


def text_file_part(text: str, name: str, data: bytes, sent: str = "") -> dict[str, Any]:
    """A file's text as a part of a message; what else it says of the file is for us, and not sent.

    Args:
        text: as the model reads it.
        name: of the file.
        data: its content.
        sent: how much of it `text` holds, such as `100 kB of 340 kB`; "" for all.
    """
    about = {"filename": name, "bytes": len(data), "sha256": _sha256(data)}
    return text_part(text) | {"file": about | {"sent": sent} if sent else about}


def pdf_part(data: bytes, name: str) -> dict[str, Any]:
    """A PDF as a part of a message."""
    return {"type": "file", "file": {"filename": name, "file_data": data_url(data, "application/pdf")}}


def data_url(data: bytes, media_type: str) -> str:
    """A `data:` URL with the data."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def image_type(data: bytes) -> str:
    """Which of `IMAGE_TYPES` a file is, judged by its first bytes, not its name; "" for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for signature, kind in _SIGNATURES.items() if data.startswith(signature)), "")
