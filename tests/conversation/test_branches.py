"""Branches of a conversation: asking again, deleting, switching and undoing, against a simple model of a tree."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmuz_magic import Conversation, JmuzError
from jmuz_magic.conversation.branches import undone_words
from jmuz_magic.conversation.export import exported
from jmuz_magic.conversation.turn import Turn
from jmuz_magic.demo import DemoServer
from jmuz_magic.request.cell import Cell
from tests.fault_server import FaultServer, Script, delta, event, head, reply

FAILED: Script = [("send", head() + delta("Half") + event({"error": {"message": "overloaded"}})), ("eof",)]


@dataclass
class Node:
    """A turn of the model, with what follows it; the leaf with the latest stamp is shown."""

    prompt: str
    children: list[Node] = field(default_factory=list)
    stamp: int = 0

    @property
    def all(self) -> list[Node]:
        return [self, *(node for child in self.children for node in child.all)]

    @property
    def leaves(self) -> list[Node]:
        return [leaf for child in self.children for leaf in child.leaves] or [self]

    @property
    def newest(self) -> Node:
        return max(self.leaves, key=lambda leaf: leaf.stamp)


class Model:
    """What a conversation should do, as a tree of nodes; undo is a copy of the whole."""

    def __init__(self) -> None:
        self.root = Node("")
        self.past: list[Node] = []
        self.stamps = iter(range(1, 10_000))

    @property
    def path(self) -> list[Node]:
        """The shown turns, after the root."""
        path, newest = [self.root], self.root.newest
        while path[-1] is not newest:
            path.append(next(child for child in path[-1].children if newest in child.leaves))
        return path

    @property
    def prompts(self) -> list[str]:
        return [node.prompt for node in self.path[1:]]

    @property
    def versions(self) -> dict[str, list[str]]:
        """By the prompt shown: those of its siblings and its own, where it has siblings. Prompts are in order."""
        return {
            node.prompt: sorted(other.prompt for other in parent.children)
            for parent, node in zip(self.path, self.path[1:], strict=False)
            if len(parent.children) > 1
        }

    def ask(self, prompt: str, at: int) -> None:
        """Ask after the first `at` turns."""
        self.keep()
        self.path[at].children.append(Node(prompt, stamp=next(self.stamps)))

    def delete(self, at: int) -> None:
        self.keep()
        parent, node = self.path[at : at + 2]
        place = parent.children.index(node)
        parent.children[place : place + 1] = node.children
        if not node.children:
            parent.stamp = 0
            parent.newest.stamp = next(self.stamps)

    def show(self, prompt: str) -> None:
        node = next(node for node in self.root.all if node.prompt == prompt)
        node.newest.stamp = next(self.stamps)

    def clear(self) -> None:
        self.keep()
        self.root = Node("")

    def keep(self) -> None:
        self.past.append(copy.deepcopy(self.root))

    def undo(self) -> None:
        if self.past:
            self.root = self.past.pop()


STEPS = st.lists(
    st.tuples(st.sampled_from([*["ask"] * 3, *["again"] * 2, "delete", "show", "undo", "clear"]), st.integers(0, 99)),
    max_size=25,
)


def prompts(turns: Any) -> list[str]:
    return [turn.prompt["content"] for turn in turns]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[DemoServer]:
    with DemoServer() as server:
        yield server


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_it_does_what_a_simple_tree_does(endpoint: DemoServer, steps: list[tuple[str, int]]) -> None:
    talk, model = Conversation("demo-echo", api_base=endpoint.api_base), Model()
    for number, (step, chance) in enumerate(steps):
        prompt, shown = f"{number:03}", talk.transcript
        if step == "ask":
            talk.ask(prompt)
            model.ask(prompt, len(shown))
        elif step == "again" and shown:
            at = chance % len(shown)
            talk.ask(prompt, replacing=shown[at])
            model.ask(prompt, at)
        elif step == "delete" and shown:
            at = chance % len(shown)
            talk.delete(shown[at])
            model.delete(at)
        elif step == "show" and talk.versions:
            others = [other for versions in talk.versions.values() for other in versions]
            talk.show(others[chance % len(others)])
            model.show(str(others[chance % len(others)].prompt["content"]))
        elif step == "undo":
            talk.undo()
            model.undo()
        elif step == "clear" and shown:
            talk.clear()
            model.clear()
        assert prompts(talk.transcript) == model.prompts
        assert {turn.prompt["content"]: prompts(found) for turn, found in talk.versions.items()} == model.versions
        sent = [message["content"] for message in talk.messages if message["role"] == "user"]
        assert sent == model.prompts


def talking(server: FaultServer, *scripts: Script, turns: int = 5) -> Conversation:
    """A conversation whose prompts are 1 to 5; further replies come from the scripts, then they are numbered."""
    numbered = [reply(f"reply {number}") for number in range(1, 20)]
    talk = Conversation("m", api_base=server.add("s", *numbered[:turns], *scripts, *numbered[turns:]))
    for number in range(1, turns + 1):
        talk.ask(str(number))
    return talk


def test_the_second_of_five_turns_is_edited_and_comes_back(server: FaultServer) -> None:
    talk = talking(server)
    second = talk.transcript[1]
    talk.ask("two", replacing=second)
    talk.ask("three")
    edited = talk.transcript[1]
    assert prompts(talk.transcript) == ["1", "two", "three"]
    assert talk.versions == {edited: (second, edited)}
    assert "reply 4" not in exported(talk, "md")
    talk.show(second)
    assert prompts(talk.transcript) == ["1", "2", "3", "4", "5"]
    assert talk.versions == {second: (second, edited)}
    assert [message["content"] for message in talk.messages][::2] == ["1", "2", "3", "4", "5"]
    talk.show(edited)
    assert prompts(talk.transcript) == ["1", "two", "three"]


def test_a_branch_comes_back_as_it_was_last_shown(server: FaultServer) -> None:
    talk = talking(server)
    fourth = talk.transcript[3]
    talk.ask("four", replacing=fourth)
    talk.show(fourth)
    talk.ask("one", replacing=talk.transcript[0])
    talk.show(talk.versions[talk.transcript[0]][0])
    assert prompts(talk.transcript) == ["1", "2", "3", "4", "5"]


def test_a_branch_that_failed_leaves_all_as_it_was(server: FaultServer) -> None:
    talk = talking(server, FAILED)
    with pytest.raises(JmuzError):
        talk.ask("two", replacing=talk.transcript[1])
    assert prompts(talk.transcript) == ["1", "2", "two", "3", "4", "5"]
    assert (talk.versions, prompts(talk.turns)) == ({}, ["1", "2", "3", "4", "5"])
    talk.ask("two", replacing=talk.turns[1])
    assert [prompts(versions) for versions in talk.versions.values()] == [["2", "two"]]
    talk.show(next(iter(talk.versions.values()))[0])
    assert prompts(talk.transcript) == ["1", "2", "3", "4", "5"]


def test_a_deleted_turn_leaves_those_after_it(server: FaultServer) -> None:
    talk = talking(server)
    second = talk.transcript[1]
    talk.delete(second)
    assert prompts(talk.transcript) == ["1", "3", "4", "5"]
    assert talk.undo() is second
    assert prompts(talk.transcript) == ["1", "2", "3", "4", "5"]


def test_where_the_last_turn_of_a_branch_is_deleted_the_other_branch_is_shown(server: FaultServer) -> None:
    talk = talking(server)
    talk.ask("two", replacing=talk.transcript[1])
    talk.delete(talk.transcript[1])
    assert (prompts(talk.transcript), talk.versions) == (["1", "2", "3", "4", "5"], {})


def test_clearing_is_undone(server: FaultServer) -> None:
    talk = talking(server)
    talk.ask("two", replacing=talk.transcript[1])
    talk.clear()
    assert (talk.transcript, talk.versions) == ((), {})
    talk.undo()
    assert prompts(talk.transcript) == ["1", "two"]
    assert [prompts(versions) for versions in talk.versions.values()] == [["2", "two"]]


def test_an_undone_branch_is_gone_whichever_is_shown(server: FaultServer) -> None:
    talk = talking(server)
    second = talk.transcript[1]
    talk.ask("two", replacing=second)
    talk.show(second)
    talk.undo()
    assert (prompts(talk.transcript), talk.versions) == (["1", "2", "3", "4", "5"], {})


def test_a_cell_run_again_takes_the_place_of_its_turn_in_every_branch(server: FaultServer) -> None:
    talk = talking(server, turns=0)
    talk.ask("1", cell=Cell("a", "first"))
    talk.ask("2")
    second = talk.transcript[1]
    talk.ask("two", replacing=second)
    talk.ask("1", cell=Cell("a", "second"))
    assert [turn.reply.text for turn in talk.transcript] == ["reply 4", "reply 3"]
    talk.show(second)
    assert [turn.reply.text for turn in talk.transcript] == ["reply 4", "reply 2"]


def test_undo_says_what_it_did(server: FaultServer) -> None:
    talk = talking(server, FAILED)

    def undo() -> str:
        before = talk.transcript
        return undone_words(talk.undo(), before, talk.transcript)

    with pytest.raises(JmuzError):
        talk.ask("6")
    assert undo() == "the last turn, which failed, was removed"
    talk.ask("five", replacing=talk.transcript[4])
    assert undo() == "the last turn was removed; the reply that it replaced is restored"
    second = talk.transcript[1]
    talk.ask("two", replacing=second)
    assert undo() == "the last turn was removed; the 4 turns that it replaced are restored"
    talk.ask("two", replacing=second)
    talk.show(second)
    assert undo() == "the last turn was removed"
    talk.delete(second)
    assert undo() == "the turn is back"
    talk.clear()
    assert undo() == "5 turns are back"
    assert [undo() for _ in range(6)][-1] == "there is nothing to undo"


def test_what_was_dropped_does_not_come_back(server: FaultServer) -> None:
    talk = talking(server, FAILED, turns=2)
    with pytest.raises(JmuzError):
        talk.ask("3")
    talk.delete(talk.transcript[0])
    talk.drop(talk.transcript[-1])
    talk.undo()
    assert prompts(talk.transcript) == ["1", "2"]
    talk.undo()
    assert prompts(talk.transcript) == ["1"]


def test_only_turns_of_the_conversation_are_deleted_and_shown(server: FaultServer) -> None:
    talk, other = talking(server, turns=1), talking(server, turns=1)
    for change in (talk.delete, talk.show):
        with pytest.raises(ValueError, match="expected a turn of this conversation"):
            change(other.transcript[0])


def test_nothing_changes_while_a_reply_is_written(server: FaultServer) -> None:
    talk = talking(server, [("send", head() + delta("Half")), ("accept_only",)], turns=1)
    (turn,) = talk.transcript

    async def read() -> None:
        chunks = talk.stream("two")
        await anext(chunks)
        for change in (lambda: talk.delete(turn), lambda: talk.show(turn), talk.undo):
            with pytest.raises(JmuzError, match="still waiting for a reply"):
                change()
        await chunks.aclose()

    asyncio.run(read())
    assert prompts(talk.transcript) == ["1", "two"]


def test_of_a_thousand_changes_the_older_ones_are_forgotten() -> None:
    talk = Conversation("m", api_base="http://127.0.0.1:1/v1")
    for _ in range(3):
        talk.clear()
    assert talk.undo() is None
    assert talk._past.maxlen == 1_000


def test_the_turns_of_a_conversation_can_be_set(server: FaultServer) -> None:
    talk, other = talking(server, turns=2), talking(server, turns=1)
    talk.transcript = other.transcript
    assert (talk.transcript, talk.versions, talk.undo()) == (other.transcript, {}, None)
    assert isinstance(talk.transcript[0], Turn)
