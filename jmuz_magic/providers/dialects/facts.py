"""What a service reports about its reply: who answered, and the token counts."""

from __future__ import annotations

import math
from typing import Any

from jmuz_magic.messages import Answered, Chunk, Usage
from jmuz_magic.providers.dialects.mending import mend

__all__ = ["Facts", "read_usage"]

MOST = 10**9  # tokens; anything above, or below 0, is not a count
LONGEST_NAME = 200  # characters of an id

Path = tuple[str, ...]

# Where services put their counts (documentation and source, 2026-11-28); the first place with one is used.
_PROMPT: tuple[Path, ...] = (("prompt_tokens",), ("input_tokens",))
_COMPLETION: tuple[Path, ...] = (("completion_tokens",), ("output_tokens",))
_CACHED: tuple[Path, ...] = (
    ("prompt_tokens_details", "cached_tokens"),
    ("input_tokens_details", "cached_tokens"),
    ("prompt_cache_hit_tokens",),  # DeepSeek
    ("cached_tokens",),  # Moonshot
)
_REASONING: tuple[Path, ...] = (
    ("completion_tokens_details", "reasoning_tokens"),
    ("output_tokens_details", "reasoning_tokens"),
    ("reasoning_tokens",),
)
_COUNTS = (_PROMPT, _COMPLETION, (("total_tokens",),), _CACHED, _REASONING)
_COST: tuple[Path, ...] = (("cost",), ("cost", "total_cost"))  # OpenRouter; Perplexity


class Facts:
    """Collects them from the payloads of one reply; the last ones count.

    Attributes:
        usage: the last counts, parsed or as received; None before any.
    """

    def __init__(self) -> None:
        self.usage: Any = None
        self._names: dict[str, str] = {}

    def note(self, payload: dict[str, Any]) -> None:
        """Take what a payload reports."""
        for name in ("model", "system_fingerprint", "provider"):
            if isinstance(value := payload.get(name), str) and value:
                self._names[name] = mend(value)[:LONGEST_NAME]
        groq = payload.get("x_groq")
        for usage in (payload.get("usage"), groq.get("usage") if isinstance(groq, dict) else None):
            self.count(usage)

    def count(self, usage: Any) -> None:
        """Take counts, wherever they came from."""
        self.usage = read_usage(usage) or self.usage

    def chunks(self) -> list[Chunk]:
        """Who answered, and the counts."""
        chunks: list[Chunk] = []
        if self._names:
            names = (self._names.get(name, "") for name in ("model", "system_fingerprint", "provider"))
            chunks.append(Answered(*names))
        usage = self.usage if isinstance(self.usage, Usage) else read_usage(self.usage)
        return [*chunks, usage] if usage else chunks


def read_usage(value: Any) -> Usage | None:
    """Token counts of any shape; None if there are none."""
    if not isinstance(value, dict):
        return None
    prompt, completion, total, cached, reasoning = counts = [_count(value, paths) for paths in _COUNTS]
    cost = _number(value, _COST)
    if cost is None and not any(count is not None for count in counts):
        return None
    return Usage(prompt, completion, total, cached, reasoning, cost)


def _count(usage: dict[str, Any], paths: tuple[Path, ...]) -> int | None:
    number = _number(usage, paths)
    return int(number) if number is not None else None


def _number(usage: dict[str, Any], paths: tuple[Path, ...]) -> float | None:
    """The first plausible number at one of these paths."""
    for path in paths:
        value: Any = usage
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if number and 0 <= value <= MOST:
            return float(value) if isinstance(value, float) else value
    return None
