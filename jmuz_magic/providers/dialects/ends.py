"""Why a reply ended: one word for each reason, whatever the service calls it."""

from __future__ import annotations

from typing import Any

from jmuz_magic.messages import FinishReason
from jmuz_magic.providers.dialects.mending import mend

__all__ = ["read_end"]

# From documentation, source and recorded traffic of services, 2026-11-28; compared ignoring case.
_SPELLINGS = {
    "stop": ("stop", "end_turn", "stop_sequence"),
    "tool_calls": ("tool_calls", "tool_use"),
    "function_call": ("function_call",),
    "length": (
        "length",
        "context_window_exceeded",
        "max_completion_tokens",
        "max_length",
        "max_output_tokens",
        "max_tokens",
        "model_context_window_exceeded",
        "model_length",
        "token_limit",
    ),
    "content_filter": (
        "content_filter",
        "blocklist",
        "content_filtered",
        "guardrail_intervened",
        "image_safety",
        "moderation",
        "prohibited_content",
        "recitation",
        "safety",
        "sensitive",
        "spii",
    ),
    "error": (
        "error",
        "abort",
        "aborted",
        "canceled",
        "cancelled",
        "failed",
        "function_call_filter",
        "insufficient_system_resource",
        "internal_error",
        "malformed_function_call",
        "network_error",
        "server_error",
        "timeout",
    ),
}
_REASONS = {spelling: reason for reason, spellings in _SPELLINGS.items() for spelling in spellings}
_NOT_YET = frozenset({"", "null", "none"})  # KoboldCpp sends the string in every chunk


def read_end(said: Any) -> FinishReason | None:
    """The finish reason that a service gave; None if it has not given one yet.

    Args:
        said: the service's word. Known words are mapped to ours, `error` if the service broke the reply off; unknown
            ones are kept.
    """
    text = mend(said if isinstance(said, str) else str(said or ""))
    # Gemini writes `content_filter: RECITATION`.
    word = text.partition(":")[0].strip().lower().replace("-", "_").removeprefix("finish_reason_")
    if word in _NOT_YET:
        return None
    reason = _REASONS.get(word, text)
    return FinishReason(reason, "" if reason == text else text)
