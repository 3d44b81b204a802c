"""The parts of a content: what a service may send in place of plain text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

__all__ = ["Part", "parts_of"]

Kind: TypeAlias = Literal["text", "thinking", "refusal", "image", "audio", "encrypted", "other"]
Part: TypeAlias = tuple[Kind, Any]
"""Its kind, and its text; for the last four kinds the part as received."""


def parts_of(content: Any) -> Iterator[Part]:
    """The parts of a content of any shape; none if it contains nothing."""
    if isinstance(content, str):
        if content:
            yield "text", content
    elif isinstance(content, (int, float)) and not isinstance(content, bool):
        if math.isfinite(content):
            yield "text", str(content)
    elif isinstance(content, dict):
        yield from _part(content)
    elif isinstance(content, list):
        for part in content:
            yield from parts_of(part)


def _part(part: dict[str, Any]) -> Iterator[Part]:
    kind = str(part.get("type") or "")
    if kind in ("thinking", "reasoning"):
        yield from _thinking(part)
    elif kind == "refusal":
        yield from (("refusal", text) for text in texts_of(part.get("refusal")))
    elif "image" in kind:
        if len(part) > 1:
            yield "image", part
    elif "audio" in kind:
        yield "audio", part.get("audio") if isinstance(part.get("audio"), dict) else part
    elif kind == "redacted_thinking":
        yield "encrypted", part
    else:
        # Some services put the text one level deeper, as `value`.
        found = list(parts_of(part.get("text") or part.get("value")))
        yield from found or ([("other", part)] if kind and kind not in ("text", "output_text") else [])


def _thinking(part: dict[str, Any]) -> Iterator[Part]:
    # Databricks sends a list of summaries, others the text or a list of texts.
    places = (part.get(name) for name in ("thinking", "reasoning", "text", "summary", "content"))
    text = "".join(texts_of(next(filter(None, places), None)))
    if text:
        yield "thinking", text
    elif "data" in part or "encrypted_content" in part:
        yield "encrypted", part


def texts_of(content: Any) -> Iterator[str]:
    """All texts in a content, whatever kind of part contains them."""
    if isinstance(content, dict) and isinstance(text := content.get("text"), str):
        yield text  # a part of any type, such as `summary_text`
    else:
        yield from (text for kind, text in parts_of(content) if kind in ("text", "thinking"))
