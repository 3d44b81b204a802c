"""Quirks of services that could do harm later than in the reply: in messages, in files, in the next kernel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.exchanges import new_log
from tests.executing import execute
from tests.fault_server import DONE, FaultServer, delta, finish, stream
from tests.kernel.kernel import Kernel
from tests.kernel.test_executors import notebook

pytestmark = [pytest.mark.kernel, pytest.mark.fault(28), pytest.mark.fault(30)]

HALVES = b"".join(
    b'data: {"choices":[{"index":0,"delta":{"%s":"%s"}}]}\n\n' % (name, escaped)
    for name, escaped in (
        (b"reasoning_content", rb"hm \ud83e"),
        (b"reasoning_content", rb"\udd14"),
        (b"content", rb"a \ud83d"),
        (b"content", rb"\ude00 b \ud83d"),
    )
)
TEXT = "a 😀 b \ufffd"


def holds(value: Any, text: str) -> bool:
    """Whether a decoded JSON value is this text or has it in it."""
    if isinstance(value, dict):
        return any(holds(member, text) for member in value.values())
    return value == text if not isinstance(value, list) else any(holds(member, text) for member in value)


def test_a_split_emoji_reaches_notebook_log_and_recording_whole(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = server.add("s", stream(HALVES, finish(), DONE))
    log, recording = tmp_path / "data" / "log.sqlite3", tmp_path / "chat.jmuz.jsonl"
    monkeypatch.setenv("JMUZ_LOG", str(log))
    executed = notebook(
        f"%load_ext jmuz_magic\n%jmuz_use --api-base {base}\n%jmuz_record {recording}",
        "%%jmuz --chat -m any\ngo",
        "print(_jmuz)\nprint(_jmuz.reasoning)",
        f"%jmuz_log --show=last\n%jmuz_log --export={tmp_path / 'log.jsonl'}",
        "from jmuz_magic import exchange_log\n%unload_ext jmuz_magic",
    )
    execute(executed)

    saved = tmp_path / "saved.ipynb"
    nbformat.write(executed, saved)
    cells = nbformat.read(saved, as_version=4).cells
    shown = [output for output in cells[1].outputs if output.output_type == "display_data"]
    assert shown[-1].data["text/plain"].strip() == TEXT
    assert cells[2].outputs[0].text == f"{TEXT}\nhm 🤔\n"
    logged = new_log(log)[0].get("last")
    assert (logged.text, logged.state) == (TEXT, "complete")
    for path in (recording, tmp_path / "log.jsonl"):
        assert any(holds(json.loads(line), TEXT) for line in path.read_text(encoding="utf-8").splitlines()), path

    # and what was recorded is shown again by another kernel, without a request
    asked = len(server.requests)
    again = notebook(f"%load_ext jmuz_magic\n%jmuz_record {recording} --only", "%%jmuz -m any\ngo", "print(_jmuz)")
    monkeypatch.setenv("JMUZ_API_BASE", base)
    execute(again)
    assert again.cells[2].outputs[0].text == f"{TEXT}\n"
    assert len(server.requests) == asked


def test_a_5_mb_event_is_a_reply_like_any_other(kernel: Kernel, server: FaultServer) -> None:
    text = "word " * 1_000_000
    kernel.run("%load_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {server.add('s', stream(delta(text), finish(), DONE))}")
    execution = kernel.run("%%jmuz -m any\ngo", timeout=120)
    assert kernel.value("[len(_jmuz.text), _jmuz.finish_reason]") == [len(text), "stop"]
    shown = sum(len(json.dumps(message.content)) for message in execution.messages)
    assert shown < 4.5 * len(text)  # HTML while it grows; HTML, LaTeX and text at its end
    assert kernel.run("1 + 1").text == "2"
