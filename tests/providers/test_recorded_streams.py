"""Real `chat/completions` traffic, served again and cut at other places, comes out as what it is."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.messages import ToolCall, ToolCalls
from jmuz_magic.providers.jmuz import Jmuz
from jmuz_magic.providers.openai_template import OpenaiTemplate
from tests.fault_server import Cut, FaultServer, stream
from tests.providers.asking import Answer, ask

CUTS: list[Cut] = ["whole", "bytes", 1, 2, 3]


@dataclass
class Recorded:
    """What a plain reader finds in a recorded body."""

    texts: dict[int, str] = field(default_factory=lambda: defaultdict(str))
    calls: list[list[str]] = field(default_factory=list)
    finish_reason: str | None = None
    refused: bool = False
    total_tokens: int | None = None


def read_plainly(body: bytes) -> Recorded:
    recorded = Recorded()
    for line in body.decode().splitlines():
        if line.startswith("data: {"):
            payload = json.loads(line.removeprefix("data: "))
            for choice in payload["choices"]:
                take_choice(recorded, choice)
            if payload.get("usage"):
                recorded.total_tokens = payload["usage"]["total_tokens"]
    return recorded


def take_choice(recorded: Recorded, choice: dict[str, Any]) -> None:
    delta = choice["delta"]
    recorded.refused |= bool(delta.get("refusal"))
    recorded.texts[choice["index"]] += (delta.get("content") or "") + (delta.get("refusal") or "")
    for call in delta.get("tool_calls") or []:
        if call["index"] == len(recorded.calls):
            recorded.calls.append(["", "", ""])
        known = recorded.calls[call["index"]]
        known[0] = known[0] or call.get("id") or ""
        known[1] = known[1] or call["function"].get("name") or ""
        known[2] += call["function"].get("arguments") or ""
    if choice["index"] == 0:
        recorded.finish_reason = recorded.finish_reason or choice.get("finish_reason")


def bodies(folder: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.sse"))}
    assert len(found) >= 21
    return found


def serve(server: FaultServer, body: bytes, how: Cut, provider: type[OpenaiTemplate] = OpenaiTemplate) -> Answer:
    return ask(provider, api_base=server.add("s", stream(body, how=how)))


@pytest.mark.fault(18)
@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize("provider", [OpenaiTemplate, Jmuz])
def test_every_recorded_stream_comes_out_as_it_is(
    server: FaultServer, test_data: Path, how: Cut, provider: type[OpenaiTemplate]
) -> None:
    for name, body in bodies(test_data / "streams").items():
        recorded = read_plainly(body)
        answer = serve(server, body, how, provider)
        assert answer.error is None, name
        text = recorded.texts[0]
        for index in range(1, len(recorded.texts)):
            text += f"\n\n**Choice {index + 1}**\n\n{recorded.texts[index]}"
        expected = text.lstrip("\n ") if provider is Jmuz else text  # the cleaner drops blanks at the start
        assert answer.text == expected, name
        assert answer.tool_calls == tuple(
            ToolCall(id_, name_, arguments) for id_, name_, arguments in recorded.calls
        ), name
        reason = "refusal" if recorded.refused else recorded.finish_reason
        assert answer.finish_reason == reason, name
        assert answer.usage is not None
        assert answer.usage.total_tokens == recorded.total_tokens, name


def find(folder: Path, part: str) -> bytes:
    (path,) = folder.rglob(f"*{part}*.sse")
    return path.read_bytes()


def test_a_refusal_is_text_with_its_own_finish_reason(server: FaultServer, test_data: Path) -> None:
    answer = serve(server, find(test_data, "model_refusal"), "whole")
    assert answer.text.startswith("I'm sorry, I can't assist")
    assert answer.finish_reason == "refusal"


def test_three_choices_are_told_apart(server: FaultServer, test_data: Path) -> None:
    answer = serve(server, find(test_data, "multiple_choices"), 7)
    first, second, third = answer.text.split("\n\n**Choice ")
    assert json.loads(first)["city"] == "San Francisco"
    assert json.loads(second.removeprefix("2**\n\n"))["temperature"] == 61
    assert json.loads(third.removeprefix("3**\n\n"))["temperature"] == 59


def test_a_stop_by_length_says_so(server: FaultServer, test_data: Path) -> None:
    answer = serve(server, find(test_data, "max_tokens"), "whole")
    assert (answer.text, answer.finish_reason) == ('{"', "length")


def test_two_tool_calls_come_complete_and_in_order(server: FaultServer, test_data: Path) -> None:
    answer = serve(server, find(test_data, "multiple_pydantic_tools"), "bytes")
    assert [call.name for call in answer.tool_calls] == ["GetWeatherArgs", "get_stock_price"]
    weather, stock = (json.loads(call.arguments) for call in answer.tool_calls)
    assert (weather["units"], stock["ticker"]) == ("c", "AAPL")
    assert answer.finish_reason == "tool_calls"
    assert answer.text == ""


def test_a_tool_name_sent_twice_is_one_name(server: FaultServer, test_data: Path) -> None:
    answer = serve(server, find(test_data, "variant_a-1"), "whole")
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [("llm_version", "{}")]


def test_a_complete_stream_without_a_finish_reason_invents_none(server: FaultServer, test_data: Path) -> None:
    answer = serve(server, find(test_data, "variant_b-1"), "whole")
    assert answer.finish_reason is None
    assert [type(chunk) for chunk in answer.chunks[:1]] == [ToolCalls]


def test_a_recorded_stream_that_is_cut_off_is_truncated(server: FaultServer, test_data: Path) -> None:
    body = find(test_data, "parse_nothing")
    answer = serve(server, body[: len(body) // 2], "whole")
    assert read_plainly(body).texts[0].startswith(answer.text)
    assert answer.text
    assert answer.finish_reason == "truncated"
