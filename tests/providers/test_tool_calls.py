"""The sixteen ways in which servers send tool calls, put together again."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from tests.fault_server import DONE, FaultServer, delta, finish, stream
from tests.providers.asking import Answer, ask
from tests.providers.test_wire import calls_of, piece

X, Y = '{"x":1}', '{"x":2}'
TWO = [("", "f", X), ("", "g", Y)]

RIGHT_IN_0_1: dict[str, tuple[list[dict[str, Any]], list[tuple[str, str, str]]]] = {
    "plain": (
        [
            piece("", index=0, id="a", name="f"),
            piece('{"x"', index=0),
            piece(":1}", index=0),
            piece(Y, index=1, id="b", name="g"),
        ],
        [("a", "f", X), ("b", "g", Y)],
    ),
    "no index, ids, whole": ([piece(X, id="a", name="f"), piece(Y, id="b", name="g")], [("a", "f", X), ("b", "g", Y)]),
    "no index, ids, in pieces": (
        [piece('{"x"', id="a", name="f"), piece(":1}"), piece(Y, id="b", name="g")],
        [("a", "f", X), ("b", "g", Y)],
    ),
    "index 0 for all, new ids": (
        [piece('{"x"', index=0, id="a", name="f"), piece(":1}", index=0, id=""), piece(Y, index=0, id="b", name="g")],
        [("a", "f", X), ("b", "g", Y)],
    ),
    "arguments as an object": ([piece({"x": 1}, index=0, id="a", name="f")], [("a", "f", '{"x": 1}')]),
    "the name repeated": (
        [piece('{"x"', index=0, id="a", name="f"), piece(":1}", index=0, id="a", name="f")],
        [("a", "f", X)],
    ),
    "the name empty": ([piece('{"x"', index=0, id="a", name="f"), piece(":1}", index=0, name="")], [("a", "f", X)]),
    "the name split": (
        [piece("", index=0, id="a", name="look"), piece(X, index=0, id="a", name="up")],
        [("a", "lookup", X)],
    ),
    "null arguments": ([piece(None, index=0, id="a", name="f"), piece(X, index=0)], [("a", "f", X)]),
    "index from 1": (
        [piece(X, index=1, id="a", name="f"), piece(Y, index=2, id="b", name="g")],
        [("a", "f", X), ("b", "g", Y)],
    ),
}

WRONG_IN_0_1: dict[str, tuple[list[dict[str, Any]], list[tuple[str, str, str]]]] = {
    "a new id in every delta": (
        [piece('{"x"', index=0, id="a", name="f"), piece(":1", index=0, id="b"), piece("}", index=0, id="c")],
        [("a", "f", X)],
    ),
    "a new id in every delta, with the name": (
        [
            piece('{"x"', index=0, id="a", name="f"),
            piece(":1", index=0, id="b", name="f"),
            piece("}", index=0, id="c", name="f"),
        ],
        [("a", "f", X)],
    ),
    "no ids, one index": ([piece(X, index=0, name="f"), piece(Y, index=0, name="g")], TWO),
    "no ids, one index, one name": (
        [piece(X, index=0, name="f"), piece(Y, index=0, name="f")],
        [("", "f", X), ("", "f", Y)],
    ),
    "neither id nor index": (
        [piece('{"x"', name="f"), piece(":1}"), piece('{"x"', name="g"), piece(":2}")],
        TWO,
    ),
    "the whole call once more at the end": (
        [piece('{"x"', index=0, id="a", name="f"), piece(":1}", index=0), piece(X, index=0, id="a", name="f")],
        [("a", "f", X)],
    ),
}


@pytest.mark.parametrize("name", RIGHT_IN_0_1)
def test_a_way_that_was_read_stays_read(name: str) -> None:
    pieces, calls = RIGHT_IN_0_1[name]
    assert calls_of(*pieces) == calls


@pytest.mark.parametrize("name", WRONG_IN_0_1)
def test_a_way_that_was_misread_is_read(name: str) -> None:
    pieces, calls = WRONG_IN_0_1[name]
    assert calls_of(*pieces) == calls


@pytest.mark.parametrize("name", [*RIGHT_IN_0_1, *WRONG_IN_0_1])
def test_one_event_or_several_make_no_difference(server: FaultServer, name: str) -> None:
    pieces, calls = (RIGHT_IN_0_1 | WRONG_IN_0_1)[name]

    def read(*deltas: list[dict[str, Any]]) -> Answer:
        events = [delta(tool_calls=pieces) for pieces in deltas]
        return ask(api_base=server.add("s", stream(*events, finish("tool_calls"), DONE)))

    for answer in (read(pieces), read(*([one] for one in pieces))):
        assert [(call.id, call.name, call.arguments) for call in answer.tool_calls] == calls


@pytest.mark.parametrize(
    ("pieces", "calls"),
    [
        ([piece(X, index=0, name="f"), piece(X, index=0, name="f")], [("", "f", X)]),
        ([piece(X, index=0, name="f"), piece(X, index=0)], [("", "f", X)]),
        ([piece(X, id="a", name="f"), piece(X, id="b", name="f")], [("a", "f", X), ("b", "f", X)]),
        (
            [piece("", index=0, id="a", name="f"), piece("", index=0, id="b", name="g")],
            [("a", "f", ""), ("b", "g", "")],
        ),
        ([piece("{}", name="f"), piece("{}", name="g")], [("", "f", "{}"), ("", "g", "{}")]),
        ([piece('{"s":"}"', name="f"), piece("}", name="")], [("", "f", '{"s":"}"}')]),
        ([piece('{"x":{}', index=0, name="f"), piece("}", index=0, name="f")], [("", "f", '{"x":{}}')]),
        ([piece([1], index=0, name="f")], [("", "f", "[1]")]),
    ],
)
def test_what_is_near_to_these(pieces: list[dict[str, Any]], calls: list[tuple[str, str, str]]) -> None:
    assert calls_of(*pieces) == calls


def test_members_that_are_not_known_stay_with_their_call(server: FaultServer) -> None:
    signed = {"google": {"thought_signature": "c2lnbmF0dXJl"}}
    first = piece(X, index=0, id="a", name="f", type="function", extra_content=signed, nothing=None)
    second = piece(Y, index=1, id="b", name="g")
    answer = ask(api_base=server.add("s", stream(delta(tool_calls=[first, second]), finish("tool_calls"), DONE)))
    assert [dict(call.extra) for call in answer.tool_calls] == [{"extra_content": signed}, {}]


def test_members_that_come_with_a_later_piece_stay_as_well() -> None:
    from jmuz_magic.providers.dialects.chat.calls import CallDeltas

    pieces = CallDeltas()
    pieces.add(piece('{"x"', index=0, id="a", name="f") | {"one": 1})
    pieces.add(piece(":1}", index=0) | {"two": 2})
    (call,) = pieces.calls
    assert call.extra == {"one": 1, "two": 2}


def test_two_whole_calls_are_two_however_they_are_cut() -> None:
    for first, second in itertools.product(range(1, len(X)), range(1, len(Y))):
        pieces = [
            piece(X[:first], index=0, name="f"),
            piece(X[first:], index=0),
            piece(Y[:second], index=0, name="g"),
            piece(Y[second:], index=0),
        ]
        assert calls_of(*pieces) == TWO


@pytest.mark.parametrize("empty", [{}, {"name": "", "arguments": ""}, {"name": None, "arguments": None}])
def test_an_empty_call_in_the_older_form_is_none(server: FaultServer, empty: dict[str, Any]) -> None:
    calls = [{"index": 0, "id": "a", "function": {"name": "f", "arguments": X}}]
    text = stream(delta("Hi", function_call=empty), finish(), DONE)
    both = stream(delta(tool_calls=calls, function_call=empty), finish("tool_calls"), DONE)
    assert ask(api_base=server.add("text", text)).tool_calls == ()
    assert [call.name for call in ask(api_base=server.add("both", both)).tool_calls] == ["f"]


def test_many_calls_take_linear_time() -> None:
    from jmuz_magic.providers.dialects.chat.calls import CallDeltas

    began = time.process_time()
    pieces = CallDeltas()
    for number in range(20_000):
        pieces.add(piece(X, index=number, id=str(number), name="f"))
    assert len(pieces.calls) == 20_000
    assert time.process_time() - began < 5
