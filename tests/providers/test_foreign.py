"""A 200 that holds no reply: each is an error that shows what came, in one line, and never an empty reply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.errors import ResponseError
from tests.fault_server import DONE, FaultServer, Script, chunked, delta, event, finish, head, json_answer, stream
from tests.providers.asking import Answer, ask

WHOLE = {"choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}]}
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in to Example</title></head><body>\n\nWho are you?</body></html>"


def body(content: bytes, content_type: str = "text/event-stream") -> Script:
    """An answer with this body, whatever its type promises."""
    return [("send", head(content_type=content_type, Content_Length=str(len(content))) + content)]


def read(server: FaultServer, content: bytes, content_type: str = "text/event-stream") -> Answer:
    return ask(api_base=server.add("s", body(content, content_type)))


def is_one_line_with(answer: Answer, said: str) -> bool:
    return type(answer.error) is ResponseError and said in str(answer.error) and "\n" not in str(answer.error)


# --- errors that are no events of ours


@pytest.mark.finding("A6")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'error: {"code":400,"message":"the request exceeds the available context size"}\n\n', "context size"),
        (b'error: {"code":503,"message":"Loading model","type":"unavailable_error"}\n\n', "Loading model"),
        (b"error: overloaded\n\n", "overloaded"),
        (b": hi\n\nerror: overloaded", "overloaded"),
        (b'{"error":{"message":"no such luck"}}', "no such luck"),
        (b'{"error":{"message":"no such luck"}}\n\n', "no such luck"),
        (b': ping\n\n{"error":{"message":"no such luck"}}\n', "no such luck"),
        (b'{"message":"no such luck"}', "no such luck"),
        (event({"code": 1113, "msg": "no balance"}), "no balance"),
        (b'{"code":1113,"msg":"no balance","success":false}', "no balance"),
        (event({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "no balance"}}), "no balance"),
        (b'{"base_resp":{"status_code":1004,"status_msg":"login fail"}}', "login fail"),
        (event({"base_resp": {"status_code": 2013}}), '"status_code": 2013'),
        (PAGE, "Sign in to Example"),
        (b"\n\n" + PAGE, "Sign in to Example"),
        (b": ping\n\n" + PAGE, "Sign in to Example"),
        (b"Service temporarily unavailable", "Service temporarily unavailable"),
        (b"Service temporarily unavailable\n\nask again later\n", "ask again later"),
        (event({"object": "list", "data": []}), '{"object": "list", "data": []}'),
        (event({"choices": []}) + DONE, '{"choices": []}'),
        (event({"message": "no such luck"}) + DONE, "no such luck"),
        (b": ping\n\n: ping\n\n", "an event stream without one"),
        (DONE, "an event stream without one"),
        (b"event: status\ndata: warming up\n\n", "warming up"),
    ],
)
def test_a_stream_without_a_choice_is_an_error_that_shows_what_came(
    server: FaultServer, content: bytes, said: str
) -> None:
    answer = read(server, content)
    assert is_one_line_with(answer, said)
    assert answer.chunks == []
    assert len(server.requests) == 1


@pytest.mark.finding("A6")
@pytest.mark.parametrize("content_type", ["text/plain", "text/html", "application/octet-stream"])
def test_a_body_of_another_type_shows_what_came(server: FaultServer, content_type: str) -> None:
    assert is_one_line_with(read(server, b"Not \x1b[31m today", content_type), "Not ␛[31m today")


@pytest.mark.finding("A6")
@pytest.mark.parametrize(
    "content",
    [
        json.dumps(WHOLE).encode(),
        json.dumps(WHOLE, indent=2).encode(),
        b"\n\n  " + json.dumps(WHOLE).encode() + b"\n\n",
        b": ping\n\n" + json.dumps(WHOLE).encode() + b"\n",
        json.dumps({"choices": [{"delta": {"content": "Hel"}}]}).encode()
        + b"\n"
        + json.dumps({"choices": [{"delta": {"content": "lo"}, "finish_reason": "stop"}]}).encode(),
    ],
    ids=["one line", "indented", "blanks around", "after a comment", "a chunk a line"],
)
def test_a_reply_without_events_is_read_all_the_same(server: FaultServer, content: bytes) -> None:
    answer = read(server, content)
    assert (answer.error, answer.text, answer.finish_reason) == (None, "Hello", "stop")


@pytest.mark.finding("A6")
def test_a_large_reply_without_events_is_read_whole(server: FaultServer) -> None:
    text = "x" * 3_000_000
    reply = {"choices": [{"index": 0, "message": {"content": text}, "finish_reason": "stop"}]}
    for start in (b"", b": ping\n\n"):
        assert read(server, start + json.dumps(reply).encode() + b"\n").text == text


@pytest.mark.finding("A6")
@pytest.mark.parametrize("last", [DONE, b"", b"\n"], ids=["done", "cut off", "a blank line"])
def test_events_parted_by_single_line_breaks_are_read(server: FaultServer, last: bytes) -> None:
    events = [delta("Hel"), delta("lo"), finish()]
    answer = read(server, b"".join(part.rstrip(b"\n") + b"\n" for part in events) + last)
    assert (answer.error, answer.text, answer.finish_reason) == (None, "Hello", "stop")


@pytest.mark.finding("A6")
def test_an_error_that_is_no_event_ends_a_reply_that_had_begun(server: FaultServer) -> None:
    answer = read(server, delta("half") + b'error: {"code":500,"message":"slot lost"}\n\n')
    assert is_one_line_with(answer, "slot lost")
    assert answer.text == "half"


def test_lines_that_are_no_events_take_nothing_from_a_complete_reply(server: FaultServer) -> None:
    answer = read(server, b"hello\n" + delta("x") + b"time: 3\n\n" + finish() + b"bye\n" + DONE)
    assert (answer.error, answer.text, answer.finish_reason) == (None, "x", "stop")
    assert read(server, delta("x") + b"bye").finish_reason == "truncated"


# --- what a gateway passes on


def refused(**error: Any) -> dict[str, Any]:
    return {"error": {"code": 400, "message": "Provider returned error"} | error}


@pytest.mark.finding("A11")
@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"raw": '{"error":{"message":"context too long"}}'}, "context too long"),
        ({"raw": '{"detail":"context too long"}'}, "context too long"),
        ({"raw": {"error": {"message": "context too long"}}}, "context too long"),
        ({"raw": "context too long"}, "context too long"),
        ({"raw": '{"error":{"message":"context too long"}}', "provider_name": "Example"}, "Example: context too long"),
        ({"raw": '{"odd":1}'}, '{"odd":1}'),
    ],
)
@pytest.mark.parametrize("status", ["400 Bad Request", "200 OK"])
def test_the_real_reason_is_shown(server: FaultServer, metadata: Any, said: str, status: str) -> None:
    answer = ask(api_base=server.add("s", json_answer(refused(metadata=metadata), status)))
    assert str(answer.error).endswith(f": {said}")


@pytest.mark.finding("A11")
def test_the_real_reason_is_shown_in_mid_stream(server: FaultServer) -> None:
    late = refused(metadata={"raw": '{"error":{"message":"slow down"}}'})
    assert is_one_line_with(read(server, delta("x") + event(late)), "reported an error: slow down")


@pytest.mark.parametrize("metadata", [None, {}, {"raw": None}, {"raw": 5}, {"raw": ""}, {"reasons": ["x"]}, []])
def test_without_a_real_reason_the_message_stays(server: FaultServer, metadata: Any) -> None:
    answer = ask(api_base=server.add("s", json_answer(refused(metadata=metadata), "400 Bad Request")))
    assert str(answer.error).endswith(": Provider returned error")


def test_a_message_of_its_own_stays_before_the_reason(server: FaultServer) -> None:
    both = refused(message="Example is down.", metadata={"raw": "timed out"})
    answer = ask(api_base=server.add("s", json_answer(both, "400 Bad Request")))
    assert str(answer.error).endswith(": Example is down: timed out")


# --- progress


@pytest.mark.finding("A23")
@pytest.mark.parametrize(
    "progress",
    [
        {"message": "loading the model", "progress": 0.5},
        {"type": "progress", "message": "thinking"},
        {"object": "chat.completion.progress", "message": "searching", "code": 0},
        {"status": "processing", "detail": "step 3 of 5"},
        {"event": "queue", "msg": "position 4", "code": 102},
        {"message": "hello", "code": 200},
        {"message": "OK", "code": 20000},
        {"msg": "success", "code": "10000"},
    ],
)
def test_progress_ends_no_reply(server: FaultServer, progress: dict[str, Any]) -> None:
    answer = ask(
        api_base=server.add("s", stream(event(progress), delta("Hel"), event(progress), delta("lo"), finish()))
    )
    assert (answer.error, answer.text, answer.finish_reason) == (None, "Hello", "stop")


def test_ok_is_never_told_as_an_error(server: FaultServer) -> None:
    well = event({"code": 20000, "message": "OK", "data": None})
    cut = ask(api_base=server.add("cut", stream(delta("x"), well)))
    assert (cut.error, cut.text, cut.finish_reason) == (None, "x", "truncated")
    alone = ask(api_base=server.add("alone", stream(well, DONE)))
    assert "expected a reply with choices" in str(alone.error)


@pytest.mark.finding("A23")
def test_progress_that_is_no_json_ends_no_reply(server: FaultServer) -> None:
    answer = ask(api_base=server.add("s", stream(b"event: progress\ndata: 50 %\n\n", delta("x"), finish())))
    assert (answer.error, answer.text) == (None, "x")


@pytest.mark.parametrize(
    "payload",
    [
        {"object": "error", "message": "overloaded"},
        {"type": "overloaded_error", "message": "overloaded"},
        {"type": "error", "message": "overloaded"},
        {"status": 503, "message": "overloaded"},
        {"success": False, "msg": "overloaded"},
        {"code": "1113", "message": "overloaded"},
        {"status": "failed", "message": "overloaded"},
    ],
)
def test_a_message_that_calls_itself_an_error_is_one(server: FaultServer, payload: dict[str, Any]) -> None:
    answer = ask(api_base=server.add("s", stream(delta("x"), event(payload), delta("y"), finish())))
    assert str(answer.error).endswith("reported an error: overloaded")
    assert answer.text == "x"


def test_a_message_after_which_nothing_comes_is_what_went_wrong(server: FaultServer) -> None:
    answer = ask(api_base=server.add("s", stream(delta("x"), event({"message": "worker lost"}))))
    assert str(answer.error).endswith("reported an error: worker lost")
    assert answer.text == "x"


# --- other dialects


RESPONSES = (
    b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1","output":[]}}\n\n'
    b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"San"}\n\n'
)
MESSAGES = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","content":[]}}\n\n'
    b'event: ping\ndata: {"type":"ping"}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}\n\n'
)
DIALECTS = {
    "Responses": RESPONSES,
    "Responses, named by the event alone": b'event: response.output_text.delta\ndata: {"delta":"San"}\n\n',
    "Responses, whole": b'{"id":"resp_1","object":"response","output":[{"type":"message","content":[]}]}',
    "Messages": MESSAGES,
    "Messages, without its start": b'data: {"type":"content_block_delta","delta":{"text":"Hi"}}\n\n',
    "Messages, whole": b'{"type":"message","role":"assistant","content":[{"type":"text","text":"Hi"}]}',
    "generateContent": b'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}\n\n',
    "native Ollama": b'{"model":"m","message":{"role":"assistant","content":"Hi"},"done":false}\n',
    "Cohere": b'event: content-delta\ndata: {"type":"content-delta","delta":{}}\n\n',
}


@pytest.mark.parametrize("name", DIALECTS)
def test_an_endpoint_that_speaks_another_dialect_is_told_so(server: FaultServer, name: str) -> None:
    answer = read(server, DIALECTS[name])
    assert is_one_line_with(answer, f"in the {name.partition(',')[0]}")
    assert is_one_line_with(answer, "check the api_base")


def test_recorded_streams_of_other_dialects_each_get_that_line(server: FaultServer, test_data: Path) -> None:
    streams = sorted((test_data / "dialects").rglob("*.sse"))
    assert len(streams) == 48
    for path in streams:
        answer = read(server, path.read_bytes())
        dialect = {"responses": "Responses", "messages": "Messages"}[path.parent.name]
        assert is_one_line_with(answer, f"in the {dialect} dialect"), (path.name, answer)


def test_a_chat_stream_may_name_its_events_as_it_likes(server: FaultServer) -> None:
    named = b"event: response.chunk\n" + delta("Hello") + finish() + DONE
    assert read(server, named).text == "Hello"


def test_the_key_is_in_none_of_these_lines(server: FaultServer) -> None:
    from tests.providers.asking import FAKE_KEY

    spelled = FAKE_KEY.encode()
    for content in (
        b"error: bad key " + spelled,
        b"you sent " + spelled,
        event({"msg": FAKE_KEY, "code": 9}),
        PAGE + spelled,
    ):
        answer = ask(api_base=server.add("s", body(content)), api_key=FAKE_KEY)
        assert answer.error is not None
        assert FAKE_KEY not in str(answer.error)


def test_a_stream_cut_before_its_first_event_says_what_came(server: FaultServer) -> None:
    script = [("send", head(Transfer_Encoding="chunked") + chunked([b'data: {"choi']))]
    assert is_one_line_with(ask(api_base=server.add("s", script)), "without one")
