"""Cells that ask elsewhere than on the main thread."""

from __future__ import annotations

import threading

from tests.magics.loaded import UserShell


def test_a_cell_in_another_thread_is_answered_too(user: UserShell) -> None:
    """As in a subshell of a kernel; only the main thread may set what an interrupt does."""
    user.line("%jmuz_use demo:demo-echo")
    thread = threading.Thread(target=user.shell.run_line_magic, args=("jmuz", "hi"))
    thread.start()
    thread.join()
    assert user.shell.user_ns["_jmuz"].text == "hi"
