"""Waiting for what another thread or process does: bounded, and said clearly when it does not happen."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["wait_until"]


def wait_until(condition: Callable[[], object], what: str, timeout: float = 30.0) -> None:
    """Return as soon as `condition()` is true.

    Raises:
        AssertionError: it was not after `timeout` seconds; the message is `what`, which says what should be true.
    """
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"after {timeout:g} s it does not hold that {what}"
        time.sleep(0.005)
