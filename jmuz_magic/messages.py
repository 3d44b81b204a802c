"""What is said: messages, the chunks of a reply, the reply itself, and secrets that do not show."""

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
    "FinishReason",
    "Image",
    "Message",
    "Messages",
    "ModelPicked",
    "Notice",
    "OnNotice",
    "OptionLeftOut",
    "Reasoning",
    "Reply",
    "Retry",
    "ToolCall",
    "ToolCalls",
    "Unshown",
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
class EarlierReasoning:
    """What a model thought in an earlier turn, for services that want it back.

    It goes to nobody but who produced it.

    Attributes:
        text: all of it.
        origin: scheme, host and port that it came from.
        model: the id that was asked.
    """

    text: str
    origin: str
    model: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the endpoint counted them; None where it did not say.

    Attributes:
        prompt_tokens: read by the model, cached ones included.
        completion_tokens: written by the model, reasoning included.
        total_tokens: both.
        cached_tokens: of the prompt's, those that the service had in its cache.
        reasoning_tokens: of the completion's, those spent on reasoning.
        cost: what the endpoint itself says that the request cost, in its own unit (US dollars for OpenRouter);
            never computed here.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None

    def __post_init__(self) -> None:
        """What is no count, such as a negative number, counts as not said."""
        for name in self.__slots__:
            value = getattr(self, name)
            if value is None or (type(value) in (int, float) and 0 <= value < math.inf):
                continue
            object.__setattr__(self, name, None)

    def as_dict(self) -> dict[str, int | float | None]:
        """The three counts, and of the rest what the endpoint stated."""
        counts = ("prompt_tokens", "completion_tokens", "total_tokens")
        return {name: value for name, value in asdict(self).items() if name in counts or value is not None}


@dataclass(frozen=True, slots=True)
class FinishReason:
    """Why the reply ended.

    Attributes:
        reason: the endpoint's word (`stop`, `length`, `tool_calls`, `content_filter`, …; other spellings of these
            become these), or ours: `refusal` (the model declined), `truncated` (the stream ended with neither a
            finish reason nor `[DONE]`), `interrupted` (the user stopped it), `error` (it broke off).
        said: the service's own word where it is another one, such as `MAX_TOKENS`.
    """

    reason: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model asks to be called.

    Attributes:
        id: the service's, to be named in the answer; "" where it gave none.
        name: of the function.
        arguments: JSON text as the model wrote it.
        extra: other members that came with the call and that some services want back, such as Gemini's
            `extra_content` with its thought signature.
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
    """Who answers, as the endpoint says; it may come more than once, the last one holds.

    Attributes:
        model: the id in the reply, which may be another than the one that was asked; "" where none came.
        system_fingerprint: the service's name for its configuration; "" where none came.
        upstream: whom a gateway passed the request to (OpenRouter's `provider`); "" where none came.
    """

    model: str = ""
    system_fingerprint: str = ""
    upstream: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """A source that the service names for its reply; the address comes from outside, check it before linking."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Citations:
    """Sources of the reply, in the service's order; more may follow."""

    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """An image part of the reply, decoded and checked.

    Attributes:
        data: the file's bytes.
        media_type: by its first bytes: `image/png`, `image/jpeg`, `image/webp` or `image/gif`.
    """

    data: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True, slots=True)
class Unshown:
    """Something that the service sent as part of its reply and that is kept, but not shown.

    Attributes:
        kind: one word or two for people, such as `audio` or `encrypted reasoning`.
        value: as it came.
    """

    kind: str
    value: Any = field(repr=False, hash=False)


Chunk: TypeAlias = str | Reasoning | Usage | FinishReason | ToolCalls | Answered | Citations | Image | Unshown
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

    @property
    def line(self) -> str:
        """What to show until the next attempt."""
        return f"{self.reason}; asking again {f'in {self.delay:.1f} s ' if self.delay else ''}…"


@dataclass(frozen=True, slots=True)
class AdvertRemoved:
    """The cleaner took `text` out of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class OptionLeftOut:
    """The service refuses the option `name`, which this request did not name itself, so it is asked without it.

    `remembered` says that it refused the option earlier in this session: then nothing was asked twice.
    """

    name: str
    remembered: bool = False


@dataclass(frozen=True, slots=True)
class ModelPicked:
    """No model was chosen: `model` was picked from the endpoint's list, just before sending."""

    model: str


Notice: TypeAlias = Retry | AdvertRemoved | OptionLeftOut | ModelPicked
OnNotice: TypeAlias = Callable[[Notice], None]
"""Called on the loop's thread, beside the chunks, by a provider that was given `on_notice=`; must not block."""


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced block of a reply: the first word after its fence ("" without one), and its text."""

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
        finish_said: the service's own word for it where that is another one.
        elapsed: seconds from the request to the end.
        removed_adverts: what the cleaner took out, in order.
        tool_calls: functions that the model asks for.
        messages: the request's messages, as asked.
        answered_by: the id that the reply itself names, which may be another than `model`; "" where it named none.
        system_fingerprint: see `Answered`.
        upstream: see `Answered`.
        citations: sources that the service names.
        images: image parts of the reply.
        unshown: what else came and could not be shown.
        left_out: options that were left out of the request because the service refused them.
        requests: how many requests it took; more than 1 where one was refused or broke off before its first byte.
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
    requests: int = 1
    finish_said: str = ""

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


def copy_messages(messages: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """A deep copy that later changes of the caller's list do not reach.

    Raises:
        TypeError: a message is no JSON-like value.
    """
    copied: list[Message] = json.loads(json.dumps(list(messages)))
    return tuple(copied)
