"""What cells, panels and scripts share: the selection tells of its changes."""

from __future__ import annotations

import pytest

from jmuz_magic import Conversation
from jmuz_magic.conversation.selection import Selection


class Listener:
    """Hears; its bound method is a new object, equal to the one before, each time it is looked up."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def hear(self, event: object) -> None:
        self.heard.append(event)


def test_a_change_is_told_until_nobody_listens() -> None:
    selection, heard = Selection(), list[str | None]()
    unsubscribe = selection.on_change(lambda selection: heard.append(selection.model))
    selection.set(model="one")
    unsubscribe()
    unsubscribe()
    selection.set(model="two")
    assert heard == ["one"]


def test_what_a_selection_has_not_is_named_and_nothing_changes() -> None:
    selection = Selection()
    with pytest.raises(TypeError, match="not modle"):
        selection.set(modle="x", model="y")
    assert selection.model is None


@pytest.mark.finding("B33")
@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize("talks", [True, False], ids=["conversation", "selection"])
def test_unsubscribing_again_takes_no_other_registration_away(talks: bool, times: int) -> None:
    source = Conversation() if talks else Selection()
    listener = Listener()
    unsubscribe = source.on_change(listener.hear)
    source.on_change(listener.hear)  # equal to the first, and a registration of its own
    for _ in range(times):
        unsubscribe()
    source.clear() if isinstance(source, Conversation) else source.set(model="one")
    assert len(listener.heard) == 1


@pytest.mark.finding("B33")
def test_each_of_two_equal_registrations_is_ended_by_its_own() -> None:
    talk, listener = Conversation(), Listener()
    first, second = talk.on_change(listener.hear), talk.on_change(listener.hear)
    second()
    second()
    talk.clear()
    assert len(listener.heard) == 1
    first()
    talk.clear()
    assert len(listener.heard) == 1
