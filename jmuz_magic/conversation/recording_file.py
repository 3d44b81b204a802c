"""The file of a recording: JSON Lines, one exchange each, kept byte for byte where nothing changed."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jmuz_magic.conversation.asked import Asked
from jmuz_magic.conversation.locking import locked
from jmuz_magic.conversation.private import storable, without_key
from jmuz_magic.conversation.replacing import replaced
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Chunk, FinishReason, Reasoning, Reply, ToolCall, ToolCalls, Usage, copy_messages

if TYPE_CHECKING:
    from jmuz_magic.conversation.turn import Request

__all__ = ["RecordedExchange", "change_lines", "line_of", "read_lines"]

VERSION = 1
# Line ends of other readers, controls and bidi marks would make a diff lie; JSON writes them as \u….
_UNREADABLE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True)
class RecordedExchange:
    """One line of a recording.

    Attributes:
        raw: the line as it stands, without its line feed.
        asked: the request.
        key: of the request, as the line says.
        date: the day when the reply came, ISO 8601, UTC.
        provider: name of the provider class that was asked.
        origin: scheme, host and port that were asked.
        reply: complete; its `messages` are those of the recording, attachments as hashes.
    """

    raw: bytes
    asked: Asked
    key: str
    date: str
    provider: str
    origin: str
    reply: Reply

    def chunks(self) -> list[Chunk]:
        """The reply as a provider would yield it, text and reasoning in one piece each."""
        reply = self.reply
        parts: list[Chunk | None] = [
            Reasoning(reply.reasoning) if reply.reasoning else None,
            reply.text or None,
            ToolCalls(reply.tool_calls) if reply.tool_calls else None,
            reply.usage,
            FinishReason(reply.finish_reason) if reply.finish_reason else None,
        ]
        return [part for part in parts if part is not None]

    def says_the_same(self, other: RecordedExchange) -> bool:
        """Whether request and reply are equal; the day, the seconds and who was asked do not matter."""
        return self.key == other.key and replace(self.reply, elapsed=0.0) == replace(other.reply, elapsed=0.0)


def line_of(request: Request, asked: Asked, reply: Reply) -> RecordedExchange:
    """A new line for a complete reply; what is written of it holds no key and no name of this machine."""
    endpoint = request.endpoint
    options = {"options": asked.options} if asked.options else {}
    values = {
        "request": {"model": asked.model, "messages": asked.messages, **options},
        "reply": _reply_values(reply),
        "provider": reply.provider,
        "origin": _nameless(endpoint.origin) if endpoint else "",
        "date": datetime.now(UTC).date().isoformat(),
        "key": asked.key,
        "jmuz": VERSION,
    }
    text = storable(json.dumps(without_key(values, endpoint), ensure_ascii=False))
    return _read_line(_UNREADABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode(), "")


def read_lines(path: Path) -> list[RecordedExchange | bytes]:
    """The exchanges of the file, and its blank lines as they are; nothing where there is no file.

    Raises:
        JmuzError: it cannot be read, or a line is none of ours.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JmuzError(f"the recording {path.name} cannot be read: {error.strerror or error}") from None
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [_read_line(raw, f"line {n} of {path.name}") if raw.strip() else raw for n, raw in enumerate(lines, 1)]


def change_lines(path: Path, change: Callable[[list[RecordedExchange | bytes]], bool]) -> None:
    """Let `change` edit the file's lines; they are written, whole, if it returns True. No other process interferes.

    Raises:
        JmuzError: the file cannot be read or written.
    """
    # Windows does not replace a file that is open, not even by its holder.
    lock = path if os.name == "posix" else path.with_name(path.name + ".lock")
    try:
        with locked(lock, mode=0o666):
            lines = read_lines(path)
            if change(lines):
                with replaced(path) as file:
                    file.writelines((line if isinstance(line, bytes) else line.raw) + b"\n" for line in lines)
    except OSError as error:
        raise JmuzError(f"the reply is not recorded: {path.name}: {error.strerror or error}") from None


def _reply_values(reply: Reply) -> dict[str, Any]:
    values = {
        "text": reply.text,
        "reasoning": reply.reasoning,
        "model": reply.model,
        "finish_reason": reply.finish_reason,
        "usage": asdict(reply.usage) if reply.usage else None,
        "tool_calls": [asdict(call) for call in reply.tool_calls],
        "removed_adverts": list(reply.removed_adverts),
        "seconds": round(reply.elapsed, 3),
    }
    return {name: value for name, value in values.items() if name == "text" or value}


def _read_line(raw: bytes, place: str) -> RecordedExchange:
    try:
        values = json.loads(raw)
        if values["jmuz"] > VERSION:
            raise JmuzError(f"{place} was written by a newer jmuz_magic; update to replay it")
        asked = Asked(values["request"]["model"], values["request"]["messages"], values["request"].get("options", {}))
        if not all(isinstance(message, dict) for message in asked.messages) or not isinstance(asked.options, dict):
            raise TypeError("messages are objects, and so are options")
        reply = _reply(values["reply"], asked, values["provider"])
        named = {name: str(values[name]) for name in ("key", "date", "provider", "origin")}
        return RecordedExchange(raw, asked, reply=reply, **named)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise JmuzError(f"{place} is no recorded exchange; mend it or take the line out") from None


def _reply(values: Mapping[str, Any], asked: Asked, provider: str) -> Reply:
    return Reply(
        text=str(values["text"]),
        reasoning=str(values.get("reasoning", "")),
        model=str(values.get("model", "")),
        provider=provider,
        usage=Usage(**values["usage"]) if values.get("usage") else None,
        finish_reason=values.get("finish_reason"),
        elapsed=float(values.get("seconds", 0.0)),
        removed_adverts=tuple(values.get("removed_adverts", ())),
        tool_calls=tuple(ToolCall(**call) for call in values.get("tool_calls", ())),
        messages=copy_messages(asked.messages),
    )


def _nameless(origin: str) -> str:
    """The origin, with `localhost` for the name of this machine."""
    host = urlsplit(origin).hostname or ""
    own = platform.node().lower()
    if own and host.partition(".")[0] == own.partition(".")[0]:
        return origin.replace(host, "localhost", 1)
    return origin
