"""Asking a provider in tests: all chunks, or the error with the chunks before it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Chunk, FinishReason, Message, Reasoning, Retry, ToolCall, ToolCalls, Usage
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.providers.openai_template import OpenaiTemplate

__all__ = ["FAKE_KEY", "HELLO", "Answer", "Patient", "ask", "collect", "no_wait"]

FAKE_KEY = "sk-fake-0123456789-never-shown"
HELLO: list[Message] = [{"role": "user", "content": "Hello"}]


async def no_wait(seconds: float) -> None:
    """Back-off that takes no time."""


class Patient(OpenaiTemplate):
    """The template with a back-off that takes no time and no luck."""

    policy = Policy(sleep=no_wait, dice=lambda: 0.0)


@dataclass
class Answer:
    """What came of asking."""

    chunks: list[Chunk] = field(default_factory=list)
    notices: list[Any] = field(default_factory=list)
    error: JmuzError | None = None

    @property
    def text(self) -> str:
        return "".join(chunk for chunk in self.chunks if isinstance(chunk, str))

    @property
    def reasoning(self) -> str:
        return "".join(chunk.text for chunk in self.chunks if isinstance(chunk, Reasoning))

    @property
    def finish_reason(self) -> str | None:
        reasons = [chunk.reason for chunk in self.chunks if isinstance(chunk, FinishReason)]
        assert len(reasons) <= 1
        return reasons[0] if reasons else None

    @property
    def usage(self) -> Usage | None:
        return next((chunk for chunk in self.chunks if isinstance(chunk, Usage)), None)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(call for chunk in self.chunks if isinstance(chunk, ToolCalls) for call in chunk.calls)

    @property
    def retries(self) -> list[Retry]:
        return [notice for notice in self.notices if isinstance(notice, Retry)]


async def collect(provider: type[OpenaiTemplate], **options: Any) -> Answer:
    """Ask and read to the end; a JmuzError is kept, any other error is the test's failure."""
    answer = Answer()
    options.setdefault("model", "m")
    options.setdefault("messages", HELLO)
    try:
        async for chunk in provider.create_async_generator(on_notice=answer.notices.append, **options):
            answer.chunks.append(chunk)
    except JmuzError as error:
        answer.error = error
    return answer


def ask(provider: type[OpenaiTemplate] = Patient, **options: Any) -> Answer:
    """`collect` in a loop of its own."""
    return asyncio.run(collect(provider, **options))
