"""Cells that ask elsewhere than on the main thread, and cells that are stopped before they ask."""

from __future__ import annotations

import threading
from typing import NoReturn

import pytest

from jmuz_magic.magics.running import foreground as asking
from tests.magics.loaded import UserShell


def test_a_cell_in_another_thread_is_answered_too(user: UserShell) -> None:
    """As in a subshell of a kernel; only the main thread may set what an interrupt does."""
    user.line("%jmuz_use demo:demo-echo")
    thread = threading.Thread(target=user.shell.run_line_magic, args=("jmuz", "hi"))
    thread.start()
    thread.join()
    assert user.shell.user_ns["_jmuz"].text == "hi"


def test_an_interrupt_before_the_request_begins_is_no_empty_reply(
    user: UserShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> NoReturn:
        raise KeyboardInterrupt

    user.line("%jmuz_use demo:demo-echo")
    monkeypatch.setattr(asking, "get_bridge", interrupted)
    ran = user.run("%jmuz hi")
    assert not ran.ok
    assert "[interrupted before the reply began]" in ran.text
    assert "empty reply" not in ran.text
    assert user.shell.user_ns["_jmuz"].finish_reason == "interrupted"
