"""A reply in the JSON of the OpenAI chat completions API: whole, or as a stream of events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from jmuz_magic.demo.dialect import Dialect
from jmuz_magic.demo.reply import CREATED, Choice, Kind
from jmuz_magic.demo.request import ChatRequest
from jmuz_magic.demo.request_error import RequestError

__all__ = ["Completion"]

FIELDS: Mapping[Kind, str] = {"reasoning": "reasoning_content", "text": "content", "refusal": "refusal"}


class Completion(Dialect):
    """Chat completions, as the demo speaks them."""

    end = b"data: [DONE]\n\n"

    @classmethod
    def read(cls, body: object, headers: Mapping[str, str]) -> ChatRequest:
        return ChatRequest.parse(body)

    def as_json(self) -> dict[str, Any]:
        choices = [_whole(choice) for choice in self._reply.choices]
        return {**self._head("chat.completion"), "choices": choices, "usage": self._usage()}

    def events(self) -> Iterator[dict[str, Any]]:
        """The `data` of each event except the final `[DONE]`; several choices take turns, delta by delta."""
        for choice in self._reply.choices:
            yield self._chunk(choice, {"role": "assistant", "content": ""})
        for row in zip_longest(*(choice.deltas for choice in self._reply.choices)):
            for choice, delta in zip(self._reply.choices, row, strict=True):
                if delta is not None:
                    yield self._chunk(choice, {FIELDS[delta[0]]: delta[1]})
        if self._reply.error:
            yield RequestError(self._reply.error, status=500).as_json()
            return
        for choice in self._reply.choices:
            yield self._chunk(choice, {}, _finish_reason(choice))
        if self._reply.request.include_usage:
            yield {**self._head("chat.completion.chunk"), "choices": [], "usage": self._usage()}

    def _chunk(self, choice: Choice, delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        chunk = self._head("chat.completion.chunk")
        chunk["choices"] = [{"index": choice.number, "delta": delta, "finish_reason": finish_reason}]
        if self._reply.request.include_usage:
            chunk["usage"] = None
        return chunk

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{self._reply.id}", "object": kind, "created": CREATED, "model": self._reply.model}

    def _usage(self) -> dict[str, Any]:
        """Tokens; details only where there is something to say, as many compatible servers do it."""
        reply = self._reply
        prompt, completion = reply.prompt_tokens, reply.completion_tokens
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        cached = {"prompt_tokens_details": {"cached_tokens": reply.cached_tokens}} if reply.cached_tokens else {}
        thought = {"completion_tokens_details": {"reasoning_tokens": reply.reasoning_tokens}}
        return {**usage, **cached, **(thought if reply.reasoning_tokens else {})}


def _whole(choice: Choice) -> dict[str, Any]:
    refusal = choice.joined("refusal")
    message = {"role": "assistant", "content": None if refusal else choice.joined("text"), "refusal": refusal or None}
    if reasoning := choice.joined("reasoning"):
        message["reasoning_content"] = reasoning
    return {"index": choice.number, "message": message, "logprobs": None, "finish_reason": _finish_reason(choice)}


def _finish_reason(choice: Choice) -> str:
    return "length" if choice.is_cut else "stop"
