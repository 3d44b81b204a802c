"""One process at a time: a file lock that the system releases when its holder dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jmuz_magic.errors import JmuzError

__all__ = ["locked"]

PATIENCE = 10.0  # seconds; what is done under these locks takes milliseconds
_PAUSE = 0.01


@contextmanager
def locked(path: Path, patience: float = PATIENCE, mode: int = 0o600) -> Iterator[None]:
    """Lock the file at `path` against other threads and processes; a missing file is created with `mode`.

    The file may be replaced while others wait for it: a lock on a file that is no longer at `path` is dropped,
    and the new file is locked.

    Raises:
        JmuzError: another holder keeps it for longer than `patience` seconds.
        OSError: the file cannot be opened for writing.
    """
    give_up = time.monotonic() + patience
    descriptor = _lock_current(path, give_up, mode)
    try:
        yield
    finally:
        os.close(descriptor)  # which also releases the lock


def _lock_current(path: Path, give_up: float, mode: int) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), mode)
        try:
            if _try_lock(descriptor) and _is_at(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        if time.monotonic() > give_up:
            raise JmuzError(f"{path.name} is in use by another process; close that process or try again")
        time.sleep(_PAUSE)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        # flock and not lockf: a lock of lockf is lost when any other descriptor of the file is closed.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
