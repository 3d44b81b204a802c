"""An interrupt that comes while a thread waits for a future, not before."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.waiting import wait_until

__all__ = ["interrupted_wait"]


@contextmanager
def interrupted_wait(ready: Callable[[], object] = lambda: True) -> Iterator[None]:
    """Interrupt this thread once what is inside waits for a future and `ready()` holds."""
    here = threading.get_ident()

    def interrupt() -> None:
        wait_until(lambda: waits_for_future(here) and ready(), "the thread waits")
        signal.pthread_kill(here, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell runs in the background ignores it
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)


def waits_for_future(thread: int) -> bool:
    frame: Any = sys._current_frames().get(thread)
    called: set[tuple[str, str]] = set()
    while frame is not None:
        called.add((frame.f_globals.get("__name__", ""), frame.f_code.co_name))
        frame = frame.f_back
    return {("concurrent.futures._base", "result"), ("threading", "wait")} <= called
