"""Images for a prompt: from a file or a variable to an `image_url` part with the data."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.display import Image as DisplayImage

from jmuz_magic.content import data_url, image_part, image_type
from jmuz_magic.magics.prompt.limits import MAX_IMAGE_BYTES
from jmuz_magic.magics.wording import did_you_mean, raised
from jmuz_magic.text import clean_line

__all__ = ["Image", "attach", "image_of", "imported_class", "load_image"]

_PNG_MODES = {"1", "I;16", "L", "LA", "P", "RGB", "RGBA"}
GIVE = "; give the path of an image file, or a variable that holds an image"
_KINDS = "a PNG, JPEG, WebP or GIF image"


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


def load_image(word: str, namespace: Mapping[str, Any], *, max_bytes: int = MAX_IMAGE_BYTES) -> Image:
    """The image that `-a WORD` names: a variable of the namespace, else a file.

    A file with the same name as a variable is reached as `./NAME`.

    Args:
        word: a variable's name or a path; `~` is the home directory.
        namespace: the user's variables.
        max_bytes: the limit for the image as sent.

    Raises:
        UsageError: there is neither, it is not an image, or it is too large.
    """
    name = clean_line(word, 200)
    if word.isidentifier() and word in namespace:
        return attach(namespace[word], name, max_bytes=max_bytes)
    return _from_file(
        Path(word), name, max_bytes, f"neither a variable nor a file{did_you_mean(word, namespace) or GIVE}"
    )


def attach(value: object, name: str, *, max_bytes: int = MAX_IMAGE_BYTES) -> Image:
    """The image in a value: a figure, a PIL or IPython image, the bytes of an image file, or a path to one.

    Raises:
        UsageError: it is not an image, or is too large.
    """
    if isinstance(value, str | Path):
        return _from_file(Path(value), name, max_bytes)
    image = image_of(value, name, max_bytes=max_bytes)
    if image is None:
        raise UsageError(
            f"-a {name}: expected {_KINDS} (a figure, a PIL image, bytes, a path), got {_described(value)}"
        )
    return image


def image_of(value: object, name: str, *, max_bytes: int = MAX_IMAGE_BYTES) -> Image | None:
    """The image that a value is, or None; strings and paths do not count here.

    Raises:
        UsageError: it is an image, but drawing it raised an error or it is too large.
    """
    try:
        data = _bytes_of(value)
    except Exception as error:  # noqa: BLE001  # drawing runs the user's code
        line = f"{name}: drawing this {clean_line(type(value).__name__, 60)} {raised(error)}"
    else:
        mime = image_type(data or b"")
        return _checked(data, mime, name, max_bytes) if data and mime else None
    raise UsageError(line)


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


def _from_file(path: Path, name: str, max_bytes: int, otherwise: str = "not a file") -> Image:
    shown = clean_line(str(path), 200)
    if str(path).startswith(("http:/", "https:/")):
        raise UsageError(f"-a {name}: expected a file or a variable, got a URL; download the image first")
    try:
        path = path.expanduser()
        if not path.is_file():
            named = "" if shown == name else f"{shown} is "
            raise UsageError(f"-a {name}: {named}{'a directory' if path.is_dir() else otherwise}")
        _check_size(path.stat().st_size, name, max_bytes)
        data = path.read_bytes()
    except (OSError, RuntimeError, ValueError) as error:  # the last two: no home directory, NUL in the name
        reason = clean_line(getattr(error, "strerror", None) or str(error), 200)
        line = f"-a {name}: {shown} cannot be read: {reason}"
    else:
        mime = image_type(data)
        if not mime:
            raise UsageError(f"-a {name}: expected {_KINDS}, but {shown} is not one")
        return _checked(data, mime, name, max_bytes)
    raise UsageError(line)


def _checked(data: bytes, mime: str, name: str, max_bytes: int) -> Image:
    _check_size(len(data), name, max_bytes)
    return Image(data, mime, name)


def _check_size(size: int, name: str, max_bytes: int) -> None:
    if size > max_bytes:
        raise UsageError(f"{name}: the image has {size:,} bytes, more than the {max_bytes:,} allowed; make it smaller")


def _described(value: object) -> str:
    if isinstance(value, DisplayImage):
        return "an Image with only a URL"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(bytes(value)):,} bytes of something else"
    return f"a value of type {clean_line(type(value).__name__, 60)}"
