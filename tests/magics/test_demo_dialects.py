"""The demo of this process in each dialect, in cells: the same replies, and one recording for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.magics.loaded import UserShell

QUESTION = "Which is larger, 9.11 or 9.9?"
SHOWN = {
    "": "/v1/chat/completions",
    " --dialect responses": "/v1/responses",
    " --dialect anthropic": "/v1/messages",
}


@pytest.fixture(params=SHOWN)
def spoken(request: pytest.FixtureRequest, user: UserShell) -> str:
    """The options of the choice that is in force."""
    user.line(f"%jmuz_use demo{request.param}")
    return str(request.param)


def test_a_cell_shows_reply_reasoning_and_counts(user: UserShell, spoken: str) -> None:
    assert SHOWN[spoken] in user.line(f"%%jmuz --dry-run\n{QUESTION}")
    said = user.line(f"%%jmuz -u -m demo-reasoning\n{QUESTION}")
    assert "**9.9** is larger" in said
    assert "the decimals decide" in user.shell.user_ns["_jmuz"].reasoning
    assert "[demo-reasoning · 8 + 95 tokens (46 reasoning) · " in said


def test_a_conversation_goes_on(user: UserShell, spoken: str) -> None:
    for _ in range(3):
        said = user.line(f"%%jmuz -u --chat -m demo-reasoning\n{QUESTION}")
    assert "cached)" in said


def test_a_recording_made_in_one_dialect_answers_in_all(
    user: UserShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cell = f"%%jmuz -m demo-reasoning\n{QUESTION}"
    user.line("%jmuz_use demo --dialect anthropic")
    user.line("%jmuz_record chat.jmuz.jsonl")
    live = user.line(cell)
    for options in SHOWN:
        user.line(f"%jmuz_use demo{options}")
        user.line("%jmuz_record --only")
        assert user.line(cell) == live
