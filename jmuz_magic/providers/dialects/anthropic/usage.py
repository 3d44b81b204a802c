"""Token counts as the Messages API reports them: at the start, and again, cumulative, at the end."""

from __future__ import annotations

from typing import Any

from jmuz_magic.messages import Usage

__all__ = ["Counts"]

MOST = 10**9  # tokens; anything above, or below 0, is not a count


class Counts:
    """Collects them from the payloads of one reply; the last one of each kind counts."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def note(self, usage: Any) -> None:
        """Take the counts of a payload; those that it leaves out keep their value."""
        if not isinstance(usage, dict):
            return
        details = usage.get("output_tokens_details")
        flat = {**usage, **(details if isinstance(details, dict) else {})}
        for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens",
                     "thinking_tokens"):  # fmt: skip
            value = flat.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST:
                self._counts[name] = value

    @property
    def usage(self) -> Usage | None:
        """The counts; None before any.

        `prompt_tokens` is the sum of three: `input_tokens` (what was read afresh), `cache_read_input_tokens` and
        `cache_creation_input_tokens`, none of which contains another. `cached_tokens` is what was read from the cache;
        what was written to it was read afresh, at a higher price.
        (platform.claude.com/docs/en/build-with-claude/prompt-caching, 2026-11-28)
        """
        if not self._counts:
            return None
        count = self._counts.get
        read = [count(name) for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")]
        prompt = sum(filter(None, read)) if read[0] is not None else None
        written = count("output_tokens")
        total = None if prompt is None or written is None else prompt + written
        return Usage(prompt, written, total, read[1], count("thinking_tokens"))
