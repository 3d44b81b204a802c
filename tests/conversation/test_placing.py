"""A cell that asks again: where its turn stands then, and what it is asked with."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import Any

import pytest

from jmuz_magic import Conversation, JmuzError
from jmuz_magic.conversation.export import exported
from jmuz_magic.demo import DemoServer
from jmuz_magic.request.cell import Cell
from tests.fault_server import FaultServer, Script, delta, event, finish, head, reply, stream

runs = itertools.count()

FAILED: Script = [("send", head() + delta("Half") + event({"error": {"message": "overloaded"}})), ("eof",)]
REFUSED: Script = [("send", head("400 Bad Request", "application/json") + b'{"error": {"message": "no"}}'), ("eof",)]


class Cells:
    """A notebook whose cells talk in one conversation; replies are numbered."""

    def __init__(self, server: FaultServer, *scripts: Script) -> None:
        self._server = server
        numbered = [reply(f"reply {number}") for number in range(1, 20)]
        self.talk = Conversation("m", api_base=server.add("s", *scripts, *numbered[len(scripts) :]))

    def run(self, cell: str, *prompts: str) -> None:
        """Run a cell with these prompts; one that fails ends it."""
        run = Cell(cell, str(next(runs)))
        with contextlib.suppress(JmuzError):
            for prompt in prompts:
                self.talk.ask(prompt, cell=run)

    def interrupt(self, cell: str, prompt: str) -> None:
        """Run a cell and stop it when its reply has begun."""

        async def read() -> None:
            chunks = self.talk.stream(prompt, cell=Cell(cell, str(next(runs))))
            await anext(chunks)
            await chunks.aclose()

        asyncio.run(read())

    @property
    def prompts(self) -> list[Any]:
        return [turn.prompt["content"] for turn in self.talk.transcript]

    @property
    def replies(self) -> list[str]:
        return [turn.reply.text for turn in self.talk.turns]

    @property
    def asked(self) -> list[str]:
        """The contents of the last request's messages."""
        last = [happening.request.json for happening in self._server.events if happening.request][-1]
        return [message["content"] for message in last["messages"]]


@pytest.fixture
def three(server: FaultServer) -> Cells:
    """Cells a, b and c asked 1, 2 and 3, once."""
    cells = Cells(server)
    for cell, prompt in (("a", "1"), ("b", "2"), ("c", "3")):
        cells.run(cell, prompt)
    return cells


def test_the_same_prompt_replaces_its_turn_asked_with_those_before_it(three: Cells) -> None:
    three.run("b", "2")
    assert three.asked == ["1", "reply 1", "2"]
    assert (three.prompts, three.replies) == (["1", "2", "3"], ["reply 1", "reply 4", "reply 3"])
    three.run("c", "3")
    assert three.asked == ["1", "reply 1", "2", "reply 4", "3"]


def test_running_all_cells_again_gives_the_same_conversation(three: Cells) -> None:
    for _ in range(2):
        for cell, prompt in (("a", "1"), ("b", "2"), ("c", "3")):
            three.run(cell, prompt)
    assert three.prompts == ["1", "2", "3"]
    assert three.replies == ["reply 7", "reply 8", "reply 9"]
    assert three.asked == ["1", "reply 7", "2", "reply 8", "3"]


def test_another_prompt_is_a_new_turn_at_the_end(server: FaultServer) -> None:
    cells = Cells(server)
    for prompt in ("1", "2", "3"):
        cells.run("a", prompt)
    assert cells.prompts == ["1", "2", "3"]
    assert cells.asked == ["1", "reply 1", "2", "reply 2", "3"]
    cells.run("a", "3")
    assert cells.replies == ["reply 1", "reply 2", "reply 4"]


def test_another_prompt_replaces_where_turns_of_other_cells_follow(three: Cells) -> None:
    three.run("b", "two")
    assert three.asked == ["1", "reply 1", "two"]
    assert three.prompts == ["1", "two", "3"]
    three.run("b", "zwei")
    assert three.prompts == ["1", "zwei", "3"]
    three.run("c", "three")
    assert three.prompts == ["1", "zwei", "3", "three"]


