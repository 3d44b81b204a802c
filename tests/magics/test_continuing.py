"""`--continue`: a conversation that begins with the last reply that stood alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.log.log import exchange_log
from jmuz_magic.request.cell import Cell, set_cell_finder
from tests.magics.loaded import UserShell

pytestmark = pytest.mark.usefixtures("logged")


@pytest.fixture
def ask(user: UserShell, demo_endpoint: DemoServer) -> Callable[..., list[object]]:
    """Run a line, in a cell of that id if one is given; returns what was sent."""
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base} -m demo-echo")
    runs = iter(range(1000))

    def ask(line: str, cell: str = "") -> list[object]:
        run = str(next(runs))
        set_cell_finder(lambda: Cell(cell, run) if cell else None)
        user.line(f"%jmuz {line}")
        return [message["content"] for message in demo_endpoint.requests[-1].body["messages"]]

    return ask


def test_a_conversation_begins_with_the_last_lone_reply(user: UserShell, ask: Callable[..., list[object]]) -> None:
    ask("zero")
    ask("one")
    assert ask("--continue two") == ["one", "one", "two"]
    assert ask("--continue three") == ["one", "one", "two", "two", "three"]
    assert ask("--chat four")[-3:] == ["three", "three", "four"]
    assert user.line("%jmuz_history").count(">") == 4


def test_replies_of_conversations_do_not_stand_alone(ask: Callable[..., list[object]]) -> None:
    ask("one")
    ask("--chat=trip other")
    assert ask("--continue two") == ["one", "one", "two"]


def test_the_conversation_may_have_a_name(user: UserShell, ask: Callable[..., list[object]]) -> None:
    ask("one")
    assert ask("--chat=trip --continue two") == ["one", "one", "two"]
    assert user.line("%jmuz_history trip").count(">") == 2


def test_a_conversation_with_other_turns_is_left_alone(user: UserShell, ask: Callable[..., list[object]]) -> None:
    ask("one")
    ask("--continue two")
    ask("three")
    assert user.refusal("%jmuz --continue four") == (
        "%jmuz: --continue: conversation 'main' has other turns; choose another with --chat=NAME, or add --new"
    )
    assert ask("--chat=other --continue four") == ["three", "three", "four"]
    assert ask("--continue --new five") == ["three", "three", "five"]


def test_a_cell_that_runs_again_takes_the_same_reply(ask: Callable[..., list[object]]) -> None:
    ask("one", "a")
    assert ask("--continue two", "b") == ["one", "one", "two"]
    ask("later", "c")
    assert ask("--continue two", "b") == ["one", "one", "two"]
    assert ask("--continue --new two", "b") == ["one", "one", "two"]


def test_the_reply_of_the_same_cell_counts_as_it_is_now(ask: Callable[..., list[object]]) -> None:
    ask("one", "a")
    ask("--continue two", "b")
    ask("--chat three", "c")
    ask("one, corrected", "a")
    assert ask("--continue two", "b") == ["one, corrected", "one, corrected", "two"]
    assert ask("--chat three", "c") == ["one, corrected", "one, corrected", "two", "two", "three"]


def test_a_reply_that_failed_is_passed_over(user: UserShell, ask: Callable[..., list[object]]) -> None:
    ask("one")
    assert not user.run("%jmuz -m nope two").ok
    assert ask("--continue three") == ["one", "one", "three"]


def test_a_reply_in_the_background_counts_once_it_is_there(user: UserShell, ask: Callable[..., list[object]]) -> None:
    user.line("%jmuz job << --background one")
    user.line("job.result();")
    assert ask("--continue two") == ["one", "one", "two"]


def test_the_system_message_goes_on(ask: Callable[..., list[object]]) -> None:
    ask("-s Brief. one")
    assert ask("--continue two") == ["Brief.", "one", "one", "two"]
    ask("-s Brief. one")
    assert ask("--chat=b --continue -s Long. two") == ["Long.", "one", "one", "two"]


def test_a_rehearsal_begins_nothing(user: UserShell, ask: Callable[..., list[object]]) -> None:
    ask("one")
    assert user.line("%jmuz --continue --dry-run two").count("one") >= 2
    assert user.refusal("%jmuz_history").startswith("%jmuz_history: there is no conversation 'main'")


def test_without_a_lone_reply_it_is_refused(user: UserShell, ask: Callable[..., list[object]]) -> None:
    ask("--chat one")
    assert user.refusal("%jmuz --continue two") == (
        "%jmuz: --continue: no reply of this kernel stands alone; ask without --chat first"
    )
    assert "not with --new or --continue" in user.refusal("%jmuz --chat --continue --resume two")


def test_it_is_resumed_with_its_first_turn(
    user: UserShell, ask: Callable[..., list[object]], new_session: Callable[[], None], demo_endpoint: DemoServer
) -> None:
    ask("one")
    ask("--continue two")
    (found,) = exchange_log.conversations()
    assert len(found.turns) == 2
    new_session()
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base} -m demo-echo")
    assert ask("--chat --resume three") == ["one", "one", "two", "two", "three"]


@pytest.mark.parametrize("line", ["--chat --dry-run x", "--chat --dry-run -s Long. x", "--chat --new --dry-run x",
                                  "--chat=b --continue --dry-run x"])  # fmt: skip
def test_a_rehearsal_leaves_nothing_in_the_log(user: UserShell, ask: Callable[..., list[object]], line: str) -> None:
    for prompt in ("alone", "--chat one", "--chat two"):
        ask(prompt)
    before = exchange_log.conversations()
    user.line(f"%jmuz {line}")
    assert exchange_log.conversations() == before
