"""From a script's answer to the reply as it is sent: cut into deltas, ended by limit and stop, and counted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from jmuz_magic.demo.answer import Answer
from jmuz_magic.demo.request import ChatRequest, message_text
from jmuz_magic.demo.scripts import stands_for

__all__ = ["CREATED", "Choice", "Kind", "Reply"]

CREATED = 1735689600
"""The creation time of every reply and model, the start of 2025 (UTC): the same request gets the same bytes."""

DELTA_CHARACTERS = 4
"""Length of one delta, which counts as one token: about what a token of English has in real models."""

Kind: TypeAlias = Literal["reasoning", "text", "refusal"]


class Choice(NamedTuple):
    """One reply as it is sent, cut by `stop` and `max_tokens`.

    Attributes:
        number: from 0.
        deltas: kind and text; a limit may leave none.
        stopped_at: the sequence before which the text ends; "" if it ends by itself or by the limit.
        is_cut: whether it ends by the limit.
    """

    number: int
    deltas: tuple[tuple[Kind, str], ...]
    stopped_at: str
    is_cut: bool

    @classmethod
    def of(cls, number: int, answer: Answer, request: ChatRequest) -> Choice:
        text = answer.text if number == 0 else f"(choice {number + 1}) {answer.text}"
        found = [(at, stop) for stop in request.stop if (at := text.find(stop)) >= 0]
        end, stop = min(found, default=(len(text), ""))
        kind: Kind = "refusal" if answer.is_refusal else "text"
        thought = answer.reasoning if request.thinks else ""
        deltas = [*_deltas("reasoning", thought), *_deltas(kind, text[:end])]
        kept = deltas[: request.max_tokens]
        is_cut = kept != deltas
        return cls(number, tuple(kept), "" if is_cut else stop, is_cut)

    def joined(self, kind: Kind) -> str:
        return "".join(text for each, text in self.deltas if each == kind)

    def tokens(self, kind: Kind) -> int:
        return sum(each == kind for each, _ in self.deltas)


class Reply:
    """The reply to one request, the same in every dialect.

    Attributes:
        choices: one, unless a request in chat completions asks for more.
        error: what goes wrong at the end of the text; "" for a reply that ends well.
        id: the same for the same request.
        model: who answers.
    """

    def __init__(self, request: ChatRequest, answer: Answer) -> None:
        self.request = request
        self.choices = [Choice.of(number, answer, request) for number in range(request.n)]
        self.error = answer.error
        self.model = stands_for(request.model)
        asked = json.dumps([request.model, request.messages, request.stop, request.n], sort_keys=True)
        self.id = f"demo-{hashlib.sha256(asked.encode()).hexdigest()[:16]}"

    @property
    def prompt_tokens(self) -> int:
        return sum(self._message_tokens())

    @property
    def cached_tokens(self) -> int:
        """Those of the messages that the request before this one, in the same conversation, contained too."""
        roles = [message["role"] for message in self.request.messages]
        earlier = max((index for index, role in enumerate(roles) if role == "assistant"), default=0)
        return sum(list(self._message_tokens())[:earlier])

    @property
    def completion_tokens(self) -> int:
        return sum(len(choice.deltas) for choice in self.choices)

    @property
    def reasoning_tokens(self) -> int:
        return sum(choice.tokens("reasoning") for choice in self.choices)

    def _message_tokens(self) -> Iterator[int]:
        return (-(-len(message_text(message)) // DELTA_CHARACTERS) for message in self.request.messages)


def _deltas(kind: Kind, text: str) -> list[tuple[Kind, str]]:
    return [(kind, text[start : start + DELTA_CHARACTERS]) for start in range(0, len(text), DELTA_CHARACTERS)]
