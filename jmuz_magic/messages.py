"""The vocabulary of a chat: messages, chunks, notices and the reply."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal, NotRequired, Required, TypeAlias, TypedDict

__all__ = [
    "AdvertRemoved",
    "Answered",
    "Chunk",
    "Citation",
    "Citations",
    "CodeBlock",
    "EarlierReasoning",
    "Fact",
    "FinishReason",
    "Image",
    "Message",
    "Messages",
    "ModelPicked",
    "Notice",
    "OnNotice",
    "OptionLeftOut",
    "Reasoning",
    "ReasoningItems",
    "Reply",
    "Retry",
    "ToolCall",
    "ToolCalls",
    "ToolResult",
    "Unshown",
    "Usage",
]


MOST_PAUSES = 10
"""How often a turn goes on with a reply that its service pauses; see `FinishReason`."""


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
    """A delta of what the model thought before its reply."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningItems:
    """What the model thought, in a form that only its service can read and wants back; comes once, before the end.

    Attributes:
        items: the items as received, in the service's order.
        dialect: the name of the dialect that reads them, and puts them back into a request.
    """

    items: tuple[Mapping[str, Any], ...] = field(repr=False, hash=False)
    dialect: str


@dataclass(frozen=True, slots=True)
class EarlierReasoning:
    """What a model thought in an earlier turn, for services that want it back; it is sent only to its origin.

    Attributes:
        text: the whole reasoning; "" if it cannot be read.
        origin: scheme, host and port of the service that produced it.
        model: the id that was asked for.
        items: see `ReasoningItems`; () if none came.
        dialect: the dialect of the items; "" without any.
    """

    text: str
    origin: str
    model: str
    items: tuple[Mapping[str, Any], ...] = field(default=(), repr=False, hash=False)
    dialect: str = ""

    @classmethod
    def of(cls, reply: Reply, origin: str) -> EarlierReasoning | None:
        """What the model thought for this reply; None if nothing came."""
        opaque = reply.reasoning_items or ReasoningItems((), "")
        if not (reply.reasoning or opaque.items):
            return None
        return cls(reply.reasoning, origin, reply.model, opaque.items, opaque.dialect)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the endpoint counted them; None for what it did not report.

    Attributes:
        prompt_tokens: tokens that the model read, cached ones included.
        completion_tokens: tokens that it wrote, reasoning included.
        total_tokens: the sum of both.
        cached_tokens: prompt tokens that came from the service's cache.
        reasoning_tokens: completion tokens spent on reasoning.
        cost: the price that the endpoint states, in its own unit (US dollars for OpenRouter); never computed here.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None

    def __post_init__(self) -> None:
        """Treat a value that cannot be a count, such as a negative number, as not reported."""
        for name in self.__slots__:
            value = getattr(self, name)
            if value is None or (type(value) in (int, float) and 0 <= value < math.inf):
                continue
            object.__setattr__(self, name, None)

    def as_dict(self) -> dict[str, int | float | None]:
        """The three counts, and whichever others the endpoint reported."""
        counts = ("prompt_tokens", "completion_tokens", "total_tokens")
        return {name: value for name, value in asdict(self).items() if name in counts or value is not None}


MODEL_LIMIT = "the model's limit"
"""How `FinishReason.said` begins if the model writes no longer reply."""


@dataclass(frozen=True, slots=True)
class FinishReason:
    """Why the reply ended.

    Attributes:
        reason: the endpoint's word (`stop`, `length`, `tool_calls`, `content_filter`, …; other spellings are
            mapped to these; `pause_turn`: it wants to be asked again with what came), or ours: `refusal` (the model
            declined), `truncated` (the stream ended with neither a finish reason nor `[DONE]`), `interrupted` (the
            user stopped it), `error` (it broke off).
        said: the service's own word if it differs, such as `MAX_TOKENS`; for a reply cut by a limit that nobody chose,
            which one.
    """

    reason: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's request to call a function.

    Attributes:
        id: the service's id, to be named in the answer; "" if it gave none.
        name: the function's name.
        arguments: JSON text, as the model wrote it.
        extra: other members of the call that some services want back, such as Gemini's `extra_content` with its
            thought signature.
    """

    id: str
    name: str
    arguments: str
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """All tool calls of one choice, complete, in the model's order."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """Who answers, according to the endpoint; may come more than once, and the last one counts.

    Attributes:
        model: the id in the reply, which may differ from the one asked for; "" if the reply names none.
        system_fingerprint: the service's name for its configuration; "" if it gave none.
        upstream: the service that a gateway passed the request to (OpenRouter's `provider`); "" if not stated.
    """

    model: str = ""
    system_fingerprint: str = ""
    upstream: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """A source that the service names for its reply; the address is untrusted: check it before linking."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Citations:
    """Sources of the reply, in the service's order; more may follow."""

    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """An image in the reply, decoded and checked.

    Attributes:
        data: the bytes of the file.
        media_type: `image/png`, `image/jpeg`, `image/webp` or `image/gif`, judged by its first bytes.
    """

    data: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True, slots=True)
class Unshown:
    """A part of the reply that is kept but cannot be shown.

    Attributes:
        kind: a word or two for display, such as `audio` or `encrypted reasoning`.
        value: the part as received.
    """

    kind: str
    value: Any = field(repr=False, hash=False)


