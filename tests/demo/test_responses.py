"""The demo endpoint in the Responses dialect: raw HTTP, over a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.demo.scripts import BROKEN, OVERLOADED, REFUSAL, SCRIPTS
from tests.demo.fetching import named_events, post

PNG = "data:image/png;base64,iVBORw0KGgo="


def asked(model: str = "demo-echo", prompt: object = "Hello, world", **options: object) -> dict[str, Any]:
    return {"model": model, "input": prompt, **options}


def respond(server: DemoServer, body: dict[str, Any]) -> Any:
    status, answer = post(server, body, path="/responses")
    assert status == 200, answer
    return json.loads(answer)


def events(server: DemoServer, body: dict[str, Any]) -> list[dict[str, Any]]:
    status, answer = post(server, {**body, "stream": True}, path="/responses")
    assert status == 200, answer
    return named_events(answer)


def refusal(server: DemoServer, body: object) -> tuple[int, dict[str, Any]]:
    status, answer = post(server, body, path="/responses")
    error = json.loads(answer)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return status, error


def text_of(response: dict[str, Any]) -> str:
    parts = (part for item in response["output"] if item["type"] == "message" for part in item["content"])
    return "".join(part["text"] for part in parts)


@pytest.mark.parametrize("model", [model for model in SCRIPTS if model != "demo-error"])
def test_streamed_and_whole_are_the_same(demo_endpoint: DemoServer, model: str) -> None:
    whole = respond(demo_endpoint, asked(model))
    streamed = events(demo_endpoint, asked(model))
    assert streamed[-1] == {"type": "response.completed", "sequence_number": len(streamed) - 1, "response": whole}
    assert [event["sequence_number"] for event in streamed] == list(range(len(streamed)))
    for index, item in enumerate(whole["output"]):
        mine = [event for event in streamed if event.get("output_index") == index]
        (part,) = item.get("summary") or item["content"]
        text = part.get("refusal") or part["text"]
        assert "".join(event["delta"] for event in mine if event["type"].endswith(".delta")) == text
        assert (mine[0]["type"], mine[-1]) == (
            "response.output_item.added",
            {
                "type": "response.output_item.done",
                "sequence_number": mine[-1]["sequence_number"],
                "output_index": index,
                "item": item,
            },
        )
        assert {event["item_id"] for event in mine[1:-1]} == {item["id"]}


def test_the_same_answer_as_in_chat_completions(demo_endpoint: DemoServer) -> None:
    question = "Which is larger, 9.11 or 9.9?"
    chat = {"model": "demo-reasoning", "messages": [{"role": "user", "content": question}]}
    message = json.loads(post(demo_endpoint, chat)[1])["choices"][0]["message"]
    response = respond(demo_endpoint, asked("demo-reasoning", question))
    assert text_of(response) == message["content"]
    assert response["output"][0]["summary"][0]["text"] == message["reasoning_content"]


def test_usage_counts_thoughts_and_what_an_earlier_request_contained(demo_endpoint: DemoServer) -> None:
    response = respond(demo_endpoint, asked("demo-reasoning"))
    thought = len(response["output"][0]["summary"][0]["text"])
    assert response["usage"]["output_tokens_details"] == {"reasoning_tokens": -(-thought // 4)}
    turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
    again = respond(demo_endpoint, asked(prompt=[*turns, {"role": "user", "content": "Again"}], instructions="Brief."))
    assert again["usage"] == {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 9,
    }


def test_a_limit_leaves_it_incomplete(demo_endpoint: DemoServer) -> None:
    last = events(demo_endpoint, asked(max_output_tokens=2))[-1]
    response = last["response"]
    assert (last["type"], text_of(response), response["status"]) == ("response.incomplete", "Hello, w", "incomplete")
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert response["output"][0]["status"] == "incomplete"


def test_a_refusal_is_a_part_of_its_own(demo_endpoint: DemoServer) -> None:
    response = respond(demo_endpoint, asked("demo-refusal"))
    assert response["output"][0]["content"] == [{"type": "refusal", "refusal": REFUSAL}]
    assert "response.refusal.delta" in {event["type"] for event in events(demo_endpoint, asked("demo-refusal"))}


def test_an_error_in_mid_stream_ends_it(demo_endpoint: DemoServer) -> None:
    *before, last = events(demo_endpoint, asked("demo-error"))
    assert "".join(event.get("delta", "") for event in before) == BROKEN
    assert last["type"] == "response.failed"
    assert last["response"]["error"] == {"code": "server_error", "message": OVERLOADED}
    assert refusal(demo_endpoint, asked("demo-error"))[0] == 503


def test_no_effort_is_no_reasoning(demo_endpoint: DemoServer) -> None:
    response = respond(demo_endpoint, asked("demo-reasoning", reasoning={"effort": "none"}))
    assert [item["type"] for item in response["output"]] == ["message"]


def test_items_are_read_as_messages(demo_endpoint: DemoServer) -> None:
    parts = [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": PNG}]
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    items = [
        {"type": "message", "role": "user", "content": parts},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A pixel."}]},
        call,
        {"type": "function_call_output", "call_id": "c", "output": "4 bytes"},
    ]
    assert "1 image, image/png, 8 bytes" in text_of(respond(demo_endpoint, asked(prompt=items)))


def test_reasoning_comes_back_as_it_was_sent_or_not_at_all(demo_endpoint: DemoServer) -> None:
    thought, said = respond(demo_endpoint, asked("demo-reasoning", "Which is larger, 9.11 or 9.9?"))["output"]
    again = {"role": "user", "content": "Again"}
    assert text_of(respond(demo_endpoint, asked(prompt=[again, thought, said, again]))) == "Again"
    changed = {**thought, "encrypted_content": f"x{thought['encrypted_content']}"}
    status, error = refusal(demo_endpoint, asked(prompt=[again, changed, said, again]))
    assert (status, error["code"], error["param"]) == (400, "invalid_encrypted_content", "input[1]")
    assert refusal(demo_endpoint, asked(prompt=[{**thought, "encrypted_content": None}]))[0] == 404


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": ""}, "model"),
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": ["hi"]}, "input[0]"),
        ({"input": [{"role": "robot", "content": "hi"}]}, "input[0]"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]}, "input[0].content[0]"),
        ({"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "a"}]}]}, "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"type": "output_text", "text": "a"}]}]}, "input[0].content[0]"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0]"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"text": "short"}, "text"),
        ({"temperature": 2.1}, "temperature"),
        ({"include": "all"}, "include"),
    ],
)
def test_a_wrong_parameter_is_a_400_that_names_it(
    demo_endpoint: DemoServer, change: dict[str, Any], param: str
) -> None:
    status, error = refusal(demo_endpoint, {**asked(), **change})
    assert (status, error["type"], error["param"]) == (400, "invalid_request_error", param)


@pytest.mark.parametrize(
    ("option", "code"),
    [
        *(
            ({name: 1}, "unknown_parameter")
            for name in ("seed", "n", "stop", "max_tokens", "messages", "presence_penalty")
        ),
        ({"tools": [{"type": "function", "name": "f"}]}, "unsupported_parameter"),
        ({"previous_response_id": "resp_1"}, "unsupported_parameter"),
        ({"background": True}, "unsupported_parameter"),
        ({"text": {"format": {"type": "json_object"}}}, "unsupported_parameter"),
    ],
)
def test_what_it_does_not_have_is_a_400_that_says_so(
    demo_endpoint: DemoServer, option: dict[str, Any], code: str
) -> None:
    status, error = refusal(demo_endpoint, {**asked(), **option})
    assert (status, error["code"]) == (400, code)
    assert error["param"].partition(".")[0] in option


@pytest.mark.parametrize(
    "option",
    [
        {"tools": [], "tool_choice": "auto", "background": False},
        {"store": False, "include": ["reasoning.encrypted_content"], "reasoning": {"effort": "low", "summary": "auto"}},
        {"text": {"format": {"type": "text"}, "verbosity": "low"}, "temperature": 0, "metadata": {}, "top_p": None},
        {"stream_options": {"include_obfuscation": False}},
    ],
)
def test_what_asks_for_nothing_more_is_accepted(demo_endpoint: DemoServer, option: dict[str, Any]) -> None:
    assert text_of(respond(demo_endpoint, asked(**option))) == "Hello, world"


@pytest.mark.parametrize("body", [b"", b"{", b"[1]"])
def test_what_is_no_json_object_is_a_400(demo_endpoint: DemoServer, body: bytes) -> None:
    assert refusal(demo_endpoint, body)[0] == 400


def test_an_unknown_model_is_a_404(demo_endpoint: DemoServer) -> None:
    status, error = refusal(demo_endpoint, asked("gpt-9"))
    assert (status, error["code"]) == (404, "model_not_found")


@pytest.fixture
def guarded() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=0, api_key="sk-right") as server:
        yield server


def test_only_the_right_key_is_let_in(guarded: DemoServer) -> None:
    for headers in ({}, {"Authorization": "Bearer sk-wrong"}, {"x-api-key": "sk-right"}):
        status, answer = post(guarded, asked(), headers, path="/responses")
        assert (status, json.loads(answer)["error"]["code"]) == (401, "invalid_api_key")
    assert post(guarded, asked(), {"Authorization": "Bearer sk-right"}, path="/responses")[0] == 200
