"""What becomes of turns in a panel: versions, deletion, undo, and prompts that wait for a reply."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.demo import DemoServer
from jmuz_magic.streaming.bridge import get_bridge
from jmuz_magic.widgets import panel as panel_module
from jmuz_magic.widgets.panel import close_panels
from jmuz_magic.widgets.static import StaticTranscript
from tests.fault_server import FaultServer, Script, head, reply
from tests.waiting import wait_until
from tests.widgets.conftest import Driver

REFUSED: Script = [("send", head("400 Bad Request", "application/json") + b'{"error": {"message": "no"}}'), ("eof",)]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running
        close_panels()


def talking(server: FaultServer, *scripts: Script, turns: int = 5) -> Driver:
    """A panel with that many turns, whose prompts and replies are numbered."""
    numbered = [reply(f"reply {number}") for number in range(1, 12)]
    address = server.add("s", *numbered[:turns], *scripts, *numbered[turns:])
    driver = Driver(Conversation("m", api_base=address, name="main"))
    for number in range(1, turns + 1):
        driver.ask(str(number))
    return driver


def ended(driver: Driver, op: str, **fields: Any) -> dict[str, Any]:
    """Do an operation that asks, and wait for the end of the reply."""
    before = driver.ends()
    answer = driver.send(op, **fields)
    wait_until(lambda: driver.ends() > before, "the reply has ended")
    return answer


def id_of(driver: Driver, prompt: str) -> str:
    return next(str(turn["id"]) for turn in driver.turns if turn["prompt"] == prompt)


def shows(driver: Driver, *prompts: str) -> None:
    """Wait until a page opened now would show these turns, which is also all that is kept for readers."""
    wait_until(lambda: driver.prompts == list(prompts), f"the panel shows {prompts}")
    html = StaticTranscript(driver.panel._transcript, "main", "id").bundle()["text/html"]
    assert html.count("jmuz-prompt") == len(prompts)


def versions(driver: Driver) -> dict[str, tuple[int, int]]:
    """Which version of how many is shown, by the prompt."""
    found = driver.panel.snapshot()["versions"]
    return {turn["prompt"]: found[turn["id"]] for turn in driver.turns if turn["id"] in found}


def sent(server: FaultServer) -> list[str]:
    """The prompts of the last request."""
    last = [happening.request.json for happening in server.events if happening.request][-1]
    return [message["content"] for message in last["messages"] if message["role"] == "user"]


def test_the_second_of_five_turns_is_edited_and_comes_back(server: FaultServer) -> None:
    driver = talking(server)
    driver.ask("two", replaces=id_of(driver, "2"))
    shows(driver, "1", "two")
    assert (versions(driver), sent(server)) == ({"two": (2, 2)}, ["1", "two"])
    driver.ask("three")
    assert driver.send("show", turn=id_of(driver, "two"), version=1) == {"note": "version 1 of 2"}
    shows(driver, "1", "2", "3", "4", "5")
    assert versions(driver) == {"2": (1, 2)}
    driver.ask("6")
    assert sent(server) == ["1", "2", "3", "4", "5", "6"]
    driver.send("show", turn=id_of(driver, "2"), version=2)
    shows(driver, "1", "two", "three")


def test_any_reply_is_regenerated(server: FaultServer) -> None:
    driver = talking(server, turns=3)
    ended(driver, "regenerate", turn=id_of(driver, "2"))
    shows(driver, "1", "2")
    assert [turn["source"] for turn in driver.turns] == ["reply 1", "reply 4"]
    assert versions(driver) == {"2": (2, 2)}


def test_a_version_that_does_not_exist_is_not_shown(server: FaultServer) -> None:
    driver = talking(server, turns=2)
    ended(driver, "regenerate", turn=id_of(driver, "2"))
    for fields in ({"version": 3}, {"version": 0}, {"version": -1}, {}, {"turn": "turn-0", "version": 1}):
        assert driver.send("show", **{"turn": id_of(driver, "2"), **fields}) == {}
    assert driver.send("show", turn=id_of(driver, "1"), version=1) == {}
    assert versions(driver) == {"2": (2, 2)}


def test_a_version_that_goes_changes_the_count_of_the_one_that_stays(server: FaultServer) -> None:
    driver = talking(server, turns=2)
    ended(driver, "regenerate", turn=id_of(driver, "2"))
    driver.send("show", turn=id_of(driver, "2"), version=1)
    wait_until(lambda: versions(driver) == {"2": (1, 2)}, "the first version is shown")
    before = len(driver.messages)
    driver.send("undo")
    wait_until(lambda: versions(driver) == {}, "it is the only version")
    told = [message for message in driver.messages[before:] if message["type"] == "turns"]
    assert told
    assert told[-1]["versions"] == {}


def test_a_turn_is_deleted_and_brought_back(server: FaultServer) -> None:
    driver = talking(server, turns=3)
    assert driver.send("delete", turn=id_of(driver, "2")) == {"note": "deleted; Undo in the menu brings it back"}
    shows(driver, "1", "3")
    assert driver.send("undo") == {"note": "the turn is back"}
    shows(driver, "1", "2", "3")
    driver.ask("4")
    assert sent(server) == ["1", "2", "3", "4"]


def test_what_was_cleared_is_brought_back(server: FaultServer) -> None:
    driver = talking(server, turns=3)
    driver.send("clear")
    wait_until(lambda: driver.prompts == [], "the transcript is empty")
    assert driver.send("undo") == {"note": "3 turns are back"}
    shows(driver, "1", "2", "3")


def test_an_undone_prompt_is_given_back_unless_it_is_still_there(server: FaultServer) -> None:
    driver = talking(server, turns=2)
    assert driver.send("undo") == {"note": "the last turn was removed", "prompt": "2"}
    driver.ask("one", replaces=id_of(driver, "1"))
    assert driver.send("undo")["prompt"] == "one"
    shows(driver, "1")
    ended(driver, "regenerate", turn=id_of(driver, "1"))
    assert "prompt" not in driver.send("undo")
    driver.send("undo")
    assert driver.send("undo") == {"note": "there is nothing to undo"}


def test_what_is_no_turn_any_more_is_not_deleted_or_asked(server: FaultServer) -> None:
    driver = talking(server, turns=1)
    for op in ("delete", "regenerate"):
        assert driver.send(op, turn="turn-0") == driver.send(op) == {}
    assert len(driver.panel.conversation.transcript) == 1


def test_a_failed_turn_and_a_refused_prompt_are_deleted(server: FaultServer) -> None:
    driver = talking(server, REFUSED, turns=1)
    driver.ask("refused by the endpoint")
    driver.send("delete", turn=id_of(driver, "refused by the endpoint"))
    shows(driver, "1")
    driver.send("undo")
    shows(driver, "1", "refused by the endpoint")
    driver.panel._transcript.refuse({"role": "user", "content": "refused"}, "no endpoint")
    driver.panel._wake()
    wait_until(lambda: driver.prompts[-1] == "refused", "it is shown")
    driver.send("delete", turn=id_of(driver, "refused"))
    shows(driver, "1", "refused by the endpoint")


# --- While a reply is written ---


def test_prompts_that_come_while_a_reply_is_written_are_asked_after_it_in_order(selected_slow: DemoServer) -> None:
    driver = Driver(Conversation("demo-echo", name="main"))
    for prompt in ("one", "two", "three"):
        assert driver.send("ask", text=prompt) == {}
    wait_until(lambda: driver.prompts == ["one", "two", "three"], "all three are shown")
    waiting = [turn for turn in driver.turns if turn["state"] == "queued"]
    assert [turn["note"] for turn in waiting] == ["Queued: sent when the reply before it has ended."] * len(waiting)
    wait_until(lambda: [turn["state"] for turn in driver.turns] == ["complete"] * 3, "all have ended")
    assert driver.prompts == ["one", "two", "three"]
    asked = [[message["content"] for message in request.body["messages"]] for request in selected_slow.requests]
    assert asked == [["one"], ["one", "one", "two"], ["one", "one", "two", "two", "three"]]


def test_a_queued_prompt_is_taken_away(selected_slow: DemoServer) -> None:
    driver = Driver(Conversation("demo-long", name="main"))
    for prompt in ("one", "two", "three"):
        driver.send("ask", text=prompt)
    wait_until(lambda: [turn["state"] for turn in driver.turns][1:] == ["queued"] * 2, "two are queued")
    static = StaticTranscript(driver.panel._transcript, "main", "id").bundle()
    assert "two" not in static["text/plain"]
    driver.send("delete", turn=driver.turns[1]["id"])
    driver.send("undo")
    driver.send("stop")
    wait_until(lambda: [turn["state"] for turn in driver.turns] == ["interrupted"], "only one was asked")


def test_stopping_a_reply_sends_what_is_queued_and_says_so(selected_slow: DemoServer) -> None:
    driver = Driver(Conversation("demo-long", name="main"))
    driver.send("ask", text="one")
    driver.wait_for_text()
    driver.send("ask", text="two")
    assert driver.send("stop") == {"note": "stopped; the queued prompt is next"}
    wait_until(
        lambda: [turn["state"] for turn in driver.turns] == ["interrupted", "streaming"], "the next one is asked"
    )
    driver.send("stop")


def test_clearing_takes_queued_prompts_away(selected_slow: DemoServer) -> None:
    driver = Driver(Conversation("demo-long", name="main"))
    driver.send("ask", text="one")
    driver.send("ask", text="two")
    driver.send("clear")
    wait_until(lambda: driver.prompts == [], "all is gone")
    get_bridge().run(asyncio.sleep(0))
    assert driver.panel.conversation.running is None
    assert len(selected_slow.requests) == 1


def test_a_prompt_waits_for_the_reply_that_a_cell_asked_for(selected_slow: DemoServer) -> None:
    driver = Driver(Conversation("demo-echo", name="main"))
    cell = threading.Thread(target=driver.panel.conversation.ask, args=("from a cell",))
    cell.start()
    wait_until(lambda: driver.prompts == ["from a cell"], "the panel shows the cell's turn")
    driver.send("ask", text="from the panel")
    cell.join()
    wait_until(lambda: [turn["state"] for turn in driver.turns] == ["complete"] * 2, "both have ended")


def test_what_changes_turns_waits_for_the_reply(selected_slow: DemoServer) -> None:
    driver = Driver(Conversation("demo-echo", name="main"))
    driver.ask("one")
    ended(driver, "regenerate", turn=driver.turns[0]["id"])
    first = driver.turns[0]["id"]
    driver.send("set", model="demo-long")
    driver.send("ask", text="two")
    driver.wait_for_text()
    for op, fields in (
        ("ask", {"text": "edited", "replaces": first}),
        ("regenerate", {"turn": first}),
        ("delete", {"turn": first}),
        ("show", {"turn": first, "version": 1}),
        ("undo", {}),
    ):
        assert driver.send(op, **fields) == {"error": "a reply is still being written; stop it first"}, op
    driver.send("stop")


def test_queued_prompts_stay_where_no_page_sees_the_panel(
    selected_slow: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel_module, "UNSEEN_SECONDS", 0.0)
    driver = Driver(Conversation("demo-long", name="main"))
    driver.say("hello", view="a")
    driver.send("ask", text="one")
    driver.wait_for_text()
    driver.send("ask", text="two")
    driver.say("bye", view="a")
    wait_until(lambda: [turn["state"] for turn in driver.turns] == ["interrupted", "failed"], "the reply was stopped")
    assert driver.turns[1]["error"] == "Not sent: no page showed the panel any more."
    assert len(selected_slow.requests) == 1


def test_a_closed_panel_forgets_what_it_queued(selected_slow: DemoServer) -> None:
    driver = Driver(Conversation("demo-long", name="main"))
    driver.send("ask", text="one")
    driver.wait_for_text()
    driver.send("ask", text="two")
    driver.panel.close()
    wait_until(lambda: driver.panel.conversation.running is None, "the reply was stopped")
    get_bridge().run(asyncio.sleep(0))
    assert len(selected_slow.requests) == 1


def test_a_prompt_that_another_panel_was_quicker_than_is_not_lost(selected_slow: DemoServer) -> None:
    driver = Driver(Conversation("demo-long", name="main"))
    turn = driver.panel.conversation.turn("late")
    driver.send("ask", text="one")
    driver.wait_for_text()
    get_bridge().run(driver.panel._actions.asking._run(turn))
    driver.panel._wake()
    wait_until(lambda: driver.prompts == ["one", "late"], "it is shown")
    assert "still waiting for a reply" in driver.turns[1]["error"]
    driver.send("stop")