@pytest.mark.parametrize("prompt", ["2", "another"])
def test_of_a_cell_that_went_on_talking_the_last_turn_is_replaced(server: FaultServer, prompt: str) -> None:
    cells = Cells(server)
    cells.run("a", "1")
    cells.run("a", "2")
    cells.run("b", "3")
    cells.run("a", prompt)
    assert cells.asked == ["1", "reply 1", prompt]
    assert cells.prompts == ["1", prompt, "3"]


def test_turns_of_a_panel_or_a_program_follow_as_those_of_other_cells(server: FaultServer) -> None:
    cells = Cells(server)
    cells.run("a", "1")
    cells.talk.ask("from a panel")
    cells.run("a", "one")
    assert cells.asked == ["one"]
    assert cells.prompts == ["one", "from a panel"]


def test_a_cell_that_asks_several_prompts_asks_each_of_them_again(server: FaultServer) -> None:
    cells = Cells(server)
    cells.run("a", "1", "again", "again")
    assert cells.asked == ["1", "reply 1", "again", "reply 2", "again"]
    cells.run("b", "2")
    cells.run("a", "1", "again", "again")
    assert cells.prompts == ["1", "again", "again", "2"]
    assert cells.replies == ["reply 5", "reply 6", "reply 7", "reply 4"]
    cells.run("a", "one", "once more", "again")
    assert cells.prompts == ["one", "once more", "again", "2"]


def test_a_prompt_without_a_place_is_a_new_turn(server: FaultServer) -> None:
    cells = Cells(server)
    for _ in range(3):
        cells.talk.ask("1")
    assert cells.prompts == ["1", "1", "1"]


def test_cells_of_one_conversation_do_not_reach_into_another(server: FaultServer) -> None:
    cells = Cells(server)
    cells.run("a", "1")
    other = Conversation("m", api_base=server.api_base("s"))
    other.ask("1", cell=Cell("a", "later"))
    assert (cells.prompts, [turn.reply.text for turn in other.transcript]) == (["1"], ["reply 2"])


WORSE: dict[str, Script] = {
    "failed": FAILED,
    "refused": REFUSED,
    "filtered": reply("Half", reason="content_filter"),
    "empty": stream(finish()),
}


@pytest.mark.parametrize("prompt", ["2", "another"])
@pytest.mark.parametrize("kind", WORSE)
def test_a_re_run_that_fails_leaves_the_old_turn(server: FaultServer, kind: str, prompt: str) -> None:
    cells = Cells(server, *(reply(f"reply {number}") for number in (1, 2, 3)), WORSE[kind], WORSE[kind], reply("new"))
    for cell, asked in (("a", "1"), ("b", "2"), ("c", "3")):
        cells.run(cell, asked)
    for _ in range(2):
        cells.run("b", prompt)
        assert cells.asked == ["1", "reply 1", prompt]
        assert cells.replies == ["reply 1", "reply 2", "reply 3"]
        assert cells.prompts == ["1", "2", prompt, "3"]  # the attempt is kept, and not sent
    assert [message["content"] for message in cells.talk.messages] == ["1", "reply 1", "2", "reply 2", "3", "reply 3"]
    cells.run("b", prompt)
    assert (cells.prompts, cells.replies) == (["1", prompt, "3"], ["reply 1", "new", "reply 3"])


def test_a_re_run_that_is_interrupted_leaves_the_old_turn(server: FaultServer) -> None:
    half: Script = [("send", head() + delta("Half")), ("accept_only",)]
    cells = Cells(server, reply("reply 1"), reply("reply 2"), half)
    cells.run("a", "1")
    cells.run("b", "2")
    cells.interrupt("a", "1")
    assert cells.replies == ["reply 1", "reply 2"]
    assert [turn.reply.text for turn in cells.talk.transcript] == ["reply 1", "Half", "reply 2"]
    cells.run("a", "1")
    assert cells.replies == ["reply 4", "reply 2"]
    assert len(cells.talk.transcript) == 2


def test_a_notebook_made_of_a_conversation_asks_nothing_twice(server: FaultServer) -> None:
    cells = Cells(server, reply("reply 1"), FAILED)
    cells.run("a", "1")
    cells.run("a", "1")
    assert len(cells.talk.transcript) == 2
    assert exported(cells.talk, "ipynb").count("%%jmuz --chat") == 1
    assert exported(cells.talk, "md").count("## Prompt") == 2


