"""What a running turn hands to the log."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any, Protocol

from jmuz_magic.log.exchange import ExchangeState
from jmuz_magic.messages import Chunk, ModelPicked, Reply

if TYPE_CHECKING:
    from jmuz_magic.request.request import Request

__all__ = ["ExchangeEnd", "ExchangeWriter", "FromLog", "InLog", "Shown", "notebook_name"]

LONGEST_WAIT = 0.5  # seconds that a slow log may hold up a request


class InLog(Protocol):
    """An exchange in a log."""

    @property
    def path(self) -> Path | None:
        """The log's database; None if the log was off."""

    @property
    def number(self) -> int | None:
        """Its id there; None until it is written."""


@dataclass(frozen=True)
class FromLog:
    """An exchange that was read from a log; see `InLog`.

    Attributes:
        origin: scheme, host and port that its reply came from.
    """

    path: Path
    number: int
    origin: str = ""


@dataclass(frozen=True)
class Shown:
    """Which turns a conversation shows now.

    Attributes:
        id: the conversation's id.
        name: its name, if it has one.
        notebook: the notebook's full path; None if unknown.
        turns: the first exchange of each turn, in order.
    """

    id: str
    name: str | None
    notebook: str | None
    turns: tuple[InLog, ...]


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
        first: the exchange of the turn's first step; None if this is the first.
        number: its id in the log; None until it is written.
        asked_at: when it was asked.
        path: the log's database; None if the log is off, and nothing is kept.
        notebook: its file name; None if unknown.
        cell: what `Exchange.cell` becomes.
        items: appended, but not yet taken by the log's thread.
        end: set once, by `close`.
        wake: called at the end; None without a log.
    """

    def __init__(
        self,
        request: Request,
        path: Path | None = None,
        wake: Callable[[], None] | None = None,
        *,
        notebook: str | None = None,
        first: ExchangeWriter | None = None,
        cell: dict[str, Any] | None = None,
    ) -> None:
        """See the attributes; of the notebook, the full path is taken, too."""
        self.request = request
        self.path, self.wake = path, wake
        self.first = first if first and first.path == path else None  # else it is in another log
        self.cell = cell
        self.number: int | None = None
        self.asked_at = datetime.now(UTC)
        self.notebook = notebook_name(notebook)
        self.items: deque[Chunk | ModelPicked] = deque()
        self.end: ExchangeEnd | None = None
        self._stored: concurrent.futures.Future[None] = concurrent.futures.Future()

    def append(self, item: Chunk | ModelPicked) -> None:
        """Append a chunk of the reply, or the model that was picked; it is written within a second."""
        if self.wake:
            self.items.append(item)

    def close(self, state: ExchangeState, reply: Reply | None = None, error: str | None = None) -> None:
        """End the exchange; a second call changes nothing.

        Args:
            state: how it ended.
            reply: the reply so far; its text replaces what was appended.
            error: the one-line error of a failed exchange.
        """
        if self.wake and self.end is None:
            self.end = ExchangeEnd(state, reply, error)
            self.wake()

    async def stored(self) -> None:
        """Wait until the exchange is on disk, at most half a second; called before the request is sent."""
        if self.wake:
            await asyncio.wait([asyncio.wrap_future(self._stored)], timeout=LONGEST_WAIT)

    def mark_stored(self) -> None:
        """Called by the log's thread after its first attempt to write the exchange."""
        if not self._stored.done():
            self._stored.set_result(None)


def notebook_name(path: str | None) -> str | None:
    """The file name in a notebook's path, with either kind of slashes; None for none."""
    return PureWindowsPath(path or "").name or None
