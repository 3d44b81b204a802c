"""Real traffic of the Responses dialect, cut everywhere, comes out as an independent reader found it (`index.json`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.messages import Answered, FinishReason, Reasoning, ToolCall
from jmuz_magic.providers.jmuz import Jmuz
from jmuz_magic.providers.openai_template import OpenaiTemplate
from tests.fault_server import Cut, FaultServer, event, stream
from tests.providers.asking import Answer, ask
from tests.providers.cut_streams import Recorded, places, read_cut, recorded

CUTS: list[Cut] = ["whole", "bytes", 1, 2, 3]

# Files that hold the replies to several requests, one after the other. A body never does, so each is read for itself.
SEVERAL = {
    "responses/vercel-azure__azure-reasoning-encrypted-content.1.sse": 4,
    "responses/vercel-openai__openai-shell-tool.1.sse": 2,
}
# Where the independent reader is wrong: it joins calls of several replies that have the same index.
CALLS = {
    "responses/vercel-azure__azure-reasoning-encrypted-content.1.sse": [
        ("call_UdvUeOElp5zdU0DKr6IoyhjE", '{"a":12,"b":7,"op":"add"}'),
        ("call_Qm7RkNSRinyfYLyTUPXLrgH5", '{"a":19,"b":3,"op":"multiply"}'),
        ("call_axaLIcwBQwyb49kT8613pJxW", '{"a":57,"b":10,"op":"multiply"}'),
    ]
}
# A recording in which somebody shortened the deltas, but not the whole text; the deltas count.
SHORTENED = "responses/vercel-openai__openai-shell-container.1.sse"


class Plain(OpenaiTemplate):
    """Speaks Responses everywhere."""

    dialect = "responses"


class Cleaned(Plain):
    """The same with the cleaner."""

    adverts = Jmuz.adverts


@pytest.fixture(scope="module")
def streams(test_data: Path) -> list[Recorded]:
    found = recorded(test_data, "responses")
    assert len(found) == 35
    return found


def bodies(each: Recorded) -> list[bytes]:
    """The replies in a recording."""
    found = [body for body in re.split(rb"(?=event: response\.created\ndata: )", each.body) if body]
    assert len(found) == SEVERAL.get(each.name, 1)
    return found


def compare(found: Recorded, answered: list[Answer]) -> None:
    name, facts = found.name, found.facts
    assert [answer.error for answer in answered] == [None] * len(answered), name
    assert "".join(answer.text for answer in answered) == facts["text"], name
    assert "".join(answer.reasoning for answer in answered) == facts["reasoning"], name
    calls = [call for answer in answered for call in answer.tool_calls]
    if name in CALLS:
        assert [(call.id, call.arguments) for call in calls] == CALLS[name]
    else:
        assert [without_extra(call) for call in calls] == [ToolCall(**call) for call in facts["calls"]], name
    last = answered[-1]
    assert last.usage is not None, name
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (facts["usage"]["in"], facts["usage"]["out"])
    assert [chunk.model for chunk in last.chunks if isinstance(chunk, Answered)] == [facts["model"]], name
    assert facts["finish"] == "completed"
    for answer in answered:
        assert answer.chunks[-1] == FinishReason("tool_calls" if answer.tool_calls else "stop"), name


def without_extra(call: ToolCall) -> ToolCall:
    return ToolCall(call.id, call.name, call.arguments)


@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize("provider", [Plain, Cleaned])
def test_every_recorded_stream_comes_out_as_it_is(
    server: FaultServer, streams: list[Recorded], how: Cut, provider: type[OpenaiTemplate]
) -> None:
    for each in streams:
        compare(each, [ask(provider, api_base=server.add("s", stream(body, how=how))) for body in bodies(each)])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("half", [0, 1])
def test_every_recorded_stream_cut_at_every_byte(streams: list[Recorded], half: int) -> None:
    for each in streams[half::2]:
        first = []
        for body in bodies(each):
            whole, *cut = read_cut(Plain, body, [len(body), *places(body)])
            assert all(joined(answer) == joined(whole) for answer in cut), each.name
            first.append(whole)
        compare(each, first)


def joined(answer: Answer) -> list[Any]:
    """What came, however its text was cut."""
    rest = [chunk for chunk in answer.chunks if not isinstance(chunk, str | Reasoning)]
    return [answer.error, answer.text, answer.reasoning, *rest]


def between(body: bytes, make: Callable[[int], bytes]) -> bytes:
    """The body with an event after each of its own but the last."""
    *events, last = [part + b"\n\n" for part in body.split(b"\n\n") if part]
    return b"".join(part + make(number) for number, part in enumerate(events)) + last


def test_events_of_unknown_types_are_skipped(server: FaultServer, streams: list[Recorded]) -> None:
    for each in streams:
        answered = []
        for body in bodies(each):
            strange = between(
                body, lambda number: event({"type": "response.dream.delta", "delta": "no", "output_index": number})
            )
            answered.append(ask(Plain, api_base=server.add("s", stream(strange))))
        compare(each, answered)


@pytest.mark.parametrize("types", [rb"\.(delta|added)$", rb"\.(delta|added|done)$"])
def test_a_stream_without_its_deltas_is_read_from_what_is_whole(
    server: FaultServer, streams: list[Recorded], types: bytes
) -> None:
    for each in streams:
        if each.name != SHORTENED:
            whole = [without(types, body) for body in bodies(each)]
            compare(each, [ask(Plain, api_base=server.add("s", stream(body))) for body in whole])


def without(types: bytes, body: bytes) -> bytes:
    """The body without its events of these types."""
    events = [part for part in body.split(b"\n\n") if part.strip()]
    kept = [part for part in events if not re.search(types, type_of(part))]
    return b"".join(part + b"\n\n" for part in kept)


def type_of(part: bytes) -> bytes:
    found = re.search(rb"^data: (.*)$", part, re.MULTILINE)
    assert found
    return str(json.loads(found[1])["type"]).encode()
