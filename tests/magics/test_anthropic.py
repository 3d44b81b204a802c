"""Anthropic's own dialect in a cell: real traffic, what a cut says, and what is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fault_server import FaultServer, json_answer, stream
from tests.magics.loaded import UserShell
from tests.providers.asking import FAKE_KEY
from tests.providers.cut_streams import recorded
from tests.providers.test_anthropic_streams import ENDS, calls_in, messages_of


@pytest.fixture(autouse=True)
def _gateway(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", FAKE_KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.api_base("s"))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_stream_comes_out_as_it_is_in_a_cell(
    server: FaultServer, user: UserShell, test_data: Path, seed: int
) -> None:
    for each in recorded(test_data, "messages"):
        replies = []
        for message in messages_of(each.body):
            server.add("s", stream(message, how=seed))
            assert user.run("%jmuz -p anthropic -m claude --quiet hi").ok, each.name
            replies.append(user.shell.user_ns["_jmuz"])
        assert "".join(reply.text for reply in replies) == each.facts["text"], each.name
        assert "".join(reply.reasoning for reply in replies) == each.facts["reasoning"], each.name
        calls = [(call.id, call.name, json.loads(call.arguments)) for reply in replies for call in reply.tool_calls]
        assert calls == calls_in(each), each.name
        last = replies[-1]
        assert (last.finish_reason, last.finish_said) == (ENDS[each.facts["finish"]], each.facts["finish"])
        assert (last.usage.prompt_tokens, last.usage.completion_tokens) == tuple(each.facts["usage"].values())


def cut_reply() -> bytes:
    message = {"model": "claude-x", "content": [{"type": "text", "text": "Once upon"}], "stop_reason": "max_tokens"}
    return json.dumps({"type": "message", **message, "usage": {"input_tokens": 3, "output_tokens": 9}}).encode()


def test_a_reply_cut_by_our_default_says_so_and_what_to_do(server: FaultServer, user: UserShell) -> None:
    server.add("s", json_answer(cut_reply()))
    said = user.line("%jmuz -p anthropic -m claude-x hi")
    assert "cut by length (the default limit of 16,000 tokens): --max-tokens N allows more" in said
    assert server.requests[-1].json["max_tokens"] == 16_000


def test_a_reply_cut_by_a_chosen_limit_names_no_default(server: FaultServer, user: UserShell) -> None:
    server.add("s", json_answer(cut_reply()))
    said = user.line("%jmuz -p anthropic -m claude-x --max-tokens 9 hi")
    assert "cut by length (max_tokens): --max-tokens N allows more" in said


def test_a_reply_as_long_as_the_model_writes_offers_no_more(server: FaultServer, user: UserShell) -> None:
    listed = {"data": [{"type": "model", "id": "claude-l", "max_tokens": 9}], "has_more": False}
    server.add("s", json_answer(listed), json_answer(cut_reply()))
    user.line("%jmuz_use anthropic")
    user.line("%jmuz_models")
    said = user.line("%jmuz -p anthropic -m claude-l hi")
    assert "cut by length (the model's limit of 9 tokens): the model writes no more at once; ask it to go on" in said
