"""The demo endpoint as its clients see it: raw HTTP, over a real socket."""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.demo.scripts import ADVERTS, BROKEN, OVERLOADED, REFUSAL, SCRIPTS
from tests.demo.fetching import fetch, post
from tests.waiting import wait_until

JMUZ_MODELS = {"gpt-4o", "qwq-32b-preview", "gemini-flash", "gemini-pro", "gemini-thinking", "deepseek-v3"}
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def chat(model: str = "demo-echo", prompt: object = "Hello, world", **options: object) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": prompt}], **options}


def complete(server: DemoServer, body: dict[str, Any]) -> Any:
    status, answer = post(server, body)
    assert status == 200, answer
    return json.loads(answer)


def events(server: DemoServer, body: dict[str, Any]) -> list[Any]:
    status, answer = post(server, {**body, "stream": True})
    assert status == 200, answer
    blocks = answer.decode().split("\n\n")
    assert blocks[-2:] == ["data: [DONE]", ""]
    return [json.loads(block.removeprefix("data: ")) for block in blocks[:-2]]


def joined(chunks: list[Any], field: str = "content", index: int = 0) -> str:
    choices = [choice for chunk in chunks for choice in chunk["choices"] if choice["index"] == index]
    return "".join(choice["delta"].get(field, "") for choice in choices)


def refusal(server: DemoServer, body: object) -> tuple[int, dict[str, Any]]:
    status, answer = post(server, body)
    error = json.loads(answer)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return status, error


class TestModels:
    @pytest.mark.finding("C7")
    def test_its_own_ids_come_first(self, demo_endpoint: DemoServer) -> None:
        ids = [model["id"] for model in json.loads(fetch(demo_endpoint, "/models")[1])["data"]]
        assert ids[0] == "demo-chat"
        assert ids == sorted(ids, key=lambda name: not name.startswith("demo-"))

    def test_lists_the_ids_that_the_aliases_name_and_the_scripts(self, demo_endpoint: DemoServer) -> None:
        _, answer = fetch(demo_endpoint, "/models")
        listed = json.loads(answer)
        assert listed["object"] == "list"
        assert {model["id"] for model in listed["data"]} == set(SCRIPTS) >= JMUZ_MODELS

    def test_shows_one(self, demo_endpoint: DemoServer) -> None:
        status, answer = fetch(demo_endpoint, "/models/gpt-4o")
        assert (status, json.loads(answer)["id"]) == (200, "gpt-4o")

    def test_an_unknown_one_is_a_404(self, demo_endpoint: DemoServer) -> None:
        status, answer = fetch(demo_endpoint, "/models/gpt-9")
        assert (status, json.loads(answer)["error"]["code"]) == (404, "model_not_found")


