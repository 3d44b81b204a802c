"""Replies in Responses and Messages from servers that miscount, repeat, or want to do harm."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from jmuz_magic.errors import StreamError
from jmuz_magic.messages import Chunk, FinishReason, Reasoning, ReasoningItems, ToolCalls
from jmuz_magic.providers.dialects.anthropic.reader import MessageReader
from jmuz_magic.providers.dialects.payloads import DEEPEST, loads_lines
from jmuz_magic.providers.dialects.reader import PayloadReader
from jmuz_magic.providers.dialects.responses.reader import ResponsesReader
from jmuz_magic.streaming.sse import Event

Payload = dict[str, Any]
BEGIN: Payload = {"type": "message_start", "message": {"content": []}}
END: Payload = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}}
STOP: Payload = {"type": "message_stop"}


def block(index: int, **members: Any) -> Payload:
    return {"type": "content_block_start", "index": index, "content_block": members}


def delta(index: int, **members: Any) -> Payload:
    return {"type": "content_block_delta", "index": index, "delta": members}


def call(index: int, id_: str) -> Payload:
    return block(index, type="tool_use", id=id_, name="f", input={})


def arguments(index: int, text: str) -> Payload:
    return delta(index, type="input_json_delta", partial_json=text)


def read(kind: type[PayloadReader], payloads: Iterable[Payload]) -> list[Chunk]:
    """The chunks of these payloads, each in a read of its own, the end included."""
    reader = kind("https://a.test", lambda text: text)
    chunks: list[Chunk] = []
    for payload in payloads:
        if not reader.ended:
            chunks += reader.read([Event("message", json.dumps(payload).encode(), "")])
    reader.settle()
    if reader.failure:
        raise reader.failure
    return chunks + reader.finish()


def message(*payloads: Payload) -> list[Chunk]:
    return read(MessageReader, [BEGIN, *payloads, END, STOP])


def calls(chunks: list[Chunk]) -> list[tuple[str, str]]:
    return [(each.id, each.arguments) for chunk in chunks if isinstance(chunk, ToolCalls) for each in chunk.calls]


def test_no_call_is_lost_if_a_gateway_gives_two_blocks_one_number() -> None:
    chunks = message(call(0, "a"), arguments(0, '{"x":1}'), call(0, "b"), arguments(0, '{"y":1}'))
    assert calls(chunks) == [("a", '{"x":1}'), ("b", '{"y":1}')]


def test_a_call_that_begins_again_is_one_call() -> None:
    chunks = message(call(0, "a"), arguments(0, '{"x"'), call(0, "a"), arguments(0, '{"x":1}'))
    assert calls(chunks) == [("a", '{"x":1}')]


def test_text_in_a_block_of_another_kind_is_the_replys_and_no_argument() -> None:
    said = delta(0, type="text_delta", text="Hello")
    chunks = message(call(0, "a"), said, arguments(0, "{}"))
    assert chunks[0] == "Hello"
    assert calls(chunks) == [("a", "{}")]
    assert message(block(0, type="thinking", thinking=""), said)[0] == "Hello"


def test_a_thought_in_a_block_of_another_kind_is_shown_and_no_argument() -> None:
    thought = delta(0, type="thinking_delta", thinking="Hm")
    assert message(block(0, type="text", text=""), thought)[0] == Reasoning("Hm")
    chunks = message(call(0, "a"), thought, arguments(0, "{}"))
    assert chunks[0] == Reasoning("Hm")
    assert calls(chunks) == [("a", "{}")]


def test_arguments_do_not_change_a_signed_thought() -> None:
    thought = block(0, type="thinking", thinking="Hm", signature="s")
    (items,) = (each for each in message(thought, arguments(0, "{}")) if isinstance(each, ReasoningItems))
    assert items.items == ({"type": "thinking", "thinking": "Hm", "signature": "s"},)


def test_a_message_that_begins_again_and_breaks_off_is_not_complete() -> None:
    text = [block(0, type="text", text=""), delta(0, type="text_delta", text="Hel")]
    assert read(MessageReader, [BEGIN, *text, END, BEGIN, *text])[-1] == FinishReason("truncated")


def test_ids_of_any_shape_are_texts_where_they_go_back() -> None:
    items = message(block(0, type="redacted_thinking", data="x"), call(1, {"a": 1}))  # type: ignore[arg-type]
    (kept,) = (each for each in items if isinstance(each, ReasoningItems))
    assert kept.items[1] == {"type": "tool_use", "id": "{'a': 1}"}


def responses_calls(number: int) -> Iterator[Payload]:
    output = [{"type": "function_call", "call_id": str(each), "name": "f"} for each in range(number)]
    yield {"type": "response.completed", "response": {"status": "completed", "output": output}}


def responses_parts(number: int) -> Iterator[Payload]:
    for each in range(number):
        yield {"type": "response.output_text.delta", "delta": "a", "output_index": 0, "content_index": each}
    yield {"type": "response.completed", "response": {"status": "completed"}}


def responses_arguments(number: int) -> Iterator[Payload]:
    for _ in range(number):
        yield {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": "x" * 100}
    yield {"type": "response.completed", "response": {"status": "completed"}}


def signatures(number: int) -> Iterator[Payload]:
    yield from (BEGIN, block(0, type="thinking", thinking=""))
    for _ in range(number):
        yield delta(0, type="signature_delta", signature="x" * 100)
    yield from (END, STOP)


def summaries(number: int) -> Iterator[Payload]:
    yield from (BEGIN, block(0, type="compaction"))
    for each in range(number):
        yield delta(0, type="compaction_delta", content="x", **{f"member {each}": each})
    yield from (END, STOP)


@pytest.mark.parametrize(
    ("kind", "payloads", "many"),
    [  # so many that quadratic time would end in the timeout
        (ResponsesReader, responses_calls, 60_000),
        (ResponsesReader, responses_parts, 100_000),
        (ResponsesReader, responses_arguments, 60_000),
        (MessageReader, signatures, 60_000),
        (MessageReader, summaries, 100_000),
    ],
)
@pytest.mark.timeout(40)
def test_many_small_parts_take_linear_time(
    kind: type[PayloadReader], payloads: Callable[[int], Iterator[Payload]], many: int
) -> None:
    chunks = read(kind, payloads(many))
    assert isinstance(chunks[-1], FinishReason)


def nested(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


def test_json_is_read_to_a_depth_at_which_it_can_be_written_again() -> None:
    assert loads_lines(json.dumps(nested(DEEPEST)).encode()) == [nested(DEEPEST)]
    assert loads_lines(json.dumps(nested(DEEPEST + 1)).encode()) is None


def sealed(odd: Any) -> dict[type[PayloadReader], list[Payload]]:
    """By reader, a reply that the service wants back, with an odd member."""
    item = {"type": "reasoning", "summary": [], "encrypted_content": "g", "odd": odd}
    return {
        ResponsesReader: [{"type": "response.completed", "response": {"status": "completed", "output": [item]}}],
        MessageReader: [BEGIN, block(0, type="redacted_thinking", data="g", odd=odd), END, STOP],
    }


@pytest.mark.parametrize("kind", [ResponsesReader, MessageReader])
def test_what_goes_back_is_json_that_can_be_sent(kind: type[PayloadReader]) -> None:
    for odd in (float("nan"), float("inf")):
        (kept,) = (each for each in read(kind, sealed(odd)[kind]) if isinstance(each, ReasoningItems))
        assert json.loads(json.dumps(kept.items, allow_nan=False))[0]["odd"] is None
    assert loads_lines(b'{"a": 1e999, "b": -1e999, "c": 1.5}') == [{"a": None, "b": None, "c": 1.5}]
    with pytest.raises(Exception, match="expected JSON in an event") as error:
        read(kind, sealed(nested(400))[kind])
    assert isinstance(error.value, StreamError) == (kind is MessageReader)  # its message had begun
