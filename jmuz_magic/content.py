"""The content of a message: its parts, texts and images."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

__all__ = [
    "IMAGE_TYPES",
    "MAX_IMAGE_BYTES",
    "MAX_PROMPT_BYTES",
    "data_url",
    "described",
    "image_part",
    "image_type",
    "images_of",
    "parts_of",
    "text_of",
    "text_part",
    "texts_of",
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
    """The text of a message, its parts on separate lines."""
    return "\n".join(texts_of(message))


def images_of(message: Mapping[str, object]) -> list[dict[str, Any]]:
    """The image parts of a message."""
    return [part for part in parts_of(message) if isinstance(part, dict) and part.get("type") == "image_url"]


def described(message: Mapping[str, object]) -> str:
    """The text of a message, with a line that describes each other part."""
    return "\n".join(_described(part) for part in parts_of(message))


def _described(part: Mapping[str, Any]) -> str:
    if isinstance(text := part.get("text"), str):
        return text
    if part.get("type") != "image_url":
        return f"[{part.get('type', 'part')}]"
    url = str(part.get("image_url", {}).get("url", ""))
    return f"[image: {url[5:].partition(';')[0] if url.startswith('data:') else url}]"


def text_part(text: str) -> dict[str, Any]:
    """Text as a part of a message."""
    return {"type": "text", "text": text}


def image_part(url: str) -> dict[str, Any]:
    """The image at a URL (`https:` or `data:`) as a part of a message."""
    return {"type": "image_url", "image_url": {"url": url}}


def data_url(data: bytes, media_type: str) -> str:
    """A `data:` URL with the data."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def image_type(data: bytes) -> str:
    """Which of `IMAGE_TYPES` a file is, judged by its first bytes, not its name; "" for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for signature, kind in _SIGNATURES.items() if data.startswith(signature)), "")