class TestReplies:
    @pytest.mark.finding("C7")
    @pytest.mark.parametrize(
        ("question", "answer", "thought"),
        [
            ("Which is larger, 9.11 or 9.9?", "**9.9** is larger", "the decimals decide"),
            ("is 9.9 LESS than 9.11", "**9.9** is larger", "the decimals decide"),
            ("A bat and a ball cost 1.10 together. What does the ball cost?", "The ball costs **0.05**", "too much"),
            (
                "Why is the sky blue?",
                "No answer is prepared for that question, so here is a riddle",
                "so here is a riddle",
            ),
        ],
    )
    def test_reasoning_answers_what_it_was_asked_or_says_that_it_does_not(
        self, demo_endpoint: DemoServer, question: str, answer: str, thought: str
    ) -> None:
        message = complete(demo_endpoint, chat("demo-reasoning", question))["choices"][0]["message"]
        assert message["content"].startswith(answer)
        assert thought in message["reasoning_content"]
        assert "No language model was asked." in message["content"]

    @pytest.mark.finding("C7")
    @pytest.mark.parametrize("model", ["demo-chat", "gpt-4o", "gemini-pro"])
    @pytest.mark.parametrize(
        ("question", "answer"),
        [
            ("Explain the difference between a list and a tuple, with an example.", "A **list** can be changed"),
            ("How do I sort a list in Python?", "`sorted(items)` returns a new list"),
            ("Which is larger, 9.11 or 9.9?", "**9.9** is larger"),
        ],
    )
    def test_what_the_readme_asks_is_answered_and_said_to_be_scripted(
        self, demo_endpoint: DemoServer, model: str, question: str, answer: str
    ) -> None:
        text = complete(demo_endpoint, chat(model, question))["choices"][0]["message"]["content"]
        assert text.startswith(answer)
        assert text.endswith("No language model was asked.)*\n")

    @pytest.mark.finding("C7")
    def test_whoever_asks_for_a_real_models_id_is_told_that_it_is_not_here(self, demo_endpoint: DemoServer) -> None:
        for model in sorted(JMUZ_MODELS):
            text = complete(demo_endpoint, chat(model, "Hello"))["choices"][0]["message"]["content"]
            assert f"demo endpoint** of jmuz_magic, which stands in for `{model}`. It is not a language model" in text
            answer = complete(demo_endpoint, chat(model, "What is 17 * 23?"))
            assert f"the demo, which stands in for `{model}`." in answer["choices"][0]["message"]["content"]
            assert answer["model"] == "demo-chat"
            assert json.loads(fetch(demo_endpoint, f"/models/{model}")[1])["root"] == "demo-chat"
        assert "stands in" not in complete(demo_endpoint, chat("demo-chat"))["choices"][0]["message"]["content"]

    @pytest.mark.parametrize("model", sorted(JMUZ_MODELS))
    def test_a_real_models_id_says_that_it_is_a_demo_and_how_to_ask_a_real_one(
        self, demo_endpoint: DemoServer, model: str
    ) -> None:
        for asked in ("Who are you?", "Why is the sky blue?"):
            text = complete(demo_endpoint, chat(model, asked))["choices"][0]["message"]["content"]
            for expected in ("demo", "not a language model", "%jmuz_use openai", "ollama", "--api-base"):
                assert expected in text
            assert ("No reply is scripted" in text) == (f"> {asked}" in text) == ("sky" in asked)

    @pytest.mark.parametrize("model", [model for model in SCRIPTS if model not in ("demo-error", "demo-refusal")])
    def test_streamed_and_whole_are_the_same(self, demo_endpoint: DemoServer, model: str) -> None:
        whole = complete(demo_endpoint, chat(model))["choices"][0]
        chunks = events(demo_endpoint, chat(model))
        assert joined(chunks) == whole["message"]["content"] != ""
        assert joined(chunks, "reasoning_content") == whole["message"].get("reasoning_content", "")
        assert chunks[-1]["choices"][0]["finish_reason"] == whole["finish_reason"] == "stop"

    def test_a_refusal_is_not_text(self, demo_endpoint: DemoServer) -> None:
        message = complete(demo_endpoint, chat("demo-refusal"))["choices"][0]["message"]
        assert message == {"role": "assistant", "content": None, "refusal": REFUSAL}
        chunks = events(demo_endpoint, chat("demo-refusal"))
        assert (joined(chunks, "refusal"), joined(chunks)) == (REFUSAL, "")
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"

    def test_an_error_in_mid_stream_ends_it(self, demo_endpoint: DemoServer) -> None:
        *chunks, last = events(demo_endpoint, chat("demo-error"))
        assert joined(chunks) == BROKEN
        assert last == {"error": {"message": OVERLOADED, "type": "server_error", "param": None, "code": None}}
        assert refusal(demo_endpoint, chat("demo-error")) == (503, last["error"])

    def test_no_effort_is_no_reasoning(self, demo_endpoint: DemoServer) -> None:
        message = complete(demo_endpoint, chat("demo-reasoning", reasoning_effort="none"))["choices"][0]["message"]
        assert message["content"]
        assert "reasoning_content" not in message

    def test_the_same_request_gives_the_same_bytes(self, demo_endpoint: DemoServer) -> None:
        for stream in (False, True):
            body = chat("gpt-4o", stream=stream, stream_options={"include_usage": True})
            with DemoServer(deltas_per_second=0) as other:
                assert post(demo_endpoint, body) == post(demo_endpoint, body) == post(other, body)

    def test_different_prompts_get_different_ids(self, demo_endpoint: DemoServer) -> None:
        assert complete(demo_endpoint, chat())["id"] != complete(demo_endpoint, chat(prompt="x"))["id"]

    def test_echo_gives_the_last_user_message_back(self, demo_endpoint: DemoServer) -> None:
        messages = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": None, "tool_calls": []},
            {
                "role": "user",
                "content": [{"type": "text", "text": "naïve 日本 "}, {"type": "text", "text": "👩‍🚀\n$x$"}],
            },
            {"role": "assistant", "content": "last"},
        ]
        chunks = events(demo_endpoint, {"model": "demo-echo", "messages": messages})
        assert joined(chunks) == "naïve 日本 👩‍🚀\n$x$"

    def test_a_lone_surrogate_does_not_break_the_stream(self, demo_endpoint: DemoServer) -> None:
        assert joined(events(demo_endpoint, chat(prompt="a\ud83db"))) == "a?b"

    def test_reasoning_comes_before_the_text(self, demo_endpoint: DemoServer) -> None:
        deltas = [chunk["choices"][0]["delta"] for chunk in events(demo_endpoint, chat("demo-reasoning"))]
        kinds = [next(iter(delta)) for delta in deltas[1:-1]]
        assert kinds == sorted(kinds, reverse=True)
        assert set(kinds) == {"reasoning_content", "content"}

    def test_long_is_100_kb(self, demo_endpoint: DemoServer) -> None:
        text = joined(events(demo_endpoint, chat("demo-long")))
        assert len(text.encode()) == 100_000

    def test_adverts_stand_in_head_and_body(self) -> None:
        assert ADVERTS.startswith("Join for free")
        assert ADVERTS.count("https://discord.gg/") == 5

    def test_markdown_shows_everything_that_a_renderer_must_know(self, demo_endpoint: DemoServer) -> None:
        text = joined(events(demo_endpoint, chat("demo-markdown")))
        for mark in (
            "\n## ",
            "   - ",
            "|--",
            "```python",
            "```javascript",
            "```sql",
            "$$",
            r"\(",
            r"\[",
            "](",
            "![",
            "<b ",
        ):
            assert mark in text


