"""The steps of a turn: one request each, with its reply, and what follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from jmuz_magic.messages import (
    MOST_PAUSES,
    Chunk,
    EarlierReasoning,
    Message,
    OnNotice,
    Reply,
    ToolCall,
    ToolResult,
    Usage,
    copy_messages,
)
from jmuz_magic.request.request import Request

if TYPE_CHECKING:
    from jmuz_magic.recordings.line import RecordedExchange

__all__ = [
    "Follow",
    "Sequel",
    "Step",
    "call_message",
    "is_paused",
    "joined",
    "next_request",
    "paused_follow",
    "recorded_follow",
    "step_messages",
]

NOT_RUN = "not run: the turn was stopped"


@dataclass(frozen=True, eq=False, repr=False)
class Step:
    """One request of a turn, with its reply.

    Attributes:
        request: what was asked.
        reply: the reply to this request alone.
        results: results of the tools that it called.
    """

    request: Request
    reply: Reply
    results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Follow:
    """What follows a step.

    Attributes:
        messages: appended to those of the step's request.
        options: the options of the next request; None for the same as before.
        replaces: whether the step's text is left out of the turn's reply, as when a reply is corrected.
        results: results of the tools that the step called.
    """

    messages: tuple[Message, ...]
    options: Mapping[str, Any] | None = None
    replaces: bool = False
    results: tuple[ToolResult, ...] = ()


class Sequel(Protocol):
    """Decides what a turn does after a complete step; not called if a recording answers."""

    def enough(self, chunk: Chunk) -> bool:
        """Whether to stop reading the step's reply after this chunk."""

    async def follow(self, steps: Sequence[Step], tell: OnNotice) -> Follow | None:
        """What follows the last of these steps; None if the turn is over.

        Raises:
            JmuzError: the turn fails.
        """


def step_messages(step: Step) -> list[Message]:
    """The reply of a step as messages: its text and calls, then the result of each call.

    A reply that its service has paused goes back even without text, for what only the service can read of it. A call
    without a result gets a message that says so, because services refuse a call that is left open.
    """
    if not step.reply.tool_calls:
        text = step.reply.text
        goes_back = text.strip() or (is_paused(step.reply) and step.reply.reasoning_items)
        return [{"role": "assistant", "content": text}] if goes_back else []
    said: Message = {"role": "assistant", "content": step.reply.text or None}
    said["tool_calls"] = [call_message(call) for call in step.reply.tool_calls]
    results = {result.id: result.content for result in step.results}
    answers = [(call.id, results.get(call.id, NOT_RUN)) for call in step.reply.tool_calls]
    return [said, *(Message(role="tool", tool_call_id=id_, content=content) for id_, content in answers)]


def call_message(call: ToolCall) -> dict[str, Any]:
    """The call as a message contains it, with its extra members."""
    function = {"name": call.name, "arguments": call.arguments}
    return {**call.extra, "id": call.id, "type": "function", "function": function}


def is_paused(reply: Reply) -> bool:
    """Whether the service wants to be asked again with what came, since the reply takes it long."""
    return reply.finish_reason == "pause_turn" and not reply.tool_calls


def paused_follow(steps: Sequence[Step]) -> Follow | None:
    """What follows a paused reply, the last of these: what came of it; None if nothing came, or after many pauses."""
    messages = step_messages(steps[-1])
    pauses = sum(is_paused(step.reply) for step in steps)
    return Follow(tuple(messages)) if messages and pauses <= MOST_PAUSES else None


def recorded_follow(recorded: RecordedExchange, step: Step) -> Follow | None:
    """What followed a step according to the recording; None if nothing did."""
    if recorded.later:
        messages = copy_messages(recorded.later[0].asked.messages[len(step.request.messages) :])
    elif recorded.results:
        messages = tuple(step_messages(replace(step, results=recorded.results)))
    else:
        return None
    replaces = not (recorded.results or is_paused(step.reply))
    return Follow(messages, replaces=replaces, results=recorded.results)


def next_request(step: Step, follow: Follow, origin: str) -> Request:
    """The request after a step; the reasoning that came with the reply goes back to where it came from."""
    request, reply = step.request, step.reply
    thought = EarlierReasoning.of(reply, origin)
    thoughts = [thought if message["role"] == "assistant" else None for message in follow.messages]
    before = request.earlier_reasoning or (None,) * len(request.messages)
    return replace(
        request,
        messages=(*request.messages, *follow.messages),
        options=request.options if follow.options is None else follow.options,
        earlier_reasoning=(*before, *thoughts),
    )


def joined(replies: Sequence[Reply], parts: Sequence[Reply]) -> Reply:
    """One reply for a turn: the text of `parts` of its replies, and the cost of all of them."""
    if len(replies) == 1:
        return replies[0]
    return replace(
        replies[-1],
        text="\n\n".join(filter(str.strip, (part.text for part in parts))),
        reasoning="\n\n".join(filter(None, (part.reasoning for part in parts))),
        usage=_summed([each.usage for each in replies if each.usage]),
        elapsed=sum(each.elapsed for each in replies),
        removed_adverts=tuple(chain.from_iterable(part.removed_adverts for part in parts)),
        messages=replies[0].messages,
        citations=tuple(chain.from_iterable(part.citations for part in parts)),
        images=tuple(chain.from_iterable(part.images for part in parts)),
        unshown=tuple(chain.from_iterable(part.unshown for part in parts)),
        left_out=tuple(dict.fromkeys(chain.from_iterable(each.left_out for each in replies))),
        requests=sum(each.requests for each in replies),
    )


def _summed(usages: Iterable[Usage]) -> Usage | None:
    """The sum of the known counts; a count that no reply has stays unknown."""
    sums: dict[str, Any] = {}
    for usage in usages:
        for each in fields(Usage):
            if (count := getattr(usage, each.name)) is not None:
                sums[each.name] = sums.get(each.name, 0) + count
    return Usage(**sums) if sums else None
