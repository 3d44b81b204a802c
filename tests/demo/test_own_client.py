"""Our own provider against the demo endpoint, in each dialect: the same reply, whichever is spoken."""

from __future__ import annotations

from typing import Any

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.demo import DemoServer
from jmuz_magic.demo.scripts import BROKEN, MARKDOWN, OVERLOADED, REFUSAL, SCRIPTS
from jmuz_magic.errors import MissingAuthError, ModelNotFoundError, ResponseError
from jmuz_magic.messages import Usage
from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint
from tests.providers.asking import Answer, Patient, ask

DIALECTS = ("chat", "responses", "anthropic")
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "anthropic": "/v1/messages"}


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def asked(server: DemoServer, dialect: str, model: str, prompt: str = "Hello", **options: Any) -> Answer:
    messages = [{"role": "user", "content": prompt}]
    given: dict[str, Any] = {"model": model, "messages": messages, "dialect": dialect, "api_base": server.api_base}
    return ask(**(given | options))


@pytest.mark.parametrize("stream", [True, False])
def test_the_reply_is_the_same(demo_endpoint: DemoServer, dialect: str, stream: bool) -> None:
    answer = asked(demo_endpoint, dialect, "demo-reasoning", "Which is larger, 9.11 or 9.9?", stream=stream)
    chat = asked(demo_endpoint, "chat", "demo-reasoning", "Which is larger, 9.11 or 9.9?", stream=stream)
    assert (answer.error, answer.text, answer.reasoning) == (None, chat.text, chat.reasoning)
    assert answer.finish_reason == "stop"
    assert isinstance(answer.usage, Usage)
    assert isinstance(chat.usage, Usage)
    assert answer.usage.reasoning_tokens == chat.usage.reasoning_tokens == -(-len(chat.reasoning) // 4)
    assert answer.usage.total_tokens == chat.usage.total_tokens
    assert asked(demo_endpoint, dialect, "demo-markdown", stream=stream).text == MARKDOWN
    assert {request.path for request in demo_endpoint.requests} >= {PATHS[dialect]}


@pytest.mark.parametrize("stream", [True, False])
def test_ends_of_all_kinds_are_told(demo_endpoint: DemoServer, dialect: str, stream: bool) -> None:
    refused = asked(demo_endpoint, dialect, "demo-refusal", stream=stream)
    assert (refused.error, refused.text, refused.finish_reason) == (None, REFUSAL, "refusal")
    cut = asked(demo_endpoint, dialect, "demo-echo", "one two three", stream=stream, max_tokens=2)
    assert (cut.error, cut.text, cut.finish_reason) == (None, "one two ", "length")
    broken = asked(demo_endpoint, dialect, "demo-error", stream=stream)
    assert isinstance(broken.error, ResponseError)
    assert OVERLOADED in str(broken.error)
    assert broken.text == (BROKEN if stream else "")


def test_refusals_are_typed_errors(demo_endpoint: DemoServer, dialect: str) -> None:
    unknown = asked(demo_endpoint, dialect, "gpt-9")
    assert isinstance(unknown.error, ModelNotFoundError)
    assert "'gpt-9' does not exist" in str(unknown.error)
    with DemoServer(deltas_per_second=0, api_key="sk-right") as guarded:
        assert isinstance(asked(guarded, dialect, "demo-echo", api_key="sk-wrong").error, MissingAuthError)
        assert asked(guarded, dialect, "demo-echo", api_key="sk-right").text == "Hello"


def test_an_option_that_only_chat_knows_goes_by_chat(demo_endpoint: DemoServer, dialect: str) -> None:
    assert asked(demo_endpoint, dialect, "demo-echo", extra_body={"seed": 1}).text == "Hello"
    assert demo_endpoint.requests[-1].path == PATHS["chat"]


def test_models_are_listed(demo_endpoint: DemoServer, dialect: str) -> None:
    endpoint = resolve_endpoint(Patient, api_base=demo_endpoint.api_base, dialect=dialect)
    assert Patient.get_models(endpoint=endpoint) == list(SCRIPTS)


def test_a_conversation_sends_thoughts_back_as_they_came(demo_endpoint: DemoServer, dialect: str) -> None:
    """The endpoint refuses any that was changed."""
    conversation = Conversation(
        "demo-reasoning", "Be brief.", provider=Patient, api_base=demo_endpoint.api_base, options={"dialect": dialect}
    )
    for _ in range(4):
        reply = conversation.ask("Which is larger, 9.11 or 9.9?")
        assert "**9.9** is larger" in reply.text
    assert reply.usage is not None
    assert (reply.usage.cached_tokens or 0) > 0
    sent = str(demo_endpoint.requests[-1].body)
    marks = {"chat": "reasoning_content", "responses": "encrypted_content", "anthropic": "signature"}
    assert sent.count(f"'{marks[dialect]}'") == (0 if dialect == "chat" else 3)
