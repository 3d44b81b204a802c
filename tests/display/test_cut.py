"""A live view of a reply that is not whole: its text says so, too."""

from __future__ import annotations

import pytest

from jmuz_magic.demo.scripts import long_text
from jmuz_magic.messages import Reply
from tests.display.screen import Screen

LONG = long_text()


@pytest.mark.finding("D11")
@pytest.mark.parametrize("size", [10, 20_000])
@pytest.mark.parametrize("reason", ["interrupted", "length", "error"])
def test_the_last_line_of_a_reply_that_is_not_whole_says_so(size: int, reason: str) -> None:
    screen, text = Screen(), LONG[:size]
    view = screen.view()
    screen.stream(view, text, size=400)
    view.close(Reply(text, finish_reason=reason), "it <broke>" if reason == "error" else None)
    said, _, last = screen.plain.rpartition("\n")
    assert said.rstrip("\n") == text.rstrip("\n")
    assert last.startswith("[")
    assert last.endswith("]")
    assert {"interrupted": "incomplete", "length": "--max-tokens", "error": "it <broke>"}[reason] in last
    assert screen.plain.count(last) == 1
