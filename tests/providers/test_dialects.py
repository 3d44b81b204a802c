"""Another dialect is a class of its own, and one line in the provider that speaks it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.conversation.selection import Choice
from jmuz_magic.errors import JmuzError, ResponseStatusError
from jmuz_magic.messages import Chunk, EarlierReasoning, FinishReason, Messages
from jmuz_magic.providers.dialects.choosing import choose
from jmuz_magic.providers.dialects.dialect import Service, items_by_message
from jmuz_magic.providers.dialects.table import DIALECTS
from jmuz_magic.providers.endpoint.endpoint import Endpoint, resolve_endpoint
from jmuz_magic.providers.http.call import Call
from jmuz_magic.providers.http.members import Members
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.providers.http.response import Response
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.secret import Secret
from jmuz_magic.streaming.adverts.rules import AdvertRule
from tests.fault_server import FaultServer, Script, head, json_answer
from tests.fault_server import reply as said
from tests.providers.asking import Patient, ask


class Telegraph:
    """One prompt in, plain text out."""

    name = "telegraph"
    label = "Telegraph"
    path = "telegrams"
    options: Members = MappingProxyType({"seed": ("seed",), "reasoning_effort": ("key.speed", "pay"), "pay": ("pay",)})

    def only_chat(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(name for name in options if name == "n")

    def headers(self, endpoint: Endpoint) -> Mapping[str, str | Secret | None]:
        keys = {"Authorization": None, "X-Key": endpoint.key} if endpoint.key else {}
        return {"X-Wire": "5", **keys}

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


# --- which dialect


@pytest.fixture
def telegraph(monkeypatch: pytest.MonkeyPatch) -> None:
    """The telegraph, known by its name."""
    monkeypatch.setitem(DIALECTS, "telegraph", f"{__name__}:Telegraph")


class Post(OpenaiTemplate):
    """A service that speaks another dialect than its gateways."""

    api_base = "https://post.test/v1"
    own_dialect = "telegraph"


def chosen(endpoint: Endpoint, **options: Any) -> tuple[str, str, dict[str, Any]]:
    found = choose(endpoint, options)
    return found.dialect.name, found.reason, dict(found.options)


@pytest.mark.usefixtures("telegraph")
def test_a_service_may_speak_another_dialect_at_its_own_origin() -> None:
    class Elsewhere(Post):
        api_base = "https://campus.test/v1"

    class Also(Post):
        label = "Post"

    own, gateway = resolve_endpoint(Post), resolve_endpoint(Post, api_base="https://gateway.test/v1")
    assert chosen(own, temperature=0) == ("telegraph", "", {"dialect": "telegraph"})
    assert chosen(resolve_endpoint(Also)) == chosen(own)
    assert chosen(gateway) == chosen(resolve_endpoint(Elsewhere)) == ("chat", "", {})


@pytest.mark.usefixtures("telegraph")
def test_a_chosen_dialect_wins_over_that_of_the_class() -> None:
    class Named(OpenaiTemplate):
        dialect = "telegraph"

    at = "https://gateway.test/v1"
    assert chosen(resolve_endpoint(OpenaiTemplate, api_base=at, dialect="telegraph"))[0] == "telegraph"
    assert chosen(resolve_endpoint(Post, dialect="chat")) == ("chat", "", {})
    assert chosen(resolve_endpoint(Named, api_base=at)) == ("telegraph", "", {})
    assert chosen(Choice(Named, at, dialect="chat").endpoint()) == ("chat", "", {"dialect": "chat"})
    assert chosen(Choice(Office, at).endpoint()) == ("telegraph", "", {})


@pytest.mark.parametrize("options", [{"n": 2}, {"n": None, "extra_body": {"n": 2}}])
def test_what_only_chat_knows_goes_by_chat_and_says_why(options: dict[str, Any]) -> None:
    endpoint = resolve_endpoint(Office, api_base="https://gateway.test/v1")
    reason = "chat/completions, since n is unknown to Telegraph"
    assert chosen(endpoint, images=[], **options) == ("chat", reason, {"dialect": "chat"})
    assert chosen(endpoint, n=None, extra_body=None, seed=1) == ("telegraph", "", {})


@pytest.mark.parametrize("name", ["nonsense", "Chat", "\x1b[31m", "x" * 300])
def test_an_unknown_name_is_refused_in_one_line(server: FaultServer, name: str) -> None:
    answered = ask(Patient, api_base=server.add("s", telegram("")), dialect=name)
    assert isinstance(answered.error, JmuzError)
    assert str(answered.error).startswith("there is no dialect '")
    assert str(answered.error).endswith(f" expected {', '.join(DIALECTS)}")
    assert ("did you mean chat?" in str(answered.error)) == (name == "Chat")
    assert len(str(answered.error)) < 150
    assert str(answered.error).isprintable()
    assert not server.requests


@pytest.mark.usefixtures("telegraph")
@pytest.mark.parametrize("given", ["argument", "endpoint", "conversation"])
def test_a_request_is_sent_in_the_chosen_dialect(server: FaultServer, given: str) -> None:
    base = server.add("s", telegram("ARRIVED"))
    endpoint = resolve_endpoint(Patient, api_base=base, api_key="k-123456", allow_http=True)
    match given:
        case "argument":
            assert ask(Patient, endpoint=endpoint, dialect="telegraph").text == "ARRIVED"
        case "endpoint":
            assert ask(Patient, endpoint=replace(endpoint, dialect="telegraph")).text == "ARRIVED"
        case _:
            conversation = Conversation("m", provider=Patient, api_base=base, options={"dialect": "telegraph"})
            turn = conversation.turn("Hello")
            assert turn.request.terms().body["text"] == "Hello"
            assert not turn.request.options
            assert conversation.ask("Hello").text == "ARRIVED"
    (request,) = server.requests
    assert request.target.endswith("/telegrams")
    assert request.json["text"] == "Hello"


def test_headers_are_those_of_provider_dialect_and_user_in_this_order(server: FaultServer) -> None:
    base = server.add("s", telegram("ARRIVED"))
    ask(Office, api_base=base, api_key="k-123456", headers={"x-wire": "6", "X-Tenant": "t"})
    headers = server.requests[0].headers
    assert (headers["x-wire"], headers["x-tenant"], headers["x-key"]) == ("6", "t", "k-123456")
    assert "authorization" not in headers
    assert headers["user-agent"] == "jmuz_magic"


def test_the_list_of_models_goes_with_the_headers_of_the_dialect(server: FaultServer) -> None:
    base = server.add("s", json_answer({"data": [{"id": "wire-1"}]}))
    assert Office.get_models(api_base=base, api_key="k-123456") == ["wire-1"]
    assert server.requests[0].headers["x-key"] == "k-123456"
    assert "authorization" not in server.requests[0].headers


def test_a_class_that_builds_its_bodies_itself_builds_those_of_each_dialect(server: FaultServer) -> None:
    class Stamped(Office):
        @classmethod
        def build_request(cls, model: str, messages: Messages, stream: bool = True, **options: Any) -> dict[str, Any]:
            return super().build_request(model, messages, stream, **options) | {"stamp": 1}

    base = server.add("s", telegram("ARRIVED"))
    ask(Stamped, api_base=base)
    ask(Stamped, api_base=base, dialect="chat")
    assert [request.json["stamp"] for request in server.requests] == [1, 1]
    assert server.requests[0].target.endswith("/telegrams")
    assert server.requests[1].target.endswith("/chat/completions")


# --- an address without the dialect

NO_SUCH_PATH = json_answer({"detail": "Not Found"}, "404 Not Found")
NO_SUCH_MODEL = json_answer({"error": {"message": "model: m", "type": "not_found_error"}}, "404 Not Found")


class Branch(Office):
    fallback_dialect = "chat"


def paths(server: FaultServer) -> list[str]:
    return [request.target.split("/", 3)[3] for request in server.requests]


def test_what_has_no_such_path_is_asked_once_more_and_remembered(
    server: FaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    base = server.add("branch", NO_SUCH_PATH, said("Hello."), said("Again."))
    talk = Conversation("m", provider=Branch, api_base=base)
    why = f"asking by chat/completions, since {server.origin} has no Telegraph"
    assert talk.ask("1").requests == 2
    assert capsys.readouterr().err == f"{why}\n"
    assert talk.ask("2").requests == 1
    assert capsys.readouterr().err == ""
    assert paths(server) == ["telegrams", "chat/completions", "chat/completions"]
    assert talk.turn("3").request.chosen.reason == why.removeprefix("asking by ")


def test_what_has_neither_path_is_told_as_it_was_first(server: FaultServer) -> None:
    base = server.add("neither", json_answer({"error": "first"}, "404 Not Found"), NO_SUCH_PATH)
    answered = ask(Branch, api_base=base)
    assert "answered 404 Not Found: first" in str(answered.error)
    assert [retry.line for retry in answered.retries] == [
        f"asking by chat/completions, since {server.origin} has no Telegraph; trying again …"
    ]
    ask(Branch, api_base=base)
    assert paths(server) == ["telegrams", "chat/completions"] * 2


@pytest.mark.parametrize(
    ("answer", "options", "provider"),
    [
        (NO_SUCH_MODEL, {}, Branch),
        (json_answer({"error": "no"}, "403 Forbidden"), {}, Branch),
        (NO_SUCH_PATH, {}, Office),
        (NO_SUCH_PATH, {"n": 2}, Branch),
    ],
)
def test_nothing_else_is_asked_in_another_dialect(
    server: FaultServer, answer: Script, options: dict[str, Any], provider: type[Office]
) -> None:
    assert ask(provider, api_base=server.add("once", answer), **options).error
    assert len(server.requests) == 1


@pytest.mark.usefixtures("telegraph")
def test_neither_a_chosen_dialect_nor_the_service_itself_falls_back(server: FaultServer) -> None:
    base = server.add("own", NO_SUCH_PATH)

    class Own(Branch):
        api_base = base

    assert ask(Branch, api_base=base, dialect="telegraph").error
    assert ask(Own).error
    assert paths(server) == ["telegrams", "telegrams"]


# --- opaque reasoning


def test_items_go_back_to_their_model_in_their_dialect() -> None:
    item = {"type": "reasoning", "id": "rs_1"}
    earlier = EarlierReasoning("", "https://a.test", "m", (item,), "responses")
    messages: Messages = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "One."}]
    assert items_by_message(messages, [None, earlier], "m", "responses") == [(), (item,)]
    assert items_by_message(messages, [None, earlier], "m", "anthropic") == [(), ()]
    assert items_by_message(messages, [None, earlier], "other", "responses") == [(), ()]
    assert items_by_message(messages, [], "m", "responses") == [(), ()]
