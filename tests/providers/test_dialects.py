"""Another dialect is a class of its own, and one line in the provider that speaks it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.errors import ResponseStatusError
from jmuz_magic.messages import Chunk, FinishReason, Messages
from jmuz_magic.providers.dialects.dialect import Service
from jmuz_magic.providers.http.call import Call
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.providers.http.response import Response
from jmuz_magic.streaming.adverts.rules import AdvertRule
from tests.fault_server import FaultServer, head, json_answer
from tests.providers.asking import Patient, ask


class Telegraph:
    """One prompt in, plain text out."""

    path = "telegrams"

    def body(
        self, service: Service, model: str, messages: Messages, stream: bool = True, **options: Any
    ) -> dict[str, Any]:
        given = {name: value for name, value in options.items() if value is not None}
        return {
            "model": service.get_model(model),
            "text": " STOP ".join(str(each["content"]) for each in messages),
        } | given

    def reading(self, service: Service, call: Call, policy: Policy) -> TelegramReading:
        return TelegramReading()


class TelegramReading:
    async def chunks(self, response: Response) -> AsyncGenerator[list[Chunk], None]:
        return self._read(response)

    async def _read(self, response: Response) -> AsyncGenerator[list[Chunk], None]:
        while data := await response.read():
            yield [data.decode()]
        response.release()
        yield [FinishReason("stop")]

    def rest(self) -> list[Chunk]:
        return []


class Office(Patient):
    dialect = Telegraph()
    model_families = ("wire-{version}",)


def telegram(text: str) -> Sequence[Any]:
    return [("send", head("200 OK", "text/plain", Content_Length=str(len(text))) + text.encode())]


def test_requests_go_where_the_dialect_says_with_its_body(server: FaultServer) -> None:
    answered = ask(Office, api_base=server.add("s", telegram("ARRIVED")), temperature=0)
    assert answered.chunks == ["ARRIVED", FinishReason("stop")]
    (request,) = server.requests
    assert request.target.endswith("/telegrams")
    assert request.json == {"model": "m", "text": "Hello", "temperature": 0}


def test_what_no_dialect_has_to_know_works_in_each(server: FaultServer) -> None:
    class Advertising(Office):
        adverts = (AdvertRule("tea", "anywhere", ("[ad",), r"\[ad [a-z]{1,9}\]", r"\[ad [a-z]{0,9}"),)

    refused = json_answer({"error": {"message": "Unsupported", "param": "seed"}}, "400 Bad Request")
    listed = json_answer({"data": [{"id": "wire-1"}, {"id": "wire-2"}]})
    base = server.add("s", listed, refused, telegram("[ad tea]ARRIVED"))
    conversation = Conversation(provider=Advertising, api_base=base, options={"seed": 1})
    reply = conversation.ask("Hello")
    assert (reply.model, reply.requests) == ("wire-2", 2)
    assert (reply.text, reply.removed_adverts, reply.left_out) == ("ARRIVED", ("[ad tea]",), ("seed",))
    assert [request.target.rpartition("/")[2] for request in server.requests] == ["models", "telegrams", "telegrams"]


def test_a_status_is_told_as_in_every_dialect(server: FaultServer) -> None:
    answered = ask(Office, api_base=server.add("s", json_answer({"error": "no line"}, "409 Conflict")))
    assert isinstance(answered.error, ResponseStatusError)
    assert "answered 409 Conflict: no line" in str(answered.error)