class TestOptions:
    def test_usage_comes_last_when_asked_for(self, demo_endpoint: DemoServer) -> None:
        *chunks, last = events(demo_endpoint, chat(stream_options={"include_usage": True}))
        assert last["choices"] == []
        assert last["usage"] == {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}
        assert all(chunk["usage"] is None for chunk in chunks)

    def test_usage_counts_thoughts_and_what_an_earlier_request_contained(self, demo_endpoint: DemoServer) -> None:
        answer = complete(demo_endpoint, chat("demo-reasoning"))
        thought = len(answer["choices"][0]["message"]["reasoning_content"])
        assert answer["usage"]["completion_tokens_details"] == {"reasoning_tokens": -(-thought // 4)}
        assert "prompt_tokens_details" not in answer["usage"]
        texts = [("system", "Be brief."), ("user", "Hello"), ("assistant", "Hi"), ("user", "Again")]
        messages = [{"role": role, "content": text} for role, text in texts]
        usage = complete(demo_endpoint, {"model": "demo-echo", "messages": messages})["usage"]
        assert (usage["prompt_tokens"], usage["prompt_tokens_details"]) == (8, {"cached_tokens": 5})

    def test_usage_is_not_streamed_unasked(self, demo_endpoint: DemoServer) -> None:
        assert all("usage" not in chunk for chunk in events(demo_endpoint, chat()))

    @pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
    def test_a_limit_of_tokens_stops_by_length(self, demo_endpoint: DemoServer, name: str) -> None:
        answer = complete(demo_endpoint, {**chat(), name: 2})
        assert answer["choices"][0]["message"]["content"] == "Hello, w"
        assert answer["choices"][0]["finish_reason"] == "length"
        assert answer["usage"]["completion_tokens"] == 2

    def test_a_limit_that_is_just_enough_is_none(self, demo_endpoint: DemoServer) -> None:
        assert complete(demo_endpoint, chat(max_tokens=3))["choices"][0]["finish_reason"] == "stop"

    @pytest.mark.parametrize(("stop", "text"), [(",", "Hello"), (["zzz", "wor", "lo"], "Hel"), (None, "Hello, world")])
    def test_text_ends_before_a_stop(self, demo_endpoint: DemoServer, stop: object, text: str) -> None:
        chunks = events(demo_endpoint, chat(stop=stop))
        assert (joined(chunks), chunks[-1]["choices"][0]["finish_reason"]) == (text, "stop")

    def test_several_choices_take_turns(self, demo_endpoint: DemoServer) -> None:
        chunks = events(demo_endpoint, chat(n=3))
        assert [chunk["choices"][0]["index"] for chunk in chunks[:6]] == [0, 1, 2, 0, 1, 2]
        assert [joined(chunks, index=index) for index in range(3)] == [
            "Hello, world",
            "(choice 2) Hello, world",
            "(choice 3) Hello, world",
        ]

    @pytest.mark.parametrize("model", ["gpt-4o", "demo-echo"])
    def test_images_are_acknowledged_with_type_and_size(self, demo_endpoint: DemoServer, model: str) -> None:
        url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
        image = {"type": "image_url", "image_url": {"url": url}}
        text = {"type": "text", "text": "What is this?"}
        assert f"1 image, image/png, {len(PNG)} bytes" in joined(events(demo_endpoint, chat(model, [text, image])))
        assert "2 images, image/png" in joined(events(demo_endpoint, chat(model, [image, image])))

    def test_an_image_elsewhere_is_not_fetched(self, demo_endpoint: DemoServer) -> None:
        image = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}
        assert (
            joined(events(demo_endpoint, chat(prompt=[image])))
            == "1 image, at https://example.org/cat.png, not fetched"
        )


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "param"),
        [
            ({"model": None}, "model"),
            ({"messages": []}, "messages"),
            ({"messages": ["hi"]}, "messages[0]"),
            ({"messages": [{"role": "robot", "content": "hi"}]}, "messages[0].role"),
            ({"messages": [{"role": "user"}]}, "messages[0].content"),
            ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0]"),
            ({"messages": [{"role": "user", "content": ["hi"]}]}, "messages[0].content[0]"),
            ({"stream": "yes"}, "stream"),
            ({"stream_options": True}, "stream_options"),
            ({"max_tokens": 0}, "max_tokens"),
            ({"max_completion_tokens": "many"}, "max_completion_tokens"),
            ({"n": 129}, "n"),
            ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
            ({"stop": [""]}, "stop"),
        ],
    )
    def test_a_wrong_parameter_is_a_400_that_names_it(
        self, demo_endpoint: DemoServer, change: dict[str, Any], param: str
    ) -> None:
        status, error = refusal(demo_endpoint, {**chat(), **change})
        assert (status, error["type"], error["param"]) == (400, "invalid_request_error", param)

    @pytest.mark.finding("D9")
    @pytest.mark.parametrize(
        ("change", "param"),
        [
            ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
            ({"tool_choice": "required"}, "tool_choice"),
            ({"functions": [{"name": "f"}]}, "functions"),
            ({"response_format": {"type": "json_object"}}, "response_format"),
            (
                {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}},
                "response_format",
            ),
            ({"logprobs": True}, "logprobs"),
            ({"modalities": ["text", "audio"]}, "modalities"),
        ],
    )
    def test_what_a_demo_cannot_do_is_a_400_that_says_so(
        self, demo_endpoint: DemoServer, change: dict[str, Any], param: str
    ) -> None:
        status, error = refusal(demo_endpoint, {**chat(), **change})
        assert (status, error["type"], error["param"]) == (400, "invalid_request_error", param)
        assert error["code"] == "unsupported_parameter"
        assert error["message"].startswith("this demo endpoint has no language model and cannot ")
        assert error["message"].endswith(f"; leave {param} out")

    @pytest.mark.finding("D9")
    @pytest.mark.parametrize(
        ("name", "wrong", "right"),
        [
            ("temperature", "hot", 0),
            ("temperature", 2.1, 2),
            ("temperature", True, 1.5),
            ("top_p", -0.1, 1),
            ("presence_penalty", 3, -2),
            ("frequency_penalty", "none", 0.5),
            ("seed", 1.5, 7),
            ("seed", "1", -1),
            ("user", 5, "me"),
            ("store", "yes", False),
            ("reasoning_effort", 3, "low"),
            ("logit_bias", [], {"50256": -100}),
            ("metadata", "a", {"a": "b"}),
        ],
    )
    def test_the_type_and_range_of_an_option_are_checked(
        self, demo_endpoint: DemoServer, name: str, wrong: object, right: object
    ) -> None:
        status, error = refusal(demo_endpoint, {**chat(), name: wrong})
        assert (status, error["param"]) == (400, name)
        assert error["message"].startswith("expected ")
        for value in (right, None):
            assert post(demo_endpoint, {**chat(), name: value})[0] == 200

    @pytest.mark.finding("D9")
    @pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
    def test_what_is_no_number_is_no_temperature(self, demo_endpoint: DemoServer, number: str) -> None:
        body = json.dumps(chat()).removesuffix("}") + f', "temperature": {number}}}'
        assert post(demo_endpoint, body.encode())[0] == 400

    @pytest.mark.parametrize(
        "options", [{"tools": []}, {"response_format": {"type": "text"}}, {"logprobs": False}, {"tool_choice": "none"}]
    )
    def test_what_asks_for_nothing_more_is_accepted(self, demo_endpoint: DemoServer, options: dict[str, Any]) -> None:
        assert post(demo_endpoint, {**chat(), **options})[0] == 200

    @pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000])
    def test_what_is_no_json_object_is_a_400(self, demo_endpoint: DemoServer, body: bytes) -> None:
        assert refusal(demo_endpoint, body)[0] == 400

    def test_broken_image_data_is_a_400(self, demo_endpoint: DemoServer) -> None:
        for url in ("data:image/png;base64,!", "data:text/plain,hello"):
            assert refusal(demo_endpoint, chat(prompt=[{"type": "image_url", "image_url": {"url": url}}]))[0] == 400

    def test_an_unknown_model_is_a_404_that_names_the_known(self, demo_endpoint: DemoServer) -> None:
        status, error = refusal(demo_endpoint, chat("gpt-9"))
        assert (status, error["code"], error["param"]) == (404, "model_not_found", "model")
        assert "demo-echo" in error["message"]

    def test_an_unknown_path_is_a_404_in_the_same_shape(self, demo_endpoint: DemoServer) -> None:
        status, answer = fetch(demo_endpoint, "/embeddings", b"{}")
        assert (status, json.loads(answer)["error"]["type"]) == (404, "invalid_request_error")
        assert fetch(demo_endpoint, "/chat/completions")[0] == 405


