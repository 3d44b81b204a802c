"""What an endpoint's description fixes: joined when a request is sent or shown, whatever the user sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from jmuz_magic import Conversation
from jmuz_magic.demo.server import DemoServer
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import EarlierReasoning, Message
from jmuz_magic.providers.fixed import check_typed, fixed_names, with_fixed
from jmuz_magic.providers.openai_template import OpenaiTemplate
from tests.fault_server import FaultServer, json_answer
from tests.providers.asking import HELLO, ask

RULES = "Answer as a tutor."


class Campus(OpenaiTemplate):
    """An endpoint of an administrator."""

    spoken_name = "campus"
    default_model = "demo-chat"
    system = RULES
    options: ClassVar[dict[str, Any]] = {"temperature": 0.2, "max_tokens": 100, "user": "class-7"}


@pytest.fixture
def campus(demo_endpoint: DemoServer, monkeypatch: pytest.MonkeyPatch) -> DemoServer:
    monkeypatch.setattr(Campus, "api_base", demo_endpoint.api_base)
    return demo_endpoint


def sent(server: DemoServer) -> dict[str, Any]:
    """The body of the last request."""
    body = server.requests[-1].body
    assert isinstance(body, dict)
    return body


def test_system_prompt_and_options_are_sent_with_every_request(campus: DemoServer) -> None:
    Conversation(provider=Campus).ask("Hello")
    assert sent(campus)["messages"][0] == {"role": "system", "content": RULES}
    assert {name: sent(campus)[name] for name in Campus.options} == Campus.options


def test_the_users_system_message_stands_after_it_in_one_message(campus: DemoServer) -> None:
    conversation = Conversation(provider=Campus, system="Be brief.")
    for _ in range(2):
        conversation.ask("Hello")
    roles = [message["role"] for message in sent(campus)["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert sent(campus)["messages"][0]["content"] == f"{RULES}\n\nBe brief."
    assert conversation.messages[0]["content"] == "Be brief."


@pytest.mark.parametrize("role", ["system", "developer"])
def test_it_joins_parts_and_empty_texts(role: Literal["system", "developer"]) -> None:
    parts = [{"type": "text", "text": "Be brief."}]
    assert with_fixed(Campus, [{"role": role, "content": parts}], {})[0] == [
        {"role": role, "content": [{"type": "text", "text": RULES}, *parts]}
    ]
    assert with_fixed(Campus, [{"role": role, "content": ""}], {})[0] == [{"role": role, "content": RULES}]


@pytest.mark.parametrize(
    "set_by_user",
    [
        {"temperature": 2},
        {"max_tokens": 9000},
        {"max_completion_tokens": 9000},
        {"max_output_tokens": 9000},
        {"user": "somebody"},
        {"system": "Do as I say."},
        {"instructions": "Do as I say."},
        {"messages": HELLO},
        {"input": "Hello"},
    ],
)
def test_what_a_user_set_by_the_same_name_is_dropped(campus: DemoServer, set_by_user: dict[str, Any]) -> None:
    for options in ({"extra_body": set_by_user}, {} if "messages" in set_by_user else set_by_user):
        assert ask(Campus, typed={}, model="", **options).error is None
        body = sent(campus)
        assert {name: body[name] for name in Campus.options} == Campus.options
        assert body["messages"][0]["content"] == RULES
        assert not {"max_completion_tokens", "max_output_tokens", "system", "instructions", "input"} & body.keys()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"temperature": 2}, "temperature is fixed at 0.2 for campus; leave temperature= out"),
        ({"max_completion_tokens": 9}, "max_completion_tokens is fixed for campus; leave max_completion_tokens= out"),
        ({"extra_body": {"system": ""}}, "system is fixed for campus; leave extra_body['system'] out"),
    ],
)
def test_what_a_user_typed_by_the_same_name_is_refused(campus: DemoServer, options: dict[str, Any], line: str) -> None:
    assert str(ask(Campus, model="", **options).error) == line
    assert not campus.requests


@pytest.mark.parametrize("dialect", ["chat", "responses", "anthropic"])
@pytest.mark.parametrize(
    ("name", "value", "others"),
    [
        ("reasoning_effort", "low", {"reasoning": {"effort": "high"}, "thinking": {"type": "disabled"}}),
        ("reasoning_effort", "low", {"output_config": {"effort": "high"}}),
        ("response_format", {"type": "text"}, {"text": {"format": {"type": "json_object"}}}),
        ("verbosity", "low", {"text": {"verbosity": "high"}}),
        ("stop", ["x"], {"stop_sequences": ["y"]}),
        ("tool_choice", "none", {"parallel_tool_calls": False}),
    ],
)
def test_no_other_name_of_an_option_changes_what_is_fixed(
    dialect: str, name: str, value: Any, others: dict[str, Any]
) -> None:
    class Fixed(OpenaiTemplate):
        spoken_name = "campus"
        options: ClassVar[dict[str, Any]] = {name: value}

    for given in (others, {"extra_body": others}):
        _, options = with_fixed(Fixed, HELLO, given)
        assert Fixed.build_request("m", HELLO, dialect=dialect, **options) == Fixed.build_request(
            "m", HELLO, dialect=dialect, **{name: value}
        )
    for other in others:
        with pytest.raises(JmuzError, match=f"{other} is fixed for campus; leave -o {other} out"):
            check_typed(Fixed, {other: f"-o {other}"})


def test_earlier_reasoning_stays_with_its_message(campus: DemoServer) -> None:
    earlier = [EarlierReasoning("", "m", "thought")]
    messages, options = with_fixed(Campus, HELLO, {"earlier_reasoning": earlier})
    assert options["earlier_reasoning"] == [None, *earlier]
    assert len(messages) == 2


def test_messages_that_are_none_are_still_refused_in_one_line(campus: DemoServer) -> None:
    assert "expected messages such as" in str(ask(Campus, messages=["Hello"], model="").error)


def test_it_is_no_part_of_a_recordings_key(campus: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    Conversation(provider=Campus, system="Be brief.", recording=path).ask("Hello")
    assert RULES not in path.read_text()
    monkeypatch.setattr(Campus, "system", "Another text.")
    monkeypatch.setattr(Campus, "options", {})
    count = len(campus.requests)
    assert Conversation(provider=Campus, system="Be brief.", recording=path).ask("Hello").text
    assert len(campus.requests) == count


def test_a_class_that_fixes_nothing_changes_nothing() -> None:
    options = {"temperature": 2, "extra_body": {"system": "x"}}
    assert with_fixed(OpenaiTemplate, HELLO, options) == (HELLO, options)
    assert fixed_names(OpenaiTemplate) == []
    assert fixed_names(Campus) == ["the system prompt", "temperature", "max_tokens", "user"]


def test_a_conversation_refuses_nothing_that_nobody_typed(campus: DemoServer) -> None:
    assert Conversation(provider=Campus, options={"temperature": 1}).ask("Hello").text
    assert sent(campus)["temperature"] == 0.2
    with pytest.raises(JmuzError, match=r"temperature is fixed at 0\.2 for campus; leave temperature= out"):
        Conversation(provider=Campus).ask("Hello", temperature=1)


@pytest.mark.parametrize("dialect", ["chat", "responses", "anthropic"])
def test_it_holds_in_each_dialect(server: FaultServer, dialect: str) -> None:
    refusal = json_answer({"error": {"message": "no"}}, "418 Teapot")
    options = {"extra_body": {"system": "Do as I say.", "instructions": "Do as I say.", "max_tokens": 9000}}
    messages: list[Message] = [{"role": "system", "content": "Be brief."}, *HELLO]
    ask(Campus, api_base=server.add("s", refusal), dialect=dialect, typed={}, messages=messages, **options)
    body = json.dumps(server.requests[0].json)
    assert json.dumps(f"{RULES}\n\nBe brief.") in body
    assert "Do as I say." not in body
    assert "9000" not in body
    assert ": 100" in body
    assert '"temperature": 0.2' in body
