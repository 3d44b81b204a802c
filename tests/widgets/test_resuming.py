"""An empty panel offers what the log has of its conversation, and goes on with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.demo import DemoServer
from jmuz_magic.recordings.replaying import name_recording
from jmuz_magic.request.cell import set_watcher
from tests.hostile import HOSTILE
from tests.waiting import wait_until
from tests.widgets.conftest import Driver, selecting
from tests.widgets.test_panel import prompts

pytestmark = pytest.mark.usefixtures("logged")


@pytest.fixture
def before(selected: DemoServer) -> DemoServer:
    """A conversation of two turns in the log; the endpoint that had them."""
    talk = Conversation("demo-echo", name="main")
    talk.ask("one")
    talk.ask("two")
    return selected


def offer(driver: Driver) -> str:
    return str(driver.panel.settings["resume"])


def test_an_empty_panel_says_what_it_may_go_on_with(before: DemoServer) -> None:
    driver = Driver()
    assert offer(driver).startswith("2 turns of 20")
    assert driver.turns == []


def test_the_earlier_turns_are_shown_as_ended_ones_and_sent_with_the_next(before: DemoServer) -> None:
    driver = Driver()
    driver.send("set", model="demo-echo")
    note = driver.send("resume")["note"]
    assert note.startswith("Resumed 2 turns of 20")
    assert note.endswith(f"sent with the next prompt to Demo at {before.api_base.removesuffix('/v1')}")
    wait_until(lambda: len(driver.turns) == 2, "the turns are shown")
    assert [(turn["prompt"], turn["ended"], turn["source"]) for turn in driver.turns] == [
        ("one", True, "one"),
        ("two", True, "two"),
    ]
    assert driver.turns[0]["facts"][0] == "demo-echo"
    assert offer(driver) == ""
    driver.ask("three")
    assert prompts(before)[-1] == ["one", "one", "two", "two", "three"]


def test_turns_of_another_origin_are_sent_on_only_after_a_yes_to_that_very_question(before: DemoServer) -> None:
    with DemoServer(deltas_per_second=0, keep_requests=10) as other, selecting(other):
        driver = Driver()
        question = driver.send("resume")["question"]
        former, now = (server.api_base.removesuffix("/v1") for server in (before, other))
        assert question == f"This conversation went to {former}; send its turns to {now} from now on?"
        assert driver.send("resume", agreed="This conversation went elsewhere?")["question"] == question
        assert driver.turns == []
        assert driver.send("resume", agreed=question)["note"].startswith("Resumed 2 turns")


def test_undone_turns_stay_away(before: DemoServer) -> None:
    driver = Driver()
    driver.send("resume")
    driver.send("undo")
    again = Driver()
    assert offer(again).startswith("1 turn of 20")
    again.send("resume")
    wait_until(lambda: again.prompts == ["one"], "what is left is shown")


@pytest.mark.parametrize("name", ["other", None])
def test_another_conversation_is_not_offered(before: DemoServer, name: str | None) -> None:
    driver = Driver(Conversation(name=name))
    assert offer(driver) == ""
    assert driver.send("resume")["error"].startswith("nothing to resume: the log has no conversation")


def test_a_panel_with_turns_offers_nothing(before: DemoServer) -> None:
    talk = Conversation("demo-echo", name="main")
    talk.ask("new")
    driver = Driver(talk)
    assert offer(driver) == ""
    assert "has turns already" in driver.send("resume")["error"]


def test_nothing_is_offered_beside_a_recording_or_where_nobody_watches(before: DemoServer, tmp_path: Path) -> None:
    set_watcher(lambda: False)
    try:
        assert offer(Driver()) == ""
    finally:
        set_watcher(None)
    name_recording(str(tmp_path / "chat.jmuz.jsonl"))
    try:
        driver = Driver()
        assert offer(driver) == ""
        assert "while a recording is in use" in driver.send("resume")["error"]
    finally:
        name_recording()


def test_without_a_log_nothing_is_offered(before: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JMUZ_LOG", "off")
    assert offer(Driver()) == ""


@pytest.mark.parametrize("prompt", ["{{secret}} and {{ d['a'] }}", *list(HOSTILE.values())[:3]])
def test_a_resumed_turn_is_text_as_it_was_and_harmless(selected: DemoServer, prompt: str) -> None:
    Conversation("demo-echo", name="main").ask(prompt)
    driver = Driver()
    driver.send("resume")
    wait_until(lambda: driver.turns, "the turn is shown")
    assert driver.turns[0]["source"].strip() == driver.turns[0]["prompt"].strip()
    assert "<script" not in driver.html()
    driver.send("set", model="demo-echo")
    driver.ask("next")
    assert prompts(selected)[-1][0] == prompt