Fact: TypeAlias = Usage | FinishReason | ToolCalls | Answered | Citations | Image | Unshown | ReasoningItems
"""What a provider yields besides text and reasoning."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of a tool call; turns yield it, providers never do.

    Attributes:
        id: of the call.
        name: of the function.
        content: what the model is told.
        state: how it went.
        seconds: how long it took.
    """

    id: str
    name: str
    content: str
    state: Literal["done", "failed", "declined", "unknown", "invalid", "late", "stopped"] = "done"
    seconds: float = 0.0


Chunk: TypeAlias = str | Reasoning | Fact | ToolResult
"""What a provider or turn yields. Whoever tells kinds apart ends with `assert_never`, so that mypy names each place."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The transport waits before it tries again.

    Attributes:
        reason: one line for the user.
        delay: seconds until the next attempt.
        attempt: its number; 2 is the first retry.
    """

    reason: str
    delay: float
    attempt: int

    @property
    def line(self) -> str:
        """The line to show until the next attempt."""
        return f"{self.reason}; trying again{f' in {self.delay:.1f} s' if self.delay else ''} …"


@dataclass(frozen=True, slots=True)
class AdvertRemoved:
    """The cleaner removed `text` from the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class OptionLeftOut:
    """The service refuses the option `name`, which came from the settings, so the request goes without it.

    What goes back of earlier replies is left out as `earlier reasoning`.

    If `remembered`, it refused the option earlier in this session, so nothing was sent twice.
    """

    name: str
    remembered: bool = False


@dataclass(frozen=True, slots=True)
class ModelPicked:
    """No model was chosen, so `model` was picked from the endpoint's list just before sending."""

    model: str


Notice: TypeAlias = Retry | AdvertRemoved | OptionLeftOut | ModelPicked
OnNotice: TypeAlias = Callable[[Notice], None]
"""Called on the loop's thread by a provider that was given `on_notice=`; must not block."""


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced code block of a reply: the first word of its info string ("" without one), and its text."""

    language: str
    code: str


@dataclass(frozen=True)
class Reply:
    """A model's complete reply, or a partial one (see `finish_reason`); `str(reply)` is its text.

    Attributes:
        text: Markdown as the model wrote it, adverts removed; untrusted: escape it before showing.
        reasoning: what the model thought first; "" if it sent none.
        model: the id asked for, aliases resolved.
        provider: name of the provider class.
        usage: token counts; None if the endpoint sent none.
        finish_reason: see `FinishReason`; None if the stream ended properly without one.
        finish_said: the service's own word for it if it differs.
        elapsed: seconds from the request to the end.
        removed_adverts: what the cleaner removed, in order.
        tool_calls: functions that the model asks to have called.
        messages: the messages of the request.
        answered_by: the id that the reply names, which may differ from `model`; "" if it names none.
        system_fingerprint: see `Answered`.
        upstream: see `Answered`.
        citations: sources that the service names.
        images: images in the reply.
        unshown: other parts of the reply, which cannot be shown.
        left_out: options left out of the request because the service refuses them.
        sent_in_part: what of the notebook was sent only in part, and how much of it: "20 of 400 rows of `df`".
        requests: how many requests it took; more than 1 if one was refused or broke off before its first byte.
        reasoning_items: reasoning that only the service can read, to be sent back to it; None if none came.
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
    messages: tuple[Message, ...] = field(default=(), hash=False)
    answered_by: str = ""
    system_fingerprint: str = ""
    upstream: str = ""
    citations: tuple[Citation, ...] = ()
    images: tuple[Image, ...] = ()
    unshown: tuple[Unshown, ...] = ()
    left_out: tuple[str, ...] = ()
    sent_in_part: tuple[str, ...] = ()
    requests: int = 1
    finish_said: str = ""
    reasoning_items: ReasoningItems | None = None

    def __str__(self) -> str:
        return self.text

    @cached_property
    def code_blocks(self) -> tuple[CodeBlock, ...]:
        """The fenced code blocks of the text, in order, including those in lists and quotes.

        As in CommonMark, a fence of another kind or length inside a block is text.
        """
        # Imported here, because the vocabulary must load without a Markdown parser.
        from markdown_it import MarkdownIt

        fences = (token for token in MarkdownIt("commonmark").parse(self.text) if token.type == "fence")
        return tuple(CodeBlock((token.info.split() or [""])[0], token.content) for token in fences)

    def json(self) -> Any:
        """The reply read as JSON: the text, or the first fenced block that parses.

        Raises:
            ValueError: neither is JSON; the message quotes the start of the text.
        """
        candidates = [self.text, *(block.code for block in self.code_blocks)]
        for candidate in candidates:
            try:
                return json.loads(candidate)
            except ValueError:
                continue
        start = self.text if len(self.text) <= 80 else self.text[:80] + "…"
        raise ValueError(f"expected JSON, got {start!r}; the full text is in reply.text")


def copy_messages(messages: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """A deep copy, safe from later changes to the caller's list.

    Raises:
        TypeError: a message is not a JSON-like value.
    """
    copied: list[Message] = json.loads(json.dumps(list(messages)))
    return tuple(copied)
