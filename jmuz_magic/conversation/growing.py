"""A reply while it grows."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import assert_never

from jmuz_magic.messages import (
    AdvertRemoved,
    Answered,
    Chunk,
    Citations,
    Fact,
    FinishReason,
    Image,
    ModelPicked,
    Notice,
    OptionLeftOut,
    Reasoning,
    ReasoningItems,
    Reply,
    Retry,
    ToolCalls,
    ToolResult,
    Unshown,
    Usage,
)
from jmuz_magic.request.request import Request, State

__all__ = ["GrowingReply"]


class GrowingReply:
    """The reply to one request so far; readable from any thread at any time.

    Attributes:
        results: results of the tools that it called.
    """

    def __init__(self, request: Request) -> None:
        self.results: list[ToolResult] = []
        self._facts = Reply("", messages=request.messages, sent_in_part=request.sent_in_part)
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._removed: list[str] = []
        self._started: float | None = None

    @property
    def is_cut(self) -> bool:
        """Whether the stream ended without marking the reply as complete."""
        return self._facts.finish_reason == "truncated"

    def start(self) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def ask(self, model: str, provider: str) -> None:
        """Note which model of which provider is asked."""
        self._facts = replace(self._facts, model=model, provider=provider)

    def replay(self, reply: Reply) -> None:
        """Take over a recorded reply, except for what is accumulated from its chunks."""
        facts = replace(reply, tool_calls=(), citations=(), images=(), unshown=(), reasoning_items=None)
        self._facts = replace(facts, messages=self._facts.messages)
        self._removed = list(reply.removed_adverts)
        self._started = None

    def take(self, chunk: Chunk) -> None:
        """Add a chunk."""
        match chunk:
            case str():
                self._text.append(chunk)
            case Reasoning(text):
                self._reasoning.append(text)
            case ToolResult():
                self.results.append(chunk)
            case _:
                self._facts = _with_fact(self._facts, chunk)

    def note(self, notice: Notice) -> None:
        """Note what happened before or while the reply arrived."""
        facts = self._facts
        match notice:
            case AdvertRemoved(text):
                self._removed.append(text)
            case Retry():
                self._facts = replace(facts, requests=facts.requests + 1)
            case OptionLeftOut(name, remembered):
                requests = facts.requests + (not remembered)
                self._facts = replace(facts, requests=requests, left_out=(*facts.left_out, name))
            case ModelPicked(model):
                self._facts = replace(facts, model=model)
            case _:
                assert_never(notice)

    def reply(self, state: State) -> Reply:
        """The reply so far, in a turn of this state."""
        facts = self._facts
        if facts.finish_reason is None and state in ("interrupted", "failed"):
            facts = replace(facts, finish_reason="error" if state == "failed" else "interrupted")
        return replace(
            facts,
            text="".join(self._text),
            reasoning="".join(self._reasoning),
            removed_adverts=tuple(self._removed),
            elapsed=time.monotonic() - self._started if self._started is not None else facts.elapsed,
        )


def _with_fact(reply: Reply, chunk: Fact) -> Reply:
    """The reply with what a chunk reports about it besides text and reasoning."""
    match chunk:
        case Usage():
            return replace(reply, usage=chunk)
        case FinishReason(reason, said):
            return replace(reply, finish_reason=reason, finish_said=said)
        case ToolCalls(calls):
            return replace(reply, tool_calls=reply.tool_calls + calls)
        case Answered(model, fingerprint, upstream):
            return replace(reply, answered_by=model, system_fingerprint=fingerprint, upstream=upstream)
        case Citations(citations):
            return replace(reply, citations=reply.citations + citations)
        case Image():
            return replace(reply, images=(*reply.images, chunk))
        case Unshown():
            return replace(reply, unshown=(*reply.unshown, chunk))
        case ReasoningItems():
            return replace(reply, reasoning_items=chunk)
        case _:
            assert_never(chunk)
