"""The events of a stream, by what they bring of a reply, and the typed path for the most frequent ones."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from jmuz_magic.providers.dialects.responses.items import MESSAGE, THOUGHT

__all__ = ["DELTAS", "ENDS", "PARTS", "TEXT", "WHOLES", "Part", "decode"]

TEXT = "response.output_text.delta"

# Events that bring a part: the type of its item, the kind of part, the member with its index, the member with its text.
Part: TypeAlias = tuple[str, str, str, str]
DELTAS: dict[str, Part] = {
    TEXT: (MESSAGE, "text", "content_index", "delta"),
    "response.refusal.delta": (MESSAGE, "refusal", "content_index", "delta"),
    "response.reasoning_summary_text.delta": (THOUGHT, "summary", "summary_index", "delta"),
    "response.reasoning_text.delta": (THOUGHT, "thought", "content_index", "delta"),
}
WHOLES: dict[str, Part] = {
    "response.output_text.done": (MESSAGE, "text", "content_index", "text"),
    "response.refusal.done": (MESSAGE, "refusal", "content_index", "refusal"),
    "response.reasoning_summary_text.done": (THOUGHT, "summary", "summary_index", "text"),
    "response.reasoning_text.done": (THOUGHT, "thought", "content_index", "text"),
}
PARTS = {  # in whole items: the kind, and the member with the text
    "output_text": ("text", "text"),
    "text": ("text", "text"),
    "refusal": ("refusal", "refusal"),
    "summary_text": ("summary", "text"),
    "reasoning_text": ("thought", "text"),
}
ENDS = frozenset(f"response.{status}" for status in ("cancelled", "completed", "failed", "incomplete"))


class _Delta(msgspec.Struct, gc=False):
    type: Literal[
        "response.output_text.delta", "response.reasoning_summary_text.delta", "response.reasoning_text.delta"
    ]
    delta: str
    output_index: int = 0
    content_index: int = 0
    summary_index: int = 0


decode = msgspec.json.Decoder(_Delta).decode
"""The typed path: for deltas of text and of thoughts; raises for all others."""
