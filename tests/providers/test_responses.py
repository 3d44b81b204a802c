"""The Responses dialect over a socket: whole, in parts, and when something breaks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.errors import ProviderTimeoutError, StreamError
from jmuz_magic.messages import (
    Unshown,
    Usage,
)
from jmuz_magic.providers.http.policy import Policy
from tests.fault_server import DONE, FaultServer, Step, chunked, event, head, json_answer, stream
from tests.providers.asking import Answer, ask, no_wait
from tests.providers.responses_events import (
    THOUGHT,
    USAGE,
    Plain,
    added,
    call,
    completed,
    ended,
    happened,
    message,
    said,
    text,
)


def asked(server: FaultServer, *scripts: list[Step], **options: Any) -> Answer:
    return ask(options.pop("provider", Plain), api_base=server.add("s", *scripts), **options)


CREATED = happened("created", response={"id": "resp_1", "status": "in_progress", "model": "m-0", "output": []})
REPLY = (CREATED, added(0, **message()), text("Hel"), text("lo"), completed(message("Hello"), usage=USAGE))


@pytest.mark.parametrize("last", [(), (DONE,)])
def test_requests_go_to_responses_and_need_no_done(server: FaultServer, last: tuple[bytes, ...]) -> None:
    answer = asked(server, stream(*REPLY, *last), api_key="k-123456", temperature=0)
    assert (answer.text, answer.finish_reason, answer.error) == ("Hello", "stop", None)
    (request,) = server.requests
    assert request.target == "/v1/s/responses"
    assert request.headers["authorization"] == "Bearer k-123456"
    assert request.json["temperature"] == 0


def test_a_reply_that_is_not_a_stream_is_read(server: FaultServer) -> None:
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
    output = [thought, message("Hello"), call(0, "{}")]
    whole = {"id": "resp_1", "object": "response", "status": "completed", "model": "m-1", "output": output}
    answer = asked(server, json_answer(whole | {"usage": USAGE, "error": None}), stream=False)
    assert server.requests[0].json["stream"] is False
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("Hello", "Hm.", "tool_calls")
    assert answer.usage == Usage(9, 5, 14, 4, 3)
    assert len(answer.tool_calls) == 1


def test_an_error_instead_of_a_stream_is_told(server: FaultServer) -> None:
    answer = asked(server, json_answer({"error": {"message": "No such model", "code": "x"}}))
    assert str(answer.error).endswith("reported an error: No such model")
    failed = {"object": "response", "status": "failed", "error": {"message": "It broke."}, "output": []}
    assert str(asked(server, json_answer(failed)).error).endswith("reported an error: It broke.")


def test_an_event_that_is_called_error_is_one(server: FaultServer) -> None:
    answer = asked(server, stream(CREATED, text("Hi"), b'event: error\ndata: {"message": "Overloaded"}\n\n', text("x")))
    assert (answer.text, str(answer.error)) == ("Hi", f"{server.origin} reported an error: Overloaded")


@pytest.mark.parametrize("kept", range(1, 60, 7))
def test_a_stream_cut_in_mid_event_is_truncated(server: FaultServer, kept: int) -> None:
    answer = asked(server, stream(CREATED, text("Hel"), text("lo")[:kept]))
    assert (answer.text, answer.finish_reason, answer.error) == ("Hel", "truncated", None)


def test_a_connection_that_breaks_off_keeps_what_came(server: FaultServer) -> None:
    parts = chunked([CREATED, added(0, **call(0)), text("Hel", 1), text("lo", 1)[:30]], ended=False)
    script: list[Step] = [("send", head(Transfer_Encoding="chunked") + parts), ("sleep", 0.05), ("rst",)]
    answer = asked(server, script)
    assert isinstance(answer.error, StreamError)
    assert answer.text == "Hel"
    assert [chunk.kind for chunk in answer.chunks if isinstance(chunk, Unshown)] == ["unfinished tool call"]


def test_a_connection_that_breaks_off_after_the_end_is_no_error(server: FaultServer) -> None:
    script: list[Step] = [("send", head(Transfer_Encoding="chunked") + chunked(REPLY, ended=False)), ("rst",)]
    answer = asked(server, script)
    assert (answer.text, answer.finish_reason, answer.error) == ("Hello", "stop", None)


class Hasty(Plain):
    policy = Policy(sleep=no_wait, dice=lambda: 0.0, first_data=2, idle=0.2, next_data=0.3)


def test_silence_in_mid_stream_ends_in_an_error(server: FaultServer) -> None:
    parts = chunked([CREATED, text("Hel")], ended=False)
    script: list[Step] = [("send", head(Transfer_Encoding="chunked") + parts), ("accept_only",)]
    answer = asked(server, script, provider=Hasty)
    assert isinstance(answer.error, ProviderTimeoutError)
    assert answer.text == "Hel"


def test_a_connection_that_stays_open_after_the_end_is_not_waited_for(server: FaultServer) -> None:
    parts = chunked([*REPLY, text(" more")], ended=False)
    script: list[Step] = [("send", head(Transfer_Encoding="chunked") + parts), ("accept_only",)]
    answer = asked(server, script, provider=Hasty)
    assert (answer.text, answer.finish_reason, answer.error) == ("Hello", "stop", None)


def test_a_gateway_that_answers_in_another_dialect_is_told_so(server: FaultServer) -> None:
    chat = event({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Hi"}}]})
    answer = asked(server, stream(chat))
    assert "expected a Responses reply" in str(answer.error)
    assert 'in the chat/completions dialect; choose it with dialect="chat", or check the api_base' in str(answer.error)
    messages = event({"type": "message_start", "message": {"id": "msg_1", "content": []}})
    assert 'dialect="anthropic"' in str(asked(server, stream(messages)).error)
    page: list[Step] = [("send", head(content_type="text/html", Content_Length="12") + b"<html>Hello<")]
    assert "expected JSON or event stream" in str(asked(server, page).error)
    assert "without one" in str(asked(server, stream(b": nothing\n\n")).error)
    assert "expected a Responses reply" in str(asked(server, stream(event({"hello": 1}))).error)


def test_a_refused_summary_and_refused_thoughts_are_left_out(server: FaultServer) -> None:
    def refused(text: str, param: str) -> list[Step]:
        return json_answer({"error": {"message": text, "param": param}}, "400 Bad Request")

    summary = "Your organization must be verified to generate reasoning summaries."
    encrypted = "Encrypted content is not supported with this model."
    base = server.add("s", refused(summary, "reasoning.summary"), refused(encrypted, "include"), stream(*REPLY))
    answer = ask(Plain, api_base=base, reasoning_effort="high", typed={"reasoning_effort": "--reasoning-effort"})
    assert (answer.text, answer.error) == ("Hello", None)
    assert [getattr(notice, "name", "") for notice in answer.notices] == ["reasoning.summary", "include"]
    assert [("include" in each.json, each.json["reasoning"]) for each in server.requests] == [
        (True, {"effort": "high", "summary": "auto"}),
        (True, {"effort": "high"}),
        (False, {"effort": "high"}),
    ]


def test_a_conversation_sends_its_thoughts_back(server: FaultServer) -> None:
    thought = THOUGHT | {"encrypted_content": "gAAAAA", "summary": [{"type": "summary_text", "text": "Hm."}]}
    answer = (CREATED, ended(0, **thought), text("Hello", 1), ended(1, **message("Hello")), completed())
    conversation = Conversation("m", provider=Plain, api_base=server.add("s", stream(*answer)))
    assert conversation.ask("1").reasoning == "Hm."
    conversation.ask("2")
    back = server.requests[1].json["input"]
    assert back == [{"role": "user", "content": "1"}, thought, said("Hello"), {"role": "user", "content": "2"}]
    assert json.dumps(back[1]) == json.dumps(thought)
