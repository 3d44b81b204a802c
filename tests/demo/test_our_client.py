"""Our client against the demo endpoint: each dialect brings the same reply, whole or as a stream."""

from __future__ import annotations

from typing import Any

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.demo import DemoServer
from jmuz_magic.messages import Reply
from jmuz_magic.providers.dialects.table import DIALECTS
from tests.providers.asking import Answer, Patient, ask

MODELS = ("demo-chat", "demo-markdown", "demo-reasoning", "demo-refusal")


def asked(server: DemoServer, dialect: str, model: str, **options: Any) -> Answer:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 6 * 7?"}]
    return ask(Patient, api_base=server.api_base, dialect=dialect, model=model, messages=messages, **options)


def told(answer: Answer) -> dict[str, Any]:
    return {
        "error": answer.error,
        "text": answer.text,
        "reasoning": answer.reasoning,
        "finish": answer.finish_reason,
        "counted": answer.usage is not None and answer.usage.total_tokens is not None,
    }


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("stream", [True, False])
def test_each_dialect_brings_the_same_reply(demo_endpoint: DemoServer, model: str, stream: bool) -> None:
    chat, *others = (told(asked(demo_endpoint, dialect, model, stream=stream)) for dialect in DIALECTS)
    assert chat["text"]
    assert (chat["error"], chat["counted"]) == (None, True)
    for other in others:
        assert other == chat


def test_each_dialect_is_cut_at_the_same_place(demo_endpoint: DemoServer) -> None:
    chat, *others = (told(asked(demo_endpoint, dialect, "demo-long", max_tokens=40)) for dialect in DIALECTS)
    assert chat["finish"] == "length"
    assert others == [chat] * len(others)


def test_an_error_in_mid_stream_is_the_same_in_each(demo_endpoint: DemoServer) -> None:
    chat, *others = (asked(demo_endpoint, dialect, "demo-error") for dialect in DIALECTS)
    assert chat.text
    assert chat.error is not None
    for other in others:
        assert other.text == chat.text
        assert str(other.error).startswith(str(chat.error))  # Messages names the status, too


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_conversation_takes_its_thoughts_back(demo_endpoint: DemoServer, dialect: str) -> None:
    conversation = Conversation(
        "demo-reasoning", provider=Patient, api_base=demo_endpoint.api_base, options={"dialect": dialect}
    )
    replies: list[Reply] = [conversation.ask(f"What is 6 * {number}?") for number in range(3)]
    assert all(reply.text and reply.reasoning and reply.finish_reason == "stop" for reply in replies)
