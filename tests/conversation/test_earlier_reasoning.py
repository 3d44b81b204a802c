"""Reasoning that a service wants back: sent to who produced it, and in no recording's key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic import Conversation
from jmuz_magic.providers.catalog import CATALOG
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.recordings.recording import Recording
from jmuz_magic.request.asked import Asked
from tests.fault_server import DONE, FaultServer, delta, finish, stream

THOUGHTFUL = stream(delta(reasoning_content="Let me think."), delta("One."), finish(), DONE)
PLAIN = stream(delta("Two."), finish(), DONE)


class Wants(OpenaiTemplate):
    """A service as DeepSeek V4."""

    reasoning_field = "reasoning_content"


def asked(server: FaultServer) -> list[list[dict[str, Any]]]:
    return [happening.request.json["messages"] for happening in server.events if happening.request]


def thoughts(messages: list[dict[str, Any]]) -> list[str | None]:
    return [message.get("reasoning_content") for message in messages]


def test_it_is_sent_back_beside_the_reply(server: FaultServer) -> None:
    talk = Conversation("m", "Brief.", provider=Wants, api_base=server.add("s", THOUGHTFUL, PLAIN))
    for prompt in ("1", "2", "3"):
        talk.ask(prompt)
    assert thoughts(asked(server)[0]) == [None, None]
    assert asked(server)[1][2] == {"role": "assistant", "content": "One.", "reasoning_content": "Let me think."}
    assert thoughts(asked(server)[2]) == [None, None, "Let me think.", None, None, None]  # the second had none
    assert all("reasoning_content" not in message for message in talk.messages)
    assert all("reasoning_content" not in message for message in talk.turns[-1].reply.messages)


def test_most_services_get_none(server: FaultServer) -> None:
    talk = Conversation("m", api_base=server.add("s", THOUGHTFUL, PLAIN))
    talk.ask("1")
    talk.ask("2")
    assert asked(server)[1][1] == {"role": "assistant", "content": "One."}


def test_it_goes_to_no_other_model(server: FaultServer) -> None:
    talk = Conversation("m", provider=Wants, api_base=server.add("s", THOUGHTFUL, PLAIN))
    talk.ask("1")
    talk.ask("2", model="other")
    talk.ask("3")
    assert thoughts(asked(server)[1]) == [None, None, None]
    assert thoughts(asked(server)[2]) == [None, "Let me think.", None, None, None]


def test_it_goes_to_no_other_origin(server: FaultServer) -> None:
    from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint

    with FaultServer() as other:
        talk = Conversation("m", provider=Wants, api_base=server.add("s", THOUGHTFUL))
        talk.ask("1")
        elsewhere = resolve_endpoint(Wants, api_base=other.add("s", PLAIN))
        talk.ask("2", endpoint=elsewhere)
        assert thoughts(asked(other)[0]) == [None, None, None]


def test_a_folded_system_message_takes_none_to_the_wrong_reply(server: FaultServer) -> None:
    class Folding(Wants):
        supports_system_message = False

    talk = Conversation("m", "Brief.", provider=Folding, api_base=server.add("s", THOUGHTFUL, PLAIN))
    talk.ask("1")
    talk.ask("2")
    assert thoughts(asked(server)[1]) == [None, "Let me think.", None]


def test_it_follows_a_turn_that_was_cut_from_the_history(server: FaultServer) -> None:
    talk = Conversation("m", provider=Wants, api_base=server.add("s", THOUGHTFUL), max_messages=2)
    for prompt in ("1", "2", "3"):
        talk.ask(prompt)
    assert thoughts(asked(server)[2]) == [None, "Let me think.", None]


def test_a_picked_model_gets_its_own_back(server: FaultServer) -> None:
    class Picks(Wants):
        model_families = ("m-{version}",)

    models = [("send", b"HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n" + b'{"data":[{"id":"m-1"}]} ')]
    talk = Conversation(provider=Picks, api_base=server.add("s", models, THOUGHTFUL, PLAIN))
    talk.ask("1")
    talk.ask("2")
    posted = [each.request.json for each in server.events if each.request and each.request.method == "POST"]
    assert [body["model"] for body in posted] == ["m-1", "m-1"]
    assert thoughts(posted[1]["messages"]) == [None, "Let me think.", None]


def test_no_recording_knows_of_it(server: FaultServer, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    base = server.add("s", THOUGHTFUL, PLAIN)
    talk = Conversation("m", provider=Wants, api_base=base, recording=path)
    talk.ask("1")
    turn = talk.turn("2")
    plain: list[dict[str, Any]] = [dict(message) for message in turn.request.messages]
    assert Asked.of(turn.request).key == Asked("m", plain, {}).key
    talk.ask("2")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert all("reasoning_content" not in message for line in lines for message in line["request"]["messages"])
    again = Conversation("m", provider=OpenaiTemplate, api_base=base, recording=Recording(path, "only"))
    assert [again.ask(prompt).text for prompt in ("1", "2")] == ["One.", "Two."]


@pytest.mark.parametrize("same", [True, False])
def test_a_replayed_turn_has_the_origin_that_it_was_recorded_from(
    server: FaultServer, tmp_path: Path, same: bool
) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    base = server.add("s", THOUGHTFUL, PLAIN)
    Conversation("m", provider=Wants, api_base=base, recording=path).ask("1")
    with FaultServer() as other:
        elsewhere = base if same else other.add("s", PLAIN)
        talk = Conversation("m", provider=Wants, api_base=elsewhere, recording=path)
        assert talk.ask("1").text == "One."  # from the recording
        talk.ask("2")
        sent = asked(server if same else other)[-1]
        assert thoughts(sent) == [None, "Let me think." if same else None, None]


def test_deepseek_wants_it() -> None:
    assert CATALOG["deepseek"].reasoning_field == "reasoning_content"
    wanting = [name for name, provider in CATALOG.items() if provider.reasoning_field]
    assert wanting == ["deepseek"]
