"""Several processes and one recording: real ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jmuz_magic.recordings.recording import Recording
from tests.conversation.exchanges import ask, reply, request


@pytest.mark.fault(62)
def test_processes_that_record_at_once_tear_and_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    module = [sys.executable, "-m", "tests.conversation.exchanges", "record", str(path)]
    writers = [
        subprocess.Popen([*module, name, "60"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for name in "abc"
    ]
    outputs = [writer.communicate(timeout=120)[0] for writer in writers]
    assert outputs == ["", "", ""]
    recorded = [(line.asked.prompt, line.reply.text) for line in Recording(path).exchanges()]
    assert len(recorded) == 180
    for name in "abc":  # each in its own order
        own = [(prompt, text) for prompt, text in recorded if prompt.startswith(name)]
        assert own == [(f"{name} {number}", f"reply {name} {number}") for number in range(60)]
    assert list(tmp_path.iterdir()) == [path]


def test_two_kernels_with_one_notebook_record_each_asking_once(tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    one, other = Recording(path), Recording(path)
    first, second = one.ask(request("Hello")), other.ask(request("Hello"))
    first.close("complete", reply("from one"))
    second.close("complete", reply("from the other"))
    ask(one, "Hello", "again from one")
    ask(other, "Hello", "again from the other")
    assert [line.reply.text for line in Recording(path).exchanges()] == ["from one", "again from one"]


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    program = (
        "import os, sys; from pathlib import Path; from jmuz_magic.storage.locking import locked\n"
        "with locked(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], timeout=60)
    assert ask(Recording(path), "Hello", "Hi!") == "Hi!"
    assert len(Recording(path).exchanges()) == 1
