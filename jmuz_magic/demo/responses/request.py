"""The body of `POST /v1/responses`, read into the form of chat completions.

What is accepted, and the words for items and parts, are those of
https://platform.openai.com/docs/api-reference/responses/create (2026-11). This endpoint stores nothing.
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
    ranges={"temperature": (0, 2), "top_p": (0, 1)},
    kinds={
        "include": (list, "a list"),
        "instructions": (str, "text"),
        "max_tool_calls": (int, "an integer"),
        "metadata": (dict, "an object"),
        "parallel_tool_calls": (bool, "a boolean"),
        "prompt_cache_key": (str, "text"),
        "prompt_cache_retention": (str, "text"),
        "safety_identifier": (str, "text"),
        "service_tier": (str, "text"),
        "store": (bool, "a boolean"),
        "truncation": (str, "text"),
        "user": (str, "text"),
    },
    cannot={
        "tools": "call tools",
        "tool_choice": "call tools",
        "top_logprobs": "report probabilities",
        "background": "answer later",
        "conversation": "remember a conversation",
        "previous_response_id": "remember a response",
        "prompt": "remember a prompt",
    },
    harmless={"tools": ([],), "tool_choice": ("auto", "none"), "top_logprobs": (0,), "background": (False,)},
    others=frozenset({"input", "max_output_tokens", "model", "reasoning", "stream", "stream_options", "text"}),
)


def read(body: object) -> ChatRequest:
    """Read a decoded JSON body.

    Raises:
        RequestError: OpenAI's API would not accept it; the message names the parameter.
    """
    given = object_of(body)
    check_options(given, OPTIONS)
    form = member(member(given, "text"), "format").get("type", "text")
    if form != "text":
        message = "this demo endpoint has no language model and cannot follow a format; leave text.format out"
        raise RequestError(message, param="text.format", code="unsupported_parameter")
    member(given, "stream_options")
    return ChatRequest(
        model=model_of(given),
        messages=tuple(_messages(given)),
        stream=boolean(given, "stream"),
        max_tokens=integer(given, "max_output_tokens"),
        thinks=member(given, "reasoning").get("effort") != "none",
    )


def _messages(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if instructions := body.get("instructions"):
        yield {"role": "system", "content": instructions}
    items = body.get("input")
    if isinstance(items, str):
        items = [{"role": "user", "content": items}]
    if not isinstance(items, list) or not items:
        raise RequestError("expected text or a list of at least one item", param="input")
    for index, item in enumerate(items):
        yield from _messages_of(item, f"input[{index}]")


def _messages_of(item: object, param: str) -> Iterator[Mapping[str, Any]]:
    if not isinstance(item, dict):
        raise RequestError(f"expected an object, got {type(item).__name__}", param=param)
    match item:
        case {"role": ("assistant" | "developer" | "system" | "user") as role} if (
            item.get("type", "message") == "message"
        ):
            yield {"role": role, "content": _content(item.get("content"), role, f"{param}.content")}
        case {"type": "function_call", "call_id": str(), "name": str(), "arguments": str()}:
            yield {"role": "assistant", "content": None}
        case {"type": "function_call_output", "call_id": str(), "output": str(output)}:
            yield {"role": "tool", "content": output}
        case {"type": "reasoning", "id": str(identity), "summary": list(summary)}:
            _check_reasoning(identity, summary, item.get("encrypted_content"), param)
        case _:
            message = f"expected an item that is a message, a call, its output or reasoning, got {item.get('type')!r}"
            raise RequestError(message, param=param)


def _check_reasoning(identity: str, summary: list[Any], encrypted: object, param: str) -> None:
    """Refuse reasoning that is not what was sent."""
    if encrypted is None:
        message = f"item {identity!r} was not found: nothing is stored here, so send its encrypted_content along"
        raise RequestError(message, status=404, param=param)
    texts = [str(part.get("text")) for part in summary if isinstance(part, dict)]
    if encrypted != seal("".join(texts)):
        message = f"the encrypted content of item {identity!r} could not be verified"
        raise RequestError(message, param=param, code="invalid_encrypted_content")


def _content(content: object, role: str, param: str) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise RequestError("expected content as text or a list of parts", param=param)
    return [_part(part, role, f"{param}[{index}]") for index, part in enumerate(content)]


def _part(part: object, role: str, param: str) -> dict[str, Any]:
    text_type = "output_text" if role == "assistant" else "input_text"
    match part:
        case {"type": str(kind), "text": str(text)} if kind == text_type:
            return {"type": "text", "text": text}
        case {"type": "refusal", "refusal": str(text)} if role == "assistant":
            return {"type": "text", "text": text}
        case {"type": "input_image", "image_url": str(url)} if role == "user":
            return {"type": "image_url", "image_url": {"url": url}}
    found = part.get("type") if isinstance(part, dict) else None
    other = "refusal" if role == "assistant" else "input_image"
    raise RequestError(f"expected a part of type {text_type} or {other}, got {found!r}", param=param)