class TestKey:
    @pytest.fixture
    def guarded(self) -> Iterator[DemoServer]:
        with DemoServer(deltas_per_second=0, api_key="sk-right") as server:
            yield server

    @pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sk-wrong"}, {"Authorization": "sk-right"}])
    def test_without_the_right_key_it_is_a_401(self, guarded: DemoServer, headers: dict[str, str]) -> None:
        status, answer = fetch(guarded, "/models", headers=headers)
        assert (status, json.loads(answer)["error"]["code"]) == (401, "invalid_api_key")
        assert b"sk-" not in answer

    def test_with_it_all_is_well(self, guarded: DemoServer) -> None:
        assert post(guarded, chat(), {"Authorization": "Bearer sk-right"})[0] == 200

    def test_without_a_configured_key_any_is_accepted(self, demo_endpoint: DemoServer) -> None:
        assert post(demo_endpoint, chat(), {"Authorization": "Bearer whatever"})[0] == 200


class TestRequestLog:
    def test_holds_what_came(self, demo_endpoint: DemoServer) -> None:
        complete(demo_endpoint, chat(temperature=0))
        (logged,) = demo_endpoint.requests
        assert (logged.method, logged.path, logged.state) == ("POST", "/v1/chat/completions", "complete")
        assert logged.body == chat(temperature=0)
        assert "host" in logged.headers

    def test_the_repr_of_a_request_shows_no_key(self, demo_endpoint: DemoServer) -> None:
        post(demo_endpoint, chat(), {"Authorization": "Bearer sk-secret"})
        assert demo_endpoint.requests[0].headers["authorization"] == "Bearer sk-secret"
        assert "sk-secret" not in repr(demo_endpoint.requests)

    def test_is_bounded_and_off_by_default(self) -> None:
        with DemoServer(keep_requests=2) as two, DemoServer() as none:
            for _ in range(3):
                fetch(two, "/models")
                fetch(none, "/models")
            assert (len(two.requests), len(none.requests)) == (2, 0)