@pytest.mark.parametrize("kind", WORSE)
def test_a_turn_that_failed_at_first_is_replaced_by_whatever_comes(server: FaultServer, kind: str) -> None:
    cells = Cells(server, FAILED, WORSE[kind], reply("reply 3"))
    for _ in range(2):
        cells.run("a", "1")
        assert (cells.prompts, cells.replies) == (["1"], [])
    cells.run("b", "2")
    cells.run("a", "1")
    assert cells.prompts == ["1", "2"]
    assert cells.asked == ["1"]


@pytest.mark.parametrize("reason", ["length", "stop"])
def test_a_reply_that_was_cut_replaces(server: FaultServer, reason: str) -> None:
    cells = Cells(server, reply("reply 1"), reply("Half", reason=reason), stream(delta("Third")))
    for expected in ("reply 1", "Half", "Third"):
        cells.run("a", "1")
        assert cells.replies == [expected]


def test_undo_brings_a_replaced_turn_back(three: Cells) -> None:
    three.run("b", "2")
    three.run("a", "one")
    three.talk.undo()
    assert (three.prompts, three.replies) == (["1", "2", "3"], ["reply 1", "reply 4", "reply 3"])
    three.talk.undo()
    assert three.replies == ["reply 1", "reply 2", "reply 3"]
    for left in (["1", "2"], ["1"], []):
        three.talk.undo()
        assert three.prompts == left
    assert three.talk.undo() is None


def test_undo_brings_no_failure_back(server: FaultServer) -> None:
    cells = Cells(server, FAILED, reply("reply 2"))
    for _ in range(2):
        cells.run("a", "1")
    cells.talk.undo()
    assert cells.talk.transcript == ()


def test_undo_takes_an_attempt_away_before_anything_else(server: FaultServer) -> None:
    cells = Cells(server, reply("reply 1"), reply("reply 2"), FAILED)
    for cell, prompt in (("a", "1"), ("b", "2"), ("a", "1")):
        cells.run(cell, prompt)
    assert cells.prompts == ["1", "1", "2"]
    cells.talk.undo()
    assert (cells.prompts, cells.replies) == (["1", "2"], ["reply 1", "reply 2"])


def test_undo_brings_back_what_a_regenerated_reply_replaced(three: Cells) -> None:
    three.talk.ask("two", replacing=three.talk.turns[1])
    assert three.prompts == ["1", "two"]
    three.talk.undo()
    assert (three.prompts, three.replies) == (["1", "2", "3"], ["reply 1", "reply 2", "reply 3"])


def test_a_turn_that_was_brought_back_is_replaced_again(three: Cells) -> None:
    three.run("b", "2")
    three.talk.undo()
    three.run("b", "2")
    assert three.replies == ["reply 1", "reply 5", "reply 3"]


def test_a_turn_taken_out_is_asked_anew_at_the_end(three: Cells) -> None:
    three.talk.undo()
    three.run("c", "3")
    assert three.prompts == ["1", "2", "3"]
    three.talk.clear()
    three.run("b", "2")
    assert (three.prompts, three.asked) == (["2"], ["2"])


def test_a_reply_regenerated_elsewhere_is_still_its_cells(three: Cells) -> None:
    three.talk.ask("3", replacing=three.talk.turns[2])
    three.run("c", "3")
    assert (three.prompts, three.replies) == (["1", "2", "3"], ["reply 1", "reply 2", "reply 5"])


def test_bounds_hold_for_a_turn_in_the_middle(three: Cells, demo_endpoint: DemoServer) -> None:
    three.talk.max_messages = 2
    three.run("c", "3")
    assert three.asked == ["2", "reply 2", "3"]
    assert three.talk.transcript[-1].omitted == 1


def test_a_turn_that_is_only_prepared_changes_nothing(three: Cells) -> None:
    turn = three.talk.turn("2", cell=Cell("b", "rehearsal"))
    assert [message["content"] for message in turn.request.messages] == ["1", "reply 1", "2"]
    assert three.replies == ["reply 1", "reply 2", "reply 3"]
