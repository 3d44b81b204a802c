"""Control characters from a service: in the notebook, on the wire and in files they steer nothing."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from tests.fault_server import FaultServer, delta, event, head, json_answer, stream
from tests.kernel.kernel import Kernel

pytestmark = pytest.mark.kernel

SAID = ["bad \x1b[31mrequest", "first\nsecond\r\x9b2J", "null \x00, delete \x7f, bell \x07"]


def controls(value: Any) -> list[str]:
    """Control characters in any text of a JSON-like value, line feeds and tabs of text apart."""
    text = json.dumps(value, ensure_ascii=False)
    named = [name for name in ("\\u001b", "\\u0000", "\\u0007", "\\r") if name in text]
    return named + [c for c in text if unicodedata.category(c) == "Cc"]


@pytest.mark.finding("D11")
@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("when", ["status", "stream"])
def test_an_error_on_the_wire_holds_no_control_character(
    kernel: Kernel, server: FaultServer, said: str, when: str
) -> None:
    payload = {"error": {"message": said}}
    broken = [("send", head() + delta("Half.") + event(payload))]
    base = server.add("s", json_answer(payload, "400 Bad Request") if when == "status" else broken)
    kernel.run("%reload_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {base}")
    execution = kernel.execute("%%jmuz -m any\ngo")
    assert execution.status == "error"
    assert execution.error is not None
    first = said.split(maxsplit=1)[0]
    for value in (execution.error["evalue"], execution.content["evalue"]):
        assert first in value
        assert controls(value) == []
        assert "\n" not in value
    assert controls([execution.error["traceback"], execution.content["traceback"]]) == []
    assert controls([message.content for message in execution.messages]) == []


@pytest.mark.finding("D11")
def test_what_was_cut_is_told_in_text_and_exports_are_inert(
    kernel: Kernel, server: FaultServer, tmp_path: Path
) -> None:
    base = server.add("s", stream(delta("Half \x1b[2K\x9b a reply"), event({"choices": []})))
    kernel.run("%reload_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {base}")
    execution = kernel.run("%%jmuz --chat=controls -m any\ngo")
    last = execution.outputs[-1]["data"]["text/plain"].rpartition("\n")[2]
    assert last.startswith("[truncated: ")
    assert last in kernel.run("%jmuz_history controls").text
    for kind in ("md", "json", "ipynb"):
        path = tmp_path / f"talk.{kind}"
        kernel.run(f"%jmuz_history controls --export {path}")
        assert not set(path.read_text(encoding="utf-8")) & {"\x1b", "\x9b"}