class TestRunning:
    def test_start_and_stop_are_idempotent_and_leave_no_thread(self) -> None:
        before = threading.active_count()
        server = DemoServer()
        assert server.start() == server.start() == server.api_base
        assert threading.active_count() == before + 1
        server.stop()
        server.stop()
        assert (threading.active_count(), server.api_base) == (before, "")

    def test_starts_again_after_a_stop(self) -> None:
        server = DemoServer()
        for _ in range(2):
            server.start()
            assert fetch(server, "/models")[0] == 200
            server.stop()

    def test_a_taken_port_is_an_os_error(self, demo_endpoint: DemoServer) -> None:
        taken = urlsplit(demo_endpoint.api_base).port
        assert taken is not None
        server = DemoServer(taken)
        with pytest.raises(OSError, match="in use"):
            server.start()
        server.stop()

    def test_a_client_that_leaves_ends_its_stream_also_between_two_deltas(self) -> None:
        with DemoServer(deltas_per_second=0.01, keep_requests=1) as server:
            connection = open_stream(server)
            wait_until(lambda: server.open_streams == 1, "a stream is open")
            connection.close()
            wait_until(lambda: server.open_streams == 0, "the stream was closed")
            assert server.requests[0].state == "closed"
            assert server.requests[0].ended is not None

    def test_a_client_that_does_not_read_holds_nothing_up(self, demo_endpoint: DemoServer) -> None:
        idle = open_stream(demo_endpoint, "demo-long")
        assert complete(demo_endpoint, chat())["choices"]
        idle.close()

    def test_stop_closes_open_streams_at_once(self) -> None:
        server = DemoServer(deltas_per_second=0.01)
        server.start()
        connection = open_stream(server)
        wait_until(lambda: server.open_streams == 1, "a stream is open")
        server.stop()
        assert server.open_streams == 0
        connection.close()

    def test_paces_the_deltas(self) -> None:
        with DemoServer(deltas_per_second=5) as server:
            connection = open_stream(server)
            assert connection.sock.recv(65536).count(b"data: ") < 5
            connection.close()

    def test_listens_on_loopback_only(self, demo_endpoint: DemoServer) -> None:
        assert urlsplit(demo_endpoint.api_base).hostname == "127.0.0.1"


def open_stream(server: DemoServer, model: str = "gpt-4o") -> HTTPConnection:
    """Ask for a stream and read nothing of it."""
    address = urlsplit(server.api_base)
    assert address.hostname
    connection = HTTPConnection(address.hostname, address.port, timeout=30)
    connection.request("POST", f"{address.path}/chat/completions", json.dumps(chat(model, stream=True)))
    return connection


def test_a_client_that_leaves_before_the_answer_is_no_error(
    demo_endpoint: DemoServer, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps({**chat("demo-long"), "stream": True}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    address = urlsplit(demo_endpoint.api_base)
    for _ in range(50):
        with socket.create_connection((address.hostname, address.port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
            client.sendall(head + body)
    wait_until(lambda: len(demo_endpoint.requests) and demo_endpoint.open_streams == 0, "all is over")
    assert complete(demo_endpoint, chat())
    assert caplog.records == []
