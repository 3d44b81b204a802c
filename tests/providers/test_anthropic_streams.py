"""Real traffic of Anthropic's Messages API, cut at other places, comes out as what it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.messages import Answered, Citations, ReasoningItems, Unshown
from jmuz_magic.providers.catalog import Anthropic
from tests.fault_server import Cut, FaultServer, stream
from tests.providers.asking import Answer, ask
from tests.providers.cut_streams import Recorded, places, read_cut, recorded

ENDS = {"end_turn": "stop", "tool_use": "tool_calls"}
START = b"event: message_start\n"


def messages_of(body: bytes) -> list[bytes]:
    """The replies in a file: two of them hold several, which were recorded one after another."""
    stop = b'data: {"type":"message_stop"'
    starts = [0]
    at = 0
    while (at := body.find(stop, at)) >= 0:
        at = body.find(START, at)
        if at < 0:
            break
        starts.append(at)
    return [body[start:end] for start, end in zip(starts, [*starts[1:], len(body)], strict=True)]


def calls_in(each: Recorded) -> list[tuple[str, str, Any]]:
    """The calls that the facts name, corrected where the plain reader that found them was wrong."""
    calls = [(call["id"], call["name"], json.loads(call["arguments"])) for call in each.facts["calls"]]
    if "programmatic" in each.name:
        # It took arguments from deltas only, and knew no message that comes whole with its start: here a program that
        # runs at the service calls `rollDie` fourteen times, and only the first call comes as a block of its own.
        return [(calls[0][0], "rollDie", {"player": "player1"}), *FURTHER_ROLLS]
    if "tool-search" in each.name:
        # It told calls apart by index only, so that the call of the second message replaced that of the first.
        first = ("toolu_01WPkY6CkyJnFsaCqY7SZ9FX", "readNoteTree", {"noteId": "d10aa585-982b-4bd9-984e-420f9b3717f7"})
        return [first, *calls]
    return calls


FURTHER_ROLLS = [
    (f"toolu_{id_}", "rollDie", {"player": f"player{2 - number % 2}"})
    for number, id_ in enumerate(
        (
            "015dGLMbwBKv1ZRQr6KdJzeH", "01YYqBNq5mk1wMtv3PAqY44m", "018WxjDkQG8h7i63poySGT2x",
            "014ch4D3vbx928ddwxMvMvF1", "01QtZ46GWS93Z5ZaSifgGNnq", "012Zvp8FdgvjVGkmbHSU4EZk",
            "01CMz8Jhv6EfnzHQzEMdpHut", "01PfH6ADzq8Yct5jeRY9QkS2", "013DE3qaKvBMheZXUhwkvpdF",
            "01MTRMy9BEvFHWR7hpCWc4nJ", "01CXqv27ozPihE5nj6eA3Joc", "01K6ST6orjmPHHwM8rwLj1n9",
            "01QcWWQcQ1pd7nx9xohX4zAr",
        )
    )
]  # fmt: skip


def compare(each: Recorded, answers: list[Answer]) -> None:
    assert [answer.error for answer in answers] == [None] * len(answers), each.name
    assert "".join(answer.text for answer in answers) == each.facts["text"], each.name
    assert "".join(answer.reasoning for answer in answers) == each.facts["reasoning"], each.name
    calls = [(call.id, call.name, json.loads(call.arguments)) for answer in answers for call in answer.tool_calls]
    assert calls == calls_in(each), each.name
    assert answers[-1].finish_reason == ENDS[each.facts["finish"]], each.name
    usage = answers[-1].usage
    assert usage is not None
    assert {"in": usage.prompt_tokens, "out": usage.completion_tokens} == each.facts["usage"], each.name


@pytest.mark.fault(18)
def test_every_stream_comes_out_as_it_is_wherever_it_is_cut(test_data: Path) -> None:
    found = recorded(test_data, "messages")
    assert len(found) == 13
    for each in found:
        whole = [read_cut(Anthropic, message, [1])[0] for message in messages_of(each.body)]
        start = 0
        for number, message in enumerate(messages_of(each.body)):
            cuts = [place - start for place in places(each.body) if start < place < start + len(message)]
            for answer in read_cut(Anthropic, message, cuts):
                compare(each, [*whole[:number], answer, *whole[number + 1 :]])
            start += len(message)


@pytest.mark.fault(18)
@pytest.mark.parametrize("how", ["whole", "bytes", 1, 2, 3])
def test_every_stream_comes_out_as_it_is_through_a_socket(server: FaultServer, test_data: Path, how: Cut) -> None:
    for each in recorded(test_data, "messages"):
        messages = messages_of(each.body)
        compare(each, [ask(Anthropic, api_base=server.add("s", stream(one, how=how))) for one in messages])


def one(test_data: Path, part: str) -> list[Answer]:
    """A recorded stream, read."""
    (found,) = (each for each in recorded(test_data, "messages") if part in each.name)
    return [read_cut(Anthropic, message, [1])[0] for message in messages_of(found.body)]


def items(answer: Answer) -> list[dict[str, Any]]:
    return [dict(item) for chunk in answer.chunks if isinstance(chunk, ReasoningItems) for item in chunk.items]


def test_thoughts_are_kept_with_their_signatures_and_their_places(test_data: Path) -> None:
    (answer,) = one(test_data, "web_fetch")
    thinking, fetch, result, text = items(answer)
    assert thinking["thinking"] == answer.reasoning
    assert thinking["signature"].startswith("EusCCkYICRgCKkAG")
    assert (fetch["type"], fetch["input"]) == ("server_tool_use", {"url": "https://ai.pydantic.dev"})
    assert (result["type"], result["tool_use_id"]) == ("web_fetch_tool_result", fetch["id"])
    assert text == {"type": "text", "characters": len(answer.text)}


def test_encrypted_thoughts_are_kept_as_received(test_data: Path) -> None:
    (answer,) = one(test_data, "redacted")
    first, second, text = items(answer)
    assert {first["type"], second["type"]} == {"redacted_thinking"}
    assert first["data"].startswith("EqkECkYIBxgCKkA8")
    assert text["type"] == "text"


def test_what_the_service_found_and_cites_are_sources(test_data: Path) -> None:
    (answer,) = one(test_data, "web_search")
    (citations,) = (chunk.citations for chunk in answer.chunks if isinstance(chunk, Citations))
    urls = [citation.url for citation in citations]
    assert len(urls) == len(set(urls)) == 19
    assert "https://abcnews.go.com/" in urls
    cited = [source["url"] for item in items(answer) for source in item.get("citations", ())]
    assert (len(cited), set(cited) <= set(urls)) == (9, True)
    kinds = [chunk.kind for chunk in answer.chunks if isinstance(chunk, Unshown)]
    assert kinds == ["part of type server_tool_use", "part of type web_search_tool_result"] * 2
    assert not answer.tool_calls  # they are answered there


def test_a_model_that_declines_names_the_one_that_answers(test_data: Path) -> None:
    (answer,) = one(test_data, "fallback")
    assert Answered("claude-opus-4-8") in answer.chunks


def test_a_message_that_begins_in_mid_stream_replaces_the_one_before(test_data: Path) -> None:
    (answer,) = one(test_data, "spliced")
    assert [item.get("signature") for item in items(answer)] == ["sig-second", None]
    (left,) = (chunk for chunk in answer.chunks if isinstance(chunk, Unshown))
    assert (left.kind, left.value["arguments"]) == ("unfinished tool call", '{"value":"Spark')


def test_what_follows_the_end_is_not_part_of_the_reply(server: FaultServer, test_data: Path) -> None:
    """Two files hold several replies; in one stream, only the first is the reply to the request."""
    (found,) = (each for each in recorded(test_data, "messages") if "tool-search" in each.name)
    first, *_ = messages_of(found.body)
    whole = ask(Anthropic, api_base=server.add("s", stream(found.body)))
    assert whole.chunks[-6:] == ask(Anthropic, api_base=server.add("s", stream(first))).chunks[-6:]
    assert [call.name for call in whole.tool_calls] == ["readNoteTree"]
