"""The keepers of a turn's exchanges: the recording in use, and the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from jmuz_magic.log.log import open_exchange
from jmuz_magic.messages import Chunk, ModelPicked, Reply, ToolResult
from jmuz_magic.request.request import Request

if TYPE_CHECKING:
    from jmuz_magic.log.exchange import ExchangeState
    from jmuz_magic.log.writer import ExchangeWriter
    from jmuz_magic.recordings.line import RecordedExchange
    from jmuz_magic.recordings.recording import Recorder

__all__ = ["Keeper", "LogKeeper", "keepers_of"]


class Keeper(Protocol):
    """Keeps the exchanges of one turn; called on the loop's thread, which it must not block.

    Nothing is reserved, opened or written before `opened`.
    """

    async def opened(self, request: Request) -> RecordedExchange | None:
        """A request is about to be sent; a result answers it instead, and later keepers are not opened.

        Raises:
            JmuzError: the request must not be sent.
        """

    def append(self, item: Chunk | ModelPicked) -> None:
        """Take another chunk of the reply; or, before the first, the model that was picked for it."""

    async def close(self, state: ExchangeState, reply: Reply, error: str | None) -> None:
        """The reply has ended in some way; called once for each `opened`, even an interrupted one.

        Raises:
            JmuzError: a complete reply could not be kept.
        """


class RecordingKeeper:
    """Replays a turn from a recording, or records it there."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._began = False
        self._results: list[ToolResult] = []

    async def opened(self, request: Request) -> RecordedExchange | None:
        self._results = []
        if self._began:
            self._recorder.go_on(request)
        else:
            self._began = True
            await asyncio.to_thread(self._recorder.begin)
        return self._recorder.recorded

    def append(self, item: Chunk | ModelPicked) -> None:
        """Note the results of tools; the rest is written at the end, from the whole reply."""
        if isinstance(item, ToolResult):
            self._results.append(item)

    async def close(self, state: ExchangeState, reply: Reply, error: str | None) -> None:
        if state == "complete":
            await asyncio.to_thread(self._recorder.close, state, reply, self._results)
        else:
            self._recorder.close(state, reply)  # only counts: a program that ends may have no threads left


class LogKeeper:
    """Writes a turn into the log of this process, an exchange for each step.

    Attributes:
        first: the exchange of the first step; None before it.
    """

    append: Callable[[Chunk | ModelPicked], None]

    def __init__(self, cell: dict[str, Any] | None = None, tell: Callable[[], None] = lambda: None) -> None:
        """Nothing is written before `opened`.

        Args:
            cell: see `Exchange.cell`.
            tell: called when the turn is in the log.
        """
        self.first: ExchangeWriter | None = None
        self._writer: ExchangeWriter | None = None
        self._cell, self._told = cell, tell

    async def opened(self, request: Request) -> None:
        self._writer = open_exchange(request, self.first, None if self.first else self._cell)
        self.append = self._writer.append  # called for each delta: one call less
        if self.first is None:
            self.first = self._writer
            self._told()
        await self._writer.stored()

    async def close(self, state: ExchangeState, reply: Reply, error: str | None) -> None:
        if self._writer:
            self._writer.close(state, reply, error)


def keepers_of(recorder: Recorder | None, log: LogKeeper) -> Sequence[Keeper]:
    """The keepers of one turn; the one that may answer it comes first."""
    return [*([RecordingKeeper(recorder)] if recorder else []), log]
