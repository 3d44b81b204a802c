"""The options of a request in the Messages dialect: what is sent as it is, what is translated, what only chat knows.

From the API reference of Messages and the types of its SDK 2.14 (platform.claude.com/docs/en/api/messages, 2026-11-28).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

__all__ = ["OPTIONS", "members", "only_chat"]

Members: TypeAlias = dict[str, Any]
"""Members of the body."""

_AS_THEY_ARE = (
    "cache_control",
    "container",
    "context_management",
    "inference_geo",
    "mcp_servers",
    "metadata",
    "output_config",
    "service_tier",
    "speed",
    "stop_sequences",
    "temperature",  # newer models refuse this and the next two, and all do since API version 2026-10-21
    "top_k",
    "top_p",
    "thinking",
)
OPTIONS: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in _AS_THEY_ARE},
    "max_completion_tokens": ("max_tokens",),
    "max_tokens": ("max_tokens",),
    "parallel_tool_calls": ("tool_choice.disable_parallel_tool_use",),
    "reasoning_effort": ("output_config.effort", "thinking"),
    "response_format": ("output_config.format",),
    "stream_options": (),  # counts always come
    "tool_choice": ("tool_choice",),
    "tools": ("tools",),
}
"""The options that the dialect can send, each with the members of the body that it becomes."""

_CHOICES: Mapping[str, Members] = {
    "auto": {"type": "auto"},
    "none": {"type": "none"},
    "required": {"type": "any"},
}
_NATIVE_CHOICES = frozenset({"any", "auto", "none", "tool"})


def only_chat(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of given options that the dialect cannot express: unknown ones, and values that it has no form for."""
    return tuple(name for name, value in options.items() if value is not None and not _is_known(name, value))


def members(options: Mapping[str, Any]) -> Members:
    """The members of the body that these options become; what only chat knows is left out."""
    body: Members = {}
    for name, translate in _TRANSLATED.items():
        if (value := options.get(name)) is not None:
            _merge(body, translate(value) or {})
    for name in _AS_THEY_ARE:
        if (value := options.get(name)) is not None:
            _merge(body, {name: value})
    return _with_whole_choice(body)


def _is_known(name: str, value: Any) -> bool:
    if name in _TRANSLATED:
        return _TRANSLATED[name](value) is not None
    return name in OPTIONS


def _merge(body: Members, further: Members) -> None:
    """Add members; those of an object are added to it, except that another `type` makes it another object."""
    for name, value in further.items():
        body[name] = {**body[name], **value} if _is_one_object(body.get(name), value) else value


def _is_one_object(known: Any, further: Any) -> bool:
    both = isinstance(known, dict) and isinstance(further, dict)
    return both and known.get("type", further.get("type")) == further.get("type", known.get("type"))


def _with_whole_choice(body: Members) -> Members:
    """The body without a choice that has no tools to choose from, and with a type for one that only limits calls."""
    choice: Members = body.get("tool_choice") or {}
    if not choice or not body.get("tools"):
        return {name: value for name, value in body.items() if name != "tool_choice"}
    if choice.get("type") == "none":
        return body | {"tool_choice": {"type": "none"}}  # it takes nothing beside
    return body | {"tool_choice": {"type": "auto", **choice}}


def _effort(value: Any) -> Members | None:
    """How much to think.

    Without `display`, models since Opus 4.7 return empty thoughts; models before it do not think unless asked to.
    (platform.claude.com/docs/en/build-with-claude/effort and …/thinking, 2026-11-28)
    """
    if value == "none":
        return {"thinking": {"type": "disabled"}}
    if not isinstance(value, str):
        return None
    effort = "low" if value == "minimal" else value
    return {"output_config": {"effort": effort}, "thinking": {"type": "adaptive", "display": "summarized"}}


def _format(value: Any) -> Members | None:
    """The form of the reply: a schema or free text; Messages has no JSON without a schema."""
    kind = value.get("type") if isinstance(value, Mapping) else None
    if kind == "text":
        return {}
    described = value.get("json_schema") if kind == "json_schema" else None
    schema = described.get("schema") if isinstance(described, Mapping) else None
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}} if schema else None


def _tools(value: Any) -> Members | None:
    if not isinstance(value, (list, tuple)):
        return None
    tools = [_tool(tool) for tool in value]
    return {"tools": tools} if all(tools) else None


def _tool(tool: Any) -> Members | None:
    """A function in the words of Messages; a tool in its own words, such as one that the service runs, as it is."""
    if not isinstance(tool, Mapping):
        return None
    function = tool.get("function")
    if not isinstance(function, Mapping):
        return dict(tool) if "name" in tool and tool.get("type") != "function" else None
    said = {name: function[name] for name in ("description", "strict") if function.get(name) is not None}
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    return {"name": function.get("name", ""), **said, "input_schema": schema}


def _choice(value: Any) -> Members | None:
    if isinstance(value, str):
        choice = _CHOICES.get(value)
        return {"tool_choice": choice} if choice else None
    if not isinstance(value, Mapping):
        return None
    function = value.get("function")
    if value.get("type") == "function" and isinstance(function, Mapping):
        return {"tool_choice": {"type": "tool", "name": function.get("name", "")}}
    return {"tool_choice": dict(value)} if str(value.get("type")) in _NATIVE_CHOICES else None


def _parallel(value: Any) -> Members | None:
    return {} if value else {"tool_choice": {"disable_parallel_tool_use": True}}


_TRANSLATED: Mapping[str, Callable[[Any], Members | None]] = {
    "parallel_tool_calls": _parallel,
    "reasoning_effort": _effort,
    "response_format": _format,
    "tool_choice": _choice,
    "tools": _tools,
}
"""How an option becomes members of the body; None for a value that Messages has no form for."""
