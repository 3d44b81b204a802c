"""What is said once before prompts leave."""

from __future__ import annotations

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.magics.session import Session
from tests.magics.loaded import UserShell


@pytest.mark.threat(16)
def test_prompts_that_can_be_read_on_the_way_are_told_of_once(
    user: UserShell, capsys: pytest.CaptureFixture[str]
) -> None:
    session = Session(user.shell)
    turn = Conversation(api_base="http://192.0.2.1/v1", model="any").turn("hi")
    session.announce(turn)
    assert "http://192.0.2.1 uses plain http" in capsys.readouterr().out
    session.announce(turn)
    assert capsys.readouterr().out == ""


@pytest.mark.fault(64)
def test_turns_that_are_left_out_are_told_of_once(user: UserShell, capsys: pytest.CaptureFixture[str]) -> None:
    user.line("%jmuz_use demo")
    talk = Conversation(model="demo-echo", name="long", max_messages=2)
    for prompt in ("one", "two"):
        talk.ask(prompt)
    session = Session(user.shell)
    session.announce(talk.turn("three"))
    assert "the conversation is long: its oldest turn is no longer sent" in capsys.readouterr().out
    session.announce(talk.turn("four"))
    assert capsys.readouterr().out == ""
