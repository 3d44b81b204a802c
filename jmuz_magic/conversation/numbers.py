"""The numbers of a request as users type them, the same in a cell and in the chat panel."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["read_temperature", "read_token_count"]


def read_temperature(text: str) -> float:
    """A number that JSON can represent; each endpoint knows which are too high.

    Raises:
        ValueError: it is not one; the message says what was expected.
    """
    return _read(text, float, math.isfinite, "a number such as 0.7")


def read_token_count(text: str) -> int:
    """A whole number of at least 1.

    Raises:
        ValueError: it is not one; the message says what was expected.
    """
    return int(_read(text, int, lambda number: number >= 1, "a whole number of at least 1, such as 500"))


def _read(text: str, kind: type[float], is_right: Callable[[float], bool], expected: str) -> float:
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not is_right(number):
        raise ValueError(f"expected {expected}, got {text!r}")
    return number
