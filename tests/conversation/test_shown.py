"""What the log knows of a conversation after each change of its transcript."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

from jmuz_magic import Conversation, JmuzError
from jmuz_magic.demo import DemoServer
from jmuz_magic.log.log import exchange_log
from jmuz_magic.messages import Message
from jmuz_magic.recordings.recording import Recording
from jmuz_magic.request.cell import Cell
from tests.exchanges import new_log
from tests.fault_server import FaultServer, delta, head
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("logged")


@pytest.fixture
def talk(demo_endpoint: DemoServer) -> Conversation:
    return Conversation("demo-echo", api_base=demo_endpoint.api_base, name="talk")


def shown() -> list[str]:
    """The prompts of the turns that the latest conversation shows."""
    found = exchange_log.conversations()
    return exchange_log.turns_of(found[0], lambda turn: turn[0].prompt) if found else []


def test_each_turn_is_shown_once_it_has_begun(talk: Conversation) -> None:
    for prompts in (["one"], ["one", "two"]):
        talk.ask(prompts[-1])
        assert shown() == prompts
    (found,) = exchange_log.conversations()
    assert found.name == "talk"


def test_undone_and_cleared_turns_stay_away(talk: Conversation) -> None:
    for prompt in ("one", "two", "three"):
        talk.ask(prompt)
    talk.undo()
    assert shown() == ["one", "two"]
    talk.ask("four")
    assert shown() == ["one", "two", "four"]
    talk.clear()
    assert shown() == []
    assert len(exchange_log.rows()) == 4


def test_a_turn_asked_again_takes_its_place_and_undo_brings_the_first_back(talk: Conversation) -> None:
    for prompt in ("one", "two", "three"):
        talk.ask(prompt)
    talk.ask("two again", replacing=talk.transcript[1], in_place=True)
    assert shown() == ["one", "two again", "three"]
    talk.undo()
    assert shown() == ["one", "two", "three"]


def test_a_failed_turn_is_shown_and_a_dropped_one_is_not(talk: Conversation) -> None:
    talk.ask("one")
    with pytest.raises(JmuzError):
        talk.ask("two", model="nope")
    assert shown() == ["one", "two"]
    talk.drop(talk.transcript[1])
    assert shown() == ["one"]


def test_a_turn_that_was_set_aside_is_not_shown(talk: Conversation) -> None:
    cell = [Cell("a", run) for run in "12"]
    talk.ask("one", cell=cell[0])
    with pytest.raises(JmuzError):
        talk.ask("one", cell=cell[1], model="nope")
    assert [turn.state for turn in talk.transcript] == ["complete", "failed"]
    assert len(exchange_log.rows()) == 2
    assert shown() == ["one"]


def test_a_changed_setting_writes_nothing(talk: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    talk.ask("one")
    told: list[object] = []
    monkeypatch.setattr(exchange_log, "show", lambda *given: told.append(given))
    talk.configure(system="Be brief.")
    assert told == []


def test_a_reply_from_a_recording_is_not_in_the_log(demo_endpoint: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    for _ in range(2):
        talk = Conversation(
            "demo-echo", api_base=demo_endpoint.api_base, name="talk", recording=Recording(path, "auto")
        )
        talk.ask("one")
    assert talk.transcript[0].logged is None
    assert len(exchange_log.rows()) == 1


def test_the_cell_and_its_wording_are_kept(talk: Conversation) -> None:
    wording: Message = {"role": "user", "content": "{{x}}"}
    talk.ask("1", cell=Cell("a", "r1"), wording=wording)
    talk.ask("2", cell=Cell("b", "r2"))
    talk.ask("3")
    assert [row.cell for row in exchange_log.rows()] == [
        None,
        {"id": "b", "run": "r2"},
        {"id": "a", "run": "r1", "wording": wording},
    ]


def test_a_turn_is_shown_while_it_runs_unless_it_is_to_replace_another(talk: Conversation, server: FaultServer) -> None:
    slow = Conversation(
        api_base=server.add("slow", *[[("send", head() + delta("One ")), ("wait_client_close", 30.0)]] * 2)
    ).endpoint

    async def stopped(**asked: object) -> list[str]:
        chunks = talk.stream("two", **asked)
        await anext(chunks)
        now = await asyncio.to_thread(shown)
        with contextlib.suppress(StopAsyncIteration):
            await chunks.aclose()
        return now

    talk.ask("one")
    assert asyncio.run(stopped(endpoint=slow)) == ["one", "two"]
    assert shown() == ["one", "two"]
    assert asyncio.run(stopped(endpoint=slow, replacing=talk.transcript[0])) == ["one", "two"]


KILLED = """
import sys
from jmuz_magic import Conversation, exchange_log
exchange_log.configure(sys.argv[1])
Conversation("m", api_base=sys.argv[2], name="talk").ask("one")
"""


def test_a_reply_that_was_streaming_when_its_process_was_killed_is_shown(logged: Path, server: FaultServer) -> None:
    slow = server.add("slow", [("send", head() + delta("half")), ("wait_client_close", 30.0)])
    command = [sys.executable, "-c", KILLED, str(logged), slow]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        log, _ = new_log(logged)
        wait_until(lambda: logged.exists() and [row for row in log.rows() if row.text == "half"], "text is in the log")
        running.kill()
    assert shown() == ["one"]
