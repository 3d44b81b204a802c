"""How a reply ends: proper ends under many names, ends that are errors, and ends that are none yet."""

from __future__ import annotations

import time
from typing import Any

import pytest

from jmuz_magic.errors import ResponseError, StreamError
from jmuz_magic.providers.http.policy import Policy
from tests.fault_server import DONE, FaultServer, chunked, delta, event, finish, head, json_answer, stream
from tests.providers.asking import Patient, ask

OPEN = head(Transfer_Encoding="chunked")


def chunk(text: str, reason: Any, **members: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason, **members}]})


# --- ends that are errors


@pytest.mark.finding("A2")
@pytest.mark.parametrize(
    "reason",
    [
        "error",
        "insufficient_system_resource",
        "network_error",
        "abort",
        "ABORT",
        "server_error",
        "MALFORMED_FUNCTION_CALL",
        "function_call_filter: MALFORMED_FUNCTION_CALL",
    ],
)
def test_a_reply_that_the_service_broke_off_is_an_error_that_keeps_its_text(server: FaultServer, reason: str) -> None:
    answer = ask(api_base=server.add("s", stream(delta("half a "), chunk("reply", reason), DONE)))
    assert type(answer.error) is ResponseError
    assert reason in str(answer.error)
    assert (answer.text, answer.finish_reason) == ("half a reply", None)
    assert len(server.requests) == 1


@pytest.mark.finding("A2")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"code": 502, "message": "upstream went away"}, "upstream went away"),
        ({"code": 429, "metadata": {"raw": '{"error":{"message":"slow down"}}'}}, "slow down"),
        ("out of memory", "out of memory"),
        ({"code": 502}, '{"code": 502}'),
    ],
)
@pytest.mark.parametrize("reason", ["error", None])
def test_what_the_service_says_of_the_end_is_told(
    server: FaultServer, error: Any, said: str, reason: str | None
) -> None:
    broken = event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason, "error": error}]})
    answer = ask(api_base=server.add("s", stream(delta("half"), broken, DONE)))
    assert str(answer.error).endswith(f"reported an error: {said}")
    assert answer.text == "half"


@pytest.mark.finding("A2")
def test_a_whole_reply_that_was_broken_off_is_an_error(server: FaultServer) -> None:
    choice = {"index": 0, "message": {"content": "half"}, "finish_reason": "network_error"}
    answer = ask(api_base=server.add("s", json_answer({"choices": [choice]})), stream=False)
    assert "network_error" in str(answer.error)
    assert answer.text == "half"


def test_the_counts_of_a_reply_that_broke_off_are_kept(server: FaultServer) -> None:
    counts = {"prompt_tokens": 7, "completion_tokens": 2}
    before = ask(
        api_base=server.add(
            "a",
            stream(delta("half"), chunk("", None) + event({"choices": [], "usage": counts}), event({"error": "gone"})),
        )
    )
    after = ask(
        api_base=server.add(
            "b", stream(delta("half"), chunk("", "error"), event({"choices": [], "usage": counts}), DONE)
        )
    )
    for answer in (before, after):
        assert answer.error is not None
        assert answer.usage is not None
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 2)


# --- one spelling for each end


@pytest.mark.finding("A2")
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("MAX_TOKENS", "length"),
        ("max_tokens", "length"),
        ("model_length", "length"),
        ("max_output_tokens", "length"),
        ("LENGTH", "length"),
        ("SAFETY", "content_filter"),
        ("sensitive", "content_filter"),
        ("content_filter: RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("guardrail_intervened", "content_filter"),
        ("STOP", "stop"),
    ],
)
def test_other_spellings_of_an_end_become_one_and_stay_known(server: FaultServer, said: str, reason: str) -> None:
    from jmuz_magic.messages import FinishReason

    answer = ask(api_base=server.add("s", stream(delta("x"), finish(said), DONE)))
    assert answer.error is None
    assert answer.finish_reason == reason
    assert answer.chunks[-1] == FinishReason(reason, said)


def test_what_a_gateway_passes_on_of_the_end_stays_known(server: FaultServer) -> None:
    from jmuz_magic.messages import FinishReason

    ends = chunk("", "length", native_finish_reason="MAX_TOKENS")
    assert ask(api_base=server.add("a", stream(delta("x"), ends, DONE))).chunks[-1] == FinishReason(
        "length", "MAX_TOKENS"
    )
    ends = chunk("", "stop", native_finish_reason="end_turn")
    assert ask(api_base=server.add("b", stream(delta("x"), ends, DONE))).chunks[-1] == FinishReason("stop")


@pytest.mark.parametrize("reason", ["stop", "tool_calls", "eos", "Something New"])
def test_a_word_that_is_not_known_stays_as_it_is(server: FaultServer, reason: str) -> None:
    assert ask(api_base=server.add("s", stream(delta("x"), finish(reason), DONE))).finish_reason == reason


# --- a finish reason in mid-reply


def quick(after_finish: float = 0.3) -> type[Patient]:
    class Quick(Patient):
        policy = Policy(after_finish=after_finish)

    return Quick


