"""What cells, panels and scripts share: the selection tells of its changes."""

from __future__ import annotations

import pytest

from jmuz_magic.conversation.selection import Selection


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
