"""Images in a panel: from the browser into a message, and from a message to what is shown of it."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from typing import Any

from jmuz_magic.content import MAX_IMAGE_BYTES, data_url, image_part, image_type, images_of
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Message
from jmuz_magic.widgets.protocol import Picture

__all__ = ["IMAGES_BYTES", "describe_images", "pasted_image", "remember_thumbnail"]

IMAGES_BYTES = 8 * 2**20  # per prompt: Jupyter servers close a connection that sends 10 MB at once
_THUMBNAIL = re.compile(r"data:image/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/]+={0,2}")
_THUMBNAIL_CHARS = 60_000
_DATA_URL = re.compile(r"data:([a-z0-9.+/-]{1,40});base64,")

# Thumbnails for the transcript, by the hash of the full image: a message has no place for them, and the images
# themselves are too large for the state of a widget.
_thumbnails: OrderedDict[str, str] = OrderedDict()
_THUMBNAILS_KEPT = 200


def pasted_image(data: bytes, name: str = "image") -> dict[str, Any]:
    """The image as a part of a user message.

    Raises:
        JmuzError: it is too large, or judged by its bytes none of the four kinds.
    """
    kind = image_type(data)
    if not kind:
        raise JmuzError(f"expected a PNG, JPEG, WebP or GIF image, but {name} is not one")
    if len(data) > MAX_IMAGE_BYTES:
        size = f"{len(data) / 2**20:.1f} MB"
        raise JmuzError(f"expected an image of at most {MAX_IMAGE_BYTES // 2**20} MB, but {name} has {size}")
    return image_part(data_url(data, kind))


def remember_thumbnail(part: dict[str, Any], thumbnail: object) -> None:
    """Show `thumbnail`, a small `data:` image, wherever a prompt contains the image of `part`."""
    if not isinstance(thumbnail, str) or len(thumbnail) > _THUMBNAIL_CHARS or not _THUMBNAIL.fullmatch(thumbnail):
        return
    _thumbnails[_digest(part["image_url"]["url"])] = thumbnail
    while len(_thumbnails) > _THUMBNAILS_KEPT:
        _thumbnails.popitem(last=False)


def describe_images(prompt: Message) -> list[Picture]:
    """What is shown of a message's images: a label, and the thumbnail (`data`) or ""."""
    addresses = [str(part["image_url"]["url"]) for part in images_of(prompt)]
    return [{"label": _label(address), "data": _thumbnails.get(_digest(address), "")} for address in addresses]


def _label(address: str) -> str:
    match = _DATA_URL.match(address)
    if not match:
        return "image (linked)"
    size = (len(address) - match.end()) * 3 // 4
    return f"{match[1]}, {size / 1024:,.0f} kB" if size < 2**20 else f"{match[1]}, {size / 2**20:.1f} MB"


def _digest(address: str) -> str:
    return hashlib.sha256(address.encode("utf-8", "replace")).hexdigest()
