"""Anthropic's own dialect in a cell: real traffic, what a cut says, and what is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fault_server import FaultServer, json_answer, stream
from tests.fault_server import reply as chat_reply
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


SEARCH = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "sky"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"encrypted_content": "e"}]}


def whole(*content: dict[str, Any], reason: str) -> Any:
    usage = {"input_tokens": 3, "output_tokens": 4}
    message = {"type": "message", "model": "claude-x", "content": list(content), "stop_reason": reason, "usage": usage}
    return json_answer(message)


@pytest.mark.parametrize("begun", [[SEARCH], [{"type": "text", "text": "Let me look."}, SEARCH]])
def test_a_paused_reply_is_asked_on_with_what_came(server: FaultServer, user: UserShell, begun: list[Any]) -> None:
    rest = whole(FOUND, {"type": "text", "text": "It is blue."}, reason="end_turn")
    server.add(
        "s", whole(*begun, reason="pause_turn"), rest, whole({"type": "text", "text": "Yes."}, reason="end_turn")
    )
    assert "It is blue." in user.line("%jmuz -p anthropic -m claude-x --chat sky?")
    assert "Yes." in user.line("%jmuz -p anthropic -m claude-x --chat sure?")
    first, second, third = (request.json["messages"] for request in server.requests)
    assert second == [*first, {"role": "assistant", "content": begun}]
    later = [{"role": "assistant", "content": [*begun, FOUND, {"type": "text", "text": "It is blue."}]}]
    assert third == [*first, *later, {"role": "user", "content": "sure?"}]


def test_a_refusal_says_in_which_category(server: FaultServer, user: UserShell) -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": None}
    message = {"type": "message", "model": "claude-x", "content": [], "stop_reason": "refusal", "stop_details": details}
    server.add("s", json_answer(message))
    assert "refused: the model declined to answer (cyber)" in user.line("%jmuz -p anthropic -m claude-x hi")


def test_a_dry_run_shows_headers_without_the_key_and_the_body(server: FaultServer, user: UserShell) -> None:
    said = user.line("%jmuz -p anthropic -m claude-x -s Brief. --max-tokens 7 --dry-run hi")
    assert f"{server.api_base('s')}/v1/messages" in said
    assert "X-Api-Key: ***" in said
    assert "Anthropic-Version: 2023-06-01" in said
    assert FAKE_KEY not in said
    assert '"system": "Brief."' in said
    assert '"max_tokens": 7' in said
    assert not server.requests


def test_an_option_that_only_chat_knows_goes_by_chat_and_the_dry_run_says_why(user: UserShell) -> None:
    said = user.line("%jmuz -p anthropic -m claude-x -o stop END --dry-run hi")
    assert "/chat/completions" in said
    assert "chat/completions, since stop is unknown to Messages" in said


def test_a_gateway_without_messages_is_asked_by_chat_and_that_is_said_once(
    server: FaultServer, user: UserShell
) -> None:
    missing = json_answer({"detail": "Not Found"}, "404 Not Found")
    server.add("s", missing, chat_reply("Hello."), chat_reply("Again."))
    why = f"chat/completions, since {server.origin} has no Messages"
    assert f"asking by {why}" in user.line("%jmuz -p anthropic -m claude hi")
    assert "asking by" not in user.line("%jmuz -p anthropic -m claude hi")
    assert f"\ndialect: {why}\n" in user.line("%jmuz -p anthropic -m claude --dry-run hi")
    assert [request.target.rpartition("/v1/")[2] for request in server.requests] == [
        "messages", "chat/completions", "chat/completions",
    ]  # fmt: skip
