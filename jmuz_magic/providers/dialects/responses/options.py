"""Options of chat completions in the words of Responses.

From developers.openai.com/api/reference/resources/responses, and its guide for migrating to it (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from jmuz_magic.providers.http.members import Members

__all__ = ["OPTIONS", "translated"]

_SAME = (
    *("access_programs", "context_management", "conversation", "image", "include", "instructions"),
    *("max_output_tokens", "max_tool_calls", "metadata", "moderation", "parallel_tool_calls", "previous_response_id"),
    *("prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning"),
    *("safety_identifier", "service_tier", "store", "temperature", "text", "tool_choice", "tools", "top_logprobs"),
    *("top_p", "truncation", "user"),
    *("input", "model", "stream"),  # which `extra_body` may replace
)
_ELSEWHERE = {
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "reasoning.summary": "reasoning.summary",  # asked for unasked; so a service may refuse it alone
    "reasoning_effort": "reasoning.effort",
    "response_format": "text.format",
    "stream_options": "stream_options",
    "verbosity": "text.verbosity",
}

OPTIONS: Members = MappingProxyType({name: (name,) for name in _SAME} | {n: (at,) for n, at in _ELSEWHERE.items()})
"""See `Dialect.options`."""


def translated(options: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a body for these options, of which none is None; unknown ones stay as they are."""
    members = {name: value for name, value in options.items() if name not in _ELSEWHERE}
    for name in ("max_completion_tokens", "max_tokens"):
        if name in options:
            members.setdefault("max_output_tokens", options[name])
    if "reasoning_effort" in options:
        members["reasoning"] = _reasoning(options["reasoning_effort"]) | _dict(members.get("reasoning"))
    text = {"verbosity": options["verbosity"]} if "verbosity" in options else {}
    if "response_format" in options:
        text["format"] = _flat(options["response_format"])
    if text:
        members["text"] = text | _dict(members.get("text"))
    if "tools" in options:
        members["tools"] = _tools(options["tools"])
    if "tool_choice" in options:
        members["tool_choice"] = _choice(options["tool_choice"])
    # Counts come unasked here, and this member of chat's is refused.
    further = {name: value for name, value in _dict(options.get("stream_options")).items() if name != "include_usage"}
    return members | ({"stream_options": further} if further else {})


def _reasoning(effort: Any) -> dict[str, Any]:
    """The effort, with a summary of the thoughts asked for where somebody wants them.

    Only then: OpenAI refuses it to organisations that are not verified (home-assistant/core#160212, 2026-01).
    """
    return {"effort": effort} | ({} if effort == "none" else {"summary": "auto"})


def _tools(tools: Any) -> Any:
    return [_tool(tool) for tool in tools] if isinstance(tools, list | tuple) else tools


def _tool(tool: Any) -> Any:
    """A tool; a function is strict here unless it says otherwise, in chat completions only if it says so."""
    flat = _flat(tool)
    return {"strict": False} | flat if isinstance(flat, dict) and flat.get("type") == "function" else flat


def _choice(choice: Any) -> Any:
    flat = _flat(choice)
    return flat | {"tools": [_flat(tool) for tool in flat["tools"]]} if _names_tools(flat) else flat


def _names_tools(choice: Any) -> bool:
    return isinstance(choice, dict) and isinstance(choice.get("tools"), list)


def _flat(value: Any) -> Any:
    """`{"type": "function", "function": {…}}` without its inner level; anything else as it is."""
    kind = value.get("type") if isinstance(value, Mapping) else None
    inner = value.get(kind) if isinstance(kind, str) else None
    return {"type": value["type"], **inner} if isinstance(inner, Mapping) else value


def _dict(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
