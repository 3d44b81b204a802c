"""Replies in Anthropic's dialect that break off, end oddly, or are something else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jmuz_magic.errors import (
    JmuzError,
    ProviderTimeoutError,
    RateLimitError,
    ResponseError,
    ResponseStatusError,
    StreamError,
)
from jmuz_magic.messages import Chunk, FinishReason, Reasoning, ReasoningItems, Unshown, Usage
from jmuz_magic.providers.catalog import Anthropic
from jmuz_magic.providers.http.policy import Policy
from tests.fault_server import DONE, FaultServer, Script, chunked, head, json_answer, stream
from tests.providers.asking import Answer, ask, no_wait


class Native(Anthropic):
    policy = Policy(sleep=no_wait, dice=lambda: 0.0)


def said(**payload: Any) -> bytes:
    """An event as the service sends it, with blanks after its payload."""
    return f"event: {payload['type']}\ndata: {json.dumps(payload)}   \n\n".encode()


def block(index: int = 0, **members: Any) -> bytes:
    return said(type="content_block_start", index=index, content_block=members or {"type": "text", "text": ""})


def change(index: int = 0, **members: Any) -> bytes:
    return said(type="content_block_delta", index=index, delta=members)


def text(words: str, index: int = 0) -> bytes:
    return change(index, type="text_delta", text=words)


def error(kind: str, message: str) -> bytes:
    return said(type="error", error={"type": kind, "message": message}, request_id="req_1")


USAGE = {"input_tokens": 3, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 100, "output_tokens": 1}
START = said(type="message_start", message={"type": "message", "model": "claude-x", "content": [], "usage": USAGE})
PING = said(type="ping")
CLOSED = said(type="content_block_stop", index=0)
STOP = said(type="message_stop")
OVERLOADED = error("overloaded_error", "Overloaded")


def end(reason: str = "end_turn", **members: Any) -> bytes:
    return said(type="message_delta", delta={"stop_reason": reason, **members}, usage={"output_tokens": 7})


HELLO = START + block() + PING + text("Hel") + text("lo")


def answered(server: FaultServer, *script: Any, **options: Any) -> Answer:
    """What comes of a script, or of events that are sent as a proper stream."""
    steps: Script = list(script) if isinstance(script[0], tuple) else stream(*script)
    return ask(Native, api_base=server.add("s", steps), **options)


def cut(*events: bytes) -> Script:
    """A proper head, and a body that breaks off after these events."""
    return [("send", head(Transfer_Encoding="chunked")), ("send", chunked(events, ended=False)), ("rst",)]


# --- where a reply ends


@pytest.mark.parametrize("after", [STOP, STOP + DONE, DONE, b"", PING + STOP + text("more") + end("max_tokens")])
def test_a_reply_is_whole_with_its_stop_reason(server: FaultServer, after: bytes) -> None:
    answer = answered(server, HELLO + CLOSED + end() + after)
    assert (answer.text, answer.error) == ("Hello", None)
    assert answer.chunks[-1] == FinishReason("stop", "end_turn")


@pytest.mark.parametrize("after", [STOP, DONE])
def test_a_reply_that_is_marked_as_complete_needs_no_stop_reason(server: FaultServer, after: bytes) -> None:
    answer = answered(server, HELLO + after)
    assert (answer.text, answer.finish_reason, answer.error) == ("Hello", None, None)


@pytest.mark.parametrize("length", [len(HELLO), len(HELLO) - 1, len(HELLO) - 20])
def test_a_stream_that_ends_too_early_is_truncated(server: FaultServer, length: int) -> None:
    call = block(1, type="tool_use", id="t", name="f", input={})
    answer = answered(server, START + call + HELLO[len(START) : length])
    assert (answer.finish_reason, answer.error) == ("truncated", None)
    assert "Hello".startswith(answer.text)
    assert answer.text
    assert not answer.tool_calls
    assert [each.kind for each in answer.chunks if isinstance(each, Unshown)] == ["unfinished tool call"]


@pytest.mark.fault(18)
def test_a_connection_that_drops_in_mid_event_keeps_what_came(server: FaultServer) -> None:
    answer = answered(server, *cut(HELLO, text(" world")[:-9]))
    assert isinstance(answer.error, StreamError)
    assert answer.text == "Hello"
    assert not any(isinstance(chunk, ReasoningItems) for chunk in answer.chunks)


def test_a_connection_that_drops_after_the_stop_reason_loses_nothing(server: FaultServer) -> None:
    answer = answered(server, *cut(HELLO, end()))
    assert (answer.text, answer.finish_reason, answer.error) == ("Hello", "stop", None)


def test_silence_in_mid_reply_ends_it(server: FaultServer) -> None:
    script = [("send", head(Transfer_Encoding="chunked")), ("send", chunked([HELLO], ended=False)), ("sleep", 5)]
    answer = answered(server, *script, timeout=0.3)
    assert isinstance(answer.error, ProviderTimeoutError)
    assert answer.text == "Hello"


def test_pings_alone_are_no_data(server: FaultServer) -> None:
    pings = [step for _ in range(8) for step in (("send", chunked([PING], ended=False)), ("sleep", 0.1))]
    begun = [("send", head(Transfer_Encoding="chunked")), ("send", chunked([HELLO], ended=False))]
    answer = answered(server, *begun, *pings, ("sleep", 5), timeout=0.4)
    assert isinstance(answer.error, ProviderTimeoutError)


# --- errors


@pytest.mark.parametrize(
    ("kind", "status"), [("overloaded_error", 529), ("api_error", 500), ("invalid_request_error", 400)]
)
def test_an_error_in_mid_stream_has_the_status_that_it_would_have_had(
    server: FaultServer, kind: str, status: int
) -> None:
    answer = answered(server, HELLO + error(kind, "Sorry"))
    assert answer.text == "Hello"
    assert isinstance(answer.error, ResponseStatusError)
    assert answer.error.status == status
    assert str(answer.error).endswith(f" reported an error: Sorry ({kind}, as status {status})")
    assert len(server.requests) == 1  # what was begun may have been billed


def test_a_rate_limit_in_mid_stream(server: FaultServer) -> None:
    assert isinstance(answered(server, HELLO + error("rate_limit_error", "Slow down")).error, RateLimitError)


@pytest.mark.parametrize("event", [b'data: {"type":"error","error":{"message":"Boom"}}', b"event: error\ndata: Boom"])
def test_an_error_of_another_shape(server: FaultServer, event: bytes) -> None:
    answer = answered(server, HELLO + event + b"\n\n")
    assert type(answer.error) is ResponseError
    assert str(answer.error).endswith("reported an error: Boom")


def test_an_error_in_json_with_200(server: FaultServer) -> None:
    payload = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    answer = answered(server, *json_answer(payload))
    assert isinstance(answer.error, ResponseStatusError)
    assert answer.error.status == 529


def test_an_overloaded_service_is_asked_again_before_the_reply_begins(server: FaultServer) -> None:
    refused = json_answer({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "529 ")
    answer = ask(Native, api_base=server.add("s", refused, stream(HELLO, end(), STOP)))
    assert (answer.text, len(answer.retries)) == ("Hello", 1)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"choices": [{"message": {"content": "x"}}]}, "expected a Messages reply"),
        ({"object": "response", "output": []}, "in the Responses dialect"),
        ({"hello": 1}, "expected a Messages reply"),
        ([], "expected a Messages reply"),
    ],
)
def test_something_else_in_json(server: FaultServer, payload: Any, words: str) -> None:
    answer = answered(server, *json_answer(payload))
    assert isinstance(answer.error, ResponseError)
    assert words in str(answer.error)


def test_chat_where_messages_belong_is_named(server: FaultServer) -> None:
    answer = answered(server, b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n')
    assert "got one in the chat/completions dialect" in str(answer.error)


def test_a_stream_of_nothing(server: FaultServer) -> None:
    assert "expected a Messages reply" in str(answered(server, PING).error)
    assert "an event stream without one" in str(answered(server, b": hello\n\n").error)


@pytest.mark.parametrize("line", [b"event: content_block_delta\ndata: {oops\n\n", b"data: {oops\n\n"])
def test_what_is_not_json_in_mid_stream(server: FaultServer, line: bytes) -> None:
    answer = answered(server, HELLO + line + end() + STOP)
    assert (answer.text, type(answer.error)) == ("Hello", StreamError)
    assert "expected JSON in an event" in str(answer.error)


def test_what_is_not_json_in_an_event_of_somebody_else_is_skipped(server: FaultServer) -> None:
    answer = answered(server, HELLO + b"event: billing\ndata: {oops\n\n" + end() + STOP)
    assert (answer.text, answer.error, answer.finish_reason) == ("Hello", None, "stop")


# --- what is in a reply


def test_unknown_events_blocks_and_deltas_are_skipped(server: FaultServer) -> None:
    answer = answered(
        server,
        START + said(type="message_update", note="x") + block(type="draft", text="no") + text("nor this") + CLOSED,
        block(1) + change(1, type="dance_delta", step=1) + text("Hello", 1) + said(type="vendor_event", error=None),
        end() + STOP,
    )
    assert (answer.text, answer.error) == ("Hello", None)
    assert [chunk.kind for chunk in answer.chunks if isinstance(chunk, Unshown)] == ["part of type draft"]


def test_counts_are_cumulative_and_the_cache_is_part_of_the_prompt(server: FaultServer) -> None:
    assert answered(server, HELLO + end() + STOP).usage == Usage(123, 7, 130, 20)


def test_reasoning_tokens_are_counted(server: FaultServer) -> None:
    details = {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}
    last = said(type="message_delta", delta={"stop_reason": "end_turn"}, usage=details)
    assert answered(server, HELLO + last + STOP).usage == Usage(123, 9, 132, 20, 4)


@pytest.mark.parametrize("usage", [None, [], {"input_tokens": "many"}, {"input_tokens": -1}, {"input_tokens": True}])
def test_counts_that_are_none(server: FaultServer, usage: Any) -> None:
    start = said(type="message_start", message={"model": "claude-x", "usage": usage})
    assert answered(server, start + block() + text("x") + said(type="message_delta", delta={}) + STOP).usage is None


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("tool_use", "tool_calls"), ("pause_turn", "pause_turn"),
        ("refusal", "refusal"), ("model_context_window_exceeded", "length"), ("something_new", "something_new"),
    ],
)  # fmt: skip
def test_stop_reasons(server: FaultServer, reason: str, ours: str) -> None:
    assert answered(server, HELLO + end(reason) + STOP).finish_reason == ours


def test_a_reply_cut_by_a_limit_of_the_service_says_its_word(server: FaultServer) -> None:
    answer = answered(server, HELLO + end("max_tokens") + STOP, extra_body={"max_tokens": None})
    assert answer.chunks[-1] == FinishReason("length", "max_tokens")


def test_a_refusal_says_in_which_category(server: FaultServer) -> None:
    answer = answered(server, START + end("refusal", stop_details={"type": "refusal", "category": "cyber"}) + STOP)
    assert answer.chunks[-1] == FinishReason("refusal", "cyber")


def whole(*content: dict[str, Any], reason: str = "end_turn") -> dict[str, Any]:
    return {"type": "message", "model": "claude-x", "content": list(content), "stop_reason": reason, "usage": USAGE}


THINKING = {"type": "thinking", "thinking": "Hm.", "signature": "sig"}
CALL = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "é"}}


def test_a_reply_in_one_piece(server: FaultServer) -> None:
    message = whole(THINKING, {"type": "text", "text": "Hello"}, CALL, reason="tool_use")
    answer = answered(server, *json_answer(message), stream=False)
    assert server.requests[0].json["stream"] is False
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("Hello", "Hm.", "tool_calls")
    assert [(call.id, call.name, json.loads(call.arguments)) for call in answer.tool_calls] == [("t", "f", {"a": "é"})]
    (kept,) = (chunk for chunk in answer.chunks if isinstance(chunk, ReasoningItems))
    assert kept == ReasoningItems(kept.items, "anthropic")
    assert list(kept.items) == [THINKING, {"type": "text", "characters": 5}, {"type": "tool_use", "id": "t"}]


def test_a_reply_without_anything_opaque_keeps_nothing(server: FaultServer) -> None:
    answer = answered(server, *json_answer(whole({"type": "text", "text": "Hello"}, CALL)))
    assert not any(isinstance(chunk, ReasoningItems) for chunk in answer.chunks)


def test_what_was_cut_off_does_not_go_back(server: FaultServer) -> None:
    thought = block(0, type="thinking", thinking="", signature="") + change(0, type="thinking_delta", thinking="Hm")
    search = block(1, type="server_tool_use", id="s", name="web_search", input={})
    search += change(1, type="input_json_delta", partial_json='{"query": "sk')
    answer = answered(server, START + thought + search + end("max_tokens") + STOP)
    assert (answer.reasoning, answer.finish_reason) == ("Hm", "length")
    assert not any(isinstance(chunk, ReasoningItems) for chunk in answer.chunks)


def test_half_characters_and_nul_are_mended(server: FaultServer) -> None:
    halves = [text(r"a"), change(type="text_delta", text="\ud83d"), change(type="text_delta", text="\ude00b\0c")]
    thought = [block(1, type="thinking", thinking=""), change(1, type="thinking_delta", thinking="x\0\ud83d")]
    answer = answered(server, START, block(), *halves, *thought, end(), STOP)
    assert (answer.text, answer.reasoning) == ("a😀bc", "x\ufffd")


def test_deltas_without_a_start_or_a_number_are_taken(server: FaultServer) -> None:
    thought = said(type="content_block_delta", index=3, delta={"type": "thinking_delta", "thinking": "Hm"})
    numberless = said(type="content_block_delta", delta={"type": "text_delta", "text": "lo"})
    answer = answered(server, thought + text("Hel") + numberless + end() + STOP)
    assert (answer.reasoning, answer.text) == ("Hm", "Hello")


@pytest.mark.parametrize("content", [None, 7, "text", [None, 7, {"type": None}], {"type": "text"}])
def test_contents_of_odd_shapes(server: FaultServer, content: Any) -> None:
    answer = answered(server, *json_answer(whole() | {"content": content, "model": 7, "stop_reason": ["x"]}))
    assert answer.error is None or isinstance(answer.error, JmuzError)
    assert answer.text == ""


def test_text_streams_as_it_arrives(server: FaultServer) -> None:
    answer = answered(server, HELLO + end() + STOP)
    chunks: list[Chunk] = answer.chunks[:2]
    assert chunks == ["Hel", "lo"]
    thinking = block(type="thinking", thinking="") + change(type="thinking_delta", thinking="Hm")
    assert answered(server, START + thinking + end() + STOP).chunks[0] == Reasoning("Hm")
