"""What is sent only in part is said in one place: the foot of the reply, and a replay's own."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.messages import Reply
from tests.magics.loaded import UserShell

ROWS = "20 of 400 rows of `df`"


@pytest.fixture
def user(user: UserShell, demo_endpoint: DemoServer) -> UserShell:
    user.line(f"%jmuz_use demo:demo-echo --api-base {demo_endpoint.api_base}")
    user.shell.user_ns["df"] = pd.DataFrame({"a": range(400)})
    return user


def last(user: UserShell) -> Reply:
    reply = user.shell.user_ns["_jmuz"]
    assert isinstance(reply, Reply)
    return reply


def test_the_foot_says_it_once_and_nothing_else_does(user: UserShell) -> None:
    printed = user.line("%jmuz look at {{df}} and {{df}} and {{1 + 1}}").removeprefix(last(user).text)
    assert printed.splitlines() == ["", f"[{ROWS} were sent]"]
    assert last(user).sent_in_part == (ROWS,)
    assert user.line("%jmuz --quiet look at {{df}}") == ""


def test_values_of_options_count_too(user: UserShell) -> None:
    user.line("%jmuz --quiet -s {{df}} {{list(range(2_000))}}")
    assert last(user).sent_in_part == (ROWS, "1,000 of 2,000 elements of `list(range(2_000))`")


def test_a_dry_run_says_it_below_the_request(user: UserShell) -> None:
    assert user.line("%jmuz --dry-run look at {{df}}").splitlines()[-2] == f"included in part: {ROWS}"


def test_cells_count_too(user: UserShell) -> None:
    for _ in range(3):
        user.shell.run_cell(f"text = '{'x' * 9_000}'", store_history=True)
    user.line("%jmuz --quiet --context all why?")
    assert last(user).sent_in_part == ("2 of 3 earlier cells",)
    user.shell.run_cell(f"text = '{'x' * 21_000}' / 2", store_history=True)
    user.line("%jmuz_fix")
    assert last(user).sent_in_part == ("20,000 of 21,013 characters of the cell",)


def test_a_replay_says_what_was_recorded_whatever_is_sent_now(user: UserShell, tmp_path: Path) -> None:
    path = tmp_path / "talk.jmuz.jsonl"
    user.line(f"%jmuz_record {path}")
    user.line("%jmuz --quiet {{df}}")
    user.shell.user_ns["text"] = last(user).messages[0]["content"]
    user.line(f"%jmuz_record {path} --only")
    assert f"{ROWS} were sent" in user.line("%jmuz {{text}}")
    line = json.loads(path.read_text(encoding="utf-8"))
    del line["facts"]["sent_in_part"]
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    user.line(f"%jmuz_record {path} --only")
    assert "were sent" not in user.line("%jmuz {{df}}")


def test_a_prompt_that_is_asked_again_keeps_it(user: UserShell) -> None:
    from jmuz_magic.conversation.conversation import Conversation

    talk = Conversation("demo-echo")
    turn = talk.turn("long", sent_in_part=[ROWS])
    talk.transcript = (turn,)
    assert talk.turn("long", replacing=turn).request.sent_in_part == (ROWS,)
    assert talk.turn("other", replacing=turn).request.sent_in_part == ()
