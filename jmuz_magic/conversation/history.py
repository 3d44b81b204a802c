"""Which turns of a conversation are sent with a prompt, and in what form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jmuz_magic.content import texts_of
from jmuz_magic.conversation.steps import call_message, step_messages
from jmuz_magic.messages import EarlierReasoning, Message, Reply

if TYPE_CHECKING:
    from jmuz_magic.conversation.turn import Turn

__all__ = ["NOT_SENT", "History", "history_of", "noted", "sent_turns"]

NOT_SENT = "not sent with later prompts"


@dataclass(frozen=True, eq=False, repr=False)
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
    count = chars = 0
    omitted = len(sent)
    for _, messages in reversed(sent):
        count, chars = count + len(messages), chars + sum(map(_length, messages))
        if count > max_messages or chars > max_chars:
            break
        omitted -= 1
    while omitted < len(sent) and sent[omitted][1][0]["role"] == "tool":  # the call it answers is left out
        omitted += 1
    kept = sent[omitted:]
    return History(
        tuple(message for _, messages in kept for message in messages),
        tuple(thought for turn, messages in kept for thought in _thoughts(turn, messages)),
        omitted,
    )


def sent_turns(turns: Sequence[Turn], prompt: Message | None = None) -> list[tuple[Turn, list[Message]]]:
    """The turns that are sent with a prompt, each with its messages in a form that strict services accept.

    A tool call is sent only if its result follows, in the same turn or as the next prompt. Otherwise only the reply's
    text is sent, and a turn without text is left out.
    """
    sent: list[tuple[Turn, list[Message]]] = []
    following = prompt
    for turn in reversed(turns):
        answers = _answers(turn, following) if turn.is_remembered else []
        if answers:
            sent.append((turn, [turn.prompt, *answers]))
            following = turn.prompt
    return sent[::-1]


def noted(turns: Sequence[Turn]) -> list[tuple[Turn, str]]:
    """The turns of a transcript, with a note for those not sent with later prompts; "" for the others."""
    sent = {turn for turn, _ in sent_turns(turns)}
    return [(turn, "" if turn in sent else NOT_SENT) for turn in turns]


def _answers(turn: Turn, following: Message | None) -> list[Message]:
    """The turn's replies as messages, given the message `following` them; none if nothing can be sent."""
    *earlier, last = turn.parts
    messages = [message for step in earlier for message in step_messages(step)]
    answer = _answer(last.reply, following)
    if answer is not None and (not earlier or not last.reply.tool_calls or "tool_calls" in answer):
        return [*messages, answer]
    return [*messages, *step_messages(last)] if earlier else []


def _answer(reply: Reply, following: Message | None) -> Message | None:
    """The reply as a message, given the message `following` it; None if nothing of it can be sent."""
    answered = following["tool_call_id"] if following and following["role"] == "tool" else None
    calls = [call_message(call) for call in reply.tool_calls if answered and call.id == answered]
    if calls:
        return {"role": "assistant", "content": reply.text or None, "tool_calls": calls}
    return {"role": "assistant", "content": reply.text} if reply.text.strip() else None


def _thoughts(turn: Turn, messages: Sequence[Message]) -> Iterator[EarlierReasoning | None]:
    """What the model thought with each message of a turn."""
    replies = iter([step.reply for step in turn.parts if step_messages(step)])
    for message in messages:
        reply = next(replies) if message["role"] == "assistant" else None
        yield EarlierReasoning.of(reply, turn.origin) if reply else None


def _length(message: Message) -> int:
    return sum(map(len, texts_of(message)))
