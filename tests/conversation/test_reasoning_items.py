"""Reasoning that only the service can read: kept with the reply, shown nowhere, sent back to who produced it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic import Conversation, Reply
from jmuz_magic.display.reply import foot_lines
from jmuz_magic.log.log import exchange_log
from jmuz_magic.messages import Chunk, FinishReason, Messages, ReasoningItems
from jmuz_magic.providers.dialects.chat.chat import Chat
from jmuz_magic.providers.dialects.chat.reader import ReplyReader
from jmuz_magic.providers.dialects.dialect import Service, items_by_message
from jmuz_magic.providers.dialects.reading import ReplyReading
from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint
from jmuz_magic.providers.http.call import Call
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.providers.http.response import Response
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.recordings.recording import Recording
from jmuz_magic.request.asked import Asked
from tests.conversation.test_earlier_reasoning import asked
from tests.conversation.test_steps import FIRST, LAST, QUESTION, Tools
from tests.conversation.test_steps import ask as ask_with_steps
from tests.fault_server import DONE, FaultServer, delta, finish, stream

SEALED = ({"type": "reasoning", "seal": "gA\u00e4==", "summary": [], "n": 1.0},)
ONE, TWO = (stream(delta(text), finish(), DONE) for text in ("One.", "Two."))


class Sealing(Chat):
    """Chat, with a sealed item beside each reply."""

    name = "sealing"

    def body(
        self, service: Service, model: str, messages: Messages, stream: bool = True, **options: Any
    ) -> dict[str, Any]:
        items = items_by_message(messages, options.pop("earlier_reasoning", ()), service.get_model(model), self.name)
        body = super().body(service, model, messages, stream, **options)
        body["messages"] = [
            message | ({"sealed": sealed} if sealed else {})
            for message, sealed in zip(body["messages"], items, strict=True)
        ]
        return body

    def reading(self, service: Service, call: Call, policy: Policy) -> ReplyReading:
        return SealedReading(ReplyReader(call.origin, call.shown), call, policy)


class SealedReading(ReplyReading):
    async def chunks(self, response: Response) -> AsyncGenerator[list[Chunk], None]:
        return self._with_items(await super().chunks(response))

    async def _with_items(self, batches: AsyncGenerator[list[Chunk], None]) -> AsyncGenerator[list[Chunk], None]:
        async for chunks in batches:
            for chunk in chunks:
                ends = [ReasoningItems(SEALED, "sealing")] if isinstance(chunk, FinishReason) else []
                yield [*ends, chunk]


class Sealer(OpenaiTemplate):
    dialect = Sealing()


def sealed(messages: list[dict[str, Any]]) -> list[list[dict[str, Any]] | None]:
    return [message.get("sealed") for message in messages]


@pytest.fixture
def talk(server: FaultServer) -> Conversation:
    return Conversation("m", provider=Sealer, api_base=server.add("s", ONE, TWO), name="talk")


def test_they_are_sent_back_with_their_reply_and_are_part_of_no_message(
    talk: Conversation, server: FaultServer
) -> None:
    assert talk.ask("1").reasoning_items == ReasoningItems(SEALED, "sealing")
    talk.ask("2")
    talk.ask("3")
    assert [sealed(messages) for messages in asked(server)] == [
        [None],
        [None, [*SEALED], None],
        [None, [*SEALED], None, [*SEALED], None],
    ]
    assert all("sealed" not in message for message in talk.messages)


def test_they_go_to_no_other_model_dialect_or_origin(talk: Conversation, server: FaultServer) -> None:
    talk.ask("1")
    talk.ask("2", model="other")
    talk.ask("3", dialect="chat")
    assert [sealed(messages) for messages in asked(server)[1:]] == [[None] * 3, [None] * 5]
    assert all("seal" not in str(messages) for messages in asked(server)[1:])
    with FaultServer() as other:
        talk.ask("4", endpoint=resolve_endpoint(Sealer, api_base=other.add("s", ONE)))
        assert "seal" not in str(asked(other))


def test_a_service_that_wants_readable_reasoning_gets_no_items(server: FaultServer) -> None:
    class Both(Sealer):
        reasoning_field = "reasoning_content"

    talk = Conversation("m", provider=Both, api_base=server.add("s", ONE))
    talk.ask("1")
    talk.ask("2", dialect="chat")
    assert asked(server)[1][1] == {"role": "assistant", "content": "One."}


def test_a_step_sends_them_back_too(server: FaultServer) -> None:
    talk = Conversation("m", provider=Sealer, api_base=server.add("s", FIRST, LAST))
    ask_with_steps(talk, Tools())
    talk.ask("And now?")
    assert QUESTION["content"] == asked(server)[1][0]["content"]
    assert sealed(asked(server)[1]) == [None, [*SEALED], None]
    assert sealed(asked(server)[2]) == [None, [*SEALED], None, [*SEALED], None]


def test_a_recording_has_them_and_not_in_its_key(talk: Conversation, server: FaultServer, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    base = server.add("s", ONE, TWO)
    recorded = Conversation("m", provider=Sealer, api_base=base, recording=path)
    recorded.ask("1")
    turn = recorded.turn("2")
    plain: list[dict[str, Any]] = [dict(message) for message in turn.request.messages]
    assert Asked.of(turn.request).key == Asked("m", plain, {}).key
    recorded.ask("2")
    replayed = Conversation("m", provider=Sealer, api_base=base, recording=path)
    assert [replayed.ask(prompt).reasoning_items for prompt in ("1", "2")] == [ReasoningItems(SEALED, "sealing")] * 2
    before = asked(server)
    replayed.ask("3")
    assert len(asked(server)) == len(before) + 1
    assert sealed(asked(server)[-1]) == [None, [*SEALED], None, [*SEALED], None]
    in_chat = Conversation("m", provider=OpenaiTemplate, api_base=base, recording=Recording(path, "only"))
    assert [in_chat.ask(prompt).text for prompt in ("1", "2")] == ["One.", "Two."]


@pytest.mark.usefixtures("logged")
def test_a_resumed_conversation_has_them(talk: Conversation, server: FaultServer) -> None:
    talk.ask("1")
    again = Conversation.resume("talk", model="m", provider=Sealer, api_base=talk.endpoint.api_base)
    again.ask("2")
    assert sealed(asked(server)[-1]) == [None, [*SEALED], None]
    assert exchange_log.rows()[0].request["messages"][1]["sealed"] == [*SEALED]  # what was sent, as it was sent


def test_they_are_shown_nowhere(talk: Conversation) -> None:
    reply = talk.ask("1")
    assert "gA" not in repr(reply.reasoning_items)
    assert foot_lines(reply) == foot_lines(Reply(**{**vars(reply), "reasoning_items": None}))
