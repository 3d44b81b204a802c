"""What is said: messages, the chunks of a reply, the reply itself, and secrets that do not show."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NotRequired, Required, TypeAlias, TypedDict

__all__ = [
    "AdvertRemoved",
    "Chunk",
    "CodeBlock",
    "FinishReason",
    "Message",
    "Messages",
    "Notice",
    "OnNotice",
    "Reasoning",
    "Reply",
    "Retry",
    "Secret",
    "ToolCall",
    "ToolCalls",
    "Usage",
]


class Message(TypedDict, total=False):
    """One entry of a chat, in the shape of the OpenAI chat completions API.

    `content` is text, a list of parts (`{"type": "text", "text": …}`,
    `{"type": "image_url", "image_url": {"url": …}}`), or None beside tool calls.
    """

    role: Required[Literal["system", "developer", "user", "assistant", "tool"]]
    content: str | list[dict[str, Any]] | None
    name: NotRequired[str]
    tool_calls: NotRequired[list[dict[str, Any]]]
    tool_call_id: NotRequired[str]


Messages: TypeAlias = Sequence[Message]


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of what the model thought before its reply."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the endpoint counted them; None where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class FinishReason:
    """Why the reply ended.

    `reason` is the endpoint's word (`stop`, `length`, `tool_calls`, `content_filter`, …), or ours:
    `refusal` (the model declined), `truncated` (the stream ended with neither a finish reason nor
    `[DONE]`), `interrupted` (the user stopped it), `error` (it broke off).
    """

    reason: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model asks to be called; `arguments` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """All tool calls of one choice, complete, in the model's order."""

    calls: tuple[ToolCall, ...]


Chunk: TypeAlias = str | Reasoning | Usage | FinishReason | ToolCalls
"""What a provider yields."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The transport waits before asking again.

    `reason` is one line for the user, `delay` seconds until the next attempt, `attempt` its number (2 is
    the first retry).
    """

    reason: str
    delay: float
    attempt: int


@dataclass(frozen=True, slots=True)
class AdvertRemoved:
    """The cleaner took `text` out of the reply."""

    text: str


Notice: TypeAlias = Retry | AdvertRemoved
OnNotice: TypeAlias = Callable[[Notice], None]
"""Called on the loop's thread, beside the chunks, by a provider that was given `on_notice=`; must not block."""


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced block of a reply: the first word behind its fence ("" without one), and its text."""

    language: str
    code: str


@dataclass(frozen=True)
class Reply:
    """One complete (or, see `finish_reason`, partial) answer of a model; `str(reply)` is its text.

    Attributes:
        text: Markdown as the model wrote it, adverts removed; untrusted, escape before showing.
        reasoning: what the model thought first; "" without any.
        model: the id that was asked for, aliases resolved.
        provider: name of the provider class.
        usage: tokens; None where the endpoint did not count them.
        finish_reason: see `FinishReason`; None where the endpoint ended properly without giving one.
        elapsed: seconds from the request to the end.
        removed_adverts: what the cleaner took out, in order.
        tool_calls: functions that the model asks for.
        messages: the request's messages, as asked.
    """

    text: str
    reasoning: str = ""
    model: str = ""
    provider: str = ""
    usage: Usage | None = None
    finish_reason: str | None = None
    elapsed: float = 0.0
    removed_adverts: tuple[str, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    messages: tuple[Message, ...] = ()

    def __str__(self) -> str:
        return self.text

    @cached_property
    def code_blocks(self) -> tuple[CodeBlock, ...]:
        """The fenced code blocks of the text, in order, also those in lists and quotes.

        A longer or other fence holds shorter ones as text, as CommonMark says.
        """
        # Imported here: the vocabulary must load without a Markdown parser.
        from markdown_it import MarkdownIt

        fences = (token for token in MarkdownIt("commonmark").parse(self.text) if token.type == "fence")
        return tuple(CodeBlock((token.info.split() or [""])[0], token.content) for token in fences)

    def json(self) -> Any:
        """The reply read as JSON: the text, or the first fenced block that parses.

        Raises:
            ValueError: neither is JSON; the message starts with the text, which stays in `self.text`.
        """
        candidates = [self.text, *(block.code for block in self.code_blocks)]
        for candidate in candidates:
            try:
                return json.loads(candidate)
            except ValueError:
                continue
        start = self.text if len(self.text) <= 80 else self.text[:80] + "…"
        raise ValueError(f"expected JSON, got {start!r}; the whole text is in reply.text")


class Secret:
    """A key that shows as `***` wherever it is printed, formatted, logged or pickled by mistake.

    `reveal()` is called in one place only: where the header is built.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a Secret is not pickled")


def copy_messages(messages: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """A deep copy that later changes of the caller's list do not reach.

    Raises:
        TypeError: a message is no JSON-like value.
    """
    copied: list[Message] = json.loads(json.dumps(list(messages)))
    return tuple(copied)
