"""One line of a recording: an exchange as JSON, read strictly, since people edit and merge it."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import (
    Answered,
    Chunk,
    Citations,
    FinishReason,
    Reasoning,
    Reply,
    ToolCall,
    ToolCalls,
    ToolResult,
    Usage,
    copy_messages,
)
from jmuz_magic.request.asked import Asked
from jmuz_magic.request.facts import call_values, facts_of, usage_values, with_facts
from jmuz_magic.request.written import without_key, written_options
from jmuz_magic.text import inert_json, storable

if TYPE_CHECKING:
    from jmuz_magic.request.request import Request

__all__ = ["RecordedExchange", "line_of", "read_line"]

VERSION = 1


@dataclass(frozen=True)
class RecordedExchange:
    """One line of a recording.

    Attributes:
        raw: the line, without its line feed.
        asked: the request.
        key: the request's key, as in the line.
        date: the day of the reply, ISO 8601, UTC.
        provider: name of the provider class.
        origin: scheme, host and port of the endpoint.
        reply: complete; its `messages` are as in the recording, with attachments as hashes.
        results: results of the tools that the reply called, if the turn went on with them.
        step: which request of its turn it is, from 1.
        of: the key of the turn's first request; "" if this is the first.
        later: the lines of the turn's later steps; () unless this line answers a request.
    """

    raw: bytes
    asked: Asked
    key: str
    date: str
    provider: str
    origin: str
    reply: Reply
    results: tuple[ToolResult, ...] = ()
    step: int = 1
    of: str = ""
    later: tuple[RecordedExchange, ...] = ()

    def chunks(self) -> list[Chunk]:
        """The reply as a provider would yield it, with text and reasoning in one delta each."""
        reply = self.reply
        answered = Answered(reply.answered_by, reply.system_fingerprint, reply.upstream)
        parts: list[Chunk | None] = [
            answered if answered != Answered() else None,
            Reasoning(reply.reasoning) if reply.reasoning else None,
            reply.text or None,
            *reply.images,
            Citations(reply.citations) if reply.citations else None,
            *reply.unshown,
            ToolCalls(reply.tool_calls) if reply.tool_calls else None,
            reply.reasoning_items,
            reply.usage,
            FinishReason(reply.finish_reason, reply.finish_said) if reply.finish_reason else None,
        ]
        return [part for part in parts if part is not None]

    def says_the_same(self, other: RecordedExchange) -> bool:
        """Whether request and text are the same, no matter who answered when at what cost."""
        return self.key == other.key and _said(self.reply) == _said(other.reply)


def _said(reply: Reply) -> Any:
    return reply.text, reply.reasoning, reply.finish_reason, call_values(reply.tool_calls), reply.images


def line_of(
    request: Request, asked: Asked, reply: Reply, results: Sequence[ToolResult] = (), step: int = 1, of: str = ""
) -> RecordedExchange:
    """A new line for a complete reply, without keys and without the name of this machine.

    Args:
        request: what was asked.
        asked: the request, as recordings know it.
        reply: complete.
        results: see `RecordedExchange`, as the next two.
        step: which request of its turn it is, from 1.
        of: the key of the turn's first request; "" if this is the first.
    """
    endpoint = request.endpoint
    options = {"options": asked.options} if asked.options else {}
    # How many requests it took concerns this run only; a replay sends none.
    facts = facts_of(replace(reply, requests=1))
    values = {
        "request": {"model": asked.model, "messages": asked.messages, **options},
        "reply": _reply_values(reply),
        **({"facts": facts} if facts else {}),
        **({"tool_results": [_result_values(result) for result in results]} if results else {}),
        **({"step": step, "of": of} if of else {}),
        "provider": reply.provider,
        "origin": _nameless(endpoint.origin) if endpoint else "",
        "date": datetime.now(UTC).date().isoformat(),
        "key": asked.key,
        "jmuz": VERSION,
    }
    text = storable(json.dumps(without_key(values, endpoint), ensure_ascii=False))
    return read_line(inert_json(text).encode(), "")


def _reply_values(reply: Reply) -> dict[str, Any]:
    """The members that 0.1 knows: it refuses any others in usage and calls."""
    values = {
        "text": reply.text,
        "reasoning": reply.reasoning,
        "model": reply.model,
        "finish_reason": reply.finish_reason,
        "usage": usage_values(reply.usage),
        "tool_calls": call_values(reply.tool_calls),
        "removed_adverts": list(reply.removed_adverts),
        "seconds": round(reply.elapsed, 3),
    }
    return {name: value for name, value in values.items() if name == "text" or value}


def _result_values(result: ToolResult) -> dict[str, Any]:
    return {"id": result.id, "name": result.name, "content": result.content, "state": result.state}


@dataclass(frozen=True)
class _RequestValues:
    model: str
    messages: list[dict[str, Any]]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _ReplyValues:
    text: str
    reasoning: str = ""
    model: str = ""
    usage: Usage | None = None
    finish_reason: str | None = None
    seconds: float = 0.0
    removed_adverts: tuple[str, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True)
class _LineValues:
    """The JSON object of a line; unlisted members are ignored, here and below."""

    request: _RequestValues
    reply: _ReplyValues
    provider: str
    origin: str
    date: str
    key: str
    facts: dict[str, Any] = field(default_factory=dict)
    tool_results: tuple[ToolResult, ...] = ()
    step: int = 1
    of: str = ""


def read_line(raw: bytes, name: str) -> RecordedExchange:
    """The exchange in a line.

    Raises:
        JmuzError: it is not one, or has a newer version; the message begins with `name`, the line's name.
    """
    reason = ""
    try:
        values = json.loads(raw)
        if values["jmuz"] > VERSION:
            raise JmuzError(f"{name} was written by a newer jmuz_magic; update to replay it")
        return _exchange(raw, msgspec.convert(values, _LineValues))
    except msgspec.ValidationError as error:
        reason = f" ({error})"
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        pass
    raise JmuzError(f"{name} is not a recorded exchange{reason}; correct or remove the line")


def _exchange(raw: bytes, values: _LineValues) -> RecordedExchange:
    written = values.request.options
    asked = Asked(values.request.model, values.request.messages, written_options(written))
    # 0.1 recorded how a request travels (allow_http) as part of what is asked.
    key = values.key if asked.options == written else asked.key
    reply = with_facts(_reply(values.reply, asked.messages, values.provider), values.facts)
    about = raw, asked, key, values.date, values.provider, values.origin, reply
    return RecordedExchange(*about, results=values.tool_results, step=values.step, of=values.of)


def _reply(values: _ReplyValues, messages: Iterable[Any], provider: str) -> Reply:
    return Reply(
        text=values.text,
        reasoning=values.reasoning,
        model=values.model,
        provider=provider,
        usage=values.usage,
        finish_reason=values.finish_reason,
        elapsed=values.seconds,
        removed_adverts=values.removed_adverts,
        tool_calls=values.tool_calls,
        messages=copy_messages(list(messages)),
    )


def _nameless(origin: str) -> str:
    """The origin, with this machine's name replaced by `localhost`."""
    host = urlsplit(origin).hostname or ""
    own = platform.node().lower()
    if own and host.partition(".")[0] == own.partition(".")[0]:
        return origin.replace(host, "localhost", 1)
    return origin
