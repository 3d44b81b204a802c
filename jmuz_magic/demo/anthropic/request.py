"""The body of `POST /v1/messages`, read into the form of chat completions.

What is accepted, and the words for blocks, are those of https://platform.claude.com/docs/en/api/messages (2026-11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jmuz_magic.demo.fields import boolean, integer, member, model_of, object_of
from jmuz_magic.demo.options import Options, check_options
from jmuz_magic.demo.request import ChatRequest
from jmuz_magic.demo.request_error import RequestError
from jmuz_magic.demo.seal import seal

__all__ = ["read"]

OPTIONS = Options(
    ranges={"temperature": (0, 1), "top_p": (0, 1)},
    kinds={
        "cache_control": (dict, "an object"),
        "inference_geo": (str, "text"),
        "metadata": (dict, "an object"),
        "service_tier": (str, "text"),
        "speed": (str, "text"),
        "top_k": (int, "an integer"),
    },
    cannot={
        "container": "run code",
        "context_management": "edit a context",
        "mcp_servers": "call tools",
        "tools": "call tools",
        "tool_choice": "call tools",
    },
    harmless={"mcp_servers": ([],), "tools": ([],), "tool_choice": ({"type": "auto"}, {"type": "none"})},
    others=frozenset(
        {"max_tokens", "messages", "model", "output_config", "stop_sequences", "stream", "system", "thinking"}
    ),
)

LEAST_BUDGET = 1_024

Block = Mapping[str, Any]


def read(body: object) -> ChatRequest:
    """Read a decoded JSON body.

    Raises:
        RequestError: Anthropic's API would not accept it; the message names the parameter.
    """
    given = object_of(body)
    check_options(given, OPTIONS)
    max_tokens = integer(given, "max_tokens")
    if max_tokens is None:
        raise RequestError("field required", param="max_tokens")
    if member(given, "output_config").get("format") is not None:
        message = "this demo endpoint has no language model and cannot follow a format; leave it out"
        raise RequestError(message, param="output_config.format", code="unsupported_parameter")
    return ChatRequest(
        model=model_of(given),
        messages=tuple(_messages(given)),
        stream=boolean(given, "stream"),
        max_tokens=max_tokens,
        stop=_stop_sequences(given),
        thinks=_thinks(member(given, "thinking"), max_tokens),
    )


def _stop_sequences(body: Mapping[str, Any]) -> tuple[str, ...]:
    stops = body.get("stop_sequences") or []
    if not (isinstance(stops, list) and all(isinstance(stop, str) and stop.strip() for stop in stops)):
        raise RequestError("expected a list of texts that are not blank", param="stop_sequences")
    return tuple(stops)


def _thinks(thinking: Mapping[str, Any], max_tokens: int) -> bool:
    match thinking:
        case {"type": "enabled", "budget_tokens": int(budget)} if LEAST_BUDGET <= budget < max_tokens:
            return True
        case {"type": "enabled"}:
            message = f"expected an integer of at least {LEAST_BUDGET} that is less than max_tokens"
            raise RequestError(message, param="thinking.budget_tokens")
        case {"type": "adaptive" | "disabled" as kind}:
            return bool(kind == "adaptive")
        case {"type": kind}:
            raise RequestError(f"expected enabled, adaptive or disabled, got {kind!r}", param="thinking.type")
    return True


def _messages(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if body.get("system"):
        yield {"role": "system", "content": list(_contents(body["system"], "system", "system"))}
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RequestError("at least one message is required", param="messages")
    for index, message in enumerate(messages):
        yield from _messages_of(message, f"messages.{index}")


def _messages_of(message: object, param: str) -> Iterator[Mapping[str, Any]]:
    """The results of tools, each a message of its own, and what else a message contains."""
    match message:
        case {"role": ("assistant" | "user") as role, "content": str() | [_, *_] as content} if content:
            parts = list(_contents(content, role, f"{param}.content"))
        case {"role": "assistant" | "user"}:
            raise RequestError("expected content as text or a list of blocks, not empty", param=f"{param}.content")
        case _:
            raise RequestError("expected an object with a role of user or assistant", param=param)
    yield from (part for part in parts if part.get("role"))
    own = [part for part in parts if not part.get("role")]
    if own or role == "assistant":
        yield {"role": role, "content": own}


def _contents(content: object, role: str, param: str) -> Iterator[dict[str, Any]]:
    """The parts of a chat message, and messages of the role `tool`."""
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(blocks, list):
        raise RequestError("expected text or a list of blocks", param=param)
    for index, block in enumerate(blocks):
        yield from _parts_of(block, role, f"{param}.{index}")


def _parts_of(block: object, role: str, param: str) -> Iterator[dict[str, Any]]:
    match role, block:
        case _, {"type": "text", "text": str(text)}:
            if not text.strip():
                raise RequestError("text content blocks must contain more than white space", param=param)
            yield {"type": "text", "text": text}
        case "user", {"type": "image", "source": {"type": "base64", "media_type": str(kind), "data": str(data)}}:
            yield {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}}
        case "user", {"type": "image", "source": {"type": "url", "url": str(url)}}:
            yield {"type": "image_url", "image_url": {"url": url}}
        case "user", {"type": "tool_result", "tool_use_id": str()}:
            results = block.get("content") or [] if isinstance(block, dict) else []
            yield {"role": "tool", "content": list(_contents(results, "user", f"{param}.content"))}
        case "assistant", {"type": "tool_use", "id": str(), "name": str(), "input": dict()}:
            return
        case "assistant", {"type": "redacted_thinking", "data": str()}:
            return
        case "assistant", {"type": "thinking", "thinking": str(thought), "signature": str(signature)}:
            if signature != seal(thought):
                raise RequestError("invalid signature in thinking block", param=param)
        case _:
            found = block.get("type") if isinstance(block, dict) else None
            raise RequestError(f"did not expect a block of type {found!r} in a {role} message", param=param)
