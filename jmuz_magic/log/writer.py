"""What a running turn hands to the log."""

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

LONGEST_WAIT = 0.5  # seconds that a slow log may hold up a request


@dataclass(frozen=True)
class ExchangeEnd:
    """How an exchange ended; `reply` is None if only the appended chunks are known."""

    state: ExchangeState
    reply: Reply | None
    error: str | None


class ExchangeWriter:
    """One exchange on its way into the log; only `stored` waits for the disk.

    Attributes:
        request: what was asked.
        asked_at: when it was asked.
        notebook: its file name; None if unknown.
        model: as asked for; the picked one once it is known.
        chunks: appended, but not yet taken by the log's thread.
        end: set once, by `close`.
    """

    def __init__(self, request: Request, notebook: str | None = None, wake: Callable[[], None] | None = None) -> None:
        """`wake` is called at the end; without it the log is off, and nothing is kept."""
        self.request = request
        self.asked_at = datetime.now(UTC)
        self.notebook = notebook
        self.model = request.model
        self.chunks: deque[Chunk] = deque()
        self.end: ExchangeEnd | None = None
        self._wake = wake
        self._stored: concurrent.futures.Future[None] = concurrent.futures.Future()

    def append(self, chunk: Chunk) -> None:
        """Append a chunk of the reply; it is written within a second."""
        if self._wake:
            self.chunks.append(chunk)

    def close(self, state: ExchangeState, reply: Reply | None = None, error: str | None = None) -> None:
        """End the exchange; a second call changes nothing.

        Args:
            state: how it ended.
            reply: the reply so far; its text replaces what was appended.
            error: the one-line error of a failed exchange.
        """
        if self._wake and self.end is None:
            self.end = ExchangeEnd(state, reply, error)
            self._wake()

    async def stored(self) -> None:
        """Wait until the exchange is on disk, at most half a second; called before the request is sent."""
        if self._wake:
            await asyncio.wait([asyncio.wrap_future(self._stored)], timeout=LONGEST_WAIT)

    def mark_stored(self) -> None:
        """Called by the log's thread after its first attempt to write the exchange."""
        if not self._stored.done():
            self._stored.set_result(None)
