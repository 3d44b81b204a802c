"""Files replaced or created whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["created", "replaced"]


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which replaces the one at `path` on success and keeps its mode; a new file gets 0600.

    Raises:
        OSError: it cannot be written; `path` is unchanged.
    """
    target = path.resolve()  # a link stays a link
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
    """A new file to write at `path`, which is removed if anything goes wrong.

    Args:
        path: where to create it.
        mode: its permissions, less the umask; by default only the user may read and write it.

    Raises:
        FileExistsError: something is there already, even a dangling link; it is unchanged.
        OSError: it cannot be written; nothing of it remains.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"there is no directory {path.parent}; create it first")
    # Not a temporary file that is hard-linked to its name at the end: some file systems have no hard links.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
