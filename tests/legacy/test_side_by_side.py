"""Version 0.1 and today's package on the same files: kernels that run meanwhile, colleagues who have not updated."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.log.log import ExchangeLog
from jmuz_magic.messages import Reply, ToolResult
from jmuz_magic.recordings.recording import Recording
from tests.exchanges import new_log, reply, request
from tests.request.test_facts import WHOLE

ROOT = Path(__file__).resolve().parents[2]
OLD = "a587915"  # version 0.1

REPLAY = """
from jmuz_magic.conversation.recording import Recording
from tests.conversation.exchanges import request
import json, sys
reply = Recording(sys.argv[1], "only").ask(request()).recorded.reply
print(json.dumps([reply.text, reply.reasoning, reply.finish_reason, reply.usage.completion_tokens,
                  [[call.id, call.name, call.arguments] for call in reply.tool_calls]]))
"""
RECORD = """
from jmuz_magic.conversation.recording import Recording
from tests.conversation.exchanges import reply, request
from jmuz_magic.messages import ToolCall, Usage
import sys
whole = reply("Hi!", reasoning="They greet.", usage=Usage(3, 8, 11), tool_calls=(ToolCall("1", "f", "{}"),))
Recording(sys.argv[1]).ask(request(), fresh=sys.argv[2:] == ["fresh"]).close("complete", whole)
"""
ASK = """
import sys
from jmuz_magic import Conversation, exchange_log
for line in sys.stdin:
    conversation = Conversation("demo-echo", api_base=sys.argv[1])
    conversation.ask(line.strip())
    assert exchange_log.flush(30)
    latest = exchange_log.rows(2)
    print([each.prompt for each in latest], [each.usage.completion_tokens for each in latest], flush=True)
"""


@pytest.fixture(scope="session")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with version 0.1, package and tests."""
    command = ["git", "archive", OLD, "jmuz_magic", "tests/__init__.py", "tests/conversation"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True)
    if done.returncode:
        pytest.skip(f"the history does not hold {OLD}")
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def environment(old: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(old), **more}


def run_old(old: Path, script: str, *arguments: object) -> str:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, env=environment(old), cwd=old, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_old_package_is_the_old_one(old: Path) -> None:
    place = "import jmuz_magic, jmuz_magic.messages as m; print(jmuz_magic.__file__, hasattr(m, 'Answered'))"
    assert run_old(old, place).split() == [str(old / "jmuz_magic" / "__init__.py"), "False"]


@pytest.mark.parametrize("whole", [WHOLE, {name: WHOLE[name] for name in ("usage", "tool_calls")}], ids=["all", "some"])
def test_0_1_replays_what_is_recorded_today(old: Path, tmp_path: Path, whole: dict[str, object]) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    said = reply("Hi!", reasoning="They greet.", **whole)
    Recording(path).ask(request()).close("complete", said)
    calls = [[call.id, call.name, call.arguments] for call in said.tool_calls]
    assert json.loads(run_old(old, REPLAY, path)) == ["Hi!", "They greet.", "stop", 8, calls]


def test_what_0_1_records_is_replayed_today(old: Path, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    run_old(old, RECORD, path)
    recorded = Recording(path, "only").ask(request()).recorded
    assert recorded
    said: Reply = recorded.reply
    assert (said.text, said.reasoning, said.tool_calls[0].name, said.requests) == ("Hi!", "They greet.", "f", 1)


def test_a_line_of_today_stays_byte_for_byte_in_a_file_that_0_1_adds_to(old: Path, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    Recording(path).ask(request("first")).close("complete", reply("One", **WHOLE))
    before = path.read_bytes()
    run_old(old, RECORD, path)
    assert path.read_bytes().startswith(before)
    assert len(Recording(path).exchanges()) == 2


def test_0_1_replays_the_first_step_of_a_turn_and_keeps_the_others(old: Path, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    called = reply("", usage=WHOLE["usage"], tool_calls=WHOLE["tool_calls"], finish_reason="tool_calls")
    recorder = Recording(path).ask(request())
    recorder.close("complete", called, [ToolResult("call_0", "now", "noon")])
    recorder.go_on(request("the result"))
    recorder.close("complete", reply("It is noon.", **WHOLE))
    before = path.read_bytes()
    assert json.loads(run_old(old, REPLAY, path))[2:4] == ["tool_calls", 8]
    run_old(old, RECORD, path, "fresh")
    first, second = path.read_bytes().splitlines(keepends=True)
    assert second == before.splitlines(keepends=True)[1]
    assert json.loads(first)["reply"]["text"] == "Hi!"


def test_a_kernel_of_0_1_goes_on_logging_in_the_same_file(old: Path, demo_endpoint: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "exchanges.sqlite3"
    running = subprocess.Popen(
        [sys.executable, "-c", ASK, demo_endpoint.api_base],
        env=environment(old, JMUZ_LOG=str(path)), cwd=old,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip

    def ask_old(prompt: str) -> str:
        assert running.stdin
        assert running.stdout
        running.stdin.write(prompt + "\n")
        running.stdin.flush()
        return running.stdout.readline() or running.communicate(timeout=60)[1]

    try:
        assert ask_old("first, by 0.1") == "['first, by 0.1'] [4]\n"
        log = migrate(path)
        assert ask_old("third, by 0.1") == "['third, by 0.1', 'second, by today'] [4, 8]\n"
        assert [(each.prompt, each.answered_by) for each in log.rows()][:2] == [
            ("third, by 0.1", ""),
            ("second, by today", "gpt-5-2026-08-01"),
        ]
        assert [(each.name, each.prompt) for each in log.conversations()] == [("talk", "second, by today")]
        log.close()
        # One that starts later finds the migrated file.
        fresh = subprocess.run(
            running.args, env=environment(old, JMUZ_LOG=str(path)), cwd=old, input="fourth, by 0.1\n",
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert fresh.stdout == "['fourth, by 0.1', 'third, by 0.1'] [4, 4]\n", fresh.stderr
        assert fresh.stderr == ""
        out, said = running.communicate(timeout=60)
        assert (out, said.count("\n"), said[:23]) == ("", 1, "exchanges are logged in")
    finally:
        running.kill()
        running.communicate()
    assert running.returncode == 0


def migrate(path: Path) -> ExchangeLog:
    """Today's package opens the file and logs an exchange with all that 0.1 does not know."""
    log, said = new_log(path)
    writer = log.open(replace(request("second, by today"), conversation="talk", conversation_id="c1"))
    writer.close("complete", reply("Hi!", **WHOLE))
    log.show("c1", "talk", [writer])
    assert log.flush(30)
    assert said == []
    return log
