"""The payloads of events, as JSON.

Most take a typed path of their dialect (msgspec, several times faster than json). The rest take a tolerant walk over
`json.loads`: real services send null where a list belongs, numbers for texts, NaN, broken UTF-8, and surrogate pairs
cut in two.
"""

from __future__ import annotations

import json
import math
from typing import Any

__all__ = ["DONE", "is_done", "loads_lines"]

DONE = b"[DONE]"
DEEPEST = 200  # levels of nesting; what is kept of a reply is walked through again, level by level, when it is written


def is_done(data: bytes) -> bool:
    """Whether the event marks the reply as complete."""
    return data.strip() == DONE


def loads_lines(data: bytes) -> list[Any] | None:
    """The JSON in `data`, whole or line by line, with broken UTF-8 replaced; None if it contains anything else.

    Numbers that JSON does not have are None. More than `DEEPEST` levels count as anything else.
    """
    text = data.decode("utf-8-sig", "replace")
    try:
        return [_loads(text)]
    except (ValueError, RecursionError):
        if "\n" not in text.strip():
            return None
    try:
        return [_loads(line) for line in text.split("\n") if line.strip() and line.strip() != "[DONE]"]
    except (ValueError, RecursionError):
        return None


def _loads(text: str) -> Any:
    value = json.loads(text, strict=False, parse_float=_finite, parse_constant=_nothing)
    if text.count("[") + text.count("{") > DEEPEST and _is_deeper(value):
        raise RecursionError
    return value


def _finite(number: str) -> float | None:
    """The number; None for one too large, which no JSON that we send or write could repeat."""
    value = float(number)
    return value if math.isfinite(value) else None


def _nothing(_: str) -> None:
    """In place of NaN and Infinity."""


def _is_deeper(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True
