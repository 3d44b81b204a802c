"""`--chat` with services that want their reasoning back, byte for byte: in a session, resumed, and from a recording."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.magics.loaded import UserShell
from tests.remembering_services import Messages, RememberingService, Responses, remembering

TURNS = 12


@pytest.fixture(params=[Responses, Messages], ids=["responses", "anthropic"])
def service(request: pytest.FixtureRequest) -> Iterator[RememberingService]:
    with remembering(request.param()) as running:
        yield running


@pytest.fixture
def use(user: UserShell) -> Callable[[RememberingService], None]:
    def chosen(service: RememberingService) -> None:
        dialect = "responses" if isinstance(service, Responses) else "anthropic"
        user.line(f"%jmuz_use --api-base {service.api_base} -m m --dialect {dialect}")

    return chosen


def ask(user: UserShell, turns: range, options: str = "") -> str:
    """What the turns showed, the first of which has these options."""
    said = ""
    for turn in turns:
        shown = user.line(f"%%jmuz --chat=long {options if turn == turns[0] else ''}\nPrompt {turn}, “grün”?\n")
        assert f"Answer {turn}, “grün” \\ and" in shown
        said += shown
    return said


def test_twelve_turns_bring_all_of_it_back(
    user: UserShell, use: Callable[[RememberingService], None], service: RememberingService
) -> None:
    use(service)
    ask(user, range(TURNS), "-s Brief.")
    assert (len(service.bodies), service.refused) == (TURNS, [])


def test_so_does_a_conversation_that_is_resumed_in_mid_way(
    user: UserShell, use: Callable[[RememberingService], None], service: RememberingService,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new_session: Callable[[], None],
) -> None:  # fmt: skip
    monkeypatch.setenv("JMUZ_LOG", str(tmp_path / "log.sqlite3"))
    use(service)
    ask(user, range(6))
    new_session()
    use(service)
    assert "resumed 6 turns" in ask(user, range(6, TURNS), "--resume")
    assert (len(service.bodies), service.refused) == (TURNS, [])


def test_and_one_that_a_recording_began(
    user: UserShell, use: Callable[[RememberingService], None], service: RememberingService, tmp_path: Path
) -> None:
    use(service)
    user.line(f"%jmuz_record {tmp_path / 'long.jmuz.jsonl'}")
    ask(user, range(6))
    asked = len(service.bodies)
    user.line("%jmuz_history long --clear")
    user.line(f"%jmuz_record {tmp_path / 'long.jmuz.jsonl'}")
    ask(user, range(6))
    assert len(service.bodies) == asked
    ask(user, range(6, TURNS))
    assert (len(service.bodies), service.refused) == (TURNS, [])


@pytest.mark.parametrize("dialect", ["chat", "responses", "anthropic"])
def test_the_same_notebook_is_replayed_whatever_the_dialect(
    user: UserShell,
    use: Callable[[RememberingService], None],
    service: RememberingService,
    dialect: str,
    tmp_path: Path,
) -> None:
    use(service)
    user.line(f"%jmuz_record {tmp_path / 'long.jmuz.jsonl'}")
    ask(user, range(3), "-s Brief. -t 0 --max-tokens 900")
    user.line("%jmuz_history long --clear")
    user.line(f"%jmuz_use --api-base http://127.0.0.1:9/v1 -m m --dialect {dialect}")
    for mode in ("--only", "--auto"):
        user.line(f"%jmuz_record {tmp_path / 'long.jmuz.jsonl'} {mode}")
        ask(user, range(3), "-s Brief. -t 0 --max-tokens 900")
        user.line("%jmuz_history long --clear")
    assert len(service.bodies) == 3


def test_the_stand_in_refuses_a_single_byte_that_differs(
    user: UserShell, use: Callable[[RememberingService], None], service: RememberingService
) -> None:
    use(service)
    ask(user, range(4))
    whole = service.bodies[-1]
    service.prompts.pop(), service.replies.pop()
    for at in range(0, len(whole), 7):
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        try:
            sent, meant = json.loads(changed), json.loads(whole)
        except ValueError:
            continue
        member = "input" if "input" in meant else "messages"
        if sent.get(member) and sent[member][:-1] != meant[member][:-1]:
            assert service.answer(changed)[0] == 400
    assert service.answer(whole)[0] == 200
