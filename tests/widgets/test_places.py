"""A panel follows cells that are run again: turns are replaced where they stand."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from jmuz_magic import Conversation, JmuzError
from jmuz_magic.display.html.markdown import render_html
from jmuz_magic.request.cell import Cell
from jmuz_magic.streaming.bridge import get_bridge
from jmuz_magic.widgets.panel import close_panels
from jmuz_magic.widgets.static import StaticTranscript
from jmuz_magic.widgets.transcript import Transcript
from tests.fault_server import FaultServer, Script, delta, finish, head, reply, stream
from tests.waiting import wait_until
from tests.widgets.conftest import Driver

NOTE = "not sent with later prompts"
REFUSED: Script = [("send", head("400 Bad Request", "application/json") + b'{"error": {"message": "no"}}'), ("eof",)]
runs = itertools.count()


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running
        close_panels()


def talking(server: FaultServer, *scripts: Script) -> Driver:
    return Driver(Conversation("m", api_base=server.add("s", *scripts), name="main"))


def run(driver: Driver, cell: str, prompt: str) -> None:
    """Run a cell that joins the panel's conversation, and wait until the panel has shown its end."""
    before = driver.ends()
    with contextlib.suppress(JmuzError):
        driver.panel.conversation.ask(prompt, cell=Cell(cell, str(next(runs))))
    wait_until(lambda: driver.ends() > before, "the panel shows the end")


def sources(driver: Driver) -> list[str]:
    return [turn["source"] for turn in driver.turns]


def static(driver: Driver) -> dict[str, str]:
    """The transcript that a saved notebook keeps."""
    return StaticTranscript(driver.panel._transcript, None, "id").bundle()


def test_a_turn_is_replaced_where_it_stands(server: FaultServer) -> None:
    driver = talking(server, *(reply(f"reply {number}") for number in range(1, 6)))
    run(driver, "a", "one")
    driver.ask("from the panel")
    run(driver, "b", "two")
    run(driver, "a", "one")
    assert driver.prompts == ["one", "from the panel", "two"]
    assert sources(driver) == ["reply 4", "reply 2", "reply 3"]
    assert driver.html(0) == render_html("reply 4", "mathml")
    run(driver, "b", "zwei")
    assert driver.prompts == ["one", "from the panel", "two", "zwei"]


def test_later_turns_stay_while_the_new_reply_is_written(server: FaultServer) -> None:
    driver = talking(server, reply("reply 1"), reply("reply 2"), [("send", head() + delta("New ")), ("accept_only",)])
    run(driver, "a", "one")
    run(driver, "b", "two")
    turn = driver.panel.conversation.turn("one", cell=Cell("a", "again"))

    async def begin() -> Any:
        chunks = turn.chunks()
        await anext(chunks)
        return chunks

    chunks = get_bridge().run(begin())
    wait_until(lambda: [each["state"] for each in driver.turns] == ["streaming", "complete"], "it runs in its place")
    assert driver.prompts == ["one", "two"]
    get_bridge().run(chunks.aclose())
    wait_until(lambda: sources(driver) == ["reply 1", "New ", "reply 2"], "the old turn is back, the attempt behind it")


@pytest.mark.parametrize("retried", ["in the panel", "in the cell"])
def test_a_re_run_that_fails_is_shown_behind_the_old_turn_until_it_succeeds(server: FaultServer, retried: str) -> None:
    driver = talking(server, reply("reply 1"), reply("reply 2"), REFUSED, reply("reply 4"), reply("reply 5"))
    run(driver, "a", "one")
    run(driver, "b", "two")
    run(driver, "a", "one")
    assert [turn["state"] for turn in driver.turns] == ["complete", "failed", "complete"]
    assert NOTE in driver.turns[1]["facts"]
    assert NOTE not in driver.turns[0]["facts"]
    if retried == "in the panel":
        ends = driver.ends()
        driver.send("regenerate", turn=driver.turns[1]["id"])
        wait_until(lambda: driver.ends() > ends, "the new reply has ended")
    else:
        run(driver, "a", "one")
    wait_until(lambda: sources(driver) == ["reply 4", "reply 2"], "it has taken the old turn's place")
    run(driver, "a", "one")  # it is still the cell's turn
    assert sources(driver) == ["reply 5", "reply 2"]


