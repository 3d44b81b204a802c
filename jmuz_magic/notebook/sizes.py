"""The type and the size of a value, for which nothing of its content is read."""

from __future__ import annotations

from typing import Any

from jmuz_magic.notebook.images import imported_class
from jmuz_magic.text import clean_line

__all__ = ["type_and_size"]

_UNITS: dict[type, tuple[str, str]] = {
    str: ("character", "characters"),
    bytes: ("byte", "bytes"),
    bytearray: ("byte", "bytes"),
    list: ("element", "elements"),
    tuple: ("element", "elements"),
    set: ("element", "elements"),
    frozenset: ("element", "elements"),
    dict: ("entry", "entries"),
}


def type_and_size(value: object) -> str:
    """`DataFrame, 400 rows × 5 columns`; only the type where a size is unknown, or would take code of the user."""
    name = clean_line(type(value).__name__, 60)
    size = _size(value)
    return f"{name}, {size}" if size else name


def _size(value: Any) -> str:
    # `isinstance` would ask the value for its `__class__`.
    its = type(value)
    for kind, (one, many) in _UNITS.items():
        if issubclass(its, kind):
            length = kind.__len__(value)  # type: ignore[attr-defined]  # not that of a subclass, which may do anything
            return f"{length:,} {one if length == 1 else many}"
    if issubclass(its, imported_class("pandas", "DataFrame")):
        rows, columns = value.shape
        return f"{rows:,} rows × {columns:,} columns"
    if issubclass(its, imported_class("pandas", "Series")):
        return f"{value.shape[0]:,} values"
    if issubclass(its, (imported_class("numpy", "ndarray"), imported_class("torch", "Tensor"))):
        return f"shape {tuple(value.shape)}"
    if issubclass(its, imported_class("PIL.Image", "Image")):
        return f"{value.width} × {value.height} pixels"
    return ""
