"""The template: what it sends, what it reads, what its errors say."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.content import image_part, pdf_part, text_file_part, text_part
from jmuz_magic.errors import (
    JmuzError,
    MissingAuthError,
    ModelNotFoundError,
    ProviderConnectionError,
    ResponseError,
    ResponseStatusError,
)
from jmuz_magic.messages import FinishReason, Message, Messages, Usage
from jmuz_magic.providers.base import ProviderModelMixin
from jmuz_magic.providers.catalog import CATALOG
from jmuz_magic.providers.dialects.sending import Image
from jmuz_magic.providers.endpoint.endpoint import Endpoint, resolve_endpoint
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.secret import Secret
from jmuz_magic.streaming.bridge import get_bridge
from tests.fault_server import DONE, FaultServer, delta, event, finish, head, json_answer, reply, stream
from tests.providers.asking import FAKE_KEY, HELLO, Patient, ask, collect

PNG = b"\x89PNG\r\n\x1a\n rest"


def test_a_subclass_with_an_address_is_all_it_takes(server: FaultServer) -> None:
    class Local(OpenaiTemplate):
        api_base = server.add("s", reply("Hel", "lo"))

    server.add("list", json_answer({"data": [{"id": "a"}]}))
    answer = ask(Local)
    assert answer.chunks == ["Hel", "lo", FinishReason("stop")]
    request = server.requests[0]
    assert request.method == "POST"
    assert request.target == "/v1/s/chat/completions"
    assert request.json["model"] == "m"
    assert request.json["messages"] == HELLO
    assert request.json["stream"] is True
    assert "authorization" not in request.headers
    assert Local.name == "local"
    assert Local.label == "Local"


def test_the_whole_request_is_as_build_request_says(server: FaultServer) -> None:
    options: dict[str, Any] = {"temperature": 0, "top_p": None, "stop": ["x"], "max_tokens": 5, "seed": 0}
    ask(api_base=server.add("s", reply("x")), **options)
    assert server.requests[0].json == Patient.build_request("m", HELLO, **options)


def test_0_and_false_are_sent_and_none_is_not() -> None:
    body = OpenaiTemplate.build_request("m", HELLO, temperature=0, top_p=None, logprobs=False, max_tokens=0, n=None)
    assert body["temperature"] == 0
    assert body["logprobs"] is False
    assert body["max_tokens"] == 0
    assert not {"top_p", "n"} & body.keys()


def test_extra_body_wins_and_goes_as_it_is() -> None:
    extra = {"temperature": 2, "stream_options": None, "provider": {"order": ["a"]}}
    body = OpenaiTemplate.build_request("m", HELLO, temperature=1, extra_body=extra)
    assert body["temperature"] == 2
    assert body["stream_options"] is None
    assert body["provider"] == {"order": ["a"]}


def test_usage_is_asked_for_in_streams_only_and_where_a_service_allows_it() -> None:
    class Shy(OpenaiTemplate):
        asks_stream_usage = False

    assert OpenaiTemplate.build_request("m", HELLO)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in OpenaiTemplate.build_request("m", HELLO, stream=False)
    assert "stream_options" not in Shy.build_request("m", HELLO)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Unknown parameter: stream_options"}},
        {"message": {"detail": [{"loc": ["body", "stream_options", "include_usage"], "msg": "Extra inputs"}]}},
    ],
)
def test_a_service_that_refuses_the_question_for_usage_is_asked_without_it(server: FaultServer, body: Any) -> None:
    answer = ask(api_base=server.add("s", json_answer(body, "422 Unprocessable"), reply("x")), seed=1)
    assert answer.text == "x"
    first, second = (request.json for request in server.requests)
    assert first.pop("stream_options") == {"include_usage": True}
    assert second == first


def test_a_refusal_of_something_else_is_not_asked_again(server: FaultServer) -> None:
    answer = ask(api_base=server.add("s", json_answer({"error": "no such option: seed"}, "422 Unprocessable")), seed=1)
    assert "seed" in str(answer.error)
    assert len(server.requests) == 1


def test_usage_is_not_asked_for_where_the_caller_says_so() -> None:
    assert "stream_options" not in OpenaiTemplate.build_request("m", HELLO, stream_options=None)
    body = OpenaiTemplate.build_request("m", HELLO, stream_options={"include_usage": False})
    assert body["stream_options"] == {"include_usage": False}


@pytest.mark.parametrize("messages", [[], "Hello", ["Hello"], [{"content": "Hello"}], [None]])
def test_what_are_no_messages_is_said_before_anything_is_sent(server: FaultServer, messages: Any) -> None:
    answer = ask(api_base=server.add("s", reply("x")), messages=messages)
    assert "expected messages" in str(answer.error)
    assert server.events == []


def test_max_tokens_has_the_name_that_the_service_knows() -> None:
    class Modern(OpenaiTemplate):
        max_tokens_field = "max_completion_tokens"

    body = Modern.build_request("m", HELLO, max_tokens=7)
    assert body["max_completion_tokens"] == 7
    assert "max_tokens" not in body
    assert Modern.build_request("m", HELLO, max_completion_tokens=8)["max_completion_tokens"] == 8


def test_building_a_request_changes_no_message_of_the_caller() -> None:
    messages: list[Message] = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]

    class Old(OpenaiTemplate):
        supports_system_message = False

    Old.build_request("m", messages, images=["https://x.example/a.png"])
    assert messages == [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]


@pytest.mark.parametrize(
    ("messages", "sent"),
    [
        ([("system", "S"), ("user", "U")], [("user", "S\n\nU")]),
        ([("system", "S")], [("user", "S")]),
        ([("system", "S"), ("assistant", "A")], [("user", "S"), ("assistant", "A")]),
        ([("system", "S"), ("user", "")], [("user", "S")]),
        ([("user", "U")], [("user", "U")]),
        ([("system", ""), ("user", "U")], [("user", "U")]),
        (
            [("system", "S"), ("user", "U"), ("assistant", "A"), ("developer", "D"), ("user", "V")],
            [("user", "S\n\nD\n\nU"), ("assistant", "A"), ("user", "V")],
        ),
        (
            [("system", [{"type": "text", "text": "S"}]), ("user", [{"type": "text", "text": "U"}])],
            [("user", [{"type": "text", "text": "S"}, {"type": "text", "text": "U"}])],
        ),
    ],
)
def test_a_system_message_is_folded_into_the_first_user_message(messages: Any, sent: Any) -> None:
    class Old(OpenaiTemplate):
        supports_system_message = False

    given = [{"role": role, "content": content} for role, content in messages]
    body = Old.build_request("m", given)  # type: ignore[arg-type]  # built from pairs
    assert [(message["role"], message["content"]) for message in body["messages"]] == sent


def test_images_are_attached_to_the_last_user_message(tmp_path: Path) -> None:
    path = tmp_path / "picture.webp"
    path.write_bytes(b"RIFF1234WEBPVP8 ")
    images: list[Image] = [
        PNG,
        b"\xff\xd8\xff rest",
        b"GIF89a rest",
        path,
        "https://x.example/a.png",
        "data:image/png;base64,eA==",
    ]
    messages: list[Message] = [*HELLO, {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "What?"}]
    first, _, last = OpenaiTemplate.build_request("m", messages, images=images)["messages"]
    assert first["content"] == "Hello"
    text, *parts = last["content"]
    assert text == {"type": "text", "text": "What?"}
    urls = [part["image_url"]["url"] for part in parts]
    assert [url.partition(";")[0] for url in urls[:4]] == [
        "data:image/png",
        "data:image/jpeg",
        "data:image/gif",
        "data:image/webp",
    ]
    assert urls[4:] == images[4:]


@pytest.mark.parametrize("image", [b"not a picture", "picture.png", "javascript:alert(1)", Path("missing.png")])
def test_what_is_no_image_is_refused(image: Any) -> None:
    with pytest.raises(JmuzError, match="image"):
        OpenaiTemplate.build_request("m", HELLO, images=[image])


def test_images_without_a_question_are_refused() -> None:
    with pytest.raises(JmuzError, match="images belong to a user message, but there is no user message"):
        OpenaiTemplate.build_request("m", [{"role": "assistant", "content": "Hi"}], images=[PNG])


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}, b"x"])
def test_options_that_are_no_json_are_refused_before_anything_is_sent(server: FaultServer, value: Any) -> None:
    answer = ask(api_base=server.add("s", reply("x")), seed=value)
    assert "JSON" in str(answer.error)
    assert server.events == []


def test_an_option_that_holds_itself_is_refused(server: FaultServer) -> None:
    value: list[Any] = []
    value.append(value)
    assert "JSON" in str(ask(api_base=server.add("s", reply("x")), seed=value).error)


def test_half_a_surrogate_in_a_prompt_is_sent_as_json_spells_it(server: FaultServer) -> None:
    ask(api_base=server.add("s", reply("x")), messages=[{"role": "user", "content": "\ud83d 世界"}])
    assert b"\\ud83d" in server.requests[0].body
    assert server.requests[0].json["messages"][0]["content"] == "\ud83d 世界"


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_is_more_than_nothing(timeout: float) -> None:
    answer = ask(api_base="http://127.0.0.1:9/v1", timeout=timeout)
    assert "timeout" in str(answer.error)
    assert answer.error is not None
    assert answer.error.attempts == 0


def test_the_model_is_resolved(server: FaultServer) -> None:
    class Aliased(Patient):
        default_model = "big"
        model_aliases = {"small": "small-2024", "big": "big-2024"}  # noqa: RUF012 - as users write it

    base = server.add("s", reply("x"))
    for model in ("", "small", "mistral:7b"):
        ask(Aliased, model=model, api_base=base)
    assert [request.json["model"] for request in server.requests] == ["big-2024", "small-2024", "mistral:7b"]


@pytest.mark.usefixtures("magics")
def test_where_no_model_is_named_the_body_says_so_until_one_is_picked() -> None:
    assert OpenaiTemplate.build_request("", HELLO)["model"] == OpenaiTemplate.get_model("") == ""
    with pytest.raises(ModelNotFoundError, match="-m MODEL"):
        ProviderModelMixin.get_model("")


# --- keys and headers


def test_the_key_is_sent_as_a_bearer_token(server: FaultServer) -> None:
    base = server.add("s", reply("x"))
    ask(api_base=base, api_key=FAKE_KEY)
    ask(api_base=base, api_key=Secret(FAKE_KEY))
    assert [request.headers["authorization"] for request in server.requests] == [f"Bearer {FAKE_KEY}"] * 2


def test_headers_of_the_caller_replace_the_usual_ones(server: FaultServer) -> None:
    headers = {"authorization": "Basic abc", "X-Title": "notebook", "user-agent": "mine"}
    ask(api_base=server.add("s", reply("x")), api_key=FAKE_KEY, headers=headers)
    sent = server.requests[0].headers
    assert (sent["authorization"], sent["x-title"], sent["user-agent"]) == ("Basic abc", "notebook", "mine")


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X\n": "a"}, {"X Y": "a"}, {"X": "\0"}, {"X": "世"}])
def test_a_header_that_could_smuggle_another_is_refused(headers: dict[str, str]) -> None:
    answer = ask(api_base="http://127.0.0.1:9/v1", headers=headers)
    assert "header" in str(answer.error)
    assert answer.error is not None
    assert answer.error.attempts == 0


@pytest.mark.threat(14)
def test_an_endpoint_overrides_address_key_and_environment(
    server: FaultServer, stranger: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Own(Patient):
        api_base_env = ("OWN_API_BASE",)
        api_key_env = ("OWN_API_KEY",)

    monkeypatch.setenv("OWN_API_BASE", stranger.add("s", reply("wrong")))
    monkeypatch.setenv("OWN_API_KEY", FAKE_KEY)
    endpoint = Endpoint(Own, server.add("s", reply("right")))
    answer = ask(Own, endpoint=endpoint, api_base=stranger.api_base("s"), api_key="other")
    assert answer.text == "right"
    assert stranger.events == []
    assert "authorization" not in server.requests[0].headers


def test_a_service_that_needs_a_key_is_not_asked_without_one(server: FaultServer) -> None:
    class Paid(Patient):
        api_base = server.add("s", reply("x"))
        api_key_env = ("PAID_API_KEY",)
        needs_auth = True

    answer = ask(Paid)
    assert type(answer.error) is MissingAuthError
    assert "PAID_API_KEY" in str(answer.error)
    assert server.events == []


def test_another_address_may_do_without_the_key_that_the_service_needs(server: FaultServer) -> None:
    class Paid(Patient):
        api_base = "https://paid.example/v1"
        api_key_env = ("PAID_API_KEY",)
        needs_auth = True

    assert ask(Paid, api_base=server.add("s", reply("x"))).text == "x"


# --- what an answer says


@pytest.mark.fault(31)
@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_rejected_key_is_said_and_redacted(server: FaultServer, status: str) -> None:
    body = {"error": {"message": f"Incorrect key: {FAKE_KEY} in\n'Bearer {FAKE_KEY}'"}}
    answer = ask(api_base=server.add("s", json_answer(body, status)), api_key=FAKE_KEY)
    assert type(answer.error) is MissingAuthError
    assert "key rejected" in str(answer.error)
    assert "Incorrect key: *** in '***'" in str(answer.error)
    assert len(server.requests) == 1


@pytest.mark.fault(31)
def test_a_missing_key_is_said(server: FaultServer) -> None:
    answer = ask(api_base=server.add("s", json_answer({"error": "who?"}, "401 Unauthorized")))
    assert "no key was sent" in str(answer.error)


@pytest.mark.usefixtures("magics")
@pytest.mark.fault(32)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("404 Not Found", {"error": {"message": "The model `m` does not exist", "code": "model_not_found"}}),
        ("404 Not Found", {"error": {"message": 'model "m" not found, try pulling it first'}}),
        ("400 Bad Request", {"error": {"message": "Model Not Exist"}}),
        ("400 Bad Request", {"object": "error", "message": "Invalid model: m"}),
        ("422 Unprocessable", {"error": {"message": "nope", "code": "model_not_found"}}),
    ],
)
def test_an_unknown_model_hints_at_the_list(server: FaultServer, status: str, body: Any) -> None:
    answer = ask(api_base=server.add("s", json_answer(body, status)))
    assert type(answer.error) is ModelNotFoundError
    assert "%jmuz_models" in str(answer.error)
    assert len(server.requests) == 1


@pytest.mark.fault(32)
@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            400,
            {"error": {"message": "maximum context length is 8192 tokens", "code": "context_length_exceeded"}},
            "8192",
        ),
        (404, {"detail": "Not Found"}, "usually ends in /v1"),
        (404, b"<html><title>404 &lt;nginx&gt;</title></html>", "404 <nginx>"),
        (413, b"too\r\nlarge", "too large"),
        (422, {"detail": [{"loc": ["body", "n"], "msg": "extra"}]}, "body.n: extra"),
        (422, {"message": {"detail": [{"msg": "nested"}]}}, "nested"),
        (400, {"error": "plain"}, "plain"),
        (400, b"", "400"),
        (400, b"[" * 5000, "[[["),
    ],
)
def test_other_refusals_say_what_the_server_says(server: FaultServer, status: int, body: Any, said: str) -> None:
    answer = ask(api_base=server.add("s", json_answer(body, f"{status} Trouble")))
    assert type(answer.error) is ResponseStatusError
    assert answer.error.status == status
    assert said in str(answer.error)
    assert len(server.requests) == 1


@pytest.mark.fault(32)
def test_what_a_server_says_is_one_bounded_line(server: FaultServer) -> None:
    body = {"error": {"message": "line\r\n\tline \ud83d\0" + "x" * 100_000}}
    answer = ask(api_base=server.add("s", json_answer(body, "400 Bad Request")))
    message = str(answer.error)
    assert "line line" in message
    assert len(message) < 650
    assert not any(sign in message for sign in "\r\n\t")
    message.encode()


@pytest.mark.fault(26)
def test_plain_json_is_read_although_a_stream_was_asked(server: FaultServer) -> None:
    body = {"choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}], "usage": {"total_tokens": 2}}
    answer = ask(api_base=server.add("s", json_answer(body)))
    assert answer.chunks == ["whole", Usage(total_tokens=2), FinishReason("stop")]


@pytest.mark.fault(26)
def test_a_stream_is_read_although_plain_json_was_asked(server: FaultServer) -> None:
    answer = ask(api_base=server.add("s", reply("in ", "pieces")), stream=False)
    assert answer.text == "in pieces"
    assert server.requests[0].json["stream"] is False


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/octet-stream", ""])
def test_a_stream_is_read_whatever_type_it_claims(server: FaultServer, content_type: str) -> None:
    steps = [("send", head(content_type=content_type) + delta("x") + finish() + DONE), ("eof",)]
    assert ask(api_base=server.add("s", steps)).text == "x"


def test_a_stream_that_begins_with_blank_lines_and_comments_is_read(server: FaultServer) -> None:
    parts = [b"\n", b"\r\n", b": OPENROUTER PROCESSING\n\n", delta("x"), DONE]
    steps = [
        ("send", head(content_type="text/plain")),
        *[step for part in parts for step in (("send", part), ("sleep", 0.02))],
    ]
    assert ask(api_base=server.add("s", [*steps, ("eof",)])).text == "x"


@pytest.mark.fault(27)
@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "text/plain", "application/json"])
def test_a_page_is_named_with_its_title(server: FaultServer, content_type: str) -> None:
    page = b"<!DOCTYPE html><html><title>\n Sign &amp; in <b></title>" + b"x" * 5000
    base = server.add("s", [("send", head(content_type=content_type, Content_Length=str(len(page))) + page)])
    answer = ask(api_base=base)
    assert type(answer.error) is ResponseError
    assert "expected JSON or event stream" in str(answer.error)
    assert "'Sign & in'" in str(answer.error)
    assert len(str(answer.error)) < 250


@pytest.mark.fault(27)
def test_a_long_title_is_cut(server: FaultServer) -> None:
    page = b"<html><title>" + b"long " * 1000 + b"</title>"
    base = server.add("s", [("send", head(content_type="text/html", Content_Length=str(len(page))) + page)])
    assert len(str(ask(api_base=base).error)) < 250


def test_text_that_is_no_reply_is_named(server: FaultServer) -> None:
    base = server.add("s", [("send", head(content_type="text/plain", Content_Length="2") + b"ok")])
    assert "got text/plain" in str(ask(api_base=base).error)
    base = server.add("t", [("send", head(content_type="application/json", Content_Length="0"))])
    assert "got an empty body" in str(ask(api_base=base).error)


@pytest.mark.fault(20)
def test_the_last_event_counts_although_its_blank_line_is_missing(server: FaultServer) -> None:
    answer = ask(api_base=server.add("s", stream(delta("x"), finish().rstrip(b"\n"))))
    assert (answer.text, answer.finish_reason, answer.error) == ("x", "stop", None)


@pytest.mark.fault(21)
def test_a_stream_that_ends_with_neither_is_truncated_and_not_retried(server: FaultServer) -> None:
    answer = ask(api_base=server.add("s", stream(delta("x"), b'data: {"choices":[{"del')))
    assert (answer.text, answer.finish_reason, answer.error) == ("x", "truncated", None)
    assert len(server.requests) == 1


@pytest.mark.fault(23)
def test_a_malformed_event_ends_the_reply(server: FaultServer) -> None:
    answer = ask(api_base=server.add("s", stream(delta("kept"), b"data: {oops\n\n", delta("never"))))
    assert answer.text == "kept"
    assert "oops" in str(answer.error)
    assert len(server.requests) == 1


@pytest.mark.fault(25)
@pytest.mark.parametrize("error", [{"message": "overloaded"}, "overloaded"])
def test_an_error_after_text_keeps_the_text(server: FaultServer, error: Any) -> None:
    answer = ask(api_base=server.add("s", stream(delta("kept"), event({"error": error}), delta("never"), DONE)))
    assert answer.text == "kept"
    assert type(answer.error) is ResponseError
    assert "overloaded" in str(answer.error)
    assert len(server.requests) == 1


@pytest.mark.fault(25)
def test_an_error_event_in_a_200_is_an_error(server: FaultServer) -> None:
    body = b'event: error\ndata: {"message":"quota of ' + FAKE_KEY.encode() + b'"}\n\n'
    answer = ask(api_base=server.add("s", stream(body)), api_key=FAKE_KEY)
    assert "quota of ***" in str(answer.error)


def test_chunks_of_a_broken_think_are_not_lost(server: FaultServer) -> None:
    base = server.add("s", [("send", head() + delta("<thi")), ("sleep", 0.05), ("rst",)])
    assert ask(api_base=base).text == "<thi"


# --- models

LIST = {"object": "list", "data": [{"id": "b"}, {"id": "a"}]}


def local(base: str) -> type[Patient]:
    class Local(Patient):
        api_base = base

    return Local


def test_models_are_asked_once_for_each_class_address_and_key(server: FaultServer) -> None:
    first, second = local(server.add("a", json_answer(LIST))), local(server.add("b", json_answer({"data": ["c"]})))
    assert first.models == []
    assert first.cached_models() == []
    assert first.get_models() == first.get_models() == first.models == ["b", "a"]
    assert len(server.requests) == 1
    assert (server.requests[0].method, server.requests[0].target) == ("GET", "/v1/a/models")
    assert second.cached_models() == second.models == []
    assert first.get_models(api_base=server.api_base("b")) == ["c"]
    assert first.models == ["b", "a"]
    assert second.cached_models() == []

    class Heir(first):  # type: ignore[valid-type,misc]  # a class made by a function
        pass

    assert Heir.models == []
    assert Heir.cached_models() == []
    assert first.get_models(api_key=FAKE_KEY) == ["b", "a"]
    assert len(server.requests) == 3
    assert first.get_models(refresh=True) == ["b", "a"]
    assert len(server.requests) == 4


def test_a_caller_that_changes_the_list_changes_its_own(server: FaultServer) -> None:
    provider = local(server.add("s", json_answer(LIST)))
    provider.get_models().clear()
    provider.cached_models().clear()
    assert provider.get_models() == ["b", "a"]


def test_models_can_be_listed_while_a_loop_is_running(server: FaultServer) -> None:
    provider = local(server.add("s", json_answer(LIST)))

    async def main() -> list[str]:
        return provider.get_models()

    assert asyncio.run(main()) == ["b", "a"]


def test_models_are_refused_at_once_on_the_bridge_itself(server: FaultServer) -> None:
    provider = local(server.add("s", json_answer(LIST)))

    async def on_the_bridge() -> list[str]:
        return provider.get_models()

    with pytest.raises(RuntimeError):
        get_bridge().run(on_the_bridge())
    assert get_bridge().run(provider.fetch_models()) == ["b", "a"]


def test_models_can_be_listed_from_many_threads(server: FaultServer) -> None:
    provider = local(server.add("s", json_answer(LIST)))
    lists: list[list[str]] = []
    threads = [threading.Thread(target=lambda: lists.append(provider.get_models())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert lists == [["b", "a"]] * 8


@pytest.mark.fault(39)
@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ({"data": None}, []),
        ({"data": []}, []),
        ({"data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}, ["a", "b"]),
        ({"data": ["a", "b", 5, None, {}, {"id": 7}]}, ["a", "b"]),
        ([{"id": "a"}], ["a"]),
        ({"models": [{"name": "a"}, {"model": "b"}]}, ["a", "b"]),
        ({"data": ["<b>x</b>", "two\nlines", "nul\0", "half\ud83d"]}, ["<b>x</b>", "two\nlines", "nul", "half?"]),
        ({"data": [{"id": str(number)} for number in range(10_000)]}, [str(number) for number in range(10_000)]),
    ],
)  # fmt: skip
def test_lists_of_models_of_any_shape(server: FaultServer, body: Any, ids: list[str]) -> None:
    assert local(server.add("s", json_answer(body))).get_models() == ids


@pytest.mark.fault(39)
@pytest.mark.parametrize("body", [{"data": 5}, {}, b"", b"<html>", b"5", {"error": {"message": "no"}}, b"[" * 100_000])
def test_what_is_no_list_of_models_is_an_error_and_keeps_the_last_list(server: FaultServer, body: Any) -> None:
    provider = local(server.add("s", json_answer(LIST), json_answer(body)))
    provider.get_models()
    with pytest.raises(ResponseError, match="list of models"):
        provider.get_models(refresh=True)
    assert provider.cached_models() == provider.models == ["b", "a"]


@pytest.mark.fault(39)
def test_an_empty_list_is_asked_for_again(server: FaultServer) -> None:
    provider = local(server.add("s", json_answer({"data": None}), json_answer(LIST)))
    assert provider.get_models() == []
    assert provider.get_models() == ["b", "a"]


@pytest.mark.fault(39)
def test_a_list_from_a_server_that_is_down_is_an_error(server: FaultServer) -> None:
    base = server.add("s", json_answer(LIST))
    provider = local(base)
    provider.get_models()
    server.add("s", [("eof",)])
    with pytest.raises(ProviderConnectionError):
        provider.get_models(refresh=True)
    assert provider.get_models() == ["b", "a"]


def test_listing_waits_as_long_as_it_is_told(server: FaultServer) -> None:
    provider = local(server.add("s", [("accept_only",)]))
    with pytest.raises(ProviderConnectionError, match=r"0\.2 s"):
        provider.get_models(timeout=0.2)


def test_an_interrupted_generator_gives_out_what_it_holds(server: FaultServer) -> None:
    base = server.add("s", [("send", head() + delta("<thi")), ("accept_only",)])

    async def main() -> list[Any]:
        chunks: list[Any] = []

        async def read() -> None:
            async for chunk in Patient.create_async_generator("m", HELLO, api_base=base):
                chunks.append(chunk)  # noqa: PERF401 - what came before the interrupt counts

        task = asyncio.create_task(read())
        await asyncio.to_thread(server.wait_for, "first_byte_out")
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return chunks

    assert asyncio.run(main()) == ["<thi"]


def test_importing_the_providers_imports_neither_aiohttp_nor_msgspec() -> None:
    code = (
        "import sys; import jmuz_magic.providers.catalog, jmuz_magic.providers.jmuz; "
        "from jmuz_magic.providers import *; "
        "print([name for name in ('aiohttp', 'msgspec', 'yarl', 'IPython') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_endpoint_that_was_resolved_is_used(server: FaultServer) -> None:
    endpoint = resolve_endpoint(Patient, api_base=server.add("s", reply("x")), api_key=FAKE_KEY)
    assert asyncio.run(collect(Patient, endpoint=endpoint)).text == "x"
    assert server.requests[0].headers["authorization"] == f"Bearer {FAKE_KEY}"


def test_what_only_we_say_of_a_file_is_not_sent_and_a_pdf_only_where_it_is_taken() -> None:
    class Reader(OpenaiTemplate):
        takes_pdf = True

    image = image_part("data:image/png;base64,iVBORw0KGgo=", "plot.png")
    pdf, table = pdf_part(b"%PDF-1.7", "a.pdf"), text_file_part("File t.csv: 1,2", "t.csv", b"1,2")
    messages: Messages = [{"role": "user", "content": [text_part("See"), image, pdf, table]}]
    bare = {"type": "image_url", "image_url": image["image_url"]}
    sent = Reader.build_request("m", messages)["messages"][0]["content"]
    assert sent == [text_part("See"), bare, pdf, text_part("File t.csv: 1,2")]
    sent = OpenaiTemplate.build_request("m", messages)["messages"][0]["content"]
    assert sent[2] == text_part("[file: a.pdf, 8 bytes; not sent, since this service takes no PDF]")
    texts: Messages = [{"role": "user", "content": [text_part("See"), table]}]
    assert Reader.build_request("m", texts)["messages"][0]["content"] == "See\n\nFile t.csv: 1,2"
    own: Messages = [{"role": "user", "content": [text_part("one"), text_part("two")]}]
    assert Reader.build_request("m", own)["messages"] == own


def test_these_services_document_pdfs() -> None:
    taking = {provider.__name__ for provider in CATALOG.values() if provider.takes_pdf}
    assert taking == {"Anthropic", "OpenAI", "OpenRouter"}
