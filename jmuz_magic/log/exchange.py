"""An exchange: one logged request with its reply, as read from the log."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from jmuz_magic.content import text_of
from jmuz_magic.messages import Citation, Image, Message, ReasoningItems, Reply, ToolCall, ToolResult, Unshown, Usage
from jmuz_magic.text import counted, minute

__all__ = ["FACTS", "ID_CHARS", "Exchange", "ExchangeState", "LoggedConversation", "is_gone", "this_process"]

ExchangeState: TypeAlias = Literal["streaming", "complete", "interrupted", "truncated", "failed"]

FACTS = (
    "usage", "tool_calls", "answered_by", "system_fingerprint", "upstream", "citations", "images", "unshown",
    "left_out", "sent_in_part", "requests", "finish_said", "reasoning_items",
)  # fmt: skip
"""Attributes that exchanges and replies share."""

# A live writer shows a sign of life every 10 s while an exchange is open, more often while text comes.
SILENCE = 30.0
ID_CHARS = 8
"""How many characters of a conversation's id lists show."""


@dataclass(frozen=True)
class Exchange:
    """One request and its outcome.

    Attributes:
        id: its number in the log, never reused.
        asked_at: when the request was sent, UTC.
        state: how far it got; `streaming` even if its process died in mid-reply, but then `gone` is True.
        gone: whether it never ended and nobody writes it any longer.
        provider: name of the provider class.
        origin: scheme, host and port.
        model: as asked for, or as picked; with aliases resolved once the exchange has ended.
        prompt: the text of the last user message.
        request: the JSON body as sent, without keys.
        text: the reply's text so far, at most a second behind the stream.
        reasoning: likewise.
        finish_reason: see `jmuz_magic.messages.FinishReason`; None if there is none.
        usage: token counts; None if the endpoint sent none.
        seconds: from the request to the end; None before the end.
        error: the one-line error of a failed exchange.
        conversation: its name; None for a turn outside of one.
        notebook: its file name; None if unknown.
        removed_adverts: what the cleaner removed.
        tool_calls: functions that the model asked to have called.
        answered_by: the model that the reply names; "" if it names none. This and the following are known once the
            exchange has ended; see `jmuz_magic.messages.Reply`.
        system_fingerprint: the service's name for its configuration.
        upstream: the service that a gateway passed the request to.
        citations: sources that the service named.
        images: images in the reply, up to 8 MiB in total.
        unshown: other parts that could not be shown; of large ones only the kind.
        left_out: options that the service refused.
        sent_in_part: what of the notebook was sent only in part.
        requests: how many requests it took.
        finish_said: the service's own word for `finish_reason` if it differs.
        reasoning_items: reasoning that only the service can read.
        messages: as asked, whatever form they have in `request`.
        turn: id of the first exchange of the same turn; None for that one.
        tool_results: results of the tools that the reply called.
        cell: of a turn in a conversation the cell that asked, `id` and `run`, if known; and the prompt as the cell has
            it, `wording`, if another one was sent. None for neither.
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
    sent_in_part: tuple[str, ...] = ()
    requests: int = 1
    finish_said: str = ""
    reasoning_items: ReasoningItems | None = None
    messages: tuple[Message, ...] = field(default=(), hash=False, compare=False)
    turn: int | None = None
    tool_results: tuple[ToolResult, ...] = ()
    cell: dict[str, Any] | None = field(default=None, hash=False, compare=False)

    @property
    def typed(self) -> str:
        """The prompt as its cell has it: without earlier cells, or the line that asked for a correction."""
        wording = (self.cell or {}).get("wording")
        return text_of(wording) if isinstance(wording, dict) else self.prompt

    @property
    def reply(self) -> Reply:
        """The reply as its cell had it; one that never ended counts as `interrupted`."""
        unfinished = "interrupted" if self.state == "streaming" else None
        return Reply(
            text=self.text,
            reasoning=self.reasoning,
            model=self.model,
            provider=self.provider,
            finish_reason=self.finish_reason or unfinished,
            elapsed=self.seconds or 0.0,
            removed_adverts=self.removed_adverts,
            messages=self.messages,
            **{name: getattr(self, name) for name in FACTS},
        )

    def as_dict(self) -> dict[str, Any]:
        """The exchange as JSON-like values, as `ExchangeLog.export` writes it; empty ones are left out."""
        from jmuz_magic.request.facts import facts_of

        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in FACTS}
        values |= {"asked_at": self.asked_at.isoformat()} | facts_of(self.reply)
        if list(self.messages) == self.request.get("messages"):
            del values["messages"]
        values |= {
            "usage": self.usage and self.usage.as_dict(),
            "tool_calls": tuple(map(_call_values, self.tool_calls)),
            "tool_results": tuple(map(asdict, self.tool_results)),
        }
        return {name: value for name, value in values.items() if value not in (None, "", (), False)}


@dataclass(frozen=True)
class LoggedConversation:
    """A conversation in the log, with the turns that it shows.

    Attributes:
        id: random.
        name: None for one without a name.
        notebook: its file name; None if unknown.
        changed_at: when its turns changed last, UTC.
        turns: the first exchange of each turn, in order.
        prompt: the text of the first turn's prompt.
    """

    id: str
    name: str | None
    notebook: str | None
    changed_at: datetime
    turns: tuple[int, ...]
    prompt: str

    @property
    def words(self) -> str:
        """How many turns it has, and when they changed last, in local time."""
        return f"{counted(len(self.turns), 'turn')} of {minute(self.changed_at)}"


def _call_values(call: ToolCall) -> dict[str, Any]:
    return {name: value for name, value in asdict(call).items() if name != "extra" or value}


def this_process() -> str:
    """A name for this process, unique among all that may write to one log: other kernels, containers, machines."""
    return f"{_process_space()} {os.getpid()}"


def is_gone(writer: str, heard: float) -> bool:
    """Whether the process that `this_process()` named, last heard of at `heard`, is gone.

    If its process number is meaningful here it is looked up, so that a killed kernel is noticed at once; on another
    machine or in another container its silence tells.
    """
    if time.time() - heard > SILENCE:
        return True
    space, _, number = writer.rpartition(" ")
    return space == _process_space() and sys.platform != "win32" and not _runs(int(number))


@cache
def _process_space() -> str:
    """The scope in which our process numbers are unique: this boot of this machine, this container."""
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
    return state != b"Z"  # a zombie: killed, but not reaped yet
