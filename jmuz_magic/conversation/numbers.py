"""The numbers of a request as people type them, alike in a cell and in the chat panel."""

from __future__ import annotations

import math

__all__ = ["read_temperature", "read_token_count"]


def read_temperature(text: str) -> float:
    """A number that JSON can hold; which are too high, each endpoint knows itself.

    Raises:
        ValueError: it is none; the message says what was expected.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"expected a number such as 0.7, got {text!r}")
    return number


def read_token_count(text: str) -> int:
    """A whole number from 1 on.

    Raises:
        ValueError: it is none; the message says what was expected.
    """
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ValueError(f"expected a whole number from 1 on, such as 500, got {text!r}")
    return number
