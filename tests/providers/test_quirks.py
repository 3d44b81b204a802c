"""What real services do beside the specification, by name: each over a socket, whole and cut at several places.

The shapes themselves are tried in `test_wire.py`; this table is about what comes of a whole reply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from jmuz_magic.errors import ResponseError
from jmuz_magic.messages import Usage
from tests.fault_server import DONE, Cut, FaultServer, Script, cut, delta, event, finish, head, json_answer, stream
from tests.providers.asking import Answer, ask

COUNTS = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
USAGE = Usage(1, 2, 3)
LARGE = "x" * 5_000_000


def choice(text: Any, **members: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}], **members}


def half(escaped: bytes) -> bytes:
    """A delta whose text is written as the escapes of JSON."""
    return b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % escaped


@dataclass(frozen=True)
class Quirk:
    """The events of a stream, and what should come of them."""

    events: bytes
    text: str = "Hello"
    finish_reason: str | None = "stop"
    usage: Usage | None = None
    says: str | None = None
    content_type: str = "text/event-stream"


HELLO = delta("Hel") + delta("lo")
NO_INDEX = {"choices": [{"delta": {"content": "Hello"}}]}
PARTS = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]

QUIRKS = {
    "no [DONE]": Quirk(HELLO + finish()),
    "no [DONE], no last blank line": Quirk(HELLO + finish().rstrip(b"\n")),
    "no usage": Quirk(HELLO + finish() + DONE),
    "usage with choices that are not empty": Quirk(
        HELLO + event(choice("", usage=COUNTS)) + finish(usage=COUNTS) + DONE, usage=USAGE
    ),
    "usage after the finish reason": Quirk(
        HELLO + finish() + event({"choices": [], "usage": COUNTS}) + DONE, usage=USAGE
    ),
    "a stream served as text/plain": Quirk(HELLO + finish() + DONE, content_type="text/plain; charset=utf-8"),
    "a stream served as application/json": Quirk(HELLO + finish() + DONE, content_type="application/json"),
    "content as a list of parts": Quirk(event(choice(PARTS)) + finish() + DONE),
    "float created": Quirk(event(choice("Hello", created=1735689600.25)) + finish(created=1.5) + DONE),
    "chunks without index": Quirk(
        event(NO_INDEX) + event({"choices": [{"delta": {}, "finish_reason": "stop"}]}) + DONE
    ),
    "an emoji split into lone surrogates": Quirk(
        half(rb"\ud83d") + half(rb"\ude00") + half(rb"!") + finish() + DONE, text="😀!"
    ),
    "half an emoji at the end": Quirk(half(rb"ok \ud83d") + finish() + DONE, text="ok \ufffd"),
    "finish reason twice": Quirk(HELLO + finish() + finish() + DONE),
    "two finish reasons that differ": Quirk(HELLO + finish("length") + finish("stop") + DONE, finish_reason="length"),
    "a comment before every event": Quirk(b": ping\n\n" + HELLO + b": ping\n\n" + finish() + DONE),
    "a null delta at the end": Quirk(
        HELLO + event({"choices": [{"index": 0, "delta": None, "finish_reason": "stop"}]}) + DONE
    ),
    "filters' results without choices first": Quirk(
        event({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}) + HELLO + finish() + DONE
    ),
    "error as a string": Quirk(HELLO + event({"error": "overloaded"}), says="overloaded"),
    "detail instead of error": Quirk(HELLO + event({"detail": "overloaded"}), says="overloaded"),
    "event: error with a 200": Quirk(HELLO + b'event: error\ndata: {"message": "overloaded"}\n\n', says="overloaded"),
    "event: error that is no JSON": Quirk(HELLO + b"event: error\ndata: overloaded\n\n", says="overloaded"),
    "error beside choices": Quirk(
        delta("Hel") + event(choice("lo", error={"code": 502, "message": "upstream went away"})),
        says="upstream went away",
    ),
    "a 5 MB event": Quirk(delta(LARGE) + finish() + DONE, text=LARGE),
}


def script(quirk: Quirk, how: Cut) -> Script:
    if quirk.content_type == "text/event-stream":
        return stream(quirk.events, how=how)
    opened = head(content_type=quirk.content_type)
    return [("send", opened), *[("send", piece) for piece in cut(quirk.events, how)], ("eof",)]


def check(quirk: Quirk, answer: Answer) -> None:
    assert answer.text == quirk.text
    if quirk.says is None:
        assert answer.error is None
        assert (answer.finish_reason, answer.usage) == (quirk.finish_reason, quirk.usage)
    else:
        assert type(answer.error) is ResponseError
        assert quirk.says in str(answer.error)
    answer.text.encode()


@pytest.mark.parametrize("name", QUIRKS)
@pytest.mark.parametrize("how", ["whole", "bytes", 5])
def test_a_quirk_of_a_stream_costs_no_text(server: FaultServer, name: str, how: Cut) -> None:
    quirk = QUIRKS[name]
    if how == "bytes" and (len(quirk.events) > 10_000 or not quirk.content_type.startswith("text/event-stream")):
        how = 6  # a send for each byte would be more than the server does
    answer = ask(api_base=server.add("s", script(quirk, how)))
    check(quirk, answer)
    assert len(server.requests) == 1


WHOLE: dict[str, tuple[dict[str, Any], str, Usage | None]] = {
    "no usage": ({"message": {"content": "Hello"}, "finish_reason": "stop"}, "Hello", None),
    "content as a list of parts": ({"message": {"content": PARTS}, "finish_reason": "stop"}, "Hello", USAGE),
    "no index, float created": ({"message": {"content": "Hello"}, "finish_reason": "stop"}, "Hello", USAGE),
    "half an emoji": ({"message": {"content": "ok \ud83d"}, "finish_reason": "stop"}, "ok \ufffd", USAGE),
    "5 MB": ({"index": 0, "message": {"content": LARGE}, "finish_reason": "stop"}, LARGE, USAGE),
}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("streaming", [True, False], ids=["stream asked", "no stream asked"])
def test_a_quirk_of_a_whole_reply_costs_no_text(server: FaultServer, name: str, streaming: bool) -> None:
    first, text, usage = WHOLE[name]
    body: dict[str, Any] = {"created": 1.5, "choices": [first]} | ({"usage": COUNTS} if usage else {})
    answer = ask(api_base=server.add("s", json_answer(body)), stream=streaming)
    assert (answer.error, answer.text, answer.finish_reason, answer.usage) == (None, text, "stop", usage)


REFUSALS: dict[str, Any] = {
    "error as a string": {"error": "no such luck"},
    "error as an object": {"error": {"message": "no such luck", "type": "x", "code": None}},
    "detail as a string": {"detail": "no such luck"},
    "detail as a list": {"detail": [{"loc": ["body", "messages"], "msg": "no such luck", "type": "value_error"}]},
    "a list of errors": [{"error": {"code": 400, "message": "no such luck", "status": "INVALID_ARGUMENT"}}],
    "object: error": {"object": "error", "message": "no such luck", "type": "invalid", "code": 1},
}


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize("status", ["400 Bad Request", "422 Unprocessable Entity", "200 OK"])
def test_a_refusal_of_any_shape_is_told_in_the_services_words(server: FaultServer, name: str, status: str) -> None:
    answer = ask(api_base=server.add("s", json_answer(REFUSALS[name], status)))
    assert isinstance(answer.error, ResponseError)
    assert str(answer.error).endswith("no such luck")
    assert answer.chunks == []
    assert len(server.requests) == 1
