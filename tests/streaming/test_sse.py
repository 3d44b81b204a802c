from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmuz_magic.errors import StreamError
from jmuz_magic.streaming.sse import Event, SSEDecoder

Case = dict[str, Any]


@pytest.fixture(scope="module")
def table(test_data: Path) -> list[Case]:
    cases: list[Case] = json.loads((test_data / "sse_table.json").read_text(encoding="utf-8"))
    return cases


def decode(pieces: Iterable[bytes]) -> list[Event]:
    """What `feed` alone returns."""
    decoder = SSEDecoder()
    return [event for piece in pieces for event in decoder.feed(piece)]


def cut_at(data: bytes, places: Iterable[int]) -> Iterator[bytes]:
    return (data[start:end] for start, end in pairwise([0, *places, len(data)]))


def shown(events: list[Event], case: Case) -> list[tuple[str, ...]]:
    return [(event.event, event.text, event.id) if case["check_id"] else (event.event, event.text) for event in events]


def expected(case: Case) -> list[tuple[str, ...]]:
    names = ("event", "data", "id") if case["check_id"] else ("event", "data")
    return [tuple(event[name] for name in names) for event in case["expected"]]


@pytest.mark.fault(19)
def test_public_cases_as_they_were_sent_and_whole(table: list[Case]) -> None:
    cases = [case for case in table if case["dialect"] == "whatwg"]
    assert len(cases) > 100
    for case in cases:
        sent = [base64.b64decode(chunk) for chunk in case["chunks_b64"]]
        whole = base64.b64decode(case["input_b64"])
        assert b"".join(sent) == whole, case["id"]
        assert shown(decode(sent), case) == expected(case), case["id"]
        assert shown(decode([whole]), case) == expected(case), case["id"]


