"""From the events of the Responses dialect to chunks: in every order, with every part missing, of any shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jmuz_magic.errors import ResponseError, StreamError
from jmuz_magic.messages import (
    Answered,
    Chunk,
    Citation,
    Citations,
    FinishReason,
    Image,
    Reasoning,
    ReasoningItems,
    ToolCall,
    ToolCalls,
    Unshown,
    Usage,
)
from jmuz_magic.providers.dialects.responses.reader import ResponsesReader
from jmuz_magic.streaming.sse import Event
from tests.fault_server import DONE, event
from tests.providers.responses_events import (
    SEARCH,
    THOUGHT,
    USAGE,
    added,
    arguments,
    call,
    completed,
    ended,
    happened,
    mark,
    message,
    said,
    text,
)
from tests.providers.test_pictures import png
from tests.providers.test_responses_bodies import with_items


def read(*events: bytes) -> tuple[list[Chunk], ResponsesReader]:
    """The chunks of these events, each in a read of its own, the end included."""
    reader = ResponsesReader("https://a.test", lambda text: text)
    chunks: list[Chunk] = []
    for each in events:
        if not reader.ended:
            chunks += reader.read([Event("message", each.removeprefix(b"data: ").strip(), "")])
    reader.settle()
    return chunks + (reader.rest() if reader.failure else reader.finish()), reader


def joined(chunks: list[Chunk]) -> tuple[str, str]:
    """Text and reasoning."""
    return (
        "".join(chunk for chunk in chunks if isinstance(chunk, str)),
        "".join(chunk.text for chunk in chunks if isinstance(chunk, Reasoning)),
    )


def the(kind: type[Any], chunks: list[Chunk]) -> Any:
    (found,) = (chunk for chunk in chunks if isinstance(chunk, kind))
    return found


def test_text_who_answered_usage_and_the_end() -> None:
    chunks, reader = read(text("San"), text(" Francisco"), completed(message("San Francisco"), usage=USAGE))
    assert chunks == ["San", " Francisco", Answered("m-1"), Usage(9, 5, 14, 4, 3), FinishReason("stop")]
    assert reader.done


def test_a_part_that_came_in_deltas_is_not_taken_again() -> None:
    chunks, _ = read(
        added(0, **message()),
        text("Hi"),
        happened("output_text.done", output_index=0, content_index=0, text="Hi"),
        happened("content_part.done", output_index=0, content_index=0, part={"type": "output_text", "text": "Hi"}),
        ended(0, **message("Hi")),
        completed(message("Hi", id="msg_other")),
    )
    assert joined(chunks) == ("Hi", "")


@pytest.mark.parametrize(
    "events",
    [
        [happened("output_text.done", output_index=0, content_index=0, text="Hi"), completed()],
        [ended(0, **message("Hi")), completed()],
        [completed(message("Hi"))],
        [happened("output_text.done", output_index=0, text="Hi"), ended(0, **message("Hi")), completed(message("Hi"))],
        [added(0, type="reasoning", id="rs_1"), completed({"type": "reasoning"}, message("Hi", id="new"))],
    ],
)
def test_text_without_deltas_is_taken_from_the_first_event_that_has_it(events: list[bytes]) -> None:
    assert joined(read(*events)[0]) == ("Hi", "")


def test_several_messages_and_several_thoughts_are_paragraphs() -> None:
    summary = [{"type": "summary_text", "text": "One"}, {"type": "summary_text", "text": "Two"}]

    def thought(delta: str, part: int) -> bytes:
        return happened("reasoning_summary_text.delta", output_index=0, summary_index=part, delta=delta)

    streamed = read(
        *(thought("O", 0), thought("ne", 0), thought("Tw", 1), thought("o", 1)),
        *(text("I look", 1), text(" it up.", 1), text("It ", 2), text("is.", 2)),
        completed(),
    )
    whole = read(completed({"type": "reasoning", "summary": summary}, message("I look it up."), message("It is.")))
    assert joined(streamed[0]) == joined(whole[0]) == ("I look it up.\n\nIt is.", "One\n\nTwo")


def test_parts_of_one_message_are_one_paragraph() -> None:
    streamed = read(text("a"), text("b", content_index=1), text("c", content_index=1), completed())
    assert joined(streamed[0]) == joined(read(completed(message("a", "bc")))[0]) == ("abc", "")


def test_messages_without_an_index_are_told_apart_by_their_ids() -> None:
    def one(item: str, delta: str) -> bytes:
        return happened("output_text.delta", item_id=item, delta=delta)

    def whole(item: str, text: str) -> bytes:
        return happened("output_text.done", item_id=item, text=text)

    announced = (happened("output_item.added", item=message(id=item)) for item in ("a", "b"))
    first, second = announced
    chunks, _ = read(first, one("a", "1"), whole("a", "1"), second, one("b", "2"), whole("b", "2"), completed())
    assert joined(chunks) == ("1\n\n2", "")
    chunks, _ = read(happened("output_text.delta", delta="1"), happened("output_text.delta", delta="2"), completed())
    assert joined(chunks) == ("12", "")


def test_a_thought_is_its_content_or_else_its_summary() -> None:
    content = [{"type": "reasoning_text", "text": "Whole"}]
    summary = [{"type": "summary_text", "text": "Short"}]
    assert joined(read(completed({"type": "reasoning", "summary": summary, "content": content}))[0]) == ("", "Whole")
    assert joined(read(completed({"type": "reasoning", "summary": summary, "content": None}))[0]) == ("", "Short")
    late = happened("reasoning_text.done", output_index=0, content_index=0, text="Whole")
    chunks, _ = read(
        happened("reasoning_text.delta", output_index=0, content_index=0, delta="Whole"),
        *(text("Hi", 1), ended(1, **message("Hi")), late),
        completed({"type": "reasoning", "summary": summary, "content": content}, message("Hi")),
    )
    assert joined(chunks) == ("Hi", "Whole")


def test_a_refusal_is_text_with_its_own_end() -> None:
    refusal = {"type": "message", "content": [{"type": "refusal", "refusal": "I can't."}]}
    streamed, _ = read(
        happened("refusal.delta", output_index=0, content_index=0, delta="I "),
        happened("refusal.delta", output_index=0, content_index=0, delta="can't."),
        happened("refusal.done", output_index=0, content_index=0, refusal="I can't."),
        completed(refusal),
    )
    for chunks in (streamed, read(completed(refusal))[0]):
        assert joined(chunks) == ("I can't.", "")
        assert chunks[-1] == FinishReason("refusal")


def test_calls_have_their_names_from_the_items_and_their_arguments_from_the_deltas() -> None:
    chunks, _ = read(
        *(added(0, **call(0)), added(1, **call(1))),
        *(arguments(0, '{"a"'), arguments(1, "{"), arguments(0, ":1}"), arguments(1, "}")),
        happened("function_call_arguments.done", output_index=0, arguments='{"a":1}'),
        completed(),
    )
    assert the(ToolCalls, chunks).calls == (ToolCall("call_0", "f0", '{"a":1}'), ToolCall("call_1", "f1", "{}"))
    assert chunks[-1] == FinishReason("tool_calls")


@pytest.mark.parametrize(
    "events",
    [
        [added(0, **call(0)), ended(0, **call(0, "{}")), completed()],
        [ended(0, **call(0, "{}")), completed(call(0, "{}", id="changed"))],
        [completed(call(0, "{}", namespace="n"))],
        [added(0, **call(0)), happened("function_call_arguments.done", output_index=0, arguments="{}"), DONE],
        [added(0, **call(0)), arguments(0, "{}"), ended(0, type="function_call", call_id="call_0", arguments="")],
    ],
)
def test_a_call_comes_whole_wherever_it_stands(events: list[bytes]) -> None:
    (found,) = the(ToolCalls, read(*events, DONE)[0]).calls
    assert (found.id, found.name, found.arguments) == ("call_0", "f0", "{}")


def test_two_calls_with_one_index_stay_two() -> None:
    one, two = call(0, '{"x":1}'), call(0, '{"x":2}', call_id="call_9", id="fc_9")
    for events in ((added(0, **one), added(0, **two)), (ended(0, **one), ended(0, **two))):
        chunks, _ = read(*events, completed(one, two))
        assert [found.arguments for found in the(ToolCalls, chunks).calls] == ['{"x":1}', '{"x":2}']


def test_calls_of_a_stream_that_was_cut_are_not_to_be_run() -> None:
    chunks, _ = read(added(0, **call(0)), arguments(0, '{"a'), ended(1, **call(1, "{}")))
    assert the(Unshown, chunks).kind == "unfinished tool call"
    assert the(Unshown, chunks).value == {"id": "call_0", "name": "f0", "arguments": '{"a'}
    assert [found.name for found in the(ToolCalls, chunks).calls] == ["f1"]
    assert chunks[-1] == FinishReason("truncated")
    chunks, reader = read(ended(0, **call(0, "{}")), event({"type": "error", "message": "overloaded"}))
    assert reader.failure is not None
    assert not any(isinstance(chunk, ToolCalls) for chunk in chunks)
    assert the(Unshown, chunks).kind == "unfinished tool call"


def test_sources_come_once_in_their_order() -> None:
    first: dict[str, Any] = {
        "type": "url_citation",
        "url": "https://a.test/1",
        "title": "One",
        "start_index": 0,
        "end_index": 2,
    }
    second: dict[str, Any] = {"type": "url_citation", "url": "https://a.test/2", "title": "Two"}
    file = {"type": "file_citation", "file_id": "file_1", "filename": "a.pdf", "index": 1}
    cited = message("Hi")
    cited["content"][0]["annotations"] = [first, second, file]
    for events in (
        [text("Hi"), happened("output_text.annotation.added", annotation=first), ended(0, **cited), completed(cited)],
        [completed(cited)],
    ):
        chunks, _ = read(*events)
        assert the(Citations, chunks).citations == (Citation(first["url"], "One"), Citation(second["url"], "Two"))
        assert the(Unshown, chunks).kind == "citation without an address"


def test_an_image_is_shown_and_one_without_data_is_named() -> None:
    import base64

    picture = {"type": "image_generation_call", "status": "completed", "result": base64.b64encode(png(2, 3)).decode()}
    chunks, _ = read(
        happened("image_generation_call.partial_image", partial_image_b64="AAAA"),
        *(ended(0, **picture), completed(picture)),
    )
    assert the(Image, chunks).data == png(2, 3)
    assert the(Unshown, read(completed({"type": "image_generation_call"}))[0]).kind == "image generation call"


def test_what_the_service_did_itself_or_wants_done_is_named_and_no_call() -> None:
    shell = {"type": "shell_call", "call_id": "call_1", "action": {"commands": ["rm -r /"]}}
    chunks, _ = read(ended(0, **SEARCH), ended(1, **shell), completed(SEARCH, shell))
    kinds = [(chunk.kind, chunk.value) for chunk in chunks if isinstance(chunk, Unshown)]
    assert kinds == [("web search call", SEARCH), ("shell call", shell)]
    assert chunks[-1] == FinishReason("stop")
    assert not any(isinstance(chunk, ToolCalls | ReasoningItems) for chunk in chunks)


def test_thoughts_that_go_back_are_kept_as_they_came_with_marks_between() -> None:
    other = THOUGHT | {"id": "rs_9", "encrypted_content": "different"}
    first, second = message("Wait.", phase="commentary"), message("Done!", phase="final_answer")
    chunks, _ = read(
        added(0, type="reasoning", id="rs_0", encrypted_content="at first"),
        *(ended(0, **THOUGHT), text("Wait.", 1), ended(1, **first), ended(2, **SEARCH), ended(3, **call(3, "{}"))),
        *(text("Done!", 4), ended(4, **second)),
        completed(other, first, SEARCH, call(3, "{}"), second),
    )
    kept = the(ReasoningItems, chunks)
    assert kept.dialect == "responses"
    assert list(kept.items) == [
        *(THOUGHT, mark(5, phase="commentary"), SEARCH),
        *({"type": "function_call", "call_id": "call_3"}, mark(5, phase="final_answer")),
    ]
    assert chunks.index(kept) < len(chunks) - 1
    sent = with_items([dict(item) for item in kept.items], {"role": "assistant", "content": joined(chunks)[0]})
    assert sent == [THOUGHT, said("Wait.", phase="commentary"), SEARCH, said("Done!", phase="final_answer")]


def test_thoughts_that_are_neither_encrypted_nor_readable_do_not_go_back() -> None:
    stored = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "x"}]}
    readable = {"type": "reasoning", "id": "rs_1", "content": [{"type": "reasoning_text", "text": "x"}]}
    assert not any(isinstance(chunk, ReasoningItems) for chunk in read(completed(stored, message("Hi")))[0])
    assert the(ReasoningItems, read(completed(readable, message("Hi")))[0]).items == (readable, mark(2))
    cut, _ = read(ended(0, **THOUGHT), text("Hi", 1))
    assert not any(isinstance(chunk, ReasoningItems) for chunk in cut)


@pytest.mark.parametrize(
    ("last", "end"),
    [
        (completed(status="incomplete", incomplete_details={"reason": "max_output_tokens"}), ("length", True)),
        (completed(status="incomplete", incomplete_details={"reason": "content_filter"}), ("content_filter", False)),
        (completed(status="incomplete", incomplete_details={"reason": "dreams"}), ("dreams", False)),
        (completed(status="incomplete", incomplete_details=None), ("incomplete", False)),
        (happened("completed", response={"output": None}), ("stop", False)),
        (event({"object": "response", "status": "in_progress", "output": []}), ("in_progress", False)),
    ],
)
def test_why_it_ended(last: bytes, end: tuple[str, bool]) -> None:
    chunks, _ = read(text("Hi"), last)
    reason = the(FinishReason, chunks)
    assert (reason.reason, reason.said != "") == end


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (completed(status="failed", error={"code": "server_error", "message": "It broke."}), "It broke."),
        (completed(status="failed", error=None), "the reply broke off (status=failed)"),
        (completed(status="cancelled"), "the reply broke off (status=cancelled)"),
        (event({"type": "error", "code": "x", "message": "Slow down.", "param": None}), "Slow down."),
        (event({"type": "error", "error": {"type": "server_error", "message": "Oh no."}}), "Oh no."),
        (event({"type": "error"}), "an error without a message"),
        (event({"error": {"message": "Bad gateway"}}), "Bad gateway"),
    ],
)
def test_errors_in_mid_stream_keep_what_came(last: bytes, told: str) -> None:
    chunks, reader = read(text("Hi"), last, text("more"))
    assert isinstance(reader.failure, ResponseError)
    assert str(reader.failure) == f"https://a.test reported an error: {told}"
    assert joined(chunks) == ("Hi", "")


@pytest.mark.parametrize(
    ("name", "fails"), [("response.output_text.delta", True), ("message", True), ("billing", False)]
)
def test_an_event_of_ours_that_is_not_json_is_an_error(name: str, fails: bool) -> None:
    reader = ResponsesReader("https://a.test", lambda text: text)
    first = text("Hi").removeprefix(b"data: ").strip()
    chunks = reader.read([Event("message", first, ""), Event(name, b'{"type":"response.output_te', "")])
    assert (chunks, isinstance(reader.failure, StreamError)) == (["Hi"], fails)


def test_nothing_after_the_end_counts() -> None:
    chunks, _ = read(text("Hi"), completed(), text("more"), event({"type": "error", "message": "late"}))
    assert joined(chunks) == ("Hi", "")
    assert chunks[-1] == FinishReason("stop")


def test_progress_keeps_a_connection_alive_and_is_no_data() -> None:
    reader = ResponsesReader("", str)
    for kind in ("created", "in_progress", "queued", "web_search_call.searching", "mcp_call_arguments.delta"):
        reader.read(
            [Event("message", json.dumps({"type": f"response.{kind}", "delta": "x", "response": {}}).encode(), "")]
        )
        assert not reader.heard
    for data in (text("x"), text("y"), added(1, **call(1)), arguments(1, "{"), ended(1, **call(1))):
        reader.read([Event("message", data[6:].strip(), "")])
        assert reader.heard
    reader.read([Event("message", text("")[6:].strip(), "")])
    assert not reader.heard


@pytest.mark.parametrize(
    "strange",
    [
        *("output_item.added", "output_item.done", "function_call_arguments.delta", "output_text.delta"),
        *("output_text.annotation.added", "reasoning_text.done", "content_part.done", "created", "in_progress"),
    ],
)
@pytest.mark.parametrize("value", [None, 7, "x", [], [None], {}, {"type": 3}, {"type": "message", "content": 3}, 1e999])
def test_members_of_any_shape_are_read(strange: str, value: Any) -> None:
    members = ("item", "delta", "text", "arguments", "part", "annotation", "response", "output_index")
    chunks, reader = read(
        text("Hi"),
        happened(strange, **dict.fromkeys(members, value)),
        happened(strange, item=value, output_index=0),
        text(" there"),
        completed(message("Hi there"), value, {"type": "message", "content": [value]}, {"type": value}),
    )
    assert reader.failure is None
    assert joined(chunks)[0].startswith("Hi")
    assert " there" in joined(chunks)[0]


def test_a_character_cut_in_two_comes_whole_and_nul_goes() -> None:
    halves = [b'"\\ud83d"', b'"\\ude00 a\\u0000b"']
    made = [b'data: {"type":"response.output_text.delta","delta":%s}\n\n' % half for half in halves]
    assert joined(read(*made, completed())[0]) == ("\U0001f600 ab", "")
    assert joined(read(made[0], completed())[0]) == ("\ufffd", "")
    assert joined(read(text("a"), text("b\0c"), text("d"), completed())[0]) == ("abcd", "")
