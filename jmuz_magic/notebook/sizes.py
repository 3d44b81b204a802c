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
    name = clean_line(_name_of(type(value)), 60)
    try:
        size = _size(value)
    except Exception:  # noqa: BLE001  # a table or an image that is broken, or half made
        size = ""
    return f"{name}, {size}" if size else name


def _size(value: Any) -> str:
    # `isinstance` would ask the value for its `__class__`.
    its = type(value)
    for kind, (one, many) in _UNITS.items():
        if issubclass(its, kind):
            length = kind.__len__(value)  # type: ignore[attr-defined]  # not that of a subclass, which may do anything
            return f"{length:,} {one if length == 1 else many}"
    if issubclass(its, frame := imported_class("pandas", "DataFrame")):
        rows, columns = frame.shape.__get__(value)
        return f"{rows:,} rows × {columns:,} columns"
    if issubclass(its, series := imported_class("pandas", "Series")):
        return f"{series.shape.__get__(value)[0]:,} values"
    for array in (imported_class("numpy", "ndarray"), imported_class("torch", "Tensor")):
        if issubclass(its, array):
            return f"shape {tuple(array.shape.__get__(value))}"
    if issubclass(its, image := imported_class("PIL.Image", "Image")):
        width, height = image.size.__get__(value)
        return f"{width} × {height} pixels"
    return ""


def _name_of(kind: type) -> str:
    """The name of a class, for which no code of its metaclass runs."""
    return str(type.__dict__["__name__"].__get__(kind))
