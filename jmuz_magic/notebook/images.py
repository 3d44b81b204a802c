"""Images among the values of a notebook: figures, PIL and IPython images, the bytes of image files."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from IPython.display import Image as DisplayImage

from jmuz_magic.content import MAX_IMAGE_BYTES, data_url, image_part, image_type
from jmuz_magic.errors import JmuzError
from jmuz_magic.text import clean_line, raised

__all__ = ["Image", "check_image_size", "image_of", "imported_class"]

_PNG_MODES = {"1", "I;16", "L", "LA", "P", "RGB", "RGBA"}


@dataclass(frozen=True)
class Image:
    """An image to send with a prompt.

    Attributes:
        data: the bytes of the file.
        mime: `image/png`, `image/jpeg`, `image/webp` or `image/gif`, judged by the bytes.
        name: what the user called it.
    """

    data: bytes
    mime: str
    name: str

    @property
    def part(self) -> dict[str, Any]:
        """The image as a part of a message."""
        return image_part(data_url(self.data, self.mime))


def image_of(value: object, name: str, *, max_bytes: int = MAX_IMAGE_BYTES) -> Image | None:
    """The image that a value is, or None; strings and paths do not count here.

    Raises:
        JmuzError: it is an image, but drawing it raised an error or it is too large.
    """
    try:
        data = _bytes_of(value)
    except Exception as error:  # noqa: BLE001  # drawing runs the user's code
        line = f"{name}: drawing this {clean_line(type(value).__name__, 60)} {raised(error)}"
    else:
        mime = image_type(data or b"")
        if not (data and mime):
            return None
        check_image_size(len(data), name, max_bytes)
        return Image(data, mime, name)
    raise JmuzError(line)


def check_image_size(size: int, name: str, max_bytes: int) -> None:
    """Refuse an image that is too large.

    Raises:
        JmuzError: it is.
    """
    if size > max_bytes:
        raise JmuzError(f"{name}: the image has {size:,} bytes, more than the {max_bytes:,} allowed; make it smaller")


def _bytes_of(value: Any) -> bytes | None:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, DisplayImage):
        return value.data if isinstance(value.data, bytes) else None
    if isinstance(value, imported_class("matplotlib.axes", "Axes")):
        value = value.get_figure()
    if isinstance(value, imported_class("matplotlib.figure", "Figure")):
        return _drawn(value)
    if isinstance(value, imported_class("PIL.Image", "Image")):
        return _encoded(value)
    return None


def imported_class(module: str, name: str) -> Any:
    """A class from a module that the notebook has imported, else `()`, of which nothing is an instance."""
    kind = getattr(sys.modules.get(module), name, None)
    return kind if isinstance(kind, type) else ()


def _drawn(figure: Any) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")  # as the notebook shows it
    return buffer.getvalue()


def _encoded(image: Any) -> bytes:
    """PNG, which is lossless; but a photo that came as JPEG stays JPEG, since as PNG it is ten times the size."""
    buffer = BytesIO()
    if image.format == "JPEG" and image.mode in ("L", "RGB"):
        image.save(buffer, "JPEG", quality=95)
    else:
        (image if image.mode in _PNG_MODES else image.convert("RGB")).save(buffer, "PNG")
    return buffer.getvalue()
