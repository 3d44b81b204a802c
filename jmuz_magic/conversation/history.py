"""Which turns of a conversation are sent with a prompt, and in what form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jmuz_magic.content import texts_of
from jmuz_magic.messages import EarlierReasoning, Message, ToolCall

if TYPE_CHECKING:
    from jmuz_magic.conversation.turn import Turn

__all__ = ["NOT_SENT", "History", "history_of", "noted", "sent_turns"]

NOT_SENT = "not sent with later prompts"


@dataclass(frozen=True)
class History:
    """What is sent before a prompt.

    Attributes:
        messages: the messages of whole turns, oldest first.
        reasoning: by message, what the model thought with it; kept apart from the message, so that recordings
            recognise a request by what was said.
        omitted: the number of older turns left out because of the bounds.
    """

    messages: tuple[Message, ...]
    reasoning: tuple[EarlierReasoning | None, ...]
    omitted: int


def history_of(turns: Sequence[Turn], prompt: Message | None, *, max_messages: int, max_chars: int) -> History:
    """The newest turns that fit the bounds, as messages to send before the prompt; None stands for any user prompt."""
    sent = sent_turns(turns, prompt)
    messages: list[Message] = []
    reasoning: list[EarlierReasoning | None] = []
    chars = omitted = 0
    for index in range(len(sent) - 1, -1, -1):
        turn, pair = sent[index]
        chars += sum(_length(message) for message in pair)
        if len(messages) + len(pair) > max_messages or chars > max_chars:
            omitted = index + 1
            break
        messages, reasoning = [*pair, *messages], [None, _reasoning(turn), *reasoning]
    while messages and messages[0]["role"] == "tool":  # the call it answers is left out
        messages, reasoning, omitted = messages[2:], reasoning[2:], omitted + 1
    return History(tuple(messages), tuple(reasoning), omitted)


def sent_turns(turns: Sequence[Turn], prompt: Message | None = None) -> list[tuple[Turn, list[Message]]]:
    """The turns that are sent with a prompt, each with its messages, in a form that strict services accept.

    A tool call is sent only if its result follows. Otherwise only the reply's text is sent, and a turn without text is
    left out.
    """
    sent: list[tuple[Turn, list[Message]]] = []
    following = prompt
    for turn in reversed(turns):
        answer = _answer(turn, following) if turn.is_remembered else None
        if answer is not None:
            sent.append((turn, [turn.prompt, answer]))
            following = turn.prompt
    return sent[::-1]


def noted(turns: Sequence[Turn]) -> list[tuple[Turn, str]]:
    """The turns of a transcript, with a note for those not sent with later prompts; "" for the others."""
    sent = {turn for turn, _ in sent_turns(turns)}
    return [(turn, "" if turn in sent else NOT_SENT) for turn in turns]


def _answer(turn: Turn, following: Message | None) -> Message | None:
    """The reply as a message, given the message `following` it; None if nothing of it can be sent."""
    reply = turn.reply
    answered = following["tool_call_id"] if following and following["role"] == "tool" else None
    calls = [_call(call) for call in reply.tool_calls if answered and call.id == answered]
    if calls:
        return {"role": "assistant", "content": reply.text or None, "tool_calls": calls}
    return {"role": "assistant", "content": reply.text} if reply.text.strip() else None


def _reasoning(turn: Turn) -> EarlierReasoning | None:
    reply = turn.reply
    return EarlierReasoning(reply.reasoning, turn.origin, reply.model) if reply.reasoning else None


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {**call.extra, "id": call.id, "type": "function", "function": function}


def _length(message: Message) -> int:
    return sum(map(len, texts_of(message)))
