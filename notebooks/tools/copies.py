"""Copies of the shipped notebooks, for readers to run and change."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

__all__ = ["refresh"]

PATTERNS = ("*.ipynb", "*.jsonl", "*.png")
AS_SHIPPED = ".shipped"


def refresh(shipped: Path, copies: Path) -> list[str]:
    """Copy what is missing or older; return the names of edited copies that a newer notebook would have replaced.

    Beside the copies, `.shipped` keeps each file as it was copied: a copy that differs from it was edited and stays.
    """
    (copies / AS_SHIPPED).mkdir(parents=True, exist_ok=True)
    outdated = []
    for source in _files(shipped):
        copy, original = copies / source.name, copies / AS_SHIPPED / source.name
        if not copy.exists() or _same(copy, original):
            shutil.copyfile(source, original)
            shutil.copyfile(source, copy)
        elif not _same(source, original):
            outdated.append(source.name)
    return outdated


def _files(folder: Path) -> Iterator[Path]:
    for pattern in PATTERNS:
        yield from sorted(folder.glob(pattern))


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.read_bytes() == other.read_bytes()
