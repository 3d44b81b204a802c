"""A file is replaced, or made anew, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["created", "replaced"]


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of the one at `path` when all went well; 0600 unless that one is there.

    Raises:
        OSError: it cannot be written; `path` is as it was.
    """
    target = path.resolve()  # a link stays one
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(OSError):
            Path(name).chmod(target.stat().st_mode & 0o777)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def created(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A new file to write at `path`, which is taken away again when something goes wrong.

    Args:
        path: where.
        mode: who may read and write it, by default the user alone; the umask is taken from it.

    Raises:
        FileExistsError: something is there, be it a link to nothing; it is as it was.
        OSError: it cannot be written; nothing is left of it.
    """
    # Not a temporary file that is linked to its name in the end: not every file system has hard links.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
