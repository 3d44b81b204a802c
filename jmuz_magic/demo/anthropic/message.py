"""A reply in the JSON of Anthropic's Messages dialect: whole, or as a stream of events.

After https://platform.claude.com/docs/en/build-with-claude/streaming (2026-11), and recorded streams.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jmuz_magic.demo.anthropic import listing, request
from jmuz_magic.demo.dialect import Dialect
from jmuz_magic.demo.reply import Kind, Reply
from jmuz_magic.demo.request import ChatRequest
from jmuz_magic.demo.request_error import RequestError
from jmuz_magic.demo.seal import seal

__all__ = ["AnthropicMessage"]

ERRORS: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
}
OVERLOADED = 529


class AnthropicMessage(Dialect):
    """Messages, as the demo speaks it."""

    key_hint = "send it as x-api-key"

    @classmethod
    def key_of(cls, headers: Mapping[str, str]) -> str:
        return headers.get("x-api-key") or super().key_of(headers)  # its own client sends a bearer token since 2.0

    @classmethod
    def read(cls, body: object, headers: Mapping[str, str]) -> ChatRequest:
        if not headers.get("anthropic-version"):
            raise RequestError("header is required", param="anthropic-version")
        return request.read(body)

    @classmethod
    def refusal(cls, error: RequestError) -> tuple[int, dict[str, Any]]:
        said = f"{error.param}: {error}" if error.param else str(error)
        if error.status >= 500:
            return OVERLOADED, _failure("overloaded_error", said)
        return error.status, _failure(ERRORS.get(error.status, "invalid_request_error"), said)

    @classmethod
    def listed(cls, models: Sequence[str], query: Mapping[str, str]) -> dict[str, Any]:
        return listing.page(models, query)

    @classmethod
    def model(cls, model: str) -> dict[str, Any]:
        return listing.model_object(model)

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        (self._choice,) = reply.choices

    def as_json(self) -> dict[str, Any]:
        content = [self._block(kind, self._choice.joined(kind)) for kind in self._kinds]
        return {**self._message(content), **self._stop(), "usage": self._usage(self._reply.completion_tokens)}

    def events(self) -> Iterator[dict[str, Any]]:
        started = {**self._message([]), "stop_reason": None, "stop_sequence": None, "usage": self._usage(0)}
        yield {"type": "message_start", "message": started}
        yield {"type": "ping"}
        for index, kind in enumerate(self._kinds):
            yield from self._block_events(index, kind)
        if self._reply.error:
            yield _failure("overloaded_error", self._reply.error)
            return
        yield {"type": "message_delta", "delta": self._stop(), "usage": self._usage(self._reply.completion_tokens)}
        yield {"type": "message_stop"}

    @property
    def _kinds(self) -> list[Kind]:
        """One block each."""
        kinds: tuple[Kind, ...] = ("reasoning", "text", "refusal")
        return [kind for kind in kinds if self._choice.tokens(kind)]

    def _block_events(self, index: int, kind: Kind) -> Iterator[dict[str, Any]]:
        field = "thinking" if kind == "reasoning" else "text"
        yield {"type": "content_block_start", "index": index, "content_block": self._block(kind, "", begun=True)}
        for each, text in self._choice.deltas:
            if each == kind:
                yield _delta(index, f"{field}_delta", field, text)
        if self._reply.error:
            return
        if kind == "reasoning":
            yield _delta(index, "signature_delta", "signature", seal(self._choice.joined(kind)))
        yield {"type": "content_block_stop", "index": index}

    def _block(self, kind: Kind, text: str, begun: bool = False) -> dict[str, Any]:
        if kind == "reasoning":
            return {"type": "thinking", "thinking": text, "signature": "" if begun else seal(text)}
        return {"type": "text", "text": text}

    def _message(self, content: list[dict[str, Any]]) -> dict[str, Any]:
        head = {"id": f"msg-{self._reply.id}", "type": "message", "role": "assistant", "model": self._reply.model}
        return {**head, "content": content}

    def _stop(self) -> dict[str, Any]:
        choice = self._choice
        if choice.is_cut:
            return {"stop_reason": "max_tokens", "stop_sequence": None}
        if choice.tokens("refusal"):
            return {"stop_reason": "refusal", "stop_sequence": None}
        reason = "stop_sequence" if choice.stopped_at else "end_turn"
        return {"stop_reason": reason, "stop_sequence": choice.stopped_at or None}

    def _usage(self, written: int) -> dict[str, Any]:
        """Tokens; here what is read from the cache does not count as input."""
        reply = self._reply
        usage = {
            "input_tokens": reply.prompt_tokens - reply.cached_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": reply.cached_tokens,
            "output_tokens": written,
        }
        thought = {"output_tokens_details": {"thinking_tokens": reply.reasoning_tokens}}
        return {**usage, **(thought if written and reply.reasoning_tokens else {})}


def _delta(index: int, kind: str, field: str, text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, field: text}}


def _failure(kind: str, said: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": said}, "request_id": "req-demo"}
