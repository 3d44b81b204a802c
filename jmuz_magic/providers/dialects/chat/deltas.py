"""What a delta or message of any shape contains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jmuz_magic.providers.dialects.chat.parts import parts_of

__all__ = ["KINDS", "is_thought", "kinds_in", "listed", "plain_text", "thought_in"]

# Members of a delta that contain something of the reply, by what that is.
KINDS: Mapping[str, str] = {
    "content": "text",
    "reasoning_content": "thought",
    "reasoning": "thought",
    "reasoning_text": "thought",
    "reasoning_details": "thought",
    "refusal": "refusal",
    "images": "images",
    "audio": "audio",
    "annotations": "sources",
    "citations": "sources",
    "tool_calls": "calls",
    "function_call": "calls",
}
_THOUGHTS = ("reasoning_content", "reasoning", "reasoning_text")  # if several come at once, the first is read


def kinds_in(delta: Any) -> set[str]:
    """The kinds of things that a delta or message contains."""
    if not isinstance(delta, dict):
        return set()
    return {kind for name, kind in KINDS.items() if _holds(name, delta.get(name))}


def _holds(name: str, value: Any) -> bool:
    if name == "content" and isinstance(value, list | dict):  # the parts may all be empty
        return any(True for _ in parts_of(value))
    return bool(value) or (value == 0 and value is not False)


def thought_in(delta: dict[str, Any]) -> str:
    """What the model thought, from a member for it: text, or with Envoy's gateway an object with text."""
    values = (delta.get(name) for name in _THOUGHTS)
    texts = (plain_text(value.get("text") if isinstance(value, dict) else value) for value in values)
    return next(filter(None, texts), "")


def is_thought(delta: dict[str, Any]) -> bool:
    """Whether Gemini marks the content as a thought."""
    extra = delta.get("extra_content")
    google = extra.get("google") if isinstance(extra, dict) else None
    return isinstance(google, dict) and google.get("thought") is True


def listed(value: Any) -> list[Any]:
    """`value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def plain_text(value: Any) -> str:
    """`value` if it is text, else ""."""
    return value if isinstance(value, str) else ""
