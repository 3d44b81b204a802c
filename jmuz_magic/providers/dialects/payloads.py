"""The payloads of events, as JSON.

Most take a typed path of their dialect (msgspec, several times faster than json). The rest take a tolerant walk over
`json.loads`: real services send null where a list belongs, numbers for texts, NaN, broken UTF-8, and surrogate pairs
cut in two.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["DONE", "is_done", "loads_lines"]

DONE = b"[DONE]"


def is_done(data: bytes) -> bool:
    """Whether the event marks the reply as complete."""
    return data.strip() == DONE


def loads_lines(data: bytes) -> list[Any] | None:
    """The JSON in `data`, whole or line by line, with broken UTF-8 replaced; None if it contains anything else."""
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
    return json.loads(text, strict=False)
