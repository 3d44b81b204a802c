"""The demo endpoint in the Messages dialect: raw HTTP, over a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.demo.scripts import BROKEN, OVERLOADED, REFUSAL, SCRIPTS
from tests.demo.fetching import VERSION, fetch, named_events, post


def asked(model: str = "demo-echo", prompt: object = "Hello, world", **options: object) -> dict[str, Any]:
    messages = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    return {"model": model, "messages": messages, "max_tokens": 30_000, **options}


def send(server: DemoServer, body: object, headers: dict[str, str] = VERSION) -> tuple[int, bytes]:
    return post(server, body, headers, path="/messages")


def message(server: DemoServer, body: dict[str, Any]) -> Any:
    status, answer = send(server, body)
    assert status == 200, answer
    return json.loads(answer)


def events(server: DemoServer, body: dict[str, Any]) -> list[dict[str, Any]]:
    status, answer = send(server, {**body, "stream": True})
    assert status == 200, answer
    return named_events(answer)


def refusal(server: DemoServer, body: object, headers: dict[str, str] = VERSION) -> tuple[int, str, str]:
    status, answer = send(server, body, headers)
    told = json.loads(answer)
    assert (told["type"], set(told["error"])) == ("error", {"type", "message"})
    return status, told["error"]["type"], told["error"]["message"]


def block(content: list[dict[str, Any]], role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": content}


@pytest.mark.parametrize("model", [model for model in SCRIPTS if model != "demo-error"])
def test_streamed_and_whole_are_the_same(demo_endpoint: DemoServer, model: str) -> None:
    whole = message(demo_endpoint, asked(model))
    start, ping, *middle, last, stop = events(demo_endpoint, asked(model))
    assert (start["type"], ping, stop) == ("message_start", {"type": "ping"}, {"type": "message_stop"})
    content: list[dict[str, Any]] = []
    for event in middle:
        if event["type"] == "content_block_start":
            assert event["index"] == len(content)
            content.append(dict(event["content_block"]))
        elif event["type"] == "content_block_delta":
            for name in {*event["delta"]} - {"type"}:
                content[event["index"]][name] += event["delta"][name]
    assert start["message"] | {"content": content} | last["delta"] | {"usage": last["usage"]} == whole
    assert [event["type"] for event in middle].count("content_block_stop") == len(content)


def test_the_same_answer_as_in_chat_completions(demo_endpoint: DemoServer) -> None:
    chat = {"model": "demo-reasoning", "messages": [{"role": "user", "content": "Which is larger, 9.11 or 9.9?"}]}
    told = json.loads(post(demo_endpoint, chat)[1])["choices"][0]["message"]
    thinking, text = message(demo_endpoint, asked("demo-reasoning", chat["messages"]))["content"]
    assert (thinking["thinking"], text["text"]) == (told["reasoning_content"], told["content"])
    assert thinking["signature"]


def test_usage_counts_thoughts_and_what_an_earlier_request_contained(demo_endpoint: DemoServer) -> None:
    reply = message(demo_endpoint, asked("demo-reasoning"))
    thought = len(reply["content"][0]["thinking"])
    assert reply["usage"]["output_tokens_details"] == {"thinking_tokens": -(-thought // 4)}
    turns = [("user", "Hello"), ("assistant", "Hi"), ("user", "Again")]
    again = asked(prompt=[{"role": role, "content": text} for role, text in turns], system="Brief.")
    assert message(demo_endpoint, again)["usage"] == {
        "input_tokens": 3,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 4,
        "output_tokens": 2,
    }


@pytest.mark.parametrize(
    ("model", "options", "text", "reason", "sequence"),
    [
        ("demo-echo", {}, "Hello, world", "end_turn", None),
        ("demo-echo", {"max_tokens": 2}, "Hello, w", "max_tokens", None),
        ("demo-echo", {"stop_sequences": ["zzz", "wor"]}, "Hello, ", "stop_sequence", "wor"),
        ("demo-refusal", {}, REFUSAL, "refusal", None),
    ],
)
def test_it_says_why_it_ends(
    demo_endpoint: DemoServer, model: str, options: dict[str, Any], text: str, reason: str, sequence: str | None
) -> None:
    reply = message(demo_endpoint, asked(model, **options))
    found = ("".join(part["text"] for part in reply["content"]), reply["stop_reason"], reply["stop_sequence"])
    assert found == (text, reason, sequence)


def test_an_error_in_mid_stream_ends_it(demo_endpoint: DemoServer) -> None:
    *before, last = events(demo_endpoint, asked("demo-error"))
    assert "".join(event["delta"]["text"] for event in before if "delta" in event) == BROKEN
    assert last["error"] == {"type": "overloaded_error", "message": OVERLOADED}
    assert refusal(demo_endpoint, asked("demo-error")) == (529, "overloaded_error", OVERLOADED)


@pytest.mark.parametrize(
    ("thinking", "kinds"),
    [
        ({"type": "disabled"}, ["text"]),
        ({"type": "adaptive"}, ["thinking", "text"]),
        ({"type": "enabled", "budget_tokens": 2_000}, ["thinking", "text"]),
    ],
)
def test_it_thinks_as_it_is_told(demo_endpoint: DemoServer, thinking: object, kinds: list[str]) -> None:
    content = message(demo_endpoint, asked("demo-reasoning", thinking=thinking))["content"]
    assert [part["type"] for part in content] == kinds


def test_blocks_are_read_as_messages(demo_endpoint: DemoServer) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    messages = [
        block([{"type": "text", "text": "What is this?"}, {"type": "image", "source": source}]),
        block([{"type": "text", "text": "A pixel."}, call], "assistant"),
        block([{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "8 bytes"}]}]),
    ]
    (text,) = message(demo_endpoint, asked(prompt=messages))["content"]
    assert text["text"] == "What is this?\n\n1 image, image/png, 8 bytes"
    url = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
    (text,) = message(demo_endpoint, asked(prompt=[block([url])]))["content"]
    assert text["text"] == "1 image, at https://example.org/a.png, not fetched"


def test_thinking_comes_back_as_it_was_sent(demo_endpoint: DemoServer) -> None:
    thinking, text = message(demo_endpoint, asked("demo-reasoning"))["content"]
    ask = {"role": "user", "content": "Again"}
    again = [ask, block([{"type": "redacted_thinking", "data": "x"}, thinking, text], "assistant"), ask]
    assert message(demo_endpoint, asked(prompt=again))["content"][0]["text"] == "Again"
    changed = {**thinking, "thinking": f"{thinking['thinking']} "}
    again[1] = block([changed, text], "assistant")
    assert refusal(demo_endpoint, asked(prompt=again)) == (
        400,
        "invalid_request_error",
        "messages.1.content.0: invalid signature in thinking block",
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": ""}, "model: you must provide"),
        ({"max_tokens": None}, "max_tokens: field required"),
        ({"messages": []}, "messages: at least one"),
        ({"messages": ["hi"]}, "messages.0: expected an object"),
        ({"messages": [{"role": "system", "content": "hi"}]}, "messages.0: expected an object with a role of user"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages.0.content: expected content"),
        ({"messages": [block([{"type": "text", "text": " "}])]}, "messages.0.content.0: text content blocks must"),
        ({"messages": [block([{"type": "image_url"}])]}, "messages.0.content.0: did not expect a block of type"),
        ({"messages": [block([{"type": "image", "source": {}}], "assistant")]}, "messages.0.content.0: did not expect"),
        ({"system": 5}, "system: expected text"),
        ({"stop_sequences": [" "]}, "stop_sequences: expected"),
        ({"temperature": 1.5}, "temperature: expected a number from 0 to 1"),
        ({"thinking": {"type": "much"}}, "thinking.type: expected enabled"),
        ({"thinking": {"type": "enabled", "budget_tokens": 30_000}}, "thinking.budget_tokens: expected"),
        ({"seed": 1}, "seed: unknown parameter"),
        ({"tools": [{"name": "f"}]}, "tools: this demo endpoint has no language model and cannot call tools"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format: this demo endpoint"),
    ],
)
def test_a_wrong_parameter_is_a_400_that_names_it(demo_endpoint: DemoServer, change: dict[str, Any], said: str) -> None:
    status, kind, found = refusal(demo_endpoint, {**asked(), **change})
    assert (status, kind, found[: len(said)]) == (400, "invalid_request_error", said)


def test_what_asks_for_nothing_more_is_accepted(demo_endpoint: DemoServer) -> None:
    options: dict[str, Any] = {
        "tools": [],
        "tool_choice": {"type": "auto"},
        "output_config": {"effort": "low"},
        "top_k": 5,
        "system": [],
    }
    assert message(demo_endpoint, asked(**options))["content"] == [{"type": "text", "text": "Hello, world"}]


def test_the_version_is_required(demo_endpoint: DemoServer) -> None:
    assert refusal(demo_endpoint, asked(), {})[2] == "anthropic-version: header is required"


def test_an_unknown_model_is_a_404(demo_endpoint: DemoServer) -> None:
    status, kind, said = refusal(demo_endpoint, asked("claude-9"))
    assert (status, kind) == (404, "not_found_error")
    assert "demo-echo" in said


@pytest.fixture
def guarded() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=0, api_key="sk-right") as server:
        yield server


def test_only_the_right_key_is_let_in_by_either_header(guarded: DemoServer) -> None:
    for headers in ({}, {"x-api-key": "sk-wrong"}, {"Authorization": "Bearer sk-wrong"}):
        status, kind, said = refusal(guarded, asked(), {**VERSION, **headers})
        assert (status, kind) == (401, "authentication_error")
        assert "sk-" not in said
    for headers in ({"x-api-key": "sk-right"}, {"Authorization": "Bearer sk-right"}):
        assert send(guarded, asked(), {**VERSION, **headers})[0] == 200


# --- the list


def listed(server: DemoServer, query: str = "") -> Any:
    status, answer = fetch(server, f"/models{query}", headers=VERSION)
    assert status == 200, answer
    return json.loads(answer)


def test_the_list_has_pages(demo_endpoint: DemoServer) -> None:
    models = list(SCRIPTS)
    found, query = [], "?limit=4"
    while query:
        page = listed(demo_endpoint, query)
        ids = [model["id"] for model in page["data"]]
        assert (page["first_id"], page["last_id"], len(ids) <= 4) == (ids[0], ids[-1], True)
        found += ids
        query = f"?limit=4&after_id={ids[-1]}" if page["has_more"] else ""
    assert found == models
    before = listed(demo_endpoint, f"?limit=2&before_id={models[3]}")
    assert ([model["id"] for model in before["data"]], before["has_more"]) == (models[1:3], True)
    assert not listed(demo_endpoint, f"?limit=4&before_id={models[3]}")["has_more"]
    assert [model["id"] for model in listed(demo_endpoint)["data"]] == models


def test_a_model_states_its_limits(demo_endpoint: DemoServer) -> None:
    model = json.loads(fetch(demo_endpoint, "/models/demo-echo", headers=VERSION)[1])
    assert (model["type"], model["id"], model["max_tokens"] > 0) == ("model", "demo-echo", True)
    status, answer = fetch(demo_endpoint, "/models/claude-9", headers=VERSION)
    assert (status, json.loads(answer)["error"]["type"]) == (404, "not_found_error")


@pytest.mark.parametrize("query", ["limit=0", "limit=all", "limit=1001", "after_id=claude-9", "before_id="])
def test_a_page_that_does_not_exist_is_a_400(demo_endpoint: DemoServer, query: str) -> None:
    status, answer = fetch(demo_endpoint, f"/models?{query}", headers=VERSION)
    assert (status, json.loads(answer)["error"]["type"]) == (400, "invalid_request_error")
