"""What a cell says of who answered and what it cost, live and when it is replayed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fault_server import DONE, FaultServer, delta, event, finish, json_answer, stream
from tests.magics.loaded import UserShell

HEAD = {"model": "gemini-3.5-flash-lite", "system_fingerprint": "fp_1", "provider": "Google"}
USAGE = {
    "prompt_tokens": 31,
    "completion_tokens": 104,
    "total_tokens": 135,
    "cost": 0.00085,
    "prompt_tokens_details": {"cached_tokens": 12},
    "completion_tokens_details": {"reasoning_tokens": 100},
}
ANSWER = stream(
    event({**HEAD, "choices": [{"index": 0, "delta": {"content": "Hi"}}]}),
    finish(**HEAD),
    event({**HEAD, "choices": [], "usage": USAGE}),
    DONE,
)


def test_a_cell_says_who_answered_and_what_it_cost(user: UserShell) -> None:
    with FaultServer() as server:
        user.line(f"%jmuz_use --api-base {server.add('s', ANSWER)}")
        said = user.line("%%jmuz -u -m gemini-2.5-flash\nHello").splitlines()
    assert said[0] == "Hi"
    assert said[1].startswith("[gemini-2.5-flash via Google · 31 (12 cached) + 104 tokens (100 reasoning) · ")
    assert said[1].endswith(" · cost 0.00085 · answered by gemini-3.5-flash-lite, not gemini-2.5-flash]")
    assert user.shell.user_ns["_jmuz"].upstream == "Google"


def test_a_snapshot_of_the_model_that_was_asked_is_no_news(user: UserShell) -> None:
    answer = stream(
        event({"model": "gpt-5-2026-08-01", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}), finish(), DONE
    )
    with FaultServer() as server:
        user.line(f"%jmuz_use --api-base {server.add('s', answer)}")
        assert user.line("%%jmuz -m gpt-5\nHello") == "Hi"
    assert user.shell.user_ns["_jmuz"].answered_by == "gpt-5-2026-08-01"


def test_a_replay_says_the_same(user: UserShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cell = "%%jmuz -m gemini-2.5-flash\nHello"
    with FaultServer() as server:
        user.line(f"%jmuz_use --api-base {server.add('s', ANSWER)}")
        user.line("%jmuz_record chat.jmuz.jsonl")
        live = user.line(cell)
    reply = user.shell.user_ns["_jmuz"]
    user.line("%jmuz_record --only")
    assert user.line(cell) == live
    assert user.shell.user_ns["_jmuz"].usage == reply.usage
    assert user.shell.user_ns["_jmuz"].answered_by == "gemini-3.5-flash-lite"


def test_a_cell_says_that_it_was_asked_twice(user: UserShell) -> None:
    down = json_answer({"error": "loading"}, "503 Service Unavailable", Retry_After="0")
    with FaultServer() as server:
        user.line(f"%jmuz_use --api-base {server.add('s', down, stream(delta('Hi'), finish(), DONE))}")
        assert user.line("%%jmuz -m m\nHello") == "Hi\n[2 requests]"
