"""Options that cannot change a prepared reply: checked all the same, and refused if they ask for another reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jmuz_magic.demo.request_error import RequestError

__all__ = ["check_options"]

RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}
"""From OpenAI's API reference: https://platform.openai.com/docs/api-reference/chat/create (2026-11)."""

KINDS: Mapping[str, tuple[type, str]] = {
    "logit_bias": (dict, "an object"),
    "metadata": (dict, "an object"),
    "parallel_tool_calls": (bool, "a boolean"),
    "reasoning_effort": (str, "text"),
    "seed": (int, "an integer"),
    "service_tier": (str, "text"),
    "store": (bool, "a boolean"),
    "user": (str, "text"),
}

CANNOT = {
    "tools": "call tools",
    "tool_choice": "call tools",
    "functions": "call functions",
    "function_call": "call functions",
    "response_format": "follow a format",
    "logprobs": "report probabilities",
    "top_logprobs": "report probabilities",
    "audio": "speak",
    "modalities": "answer in anything but text",
    "web_search_options": "search the web",
}
HARMLESS: Mapping[str, tuple[Any, ...]] = {
    "tools": ([],),
    "functions": ([],),
    "tool_choice": ("none",),
    "function_call": ("none",),
    "response_format": ({"type": "text"},),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "modalities": (["text"],),
}
"""Values that ask for nothing more than what is sent anyway."""


def check_options(body: Mapping[str, Any]) -> None:
    """Refuse values of the wrong type or out of range, and options that ask for more than the prepared reply.

    Raises:
        RequestError: a 400 that names the first of them.
    """
    for name, value in body.items():
        if value is None:
            continue
        if name in CANNOT and value not in HARMLESS.get(name, ()):
            message = f"this demo endpoint has no language model and cannot {CANNOT[name]}; leave {name} out"
            raise RequestError(message, param=name, code="unsupported_parameter")
        if name in RANGES:
            _check_number(name, value, *RANGES[name])
        elif name in KINDS:
            _check_kind(name, value, *KINDS[name])


def _check_number(name: str, value: object, low: float, high: float) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not low <= value <= high:
        raise RequestError(f"expected a number from {low} to {high}, got {value!r}", param=name)


def _check_kind(name: str, value: object, kind: type, expected: str) -> None:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise RequestError(f"expected {expected}, got {value!r}", param=name)
