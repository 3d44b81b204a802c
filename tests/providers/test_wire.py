"""From payloads to chunks: what real services send, tidy or not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jmuz_magic.errors import ResponseError, StreamError
from jmuz_magic.messages import Chunk, FinishReason, Reasoning, ToolCall, ToolCalls, Usage
from jmuz_magic.providers.dialects.chat.reader import ReplyReader
from jmuz_magic.streaming.sse import Event, SSEDecoder
from tests.fault_server import DONE, cut, delta, event, finish


def new_reader() -> ReplyReader:
    return ReplyReader("https://service.example", lambda text: " ".join(text.split())[:500])


def read(*payloads: Any) -> tuple[list[Chunk], ReplyReader]:
    """The chunks of these payloads (bytes are sent as they are), the end included."""
    reader = new_reader()
    chunks: list[Chunk] = []
    for payload in payloads:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        chunks += reader.read([Event("message", data, "")])
    chunks += reader.rest() if reader.failure else reader.finish()
    return chunks, reader


def text_of(chunks: list[Chunk]) -> str:
    return "".join(chunk for chunk in chunks if isinstance(chunk, str))


def thought_of(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, Reasoning))


def content(value: Any, **members: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": value} | members}]}


END = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


# --- shapes


@pytest.mark.fault(24)
@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({"choices": []}, ""),
        ({"choices": None}, ""),
        ({"choices": {}}, ""),
        ({"choices": 7}, ""),
        ({"choices": [None, 3, "x"]}, ""),
        ({"choices": [{}]}, ""),
        ({"choices": [{"index": 0}]}, ""),
        ({"choices": [{"delta": None}]}, ""),
        ({"choices": [{"delta": []}]}, ""),
        ({"choices": [{"delta": 7}]}, ""),
        (content("x", tool_calls=[None, "f"]), "x"),
        (content("x", tool_calls={"index": 0}), "x"),
        ({"choices": {"index": 0, "delta": {"content": "x"}}}, "x"),
        ({"choices": {"0": {"delta": {"content": "x"}}}}, "x"),
        ({"choices": [{"delta": {"content": "x"}}]}, "x"),
        ({"choices": [{"index": None, "delta": {"content": "x"}}]}, "x"),
        ({"choices": [{"index": "0", "delta": {"content": "x"}}]}, "x"),
        ({"choices": [{"delta": "x"}]}, "x"),
        ({"choices": [{"text": "x"}]}, "x"),
        ({"choices": [{"message": {"content": "x"}}]}, "x"),
        (content(None), ""),
        (content(""), ""),
        (content(True), ""),
        (content(5), "5"),
        (content(1.5), "1.5"),
        (content(["a", {"type": "text", "text": "b"}, {"type": "image_url"}, None]), "ab"),
        (content({"type": "text", "text": "x"}), "x"),
        (content([[["deep"]]]), "deep"),
        (content("x") | {"created": 1.5}, "x"),
        (content("x") | {"usage": None, "error": None}, "x"),
        (content("x") | {"error": {}}, "x"),
        (b'{"choices":[{"index":0,"delta":{"content":"x"},"logprobs":NaN}]}', "x"),
        (b"[]", ""),
        (b"5", ""),
        (b"{}", ""),
        (b'{"type":"ping"}', ""),
        (b'  {"choices":[{"delta":{"content":"x"}}]}  ', "x"),
        (b'\xef\xbb\xbf{"choices":[{"delta":{"content":"x"}}]}', "x"),
        (b'[{"choices":[{"delta":{"content":"x"}}]}]', "x"),
        (b'{"choices":[{"delta":{"content":"tab\there"}}]}', "tab\there"),
    ],
)
def test_odd_shapes_hold_text_or_nothing_but_raise_nothing(payload: Any, text: str) -> None:
    chunks, reader = read(payload, DONE[6:])
    assert reader.failure is None
    assert text_of(chunks) == text


def test_the_order_at_the_end_is_tool_calls_usage_finish_reason() -> None:
    call = {"index": 0, "id": "1", "function": {"name": "f", "arguments": "{}"}}
    chunks, _ = read(content("x", tool_calls=[call]), END | {"usage": {"total_tokens": 3}})
    assert chunks == ["x", ToolCalls((ToolCall("1", "f", "{}"),)), Usage(total_tokens=3), FinishReason("stop")]


# --- the end


@pytest.mark.fault(20)
def test_a_finish_reason_without_done_is_complete() -> None:
    chunks, reader = read(content("x"), END)
    assert chunks == ["x", FinishReason("stop")]
    assert reader.finished
    assert not reader.done


@pytest.mark.fault(21)
def test_neither_finish_reason_nor_done_is_truncated() -> None:
    assert read(content("x"))[0] == ["x", FinishReason("truncated")]
    assert read()[0] == [FinishReason("truncated")]


def test_done_without_a_finish_reason_gives_none() -> None:
    assert read(content("x"), b"[DONE]")[0] == ["x"]
    assert read(content("x"), b" [DONE] ")[0] == ["x"]


def test_what_follows_done_is_ignored() -> None:
    events = SSEDecoder().feed(delta("x") + DONE + delta("never"))
    assert text_of(new_reader().read(events)) == "x"


def test_a_finish_reason_that_comes_twice_is_told_once() -> None:
    assert read(content("x"), END, END | {"usage": {"total_tokens": 1}}, b"[DONE]")[0] == [
        "x",
        Usage(total_tokens=1),
        FinishReason("stop"),
    ]


def test_an_empty_finish_reason_is_none_yet() -> None:
    payload = {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": ""}]}
    assert read(payload, payload, END)[0] == ["x", "x", FinishReason("stop")]


@pytest.mark.fault(37)
@pytest.mark.parametrize("reason", ["stop", "length", "content_filter"])
def test_an_empty_reply_still_tells_why_it_ended(reason: str) -> None:
    assert read({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})[0] == [FinishReason(reason)]


# --- usage


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}, Usage(1, 2, 3)),
        ({"prompt_tokens": 1.0, "total_tokens": "3"}, Usage(1, None, None)),
        ({"prompt_tokens": None}, None),
        ({"prompt_tokens": True}, None),
        ([], None),
        (5, None),
    ],
)
def test_usage_of_any_shape(usage: Any, expected: Usage | None) -> None:
    chunks, _ = read(content("x") | {"usage": usage}, END)
    assert [chunk for chunk in chunks if isinstance(chunk, Usage)] == ([expected] if expected else [])


@pytest.mark.fault(30)
def test_usage_that_is_not_a_number_is_none() -> None:
    raw = b'{"choices":[],"usage":{"prompt_tokens":NaN,"completion_tokens":Infinity,"total_tokens":4}}'
    assert read(raw, b"[DONE]")[0] == [Usage(total_tokens=4)]


def test_the_last_usage_counts() -> None:
    chunks, _ = read(
        content("a") | {"usage": {"total_tokens": 1}}, content("b") | {"usage": {"total_tokens": 2}}, END, b"[DONE]"
    )
    assert chunks == ["a", "b", Usage(total_tokens=2), FinishReason("stop")]


# --- reasoning


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_deltas_are_no_text(name: str) -> None:
    payload = {"choices": [{"index": 0, "delta": {name: "hm", "content": None}}]}
    assert read(payload, content("x"), END)[0] == [Reasoning("hm"), "x", FinishReason("stop")]


def test_reasoning_under_both_names_comes_once() -> None:
    payload = {"choices": [{"index": 0, "delta": {"reasoning": "hm", "reasoning_content": "hm"}}]}
    assert thought_of(read(payload)[0]) == "hm"


def test_a_part_may_hold_its_text_as_a_value() -> None:
    parts = [{"type": "text", "text": {"value": "one "}}, {"type": "output_text", "text": "two"}]
    assert read(content(parts), END)[0] == ["one ", "two", FinishReason("stop")]


def test_thinking_parts_are_reasoning() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "x"}]
    assert read(content(parts), END)[0] == [Reasoning("hm"), "x", FinishReason("stop")]


THINKING = [
    ("<think>hm</think>\n\nHello", "hm", "Hello"),
    ("\n <think>\nhm\n</think>Hello", "\nhm\n", "Hello"),
    ("<think></think>\n\n  code", "", "  code"),
    ("<think>never closed", "never closed", ""),
    ("<think>a < b </thin k></think>x</think>", "a < b </thin k>", "x</think>"),
    ("Hello <think>no</think>", "", "Hello <think>no</think>"),
    ("<thinking>no</thinking>", "", "<thinking>no</thinking>"),
    ("<thi", "", "<thi"),
    ("<think>hm</thi", "hm</thi", ""),
    ("  \n", "", "  \n"),
    ("", "", ""),
]


@pytest.mark.parametrize(("text", "thought", "said"), THINKING)
@pytest.mark.parametrize("how", ["whole", "bytes", 1, 2, 3])
def test_think_at_the_start_is_reasoning_however_it_is_cut(text: str, thought: str, said: str, how: Any) -> None:
    chunks, _ = read(*[content(piece.decode()) for piece in cut(text.encode(), how)], END)
    assert (thought_of(chunks), text_of(chunks)) == (thought, said)


def test_text_after_the_start_is_not_held() -> None:
    reader = new_reader()
    for text in ("Hello", " <think>", "<"):
        assert reader.read(SSEDecoder().feed(delta(text))) == [text]


# --- several choices


def test_choice_0_streams_and_the_others_follow_under_their_number() -> None:
    def choice(index: int, text: str, reason: str | None = None) -> dict[str, Any]:
        return {"choices": [{"index": index, "delta": {"content": text}, "finish_reason": reason}]}

    reader = new_reader()
    streamed = []
    for payload in (choice(1, "b"), choice(0, "a"), choice(2, "c"), choice(1, "B", "length"), choice(0, "A", "stop")):
        streamed += reader.read(SSEDecoder().feed(event(payload)))
    assert streamed == ["a", "A"]
    unfinished = not reader.finished
    reader.read(SSEDecoder().feed(event(choice(2, "C", "stop"))))
    assert unfinished
    assert reader.finished
    assert text_of(reader.finish()) == "\n\n**Choice 2** (length)\n\nbB\n\n**Choice 3**\n\ncC"


def test_choices_of_one_event_without_an_index_are_told_apart_by_their_place() -> None:
    payload = {"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]}
    assert text_of(read(payload, payload, DONE[6:-2])[0]) == "aa\n\n**Choice 2**\n\nbb"


def test_a_lone_choice_with_another_index_is_the_reply() -> None:
    payload = {"choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": "length"}]}
    assert read(payload)[0] == ["x", FinishReason("length")]


def test_other_choices_are_not_lost_when_the_stream_breaks() -> None:
    payload = {"choices": [{"index": 0, "delta": {"content": "a"}}, {"index": 1, "delta": {"content": "b"}}]}
    reader = new_reader()
    chunks = reader.read(SSEDecoder().feed(event(payload)))
    assert text_of(chunks + reader.rest()) == "a\n\n**Choice 2**\n\nb"


# --- refusals and tool calls


def test_a_refusal_is_text_with_its_own_finish_reason() -> None:
    payload = {"choices": [{"index": 0, "delta": {"content": None, "refusal": "I cannot."}}]}
    assert read(payload, END)[0] == ["I cannot.", FinishReason("refusal")]
    assert read(payload, b"[DONE]")[0] == ["I cannot.", FinishReason("refusal")]


def test_a_refusal_that_was_cut_short_keeps_the_service_s_word() -> None:
    payload = {"choices": [{"index": 0, "delta": {"refusal": "I"}, "finish_reason": "length"}]}
    assert read(payload)[0] == ["I", FinishReason("length")]


def calls_of(*pieces: dict[str, Any]) -> list[tuple[str, str, str]]:
    payloads = [{"choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]} for piece in pieces]
    chunks, _ = read(*payloads, b"[DONE]")
    return [
        (call.id, call.name, call.arguments) for chunk in chunks if isinstance(chunk, ToolCalls) for call in chunk.calls
    ]


def piece(arguments: Any = "", **members: Any) -> dict[str, Any]:
    name = members.pop("name", None)
    return members | {"function": {"arguments": arguments} | ({"name": name} if name else {})}


@pytest.mark.parametrize(
    ("pieces", "calls"),
    [
        ([piece("{", index=0, id="a", name="f"), piece("}", index=0)], [("a", "f", "{}")]),
        ([piece("{", id="a", name="f"), piece("}")], [("a", "f", "{}")]),
        ([piece("{}", id="a", name="f"), piece("{}", id="b", name="g")], [("a", "f", "{}"), ("b", "g", "{}")]),
        (
            [piece("{}", index=0, id="a", name="f"), piece("{}", index=0, id="b", name="g"), piece(" ", index=0)],
            [("a", "f", "{}"), ("b", "g", "{} ")],
        ),
        (
            [piece("1", index=0, id="a", name="f"), piece("2", index=1, id="b", name="g"), piece("3", index=0)],
            [("a", "f", "13"), ("b", "g", "2")],
        ),
        ([piece("", index=0, id="a", name="f"), piece("{}", index=0, id="a", name="f")], [("a", "f", "{}")]),
        ([piece({"x": 1}, index=0, id="a", name="f")], [("a", "f", '{"x": 1}')]),
        ([{"index": 0, "id": "a"}, {"index": 0, "function": None}], [("a", "", "")]),
        ([piece(None, index=0, id=None, name="f")], [("", "f", "")]),
        ([piece("{}", index=0, name="f"), piece("{}", index=1, name="g")], [("", "f", "{}"), ("", "g", "{}")]),
    ],
)
def test_tool_calls_are_put_together(pieces: list[dict[str, Any]], calls: list[tuple[str, str, str]]) -> None:
    assert calls_of(*pieces) == calls


def test_the_function_call_of_old_is_a_tool_call() -> None:
    first = {"choices": [{"index": 0, "delta": {"function_call": {"name": "f", "arguments": "{"}}}]}
    second = {"choices": [{"index": 0, "delta": {"function_call": {"arguments": "}"}}}]}
    assert read(first, second, b"[DONE]")[0] == [ToolCalls((ToolCall("", "f", "{}"),))]


# --- text that cannot pass every pipe


@pytest.mark.fault(30)
@pytest.mark.parametrize(
    ("payloads", "text"),
    [
        ([rb'"\ud83d"', rb'"\ude00 ok"'], "\U0001f600 ok"),
        ([rb'"a\ud83d"', rb'""', rb'"\ude00"'], "a\U0001f600"),
        ([rb'"a\ud83d"', rb'"b"'], "a\ufffdb"),
        ([rb'"\ude00"'], "\ufffd"),
        ([rb'"x\ud83d"'], "x\ufffd"),
        ([rb'"\ud83d\ud83d"', rb'"\ude00"'], "\ufffd\U0001f600"),
        ([b'"\xff\xfe"'], "\ufffd\ufffd"),
        ([b'"\xf0\x9f"', b'"\x98\x80"'], "\ufffd\ufffd\ufffd"),
        ([rb'"a\u0000b"'], "ab"),
        ([b'"a\x00b"'], "ab"),
        ([rb'"\u0000"'], ""),
        ([rb'"plain"', rb'"\ud83d"', rb'"\u0000\ude00"', rb'"plain"'], "plain\U0001f600plain"),
    ],
)
def test_broken_characters_are_mended_and_never_raise_later(payloads: list[bytes], text: str) -> None:
    raw = [b'{"choices":[{"index":0,"delta":{"content":%s}}]}' % payload for payload in payloads]
    chunks, reader = read(*raw, b"[DONE]")
    assert reader.failure is None
    assert text_of(chunks) == text
    text_of(chunks).encode()


@pytest.mark.fault(30)
def test_broken_characters_of_reasoning_and_tool_calls_are_mended_as_well() -> None:
    thought = [b'{"choices":[{"delta":{"reasoning":"%s"}}]}' % half for half in (rb"\ud83d", rb"\ude00\u0000")]
    assert thought_of(read(*thought)[0]) == "\U0001f600"
    assert thought_of(read(thought[0])[0]) == "\ufffd"
    calls = calls_of(piece("\ud83d", index=0, name="f\0"), piece("\ude00\ud83d", index=0))
    assert calls == [("", "f", "\U0001f600\ufffd")]


@pytest.mark.fault(30)
@pytest.mark.parametrize("bomb", [b"[" * 100_000, b'{"a":' * 100_000, b'{"choices":' + b"[" * 100_000])
def test_deep_nesting_is_an_error_of_ours(bomb: bytes) -> None:
    _, reader = read(content("x"), bomb)
    assert isinstance(reader.failure, StreamError)
    _, reader = read(bomb)
    assert isinstance(reader.failure, ResponseError)


@pytest.mark.fault(30)
@pytest.mark.parametrize("depth", [300, 600, 900, 3000])
def test_nesting_that_json_still_reads_raises_nothing(depth: int) -> None:
    for inner in (b"[" * depth + b"]" * depth, b'{"error":' * depth + b"1" + b"}" * depth):
        read(b'{"choices":[{"delta":{"content":%s}}]}' % inner)
        read(b'{"error":%s}' % inner)
        reader = new_reader()
        reader.read([Event("error", inner, "")])
        assert reader.failure is not None


# --- errors in a 200


@pytest.mark.fault(25)
@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"error": {"message": "overloaded"}}, "overloaded"),
        ({"error": "overloaded"}, "overloaded"),
        ({"error": {"code": 429}}, '{"code": 429}'),
        ({"error": 5}, "5"),
        ({"detail": "overloaded"}, "overloaded"),
        ({"detail": [{"loc": ["body"], "msg": "too long"}]}, "body: too long"),
        ({"object": "error", "message": "overloaded"}, "overloaded"),
        ({"message": {"detail": [{"msg": "extra"}]}, "error": {"message": {"detail": [{"msg": "extra"}]}}}, "extra"),
        ({"errors": ["overloaded"]}, "overloaded"),
        ([{"error": {"message": "overloaded"}}], "overloaded"),
        ({"error": {"message": "late"}, "choices": [{"delta": {"content": "kept"}}]}, "late"),
    ],
)
def test_an_error_in_a_stream_is_a_response_error(payload: Any, said: str) -> None:
    chunks, reader = read(content("before "), payload)
    assert type(reader.failure) is ResponseError
    assert str(reader.failure) == f"https://service.example reported an error: {said}"
    assert text_of(chunks).startswith("before ")


@pytest.mark.fault(25)
def test_text_beside_an_error_is_kept() -> None:
    chunks, _ = read(content("a"), {"error": "late", "choices": [{"delta": {"content": "b"}}]})
    assert text_of(chunks) == "ab"


@pytest.mark.fault(25)
@pytest.mark.parametrize("data", [b'{"message":"overloaded"}', b"overloaded", b'{"error":{"message":"overloaded"}}'])
def test_an_event_of_type_error_is_an_error(data: bytes) -> None:
    reader = new_reader()
    reader.read([Event("error", data, "")])
    assert "overloaded" in str(reader.failure)


@pytest.mark.fault(23)
def test_a_malformed_event_is_shown_escaped_and_cut() -> None:
    _, reader = read(b"{oops \x1b[31m " + b"x" * 1000)
    assert type(reader.failure) is ResponseError
    assert "\x1b" not in str(reader.failure)
    assert "{oops" in str(reader.failure)
    assert len(str(reader.failure)) < 400


@pytest.mark.fault(23)
def test_a_malformed_event_after_text_is_a_broken_stream() -> None:
    chunks, reader = read(content("kept"), b"{oops")
    assert type(reader.failure) is StreamError
    assert chunks == ["kept"]


# --- whole bodies


def test_a_whole_reply_is_read_like_a_stream() -> None:
    reader = new_reader()
    message = {"role": "assistant", "content": "<think>hm</think>Hello", "refusal": None}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": {"total_tokens": 3}}
    chunks = reader.read_body(json.dumps(body).encode()) + reader.finish()
    assert chunks == [Reasoning("hm"), "Hello", Usage(total_tokens=3), FinishReason("stop")]


@pytest.mark.parametrize("body", [b"", b"nope", b"{}", b"[]", b'{"choices":[]}', b'"x"', b"[" * 100_000])
def test_a_body_without_a_reply_is_an_error(body: bytes) -> None:
    reader = new_reader()
    reader.read_body(body)
    assert type(reader.failure) is ResponseError


# --- every cut


GOLDEN = (
    b"\xef\xbb\xbf: hello\r\n\r\n"
    + delta("Grüße, 世界 ").replace(b"\n", b"\r\n")
    + delta("e\u0301 ")
    + b'data:{"choices":[{"index":0,"delta":{"content":"\xf0\x9f\x98\x80"}}]}\r\r'
    + b'event: message\nid: 1\nretry: 5\ndata: {"choices":[{"index":0,\ndata: "delta":{"content":"!"}}]}\n\n'
    + b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}\n\n'
    + b'data: {"choices":[{"index":0,"delta":{"content":"\\ude00"}}]}\n\n'
    + finish()
    + DONE
)
GOLDEN_TEXT = "Grüße, 世界 e\u0301 \U0001f600!\U0001f600"


def read_bytes(pieces: list[bytes]) -> list[Chunk]:
    reader, decoder = new_reader(), SSEDecoder()
    chunks: list[Chunk] = []
    for part in pieces:
        chunks += reader.read(decoder.feed(part))
    return chunks + reader.finish()


@pytest.mark.fault(18, 19)
def test_one_cut_at_any_place_changes_nothing() -> None:
    for place in range(len(GOLDEN) + 1):
        chunks = read_bytes([GOLDEN[:place], GOLDEN[place:]])
        assert text_of(chunks) == GOLDEN_TEXT, place
        assert chunks[-1] == FinishReason("stop")


@pytest.mark.fault(18, 19)
@pytest.mark.parametrize("how", ["bytes", *range(50)])
def test_many_cuts_change_nothing(how: Any) -> None:
    assert text_of(read_bytes(cut(GOLDEN, how))) == GOLDEN_TEXT
