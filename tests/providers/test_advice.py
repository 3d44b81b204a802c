"""Hints outside a shell with the magics name what works in Python."""

from __future__ import annotations

import pytest

from jmuz_magic import Conversation, JmuzError
from jmuz_magic.conversation.selection import get_selection
from jmuz_magic.providers.catalog import OpenAI
from tests.fault_server import FaultServer, json_answer

MANY = {"data": [{"id": f"m{number}"} for number in range(9)]}


def refusal(conversation: Conversation) -> str:
    with pytest.raises(JmuzError) as raised:
        conversation.ask("hi")
    assert "%" not in str(raised.value)
    return str(raised.value)


def test_an_unknown_model(server: FaultServer) -> None:
    missing = json_answer({"error": {"message": "no such model", "code": "model_not_found"}}, "404 Not Found")
    said = refusal(Conversation("m", api_base=server.add("s", missing)))
    assert said.endswith("(the provider's get_models() lists its models)")


def test_no_model_of_a_list(server: FaultServer) -> None:
    assert refusal(Conversation(api_base=server.add("s", json_answer(MANY)))) == (
        "no model is chosen; choose one with Conversation(model=…), such as m0, m1, m2, m3, m4 "
        "(the provider's get_models() lists all 9)"
    )


def test_no_endpoint() -> None:
    get_selection().set(choice=None, model=None)
    assert "name one: Conversation(provider='ollama')" in refusal(Conversation())


def test_no_key(server: FaultServer) -> None:
    assert refusal(Conversation("m", provider=OpenAI)) == "OpenAI needs a key: set OPENAI_API_KEY, or pass api_key="
    denied = json_answer({"error": "who?"}, "401 Unauthorized")
    said = refusal(Conversation("m", api_base=server.add("s", denied)))
    assert said.endswith("(no key was sent: pass api_key=)")
