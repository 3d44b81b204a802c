"""Real traffic of Responses and Messages through a cell, cut in three ways; `index.json` is an independent reader's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fault_server import Cut, FaultServer, stream
from tests.kernel.kernel import Kernel
from tests.providers import test_recorded_responses as responses
from tests.providers.cut_streams import Recorded, recorded

pytestmark = pytest.mark.kernel

CUTS: tuple[Cut, ...] = ("whole", "bytes", 7)
CALLS = "[{'id': call.id, 'name': call.name, 'arguments': call.arguments} for call in _jmuz.tool_calls]"
USAGE = "{'in': _jmuz.usage.prompt_tokens, 'out': _jmuz.usage.completion_tokens}"
SAID = (
    "{'text': _jmuz.text, 'reasoning': _jmuz.reasoning, 'model': _jmuz.answered_by, 'finish': _jmuz.finish_reason, "
    f"'calls': {CALLS}, 'usage': {USAGE}}}"
)


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def test_every_recorded_reply_of_responses_is_shown_for_what_it_is(
    kernel: Kernel, server: FaultServer, test_data: Path
) -> None:
    kernel.run("%load_ext jmuz_magic")
    for number, each in enumerate(recorded(test_data, "responses")):
        for cut in CUTS:
            found = [
                asked(kernel, server, f"{number}-{cut}-{part}", body, cut)
                for part, body in enumerate(responses.bodies(each))
            ]
            compare(each, found)


def asked(kernel: Kernel, server: FaultServer, name: str, body: bytes, cut: Cut) -> dict[str, Any]:
    """What `_jmuz` is after a cell that got this body."""
    kernel.run(f"%jmuz_use --dialect responses --api-base {server.add(name, stream(body, how=cut))}")
    shown = kernel.run("%%jmuz -m any\ngo\n")
    said: dict[str, Any] = kernel.value(SAID)
    assert ("Tool call" in shown.html) == bool(said["calls"]), name
    assert words(said["text"]) <= words(shown.html), name
    return said


def words(text: str) -> set[str]:
    """Words that Markdown does not touch."""
    return set(re.findall(r"\b[A-Za-z]{5,}\b", re.sub(r"https?://\S+", "", text)))


def compare(each: Recorded, found: list[dict[str, Any]]) -> None:
    facts, last = each.facts, found[-1]
    for kind in ("text", "reasoning"):
        assert "".join(said[kind] for said in found) == facts[kind], each.name
    calls = [call for said in found for call in said["calls"]]
    if each.name in responses.CALLS:
        assert [(call["id"], call["arguments"]) for call in calls] == responses.CALLS[each.name]
    else:
        assert calls == facts["calls"], each.name
    assert (last["usage"], last["model"]) == (facts["usage"], facts["model"]), each.name
    assert [said["finish"] for said in found] == ["tool_calls" if said["calls"] else "stop" for said in found]
