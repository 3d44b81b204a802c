"""Decodes the payloads of events: the typed path, and the choices in what does not fit it."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

__all__ = ["decode", "list_of_choices"]

# On the typed path these must be empty or missing; any payload that does not fit takes the walk.
_Nothing: TypeAlias = Literal["", None]
_NoList: TypeAlias = tuple[()] | _Nothing


class _Delta(msgspec.Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_text: _Nothing = None
    reasoning_details: _NoList = None
    refusal: _Nothing = None
    tool_calls: _NoList = None
    function_call: None = None
    images: _NoList = None
    audio: None = None
    annotations: _NoList = None
    citations: _NoList = None
    extra_content: None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta
    index: Literal[0] = 0
    finish_reason: _Nothing = None
    message: None = None
    error: None = None


class _Payload(msgspec.Struct, gc=False):
    choices: tuple[_Choice]  # exactly one; anything else takes the walk
    usage: Any = None
    error: None = None
    citations: _NoList = None
    search_results: _NoList = None


decode = msgspec.json.Decoder(_Payload).decode
"""The typed path: for payloads with one choice 0 that has nothing but text and reasoning; raises for all others."""


def list_of_choices(value: Any) -> list[dict[str, Any]]:
    """The choices in a payload's `choices`: a list, a single one, or an object of them."""
    if isinstance(value, dict):
        value = [value] if {"delta", "message", "text"} & value.keys() else list(value.values())
    return [choice for choice in value if isinstance(choice, dict)] if isinstance(value, list) else []
