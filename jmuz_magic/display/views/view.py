"""Views: what shows a reply while it grows. `make_view` picks one; all are driven from one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from jmuz_magic.messages import Chunk, Reply

__all__ = [
    "Pace",
    "Publish",
    "QuietView",
    "View",
]

Publish = Callable[[dict[str, Any], dict[str, Any], dict[str, Any], bool], None]
"""`publish(data, metadata, transient, update)`: sends one display message."""


class View(Protocol):
    """Shows one reply. Order of calls: any `wait`, `append` and `tick`, then one `close`."""

    def wait(self, line: str) -> None:
        """Show `line` until text comes."""

    def append(self, chunk: Chunk) -> None:
        """Take a chunk; it is shown at this or a later `tick`."""

    def tick(self) -> None:
        """Show what is due; call it after every batch, and about every 0.1 s while none comes."""

    def close(self, reply: Reply, error: str | None = None) -> None:
        """Show the end. `reply.text` is the truth; `error` is why it broke off, in one line."""


class Pace:
    """When a growing text may be shown again: the more of it is open, the less often.

    A front end renders every update and nothing holds the kernel back, so what an update costs (the open part)
    must bound how many there are: at most every 0.1 s, and at most 15 kB of Markdown a second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = float("-inf")

    def due(self, open_chars: int) -> bool:
        """Whether to show now."""
        return self._clock() - self._last >= self.pause(open_chars)

    @staticmethod
    def pause(open_chars: int) -> float:
        """Seconds from one showing to the next."""
        return max(0.1, open_chars / 15_000)

    def shown(self) -> None:
        """Note that it was shown."""
        self._last = self._clock()


class QuietView:
    """Shows nothing."""

    def wait(self, line: str) -> None: ...

    def append(self, chunk: Chunk) -> None: ...

    def tick(self) -> None: ...

    def close(self, reply: Reply, error: str | None = None) -> None: ...
