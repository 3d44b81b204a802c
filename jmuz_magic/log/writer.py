"""What a turn hands to the log while it runs."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jmuz_magic.log.exchange import ExchangeState
from jmuz_magic.messages import Chunk, Reply

if TYPE_CHECKING:
    from jmuz_magic.request.request import Request

__all__ = ["ExchangeEnd", "ExchangeWriter"]

LONGEST_WAIT = 0.5  # seconds that a request is held up by a log that is slow


@dataclass(frozen=True)
class ExchangeEnd:
    """How an exchange ended; `reply` is None where only the appended chunks are known."""

    state: ExchangeState
    reply: Reply | None
    error: str | None


class ExchangeWriter:
    """One exchange on its way into the log; nothing of it waits for the disk but `stored`.

    Attributes:
        request: what was asked.
        asked_at: when.
        notebook: file name; None where it is not known.
        model: as asked; the picked one once it is known.
        chunks: appended and not yet taken by the log's thread.
        end: set once, by `close`.
    """

    def __init__(self, request: Request, notebook: str | None = None, wake: Callable[[], None] | None = None) -> None:
        """Without `wake`, which is called at the end, nothing is kept: the log is off."""
        self.request = request
        self.asked_at = datetime.now(UTC)
        self.notebook = notebook
        self.model = request.model
        self.chunks: deque[Chunk] = deque()
        self.end: ExchangeEnd | None = None
        self._wake = wake
        self._stored: concurrent.futures.Future[None] = concurrent.futures.Future()

    def append(self, chunk: Chunk) -> None:
        """Another chunk of the reply; written within a second."""
        if self._wake:
            self.chunks.append(chunk)

    def close(self, state: ExchangeState, reply: Reply | None = None, error: str | None = None) -> None:
        """The exchange has ended; a second call changes nothing.

        Args:
            state: how.
            reply: as far as it came; its text replaces what was appended.
            error: the one line that a failed exchange ended with.
        """
        if self._wake and self.end is None:
            self.end = ExchangeEnd(state, reply, error)
            self._wake()

    async def stored(self) -> None:
        """Wait until the exchange is on disk, half a second at most: before the request leaves, so that it is there."""
        if self._wake:
            await asyncio.wait([asyncio.wrap_future(self._stored)], timeout=LONGEST_WAIT)

    def mark_stored(self) -> None:
        """Called by the log's thread after its first attempt to write the exchange."""
        if not self._stored.done():
            self._stored.set_result(None)
