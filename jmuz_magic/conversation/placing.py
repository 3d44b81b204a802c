"""Where a turn belongs in a transcript: at the end, or in the place of the one that it asks again."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from jmuz_magic.content import without_files
from jmuz_magic.conversation.branches import Branches, Turns

if TYPE_CHECKING:
    from jmuz_magic.conversation.turn import Turn
    from jmuz_magic.messages import Message
    from jmuz_magic.request.cell import Cell

__all__ = ["entered", "number", "placed", "turn_to_ask_again"]

_entries = itertools.count(1)


def number(turns: Iterable[Turn]) -> None:
    """Give turns their order, those that were asked first first."""
    for turn in turns:
        turn.entry = next(_entries)


def turn_to_ask_again(turns: Turns, cell: Cell, wording: Message) -> Turn | None:
    """The turn whose place a cell's prompt takes; None if it is a new one at the end.

    The candidates are the turns of the cell's latest earlier run. The first with the same wording is taken; with a new
    wording the first one, but only if other turns follow: otherwise the cell continues the conversation. So a cell
    that asks several prompts asks each of them again.
    """
    own = [turn for turn in turns if turn.cell and turn.cell.id == cell.id and turn.cell.run != cell.run]
    if not own:
        return None
    latest = max(own, key=lambda turn: turn.entry).cell
    own = [turn for turn in own if turn.cell == latest]
    found = next((turn for turn in own if _is_same(turn.wording, wording)), None)
    if found is None and turns[-1] is not own[0]:
        found = own[0]
    return found.replacing if found and found.is_set_aside else found


def placed(turns: Turns, turn: Turn | None) -> Turns:
    """The transcript with the turn in its place and without what it replaces, as if it had ended well."""
    if turn is None or turn in turns:
        return turns
    old = turn.replacing
    if old is None or old not in turns:
        return (*_without_failures(turns, turn.wording), turn)
    at = turns.index(old)
    later = tuple(other for other in turns[at + 1 :] if other.replacing is not old) if turn.in_place else ()
    return (*turns[:at], turn, *later)


def entered(branches: Branches, turn: Turn) -> Branches:
    """The branches after a turn has ended.

    If the turn that it asks again stays because this one is worse, this one follows it, set aside.
    """
    turn.entry = next(_entries)
    old = turn.replacing
    if old is None or old not in branches.turns:
        return branches.going_on(placed(branches.shown, turn))
    branches = branches.without(*(other for other in branches.turns if other.is_set_aside and other.replacing is old))
    if not _may_replace(turn, old):
        turn.is_set_aside = True
        return branches.with_instead(old, old, turn)
    if turn.in_place:
        return branches.with_instead(old, turn)
    grown = branches.branching(old, turn)
    return grown.without(old) if old.has_nothing else grown


def _may_replace(turn: Turn, old: Turn) -> bool:
    """Whether it may take the place of a turn that is sent with later ones.

    A cell run again replaces a reply only by a whole one; whoever regenerates a reply and stops it has seen it.
    """
    if not old.is_remembered:
        return True
    return turn.is_remembered and not (turn.in_place and turn.state == "interrupted")


def _without_failures(turns: Turns, wording: Message) -> Turns:
    """Let a prompt that is asked again take the place of its failures right before it."""
    while turns and turns[-1].has_nothing and _is_same(turns[-1].wording, wording):
        turns = turns[:-1]
    return turns


def _is_same(wording: Message, other: Message) -> bool:
    """Whether two prompts are the same; of a resumed one the files are known by their hashes."""
    return wording == other or without_files(wording) == without_files(other)
