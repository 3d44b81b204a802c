"""Images of a reply: decoded, and measured by their headers before anything else sees them."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Callable
from typing import Any

from jmuz_magic.content import image_type
from jmuz_magic.messages import Image, Unshown

__all__ = ["MOST_IMAGES", "read_image", "size_of"]

MiB = 2**20
MOST_BYTES = 5 * MiB
MOST_PIXELS = 40_000_000
MOST_IMAGES = 8  # per reply

_DATA_URL = re.compile(r"data:[^,]{0,200};base64,", re.IGNORECASE)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG's frame markers, followed by the size


def read_image(part: Any) -> Image | Unshown:
    """The image in a part of a reply, or the part itself with the reason why it cannot be shown.

    Only bytes that came with the reply are used; nothing is fetched. The first bytes decide the type, whatever the
    part claims.
    """
    url = _address(part)
    opening = _DATA_URL.match(url)
    if opening is None:
        return Unshown("image at an address" if url.startswith(("http:", "https:")) else "image without data", part)
    encoded = url[opening.end() :]
    if len(encoded) > MOST_BYTES * 4 // 3 + MiB:  # line breaks count here
        return Unshown("image of more than 5 MiB", part)
    try:
        data = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        return Unshown("image that is not base64", part)
    reason = _refusal(data)
    return Unshown(reason, part) if reason else Image(data, image_type(data))


def _address(part: Any) -> str:
    """The URL of a part's image, in any of the shapes that services use; "" if it has none."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return ""
    if isinstance(source := part.get("source"), dict) and isinstance(source.get("data"), str):
        return f"data:{source.get('media_type', '')};base64,{source['data']}"
    if isinstance(encoded := part.get("b64_json"), str):
        return f"data:;base64,{encoded}"
    return next((found for name in ("image_url", "url", "image") if (found := _address(part.get(name)))), "")


def _refusal(data: bytes) -> str:
    """Why these bytes are not shown; "" if they are."""
    if len(data) > MOST_BYTES:
        return "image of more than 5 MiB"
    if not image_type(data):
        return "image of unknown type"
    width, height = size_of(data) or (0, 0)
    if not width or not height:
        return "image of unknown size"
    return "image of more than 40 megapixels" if width * height > MOST_PIXELS else ""


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels according to the header; None if it does not say."""
    readers: dict[str, Callable[[bytes], tuple[int, int] | None]]
    readers = {"image/png": _png_size, "image/jpeg": _jpeg_size, "image/gif": _gif_size, "image/webp": _webp_size}
    reader = readers.get(image_type(data))
    try:
        return reader(data) if reader else None
    except (struct.error, IndexError):
        return None


def _png_size(data: bytes) -> tuple[int, int] | None:
    # https://www.w3.org/TR/png-3/#11IHDR: always the first chunk.
    if data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _gif_size(data: bytes) -> tuple[int, int]:
    # https://www.w3.org/Graphics/GIF/spec-gif89a.txt, 18: the logical screen.
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    # https://www.w3.org/Graphics/JPEG/itu-t81.pdf, B.1.1.4 and B.2.2: segments up to the frame's header.
    offset = 2
    while offset < len(data):
        if data[offset] != 0xFF:
            return None
        marker = data[offset + 1]
        if marker == 0xFF:  # a fill byte
            offset += 1
            continue
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, offset + 5)
            return width, height
        if marker in (0xD9, 0xDA):  # the image, before any frame
            return None
        offset += 2 if marker == 0x01 or 0xD0 <= marker <= 0xD8 else 2 + struct.unpack_from(">H", data, offset + 2)[0]
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    # https://developers.google.com/speed/webp/docs/riff_container, and for `VP8 ` RFC 6386, 9.1.
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[offset : offset + 3], "little") + 1 for offset in (24, 27))
        return (width, height) if len(data) >= 30 else None
    if kind == b"VP8L" and data[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