@pytest.mark.fault(18)
def test_public_cases_cut_at_every_byte(table: list[Case]) -> None:
    for case in table:
        if case["dialect"] != "whatwg":
            continue
        whole = base64.b64decode(case["input_b64"])
        assert shown(decode(cut_at(whole, range(1, len(whole)))), case) == expected(case), case["id"]
        # Every single place too; of the two cases with thousands of equal lines a sample.
        for place in range(0, len(whole) + 1, 1 if len(whole) < 5000 else len(whole) // 100):
            assert shown(decode(cut_at(whole, [place])), case) == expected(case), (case["id"], place)


def test_cases_of_another_dialect_give_only_what_the_standard_gives(table: list[Case]) -> None:
    """One SDK makes an event of a bare `event:` line; the standard, and so we, need data for one."""
    others = [case for case in table if case["dialect"] != "whatwg"]
    assert {case["dialect"] for case in others} == {"openai-sdk"}
    for case in others:
        with_data = [event for event in expected(case) if event[1]]
        assert shown(decode([base64.b64decode(case["input_b64"])]), case) == with_data, case["id"]


OWN_TABLE = [
    # What chat endpoints send.
    (b'data: {"a":1}\n\ndata: [DONE]\n\n', [("message", b'{"a":1}', ""), ("message", b"[DONE]", "")]),
    (b'data: {"a":1}\r\n\r\ndata: [DONE]\r\n\r\n', [("message", b'{"a":1}', ""), ("message", b"[DONE]", "")]),
    (b'data:{"a":1}\n\ndata:[DONE]\n\n', [("message", b'{"a":1}', ""), ("message", b"[DONE]", "")]),
    (b": PROCESSING\n\ndata: 1\n\n: PROCESSING\n\ndata: 2\n\n", [("message", b"1", ""), ("message", b"2", "")]),
    (b"event: delta\ndata: 1\n\ndata: 2\n\n", [("delta", b"1", ""), ("message", b"2", "")]),
    (
        b"data: 1\n\ndata: 2\nid: 7\n\ndata: 3\n\n",
        [("message", b"1", ""), ("message", b"2", "7"), ("message", b"3", "7")],
    ),
    # What the services send that name each event.
    (b'event: a\ndata: {"a":1}\n\nevent: b\ndata: 2\n\n', [("a", b'{"a":1}', ""), ("b", b"2", "")]),
    (b"event: a\r\ndata: 1\r\n\r\nevent: b\r\ndata: 2\r\n\r\n", [("a", b"1", ""), ("b", b"2", "")]),
    (
        b"event: a\ndata: 1\n\ndata: 2\n\nevent: b\ndata: 3\n\n",
        [("a", b"1", ""), ("message", b"2", ""), ("b", b"3", "")],
    ),
    (b"event: a\ndata: 1\ndata: 2\n\nevent: b\n\n", [("a", b"1\n2", "")]),
    (b"event: a\nid: 1\ndata: 1\n\nevent: b\ndata: 2\n\n", [("a", b"1", "1"), ("b", b"2", "1")]),
    (b"event: \ndata: 1\n\nevent: \xff\ndata: \n\n", [("message", b"1", ""), ("\ufffd", b"", "")]),
    (b"event: a\nevent: \ndata: 1\n\n", [("message", b"1", "")]),
    # Blank lines more or less than usual.
    (b"\ndata: 1\n\n\n\n\ndata: 2\n\n", [("message", b"1", ""), ("message", b"2", "")]),
    (b"data: 1\ndata: 2\n\ndata: 3\n\n", [("message", b"1\n2", ""), ("message", b"3", "")]),
    (b"data: 1\n\ndata: 2\ndata: 3\n\n", [("message", b"1", ""), ("message", b"2\n3", "")]),
    (b"data: \n\ndata: \n\n", [("message", b"", ""), ("message", b"", "")]),
    (b"data: 1\n\ndata: 2\n", [("message", b"1", "")]),
    # Data that looks like structure.
    (b"data: data: 1\n\n", [("message", b"data: 1", "")]),
    (b"data: a\rdata: b\n\r", [("message", b"a\nb", "")]),
    (b"data: a\n\rdata: b\r\n\n", [("message", b"a", ""), ("message", b"b", "")]),
    # What belongs to one event only, or to all that follow.
    (b"event: x\n\ndata: 1\n\n", [("message", b"1", "")]),
    (b"id: 1\n\ndata: 1\n\n", [("message", b"1", "1")]),
    (b"id: 1\nid: 2\0\ndata: 1\n\n", [("message", b"1", "1")]),
    (b"event: a\nevent: b\ndata: 1\n\n", [("b", b"1", "")]),
    # Bytes that are no text.
    (b"data: \xff\0\xf0\x9f\n\n", [("message", b"\xff\0\xf0\x9f", "")]),
    (b"event: \xff\nid: \xff\ndata: 1\n\n", [("\ufffd", b"1", "\ufffd")]),
    (b"data: \xe2\n\xa8\n\n", [("message", b"\xe2", "")]),
    # The byte order mark: one, at the very start, whole.
    (b"\xef\xbb\xbf\ndata: 1\n\n", [("message", b"1", "")]),
    (b"\xef\xbbdata: 1\n\ndata: 2\n\n", [("message", b"2", "")]),
    (b"\n\xef\xbb\xbfdata: 1\n\ndata: 2\n\n", [("message", b"2", "")]),
    (b"", []),
    (b"\xef\xbb", []),
]


@pytest.mark.fault(19)
@pytest.mark.parametrize(("data", "events"), OWN_TABLE)
def test_own_table_at_every_cut(data: bytes, events: list[tuple[str, bytes, str]]) -> None:
    assert decode([data]) == events
    assert decode(cut_at(data, range(1, len(data)))) == events
    for place in range(len(data)):
        assert decode(cut_at(data, [place])) == events


def test_an_event_is_returned_as_soon_as_its_blank_line_ends() -> None:
    for end in (b"\n\n", b"\r\r", b"\r\n\r", b"\n\r"):
        decoder = SSEDecoder()
        *before, last = cut_at(b"data: 1" + end, range(1, 7 + len(end)))
        assert [decoder.feed(piece) for piece in before] == [[]] * len(before)
        assert decoder.feed(last) == [("message", b"1", "")]


def test_text_replaces_what_is_no_utf8() -> None:
    assert Event("message", b"\xe2\x82\xac\xff", "").text == "€\ufffd"


FRAGMENTS = [
    *(
        b"data: ",
        b"data:",
        b"data",
        b'{"a":1}',
        b"x",
        b"id: ",
        b"event: ",
        b"event: x\ndata: ",
        b"retry: 1",
        b":",
        b": ",
        b" ",
    ),
    *(b"\n", b"\n\n", b"\r", b"\r\n", b"\r\n\r\n", b"\0", b"\xef\xbb\xbf", b"\xef", b"\xe2\x82", b"\xac"),
]


def reference(data: bytes) -> list[Event]:
    """The standard's algorithm, line by line over the whole, as slow and plain as it is written there."""
    events = []
    text = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    collected, kind, last_id = b"", "", ""
    for line in text.split(b"\n")[:-1]:
        name, colon, value = line.partition(b":")
        value = value[1:] if value[:1] == b" " else value
        if not line:
            if collected:
                events.append(Event(kind or "message", collected[:-1], last_id))
            collected, kind = b"", ""
        elif colon and not name:
            continue
        elif name == b"data":
            collected += value + b"\n"
        elif name == b"event":
            kind = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            last_id = value.decode("utf-8", "replace")
    return events


@settings(deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40).map(b"".join), st.data())
def test_any_cutting_gives_the_events_of_the_standard(data: bytes, draw: st.DataObject) -> None:
    places = draw.draw(st.lists(st.integers(0, len(data)), max_size=10).map(sorted))
    assert decode([data]) == reference(data)
    assert decode(cut_at(data, places)) == reference(data)
    assert decode(cut_at(data, range(1, len(data)))) == reference(data)


