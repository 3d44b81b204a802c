"""The images of a reply: separate outputs in a notebook, a line of text elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from jmuz_magic.content import IMAGE_TYPES
from jmuz_magic.messages import Image

__all__ = ["image_bundles", "images_line"]


def image_bundles(images: Sequence[Image]) -> Iterator[dict[str, str]]:
    """One MIME bundle for each image; its bytes never become part of HTML."""
    for number, image in enumerate(images, 1):
        if image.media_type in IMAGE_TYPES:
            line = f"[image {number} of the reply: {image.media_type}, {_size(image)}]"
            yield {image.media_type: base64.b64encode(image.data).decode(), "text/plain": line}


def images_line(images: Sequence[Image]) -> str:
    """How many images there are, and where they are kept; "" without any."""
    if not images:
        return ""
    kinds = ", ".join(f"{image.media_type} {_size(image)}" for image in images)
    return f"{len(images)} {'image' if len(images) == 1 else 'images'} ({kinds}): in reply.images"


def _size(image: Image) -> str:
    size = len(image.data)
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 else f"{max(1, round(size / 1024))} KiB"
