"""Real `chat/completions` traffic through a cell; the rules of this plain reader are not the provider's code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fault_server import Cut, FaultServer, stream
from tests.kernel.kernel import Kernel

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def choices(body: bytes) -> Iterator[dict[str, Any]]:
    for line in body.decode().splitlines():
        if line.startswith("data: {"):
            yield from json.loads(line[6:]).get("choices", [])


def said(body: bytes, index: int) -> dict[str, str]:
    """Content, refusal and tool arguments of one choice, joined."""
    deltas = [choice["delta"] for choice in choices(body) if choice["index"] == index]
    calls = [call["function"] for delta in deltas for call in delta.get("tool_calls") or []]
    return {
        "content": "".join(delta.get("content") or "" for delta in deltas),
        "refusal": "".join(delta.get("refusal") or "" for delta in deltas),
        "arguments": "".join(function.get("arguments") or "" for function in calls),
    }


def test_every_recorded_stream_is_shown_for_what_it_is(kernel: Kernel, server: FaultServer, test_data: Path) -> None:
    kernel.run("%load_ext jmuz_magic")
    index = json.loads((test_data / "streams" / "index.json").read_text())
    assert len(index) >= 21
    cuts: tuple[Cut, ...] = ("whole", "bytes", 7)
    for number, entry in enumerate(index):
        body = (test_data / "streams" / entry["file"]).read_bytes()
        for cut in cuts:
            name = f"{number}-{cut}"
            server.add(name, stream(body, how=cut))
            kernel.run(f"%jmuz_use --api-base {server.api_base(name)}")
            execution = kernel.run("%%jmuz -m any\ngo\n")
            compare(kernel, execution.html, body, entry)


def compare(kernel: Kernel, html: str, body: bytes, entry: dict[str, Any]) -> None:
    arguments = "''.join(call.arguments for call in _jmuz.tool_calls)"
    facts = kernel.value(f"{{'text': _jmuz.text, 'reason': _jmuz.finish_reason, 'arguments': {arguments}}}")
    first = said(body, 0)
    several = len({choice["index"] for choice in choices(body)}) > 1
    expected = first["content"] or first["refusal"]
    where = entry["file"]
    if several:
        assert facts["text"].startswith(expected), where
        assert all(said(body, index)["content"] in facts["text"] for index in (1, 2)), where
    else:
        assert facts["text"] == expected, where
        assert facts["arguments"] == first["arguments"], where
    if first["refusal"]:
        assert facts["reason"] == "refusal", where
        assert "declined" in html, where
    elif not entry["finish_reasons"]:
        assert facts["reason"] == (None if entry["done"] else "truncated"), where
        assert ("truncated" in html) != entry["done"], where
    else:
        assert facts["reason"] in entry["finish_reasons"], where
    assert ("cut by length" in html) == (facts["reason"] == "length"), where
    assert ("Tool call" in html) == bool(entry["tool_call_chunks"]), where