def test_what_a_cell_failed_to_ask_is_tried_again_where_it_stands(server: FaultServer) -> None:
    driver = talking(server, REFUSED, reply("reply 2"), reply("reply 3"), reply("reply 4"))
    run(driver, "a", "one")
    run(driver, "b", "two")
    ends = driver.ends()
    driver.send("regenerate", turn=driver.turns[0]["id"])
    wait_until(lambda: driver.ends() > ends, "the new reply has ended")
    assert sources(driver) == ["reply 3", "reply 2"]
    run(driver, "a", "one")
    assert sources(driver) == ["reply 4", "reply 2"]


def test_undo_brings_a_replaced_turn_back(server: FaultServer) -> None:
    driver = talking(server, *(reply(f"reply {number}") for number in range(1, 4)))
    run(driver, "a", "one")
    run(driver, "b", "two")
    run(driver, "a", "one")
    driver.send("undo")
    wait_until(lambda: sources(driver) == ["reply 1", "reply 2"], "the old reply is back")


def test_undo_brings_back_what_regenerating_replaced(server: FaultServer) -> None:
    driver = talking(server, *(reply(f"reply {number}") for number in range(1, 4)))
    driver.ask("one")
    ends = driver.ends()
    driver.send("regenerate", turn=driver.turns[-1]["id"])
    wait_until(lambda: driver.ends() > ends, "the new reply has ended")
    assert sources(driver) == ["reply 2"]
    driver.send("undo")
    wait_until(lambda: sources(driver) == ["reply 1"], "the old reply is back")


@pytest.mark.parametrize(
    "script",
    [reply("Half", reason="content_filter"), stream(finish()), reply(" \n"), REFUSED],
    ids=["filtered", "empty", "blank", "failed"],
)
def test_what_is_not_sent_any_more_is_shown_with_a_note(server: FaultServer, script: Script) -> None:
    driver = talking(server, reply("reply 1"), script, reply("reply 3"))
    for prompt in ("one", "two", "three"):
        driver.ask(prompt)
    assert driver.prompts == ["one", "two", "three"]
    assert [NOTE in turn["facts"] for turn in driver.turns] == [False, True, False]
    bundle = static(driver)
    assert bundle["text/html"].count(NOTE) == bundle["text/plain"].count(f"[{NOTE}]") == 1


def test_the_saved_transcript_is_made_once_for_each_turn_and_prints_in_documents(server: FaultServer) -> None:
    driver = talking(server, stream(delta(reasoning_content="thought"), delta("*one*"), finish()), reply("two"))
    driver.ask("first")
    made = driver.panel._transcript.entries[0].static()
    driver.ask("second")
    bundle = static(driver)
    assert driver.panel._transcript.entries[0].static() is made
    assert r"\emph{one}" in bundle["text/latex"]
    assert "thought" not in bundle["text/latex"]


@pytest.mark.finding("D11")
@pytest.mark.parametrize(("reason", "says"), [("length", "[cut by length"), ("content_filter", "[filtered")])
def test_the_text_of_the_saved_transcript_says_what_was_cut(server: FaultServer, reason: str, says: str) -> None:
    driver = talking(server, reply("Half", reason=reason))
    driver.ask("one")
    assert f"Half\n{says}" in static(driver)["text/plain"]


def test_a_refused_prompt_stands_where_it_was_asked(server: FaultServer) -> None:
    driver = talking(server, *(reply(f"reply {number}") for number in range(1, 5)))
    run(driver, "a", "one")
    run(driver, "b", "two")
    driver.panel._transcript.refuse({"role": "user", "content": "refused"}, "no endpoint")
    run(driver, "c", "three")
    run(driver, "a", "one")
    assert driver.prompts == ["one", "two", "refused", "three"]
    driver.send("clear")
    wait_until(lambda: driver.prompts == [], "all is gone")


def test_a_turn_is_shown_as_ended_once_the_conversation_has_taken_it(server: FaultServer) -> None:
    """Before that nobody knows whether it replaces the one before it."""
    talk = Conversation("m", api_base=server.add("s", reply("reply 1")))
    turn = talk.turn("one")
    talk.running = turn
    transcript = Transcript(talk)
    turn.state = "interrupted"
    transcript.catch_up()
    assert [entry.ended for entry in transcript.entries] == [False]
    talk.running, talk.transcript = None, (turn,)
    transcript.catch_up()
    assert [entry.ended for entry in transcript.entries] == [True]