@pytest.mark.finding("A3")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (chunk("one ", "stop"), chunk("two", "stop")),
        (chunk("one ", "stop"), chunk("two", None) + finish()),
        (chunk("", "stop") + chunk("one ", "stop") + chunk("", "stop"), chunk("two", "stop")),
        (event({"choices": [{"delta": {"role": "assistant"}, "finish_reason": "stop"}]}), chunk("one two", "stop")),
        (chunk("one ", "null") + chunk("", "null"), chunk("two", "stop")),
    ],
    ids=["in every chunk", "too early", "in empty chunks too", "with the role", "as the string null"],
)
def test_a_finish_reason_in_mid_reply_drops_no_text(server: FaultServer, first: bytes, second: bytes) -> None:
    script = [
        ("send", OPEN),
        ("send", chunked([first], ended=False)),
        ("sleep", 1.5),
        ("send", chunked([second, DONE])),
    ]
    answer = ask(quick(), api_base=server.add("s", script))
    assert (answer.error, answer.text, answer.finish_reason) == (None, "one two", "stop")


@pytest.mark.finding("A3")
@pytest.mark.parametrize("reason", ["null", "None", "NULL", ""])
def test_a_word_for_nothing_is_no_finish_reason(server: FaultServer, reason: str) -> None:
    events = [chunk("a", reason), chunk("b", reason), chunk("", "length"), DONE]
    assert ask(api_base=server.add("s", stream(*events))).finish_reason == "length"
    cut = ask(api_base=server.add("cut", stream(chunk("a", reason))))
    assert cut.finish_reason == "truncated"


@pytest.mark.finding("A3")
def test_a_better_reason_replaces_a_stop_that_came_in_every_chunk(server: FaultServer) -> None:
    events = [chunk("a", "stop"), chunk("b", "stop"), chunk("", "length"), DONE]
    assert ask(api_base=server.add("s", stream(*events))).finish_reason == "length"


def test_a_server_that_says_its_last_word_and_hangs_is_left_soon(server: FaultServer) -> None:
    script = [("send", OPEN), ("send", chunked([delta("done"), finish()], ended=False)), ("accept_only",)]
    began = time.monotonic()
    answer = ask(quick(), api_base=server.add("s", script))
    assert (answer.error, answer.text, answer.finish_reason) == (None, "done", "stop")
    assert time.monotonic() - began < 60  # not the idle timer


def test_a_connection_that_breaks_after_ends_that_were_none_is_an_error(server: FaultServer) -> None:
    script = [("send", OPEN), ("send", chunked([chunk("a", "stop"), chunk("b", "stop")], ended=False)), ("rst",)]
    answer = ask(api_base=server.add("s", script))
    assert type(answer.error) is StreamError
    assert answer.text == "ab"


# --- the whole message at the end


WHOLE = {"role": "assistant", "content": "Hello", "reasoning_content": "hm"}


@pytest.mark.finding("A10")
@pytest.mark.parametrize(
    "last",
    [
        {"message": WHOLE},
        {"delta": {}, "message": WHOLE},
        {"delta": None, "message": WHOLE},
        {"delta": {"role": "assistant", "content": ""}, "message": WHOLE},
    ],
    ids=["no delta", "an empty delta", "a null delta", "a delta without text"],
)
def test_a_whole_message_at_the_end_repeats_nothing(server: FaultServer, last: dict[str, Any]) -> None:
    end = event({"choices": [{"index": 0, "finish_reason": "stop", **last}]})
    events = [delta(reasoning_content="hm"), delta("Hel"), delta("lo"), end, DONE]
    answer = ask(api_base=server.add("s", stream(*events)))
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("Hello", "hm", "stop")


@pytest.mark.finding("A10")
def test_a_whole_message_at_the_end_brings_what_no_delta_brought(server: FaultServer) -> None:
    call = {"index": 0, "id": "1", "function": {"name": "f", "arguments": "{}"}}
    end = {"delta": {}, "message": WHOLE | {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    answer = ask(api_base=server.add("s", stream(delta(reasoning_content="hm"), event({"choices": [end]}), DONE)))
    assert (answer.text, answer.reasoning) == ("Hello", "hm")
    assert [call.name for call in answer.tool_calls] == ["f"]


def test_a_whole_message_at_the_end_fills_what_came_empty(server: FaultServer) -> None:
    def call(arguments: str) -> dict[str, Any]:
        return {"index": 0, "id": "1", "function": {"name": "f", "arguments": arguments}}

    first = delta(content=[{"type": "text", "text": ""}], tool_calls=[call("")])
    end = {"delta": {}, "message": WHOLE | {"tool_calls": [call('{"x":1}')]}, "finish_reason": "tool_calls"}
    answer = ask(api_base=server.add("s", stream(first, event({"choices": [end]}), DONE)))
    assert answer.text == "Hello"
    assert [(each.id, each.name, each.arguments) for each in answer.tool_calls] == [("1", "f", '{"x":1}')]


def test_a_stream_of_messages_is_read_as_one_of_deltas(server: FaultServer) -> None:
    events = [event({"choices": [{"message": {"content": text}}]}) for text in ("Hel", "lo")]
    assert ask(api_base=server.add("s", stream(*events, finish(), DONE))).text == "Hello"
