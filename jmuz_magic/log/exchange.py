"""An exchange: one logged request with its reply, as the log gives it back."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from jmuz_magic.messages import Citation, Image, Message, Reply, ToolCall, Unshown, Usage

__all__ = ["FACTS", "Exchange", "ExchangeState", "is_gone", "this_process"]

ExchangeState: TypeAlias = Literal["streaming", "complete", "interrupted", "truncated", "failed"]

FACTS = (
    "usage", "tool_calls", "answered_by", "system_fingerprint", "upstream", "citations", "images", "unshown",
    "left_out", "requests", "finish_said",
)  # fmt: skip
"""Attributes of an exchange that a reply has, too, under the same names."""

# A writer that lives says so every 10 s while it has something open, more often while text comes.
SILENCE = 30.0


@dataclass(frozen=True)
class Exchange:
    """One request and what became of it.

    Attributes:
        id: its number in the log, never given twice.
        asked_at: when the request left, UTC.
        state: `streaming` also where its process died in the middle; then `gone` is True.
        gone: nobody writes this exchange any more although it never ended.
        provider: name of the provider class.
        origin: scheme, host and port.
        model: as asked, or as picked where none was; once the exchange has ended, with aliases resolved.
        prompt: the text of the last user message.
        request: the JSON body as it was sent; keys are never part of it.
        text: of the reply, as far as it came; at most a second behind the stream.
        reasoning: likewise.
        finish_reason: see `jmuz_magic.messages.FinishReason`; None where there was none.
        usage: tokens; None where the endpoint did not count them.
        seconds: from the request to the end; None before it.
        error: the one line that a failed exchange ended with.
        conversation: its name; None for a turn that stood alone.
        notebook: file name; None where it is not known.
        removed_adverts: what the cleaner took out.
        tool_calls: functions that the model asked for.
        answered_by: the model that the reply itself names; "" where it named none. This and what follows is known
            once the exchange has ended, and described at `jmuz_magic.messages.Reply`.
        system_fingerprint: the service's name for its configuration.
        upstream: whom a gateway passed the request to.
        citations: sources that the service named.
        images: image parts of the reply, 8 MiB in all.
        unshown: what else came and could not be shown; large things by their kind alone.
        left_out: options that the service refused.
        requests: how many requests it took.
        finish_said: the service's own word for `finish_reason` where that is another one.
    """

    id: int
    asked_at: datetime
    state: ExchangeState
    gone: bool
    provider: str
    origin: str
    model: str
    prompt: str
    request: dict[str, Any] = field(hash=False)
    text: str
    reasoning: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None
    seconds: float | None = None
    error: str | None = None
    conversation: str | None = None
    notebook: str | None = None
    removed_adverts: tuple[str, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    answered_by: str = ""
    system_fingerprint: str = ""
    upstream: str = ""
    citations: tuple[Citation, ...] = ()
    images: tuple[Image, ...] = ()
    unshown: tuple[Unshown, ...] = ()
    left_out: tuple[str, ...] = ()
    requests: int = 1
    finish_said: str = ""

    @property
    def reply(self) -> Reply:
        """The reply as its cell had it; one that was never finished says `interrupted`."""
        messages: list[Message] = self.request.get("messages") or []
        unfinished = "interrupted" if self.state == "streaming" else None
        return Reply(
            text=self.text,
            reasoning=self.reasoning,
            model=self.model,
            provider=self.provider,
            finish_reason=self.finish_reason or unfinished,
            elapsed=self.seconds or 0.0,
            removed_adverts=self.removed_adverts,
            messages=tuple(messages),
            **{name: getattr(self, name) for name in FACTS},
        )

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON-like values, as `ExchangeLog.export` writes it; what is empty is left out."""
        from jmuz_magic.request.facts import facts_of

        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in FACTS}
        values |= {"asked_at": self.asked_at.isoformat()} | facts_of(self.reply)
        values |= {
            "usage": self.usage and self.usage.as_dict(),
            "tool_calls": tuple(map(_call_values, self.tool_calls)),
        }
        return {name: value for name, value in values.items() if value not in (None, "", (), False)}


def _call_values(call: ToolCall) -> dict[str, Any]:
    return {name: value for name, value in asdict(call).items() if name != "extra" or value}


def this_process() -> str:
    """Names this process among all that may write to one log: other kernels, containers, machines."""
    return f"{_process_space()} {os.getpid()}"


def is_gone(writer: str, heard: float) -> bool:
    """Whether the process that `this_process()` named, last heard of at `heard`, will write no more.

    Where its process number means something to us it is looked up, so that a killed kernel is known at once;
    another machine or container is known by its silence.
    """
    if time.time() - heard > SILENCE:
        return True
    space, _, number = writer.rpartition(" ")
    return space == _process_space() and sys.platform != "win32" and not _runs(int(number))


@cache
def _process_space() -> str:
    """Where our process numbers are unique: this boot of this machine, this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        import platform

        return platform.node() or "unknown"


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{number}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except (OSError, IndexError):
        return True
    return state != b"Z"  # killed, and its parent has not looked yet
