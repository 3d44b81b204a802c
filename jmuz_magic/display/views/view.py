"""Views show a reply while it grows. `make_view` picks one; each is driven from one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from jmuz_magic.messages import Chunk, Reply

__all__ = ["Pace", "QuietView", "View", "unfed"]


class View(Protocol):
    """Shows one reply. Order of calls: any `wait`, `append` and `tick`, then one `close`."""

    def wait(self, line: str) -> None:
        """Show `line` until text comes."""

    def append(self, chunk: Chunk) -> None:
        """Take a chunk; it is shown at the next `tick` or a later one."""

    def tick(self) -> None:
        """Show what is due; called after every batch, and about every 0.1 s while none comes."""

    def close(self, reply: Reply, error: str | None = None) -> None:
        """Show the final state; `reply.text` is authoritative, `error` says in one line why it broke off."""


def unfed(deltas: Sequence[str], text: str) -> str | None:
    """What of `text`, which is the truth at the end, is not in the deltas; None where they say something else."""
    fed = "".join(deltas)
    return text[len(fed) :] if text.startswith(fed) else None


class Pace:
    """When a growing text may be shown again: less often the more of it is open.

    A front end renders every update and nothing slows the kernel down, so the cost of an update (the open part)
    must limit their number: at most one every 0.1 s, and at most 15 kB of Markdown a second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = float("-inf")

    def due(self, open_chars: int) -> bool:
        """Whether to show now."""
        return self._clock() - self._last >= self.pause(open_chars)

    @staticmethod
    def pause(open_chars: int) -> float:
        """Seconds from one update to the next."""
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
