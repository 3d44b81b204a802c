"""What `-a` names: an image in a file or a variable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.display import Image as DisplayImage

from jmuz_magic.content import MAX_IMAGE_BYTES, image_type
from jmuz_magic.magics.session import usage_errors
from jmuz_magic.magics.wording import did_you_mean
from jmuz_magic.notebook.images import Image, check_image_size, image_of
from jmuz_magic.text import clean_line

__all__ = ["attach", "load_image"]

GIVE = "; give the path of an image file, or a variable that holds an image"
_KINDS = "a PNG, JPEG, WebP or GIF image"


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
    with usage_errors():
        image = image_of(value, name, max_bytes=max_bytes)
    if image is None:
        raise UsageError(
            f"-a {name}: expected {_KINDS} (a figure, a PIL image, bytes, a path), got {_described(value)}"
        )
    return image


def _from_file(path: Path, name: str, max_bytes: int, otherwise: str = "not a file") -> Image:
    shown = clean_line(str(path), 200)
    if str(path).startswith(("http:/", "https:/")):
        raise UsageError(f"-a {name}: expected a file or a variable, got a URL; download the image first")
    try:
        path = path.expanduser()
        if not path.is_file():
            named = "" if shown == name else f"{shown} is "
            raise UsageError(f"-a {name}: {named}{'a directory' if path.is_dir() else otherwise}")
        with usage_errors():
            check_image_size(path.stat().st_size, name, max_bytes)
        data = path.read_bytes()
    except (OSError, RuntimeError, ValueError) as error:  # the last two: no home directory, NUL in the name
        reason = clean_line(getattr(error, "strerror", None) or str(error), 200)
        line = f"-a {name}: {shown} cannot be read: {reason}"
    else:
        mime = image_type(data)
        if not mime:
            raise UsageError(f"-a {name}: expected {_KINDS}, but {shown} is not one{_instead(data, shown)}")
        return Image(data, mime, name)
    raise UsageError(line)


def _instead(data: bytes, shown: str) -> str:
    """How to send a text or a PDF; "" for other files, which no service takes."""
    in_panel = "attach it in the panel (%jmuz_chat)"
    if data.startswith(b"%PDF-"):
        return f"; {in_panel}"
    try:
        data.decode()
    except UnicodeDecodeError:
        return ""
    return f"; write {{{{open({shown!r}).read()}}}} in the prompt, or {in_panel}"


def _described(value: object) -> str:
    if isinstance(value, DisplayImage):
        return "an Image with only a URL"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(bytes(value)):,} bytes of something else"
    return f"a value of type {clean_line(type(value).__name__, 60)}"
