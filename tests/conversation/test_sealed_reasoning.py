"""Reasoning that a service refuses to take back: the request goes without it, for the rest of the session."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic import Conversation
from jmuz_magic.display.reply import footer_lines
from tests.fault_server import FaultServer, Script, json_answer


def of_responses(text: str) -> Script:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": f"sealed{text}"}
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    return json_answer({"object": "response", "status": "completed", "output": [thought, said]})


def of_messages(text: str) -> Script:
    content = [{"type": "thinking", "thinking": "Hm.", "signature": f"sealed{text}"}, {"type": "text", "text": text}]
    return json_answer({"type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn"})


def refusal(message: str) -> Script:
    error = {"type": "invalid_request_error", "message": message}
    return json_answer({"type": "error", "error": error}, "400 Bad Request")


SERVICES = [
    ("responses", of_responses, "The encrypted content gAAA...aled could not be verified."),
    ("anthropic", of_messages, "messages.1.content.0: Invalid `signature` in `thinking` block"),
]


def sealed(server: FaultServer) -> list[list[str]]:
    """Of each request, the replies whose reasoning went back."""
    return [re.findall(r"sealed(\w+)", request.body.decode()) for request in server.requests]


@pytest.mark.parametrize(("dialect", "reply", "said"), SERVICES)
def test_what_is_refused_is_left_out_and_nothing_else(
    server: FaultServer, dialect: str, reply: Callable[[str], Script], said: str
) -> None:
    scripts = (reply("A"), reply("B"), refusal(said), reply("C"), reply("D"))
    options: dict[str, Any] = {"dialect": dialect, "reasoning_effort": "low"}
    talk = Conversation("m", api_base=server.add("s", *scripts), options=options)
    assert [talk.ask(prompt).requests for prompt in "1234"] == [1, 1, 2, 1]
    assert sealed(server) == [[], ["A"], ["A", "B"], [], ["C"]]
    assert [turn.reply.left_out for turn in talk.turns] == [(), (), ("earlier reasoning",), ()]
    efforts = [request.json.get("reasoning") or request.json["output_config"] for request in server.requests]
    assert all(effort["effort"] == "low" for effort in efforts)


@pytest.mark.parametrize(("dialect", "reply", "said"), SERVICES)
def test_a_recording_of_another_account_can_be_continued(
    server: FaultServer, dialect: str, reply: Callable[[str], Script], said: str, tmp_path: Path
) -> None:
    base = server.add("s", reply("E"), refusal(said), reply("F"))
    options = {"dialect": dialect}
    Conversation("m", api_base=base, options=options, recording=tmp_path / "theirs").ask("1")
    talk = Conversation("m", api_base=base, options=options, recording=tmp_path / "theirs")
    replies = [talk.ask(prompt) for prompt in "12"]
    assert [reply.text for reply in replies] == ["E", "F"]
    assert sealed(server) == [[], ["E"], []]
    assert footer_lines(replies[1]) == ["earlier reasoning left out (the service refuses it)", "2 requests"]


@pytest.mark.parametrize("other", [{"model": "other"}, {"dialect": "responses"}])
def test_what_was_not_sent_is_not_refused(server: FaultServer, other: dict[str, str]) -> None:
    said = refusal("messages.1.content.0: Invalid `signature` in `thinking` block")
    base = server.add("s", of_messages("G"), said, of_messages("H"))
    talk = Conversation("m", api_base=base, options={"dialect": "anthropic"})
    talk.ask("1")
    with pytest.raises(Exception, match="Invalid `signature`"):
        talk.ask("2", **other)
    talk.ask("2")
    assert sealed(server) == [[], [], ["G"]]


@pytest.mark.parametrize("said", ["The signature of the request is invalid", "max_tokens: too many"])
def test_other_refusals_stay(server: FaultServer, said: str) -> None:
    talk = Conversation("m", api_base=server.add("s", refusal(said)), options={"dialect": "anthropic"})
    with pytest.raises(Exception, match=re.escape(said)):
        talk.ask("1")
    assert len(server.requests) == 1
