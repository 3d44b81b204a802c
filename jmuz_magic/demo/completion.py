"""From a script's answer to the JSON of the OpenAI chat completions API: whole, or as a stream of events."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from jmuz_magic.demo.answer import Answer
from jmuz_magic.demo.request import ChatRequest, message_text
from jmuz_magic.demo.scripts import stands_for

__all__ = ["CREATED", "Completion"]

CREATED = 1735689600
"""The creation time of every reply and model, the start of 2025 (UTC): the same request gets the same bytes."""

DELTA_CHARACTERS = 4
"""Length of one delta, which counts as one token: about what a token of English has in real models."""


@dataclass(frozen=True)
class Choice:
    """One reply as it is sent, cut by `stop` and `max_tokens`."""

    index: int
    deltas: tuple[tuple[str, str], ...]
    finish_reason: str

    @classmethod
    def of(cls, index: int, answer: Answer, request: ChatRequest) -> Choice:
        text = answer.text if index == 0 else f"(choice {index + 1}) {answer.text}"
        end = min((found for stop in request.stop if (found := text.find(stop)) >= 0), default=len(text))
        deltas = [
            *(("reasoning_content", delta) for delta in cut(answer.reasoning)),
            *(("content", delta) for delta in cut(text[:end])),
        ]
        kept = deltas[: request.max_tokens]
        return cls(index, tuple(kept), "stop" if kept == deltas else "length")

    def joined(self, field: str) -> str:
        return "".join(delta for name, delta in self.deltas if name == field)

    def as_json(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": self.joined("content"), "refusal": None}
        if reasoning := self.joined("reasoning_content"):
            message["reasoning_content"] = reasoning
        return {"index": self.index, "message": message, "logprobs": None, "finish_reason": self.finish_reason}


class Completion:
    """The reply to one request."""

    def __init__(self, request: ChatRequest, answer: Answer) -> None:
        self._request = request
        self._choices = [Choice.of(index, answer, request) for index in range(request.n)]
        asked = json.dumps([request.model, request.messages, request.stop, request.n], sort_keys=True)
        self._id = f"chatcmpl-demo-{hashlib.sha256(asked.encode()).hexdigest()[:16]}"

    def as_json(self) -> dict[str, Any]:
        choices = [choice.as_json() for choice in self._choices]
        return {**self._head("chat.completion"), "choices": choices, "usage": self._usage()}

    def events(self) -> Iterator[dict[str, Any]]:
        """The `data` of each event except the final `[DONE]`; several choices take turns, delta by delta."""
        for choice in self._choices:
            yield self._chunk(choice, {"role": "assistant", "content": ""})
        for row in zip_longest(*(choice.deltas for choice in self._choices)):
            for choice, delta in zip(self._choices, row, strict=True):
                if delta is not None:
                    yield self._chunk(choice, dict([delta]))
        for choice in self._choices:
            yield self._chunk(choice, {}, choice.finish_reason)
        if self._request.include_usage:
            yield {**self._head("chat.completion.chunk"), "choices": [], "usage": self._usage()}

    def _chunk(self, choice: Choice, delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        chunk = self._head("chat.completion.chunk")
        chunk["choices"] = [{"index": choice.index, "delta": delta, "finish_reason": finish_reason}]
        if self._request.include_usage:
            chunk["usage"] = None
        return chunk

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": CREATED, "model": stands_for(self._request.model)}

    def _usage(self) -> dict[str, int]:
        prompt = sum(len(cut(message_text(message))) for message in self._request.messages)
        completion = sum(len(choice.deltas) for choice in self._choices)
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def cut(text: str) -> list[str]:
    """`text` cut into deltas."""
    return [text[start : start + DELTA_CHARACTERS] for start in range(0, len(text), DELTA_CHARACTERS)]
