"""What comes in place of a reply: errors of many shapes, progress messages, and other dialects."""

from __future__ import annotations

import json
from typing import Any

from jmuz_magic.providers.http.error_text import error_message, load_json

__all__ = ["dialect_of", "error_in", "passing_message", "said_in_lines"]

_MESSAGES_TYPES = frozenset(
    {
        "message_start",
        "message_delta",
        "message_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
    }
)
_COHERE_TYPES = frozenset({"message-start", "content-start", "content-delta", "content-end", "message-end"})
_ERROR_WORDS = frozenset({"error", "fail", "failed", "failure"})
_MARKS = ("type", "object", "event", "status", "progress")  # members that name the kind of a payload
_WELL = frozenset({"ok", "success", "succeeded"})
_HARMLESS = frozenset({"", "0", "none", "null", "ok", "success", "true", "false"})


def dialect_of(payload: dict[str, Any], name: str = "") -> str:
    """The wire protocol that a payload belongs to; "" if unknown.

    Args:
        payload: an event's payload, or a whole body.
        name: the event's name.
    """
    kind = payload.get("type")
    kinds = {kind if isinstance(kind, str) else "", name}
    if any(kind.startswith("response.") for kind in kinds) or payload.get("object") == "response":
        return "Responses"
    if kinds & _MESSAGES_TYPES or (kind == "message" and isinstance(payload.get("content"), list)):
        return "Messages"
    if isinstance(payload.get("choices"), list):
        return "chat/completions"
    if isinstance(payload.get("candidates"), list):
        return "generateContent (Gemini)"
    if kinds & _COHERE_TYPES:
        return "Cohere"
    ours = isinstance(payload.get("message"), dict) or isinstance(payload.get("response"), str)
    return "native Ollama" if ours and isinstance(payload.get("done"), bool) else ""


def error_in(payload: dict[str, Any], with_choices: bool) -> str:
    """The error message in a payload; "" if it contains none."""
    if error := payload.get("error"):
        return error_message(error) or json.dumps(error)
    base = payload.get("base_resp")  # MiniMax sends one with every reply
    if isinstance(base, dict) and _is_bad_code(base.get("status_code")):
        return str(base.get("status_msg") or json.dumps(base))
    if with_choices:
        return ""
    if _calls_itself_error(payload):
        return error_message(payload)
    plain = payload.keys().isdisjoint(_MARKS)
    return error_message(payload) if plain and (payload.get("detail") or payload.get("errors")) else ""


def _calls_itself_error(payload: dict[str, Any]) -> bool:
    words = (str(payload.get(name)).lower() for name in ("object", "type", "status", "event"))
    codes = (payload.get(name) for name in ("code", "status", "status_code", "error_code"))
    named = any(word in _ERROR_WORDS or word.endswith("error") for word in words)
    # SiliconFlow reports success as `"code": 20000, "message": "OK"` (its documentation, 2026-11-28).
    bad = any(map(_is_bad_code, codes)) and not _is_well(_said(payload))
    return named or payload.get("success") is False or bad


def _is_bad_code(code: Any) -> bool:
    """Whether a code means failure; as in HTTP, 100 to 399 mean progress, and other words are states."""
    text = str(code).lower()
    if text in _HARMLESS or not text.lstrip("-").isdigit():
        return False
    return not 100 <= int(text[:9]) < 400


def passing_message(payload: dict[str, Any]) -> str:
    """A payload's message: a stage that was reached, or the error if nothing follows."""
    said = _said(payload)
    return "" if _is_well(said) else said


def _said(payload: dict[str, Any]) -> str:
    said = (payload.get(name) for name in ("message", "msg", "detail"))
    return next((text for text in said if isinstance(text, str)), "")


def _is_well(said: str) -> bool:
    return said.strip(".! ").lower() in _WELL


def said_in_lines(lines: bytes) -> str:
    """The error in lines that are not events: llama.cpp writes `error: {…}`; "" without one."""
    for line in lines.splitlines():
        name, _, value = line.partition(b":")
        if name.strip() == b"error":
            text = value.decode("utf-8", "replace").strip()
            return error_message(load_json(text)) or text
    return ""