@settings(deadline=None)
@given(st.binary(max_size=200), st.data())
def test_any_bytes_are_read(data: bytes, draw: st.DataObject) -> None:
    places = draw.draw(st.lists(st.integers(0, len(data)), max_size=10).map(sorted))
    assert decode(cut_at(data, places)) == reference(data)


@pytest.mark.parametrize(
    ("data", "last"),
    [
        (b"data: 1", [("message", b"1", "")]),
        (b"data: 1\n", [("message", b"1", "")]),
        (b"data: 1\r", [("message", b"1", "")]),
        (b"data: 1\r\n", [("message", b"1", "")]),
        (b"event: end\nid: 3\ndata: 1\ndata: 2", [("end", b"1\n2", "3")]),
        (b'data: {"unfinis', [("message", b'{"unfinis', "")]),
        (b"data: 1\n\n", []),
        (b"data: 1\n\ndat", []),
        (b": comment", []),
        (b"event: end", []),
        (b"\xef\xbb", []),
        (b"\r", []),
        (b"", []),
    ],
)
def test_flush_returns_the_unfinished_last_event_once(data: bytes, last: list[tuple[str, bytes, str]]) -> None:
    for pieces in ([data], list(cut_at(data, range(1, len(data))))):
        decoder = SSEDecoder()
        for piece in pieces:
            decoder.feed(piece)
        assert decoder.flush() == last
        assert decoder.flush() == []


LIMIT = 64


def pieces_of(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
@pytest.mark.parametrize(
    "flood",
    [
        b"data: " + b"x" * 100,
        b"data: " + b"x" * 100 + b"\n\n",
        b"data: " + b"x" * 100 + b"\r\r",
        b":" + b"x" * 100,
        b":" + b"x" * 100 + b"\n",
        b"x" * 100,
        b"data: x\n" * 50,
        b"data\n" * 100,
        b"data\n" * 100 + b"\n",
    ],
)
def test_an_event_over_the_limit_ends_in_an_error_that_names_it(flood: bytes, size: int) -> None:
    decoder = SSEDecoder(max_event_bytes=LIMIT)
    events = []
    with pytest.raises(StreamError, match=r"at most 64 bytes.*larger"):
        for piece in [*pieces_of(b"data: 1\n\n" + flood, size), b"data: 3\n\n"]:
            events += decoder.feed(piece)
    assert events == [("message", b"1", "")]
    with pytest.raises(StreamError, match="at most 64 bytes"):
        decoder.feed(b"data: 4\n\n")
    with pytest.raises(StreamError, match="at most 64 bytes"):
        decoder.flush()


def test_flush_raises_where_the_stream_ended_before_the_error_could_be_told() -> None:
    decoder = SSEDecoder(max_event_bytes=LIMIT)
    assert decoder.feed(b"data: 1\n\ndata: " + b"x" * 100 + b"\n\n") == [("message", b"1", "")]
    with pytest.raises(StreamError, match="at most 64 bytes"):
        decoder.flush()


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_many_events_within_the_limit_are_no_overflow(size: int) -> None:
    decoder = SSEDecoder(max_event_bytes=LIMIT)
    stream = (b"data: " + b"x" * (LIMIT - 6) + b"\n\n" + b": ping\n") * 20
    events = [event for piece in pieces_of(stream, size) for event in decoder.feed(piece)]
    assert events == [("message", b"x" * (LIMIT - 6), "")] * 20


def test_an_event_of_sixteen_mebibytes_in_small_pieces_is_read() -> None:
    """Quadratic reading would take hours here, not a fraction of a second."""
    payload = b"x" * (16 * 2**20 - 6)
    decoder = SSEDecoder()
    for piece in pieces_of(b"data: " + payload, 100):
        assert decoder.feed(piece) == []
    assert decoder.feed(b"\n") == []
    assert decoder.feed(b"\n") == [("message", payload, "")]


@pytest.mark.parametrize("piece", [b": ping\n", b"x" * 999 + b"\n", b"\n" * 1000, b"data: " + b"x" * 993 + b"\n\n"])
def test_an_endless_stream_of_small_lines_takes_no_memory(piece: bytes) -> None:
    decoder = SSEDecoder()
    decoder.feed(piece)
    tracemalloc.start()
    for _ in range(20_000):
        decoder.feed(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
