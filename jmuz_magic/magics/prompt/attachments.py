"""What `-a` names: an image in a variable, or an image, a text or a PDF in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.display import Image as DisplayImage

from jmuz_magic.content import MAX_IMAGE_BYTES, image_type
from jmuz_magic.magics.session import usage_errors
from jmuz_magic.magics.wording import did_you_mean
from jmuz_magic.notebook.files import Document, check_file_size, document_of
from jmuz_magic.notebook.images import Image, check_image_size, image_of
from jmuz_magic.text import clean_line

__all__ = ["attach", "load_file"]

GIVE = "; give the path of a file, or a variable that holds an image"
_KINDS = "a PNG, JPEG, WebP or GIF image"


def load_file(
    word: str, namespace: Mapping[str, Any], *, takes_pdf: bool = False, max_bytes: int = MAX_IMAGE_BYTES
) -> Image | Document:
    """What `-a WORD` names: a variable of the namespace, else a file.

    A file with the same name as a variable is reached as `./NAME`.

    Args:
        word: a variable's name or a path; `~` is the home directory.
        namespace: the user's variables.
        takes_pdf: whether the endpoint takes PDFs.
        max_bytes: the limit for an image as sent.

    Raises:
        UsageError: there is neither, it is something else, or it is too large.
    """
    name = clean_line(word, 200)
    if word.isidentifier() and word in namespace:
        return attach(namespace[word], name, takes_pdf=takes_pdf, max_bytes=max_bytes)
    otherwise = f"neither a variable nor a file{did_you_mean(word, namespace) or GIVE}"
    return _from_file(Path(word), name, takes_pdf, max_bytes, otherwise)


def attach(value: object, name: str, *, takes_pdf: bool = False, max_bytes: int = MAX_IMAGE_BYTES) -> Image | Document:
    """What a value holds: a figure, a PIL or IPython image, the bytes of an image file, or the path of a file.

    Raises:
        UsageError: it holds nothing of these, or something too large.
    """
    if isinstance(value, str | Path):
        return _from_file(Path(value), name, takes_pdf, max_bytes)
    with usage_errors():
        image = image_of(value, name, max_bytes=max_bytes)
    if image is None:
        raise UsageError(
            f"-a {name}: expected {_KINDS} (a figure, a PIL image, bytes, a path), got {_described(value)}"
        )
    return image


def _from_file(
    path: Path, name: str, takes_pdf: bool, max_bytes: int, otherwise: str = "not a file"
) -> Image | Document:
    shown = clean_line(str(path), 200)
    if str(path).startswith(("http:/", "https:/")):
        raise UsageError(f"-a {name}: expected a file or a variable, got a URL; download it first")
    try:
        path = path.expanduser()
        if not path.is_file():
            named = "" if shown == name else f"{shown} is "
            raise UsageError(f"-a {name}: {named}{'a directory' if path.is_dir() else otherwise}")
        data, mime = _content(path, name, max_bytes)
    except (OSError, RuntimeError, ValueError) as error:  # the last two: no home directory, NUL in the name
        reason = clean_line(getattr(error, "strerror", None) or str(error), 200)
        line = f"-a {name}: {shown} cannot be read: {reason}"
    else:
        if mime:
            return Image(data, mime, name)
        with usage_errors():  # the name alone: where it is on this machine concerns nobody
            return document_of(data, clean_line(path.name, 100), takes_pdf=takes_pdf)
    raise UsageError(line)


def _content(path: Path, name: str, max_bytes: int) -> tuple[bytes, str]:
    """What a file holds and the type of its image, "" for something else; what is too large is not read."""
    with path.open("rb") as file:
        head = file.read(16)
        mime, size = image_type(head), path.stat().st_size
        with usage_errors():
            if mime:
                check_image_size(size, name, max_bytes)
            else:
                check_file_size(size, name)
        return head + file.read(), mime


def _described(value: object) -> str:
    if isinstance(value, DisplayImage):
        return "an Image with only a URL"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(bytes(value)):,} bytes of something else"
    return f"a value of type {clean_line(type(value).__name__, 60)}"
