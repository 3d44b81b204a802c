"""The thread that writes the log: exchanges as they stream, many at once, without delaying a delta."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from jmuz_magic.errors import JmuzError
from jmuz_magic.log import conversations
from jmuz_magic.log import rows as log_rows
from jmuz_magic.log.exchange_row import ExchangeRow
from jmuz_magic.log.store import connect, shown
from jmuz_magic.log.writer import ExchangeEnd, ExchangeWriter, Shown
from jmuz_magic.storage.database import transaction

__all__ = ["LogThread"]

INTERVAL = 0.4  # seconds between writes of a streaming text: if the kernel is killed, less than a second of it is lost
AGAIN = 5.0  # seconds before retrying a log that could not be written
PATIENCE = 12  # attempts to write an ended exchange while other kernels keep the log busy
PRUNE_EVERY = 100  # exchanges
_CLOSED = ExchangeEnd("interrupted", None, "the log was closed before the reply ended")
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class LogThread:
    """One database, one thread, one connection.

    Attributes:
        path: the database.
        problem: why it could not be written the last time; "" if it could.
    """

    def __init__(self, path: Path, max_bytes: int, max_age_days: float, tell: Callable[[str], None]) -> None:
        """Nothing is opened before the first exchange is submitted.

        Args:
            path: the database.
            max_bytes: the oldest exchanges are deleted when the log is larger.
            max_age_days: older exchanges are deleted.
            tell: called on the thread with lines for the user.
        """
        self.path, self.problem = path, ""
        self._bounds = (max_bytes, max_age_days)
        self._tell = tell
        self._queue: queue.SimpleQueue[ExchangeWriter | Shown | threading.Event | None] = queue.SimpleQueue()
        self._entries: dict[ExchangeWriter, ExchangeRow] = {}
        self._shown: dict[str, Shown] = {}  # by conversation, what is not written yet
        self._attempts = 0  # to write that
        self._connection: sqlite3.Connection | None = None
        self._failed_at = float("-inf")
        self._warned = False
        self._until_pruning = 1  # soon for the first time, then now and again
        self._thread = threading.Thread(target=self._run, name="jmuz-log", daemon=True)
        self._thread.start()

    def submit(self, news: ExchangeWriter | Shown) -> None:
        """Start writing an exchange, or write which turns a conversation shows after those submitted before."""
        self._queue.put(news)

    def wake(self) -> None:
        """Look at all exchanges now, because one has ended."""
        self._queue.put(threading.Event())

    def flush(self, timeout: float) -> bool:
        """Wait until everything submitted and appended so far is written, or cannot be."""
        done = threading.Event()
        self._queue.put(done)
        return done.wait(timeout)

    def stop(self, timeout: float) -> None:
        """Write what there is, mark unfinished exchanges as interrupted, and end the thread."""
        self._queue.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            items = self._next_items()
            for item in items:
                if isinstance(item, ExchangeWriter):
                    self._entries.setdefault(item, ExchangeRow(item))
                elif isinstance(item, Shown):
                    self._shown[item.id] = item
            stopping = None in items
            if stopping:
                self._end_all()
            self._write()
            for item in items:
                if isinstance(item, threading.Event):
                    item.set()
        self._disconnect()

    def _next_items(self) -> list[ExchangeWriter | Shown | threading.Event | None]:
        items = []
        with contextlib.suppress(queue.Empty):
            items.append(self._queue.get(timeout=INTERVAL if self._entries or self._shown else None))
            while True:
                items.append(self._queue.get_nowait())
        return items

    def _end_all(self) -> None:
        for entry in self._entries.values():
            entry.writer.end = entry.writer.end or _CLOSED

    def _write(self) -> None:
        ended = [entry for entry in self._entries.values() if entry.writer.end]
        started = [entry for entry in self._entries.values() if entry.number is None]
        if ended or self._shown or (self._entries and time.monotonic() - self._failed_at > AGAIN):
            try:
                self._write_all()
            except Exception as error:  # noqa: BLE001  # whatever goes wrong here, the thread goes on
                self._fail(error, ended)
            else:
                self._settle(ended)
        for entry in started:
            entry.writer.mark_stored()

    def _write_all(self) -> None:
        if self._connection is None:
            self._connection, said = connect(self.path)
            for line in said:
                self._tell(line)
        for entry in self._entries.values():
            entry.take()
        with transaction(self._connection):
            written = {entry: entry.write(self._connection) for entry in self._entries.values()}
            for each in self._shown.values():
                conversations.write(self._connection, each)
        self.problem = ""
        self._shown, self._attempts = {}, 0
        for entry, number in written.items():
            entry.number, entry.is_changed = number, False

    def _settle(self, ended: list[ExchangeRow]) -> None:
        for entry in ended:
            del self._entries[entry.writer]
        self._until_pruning -= len(ended)
        if self._until_pruning <= 0 and self._connection is not None:
            self._until_pruning = PRUNE_EVERY
            with contextlib.suppress(Exception):  # mostly busy: next time; and nothing here may end the thread
                log_rows.prune(self._connection, *self._bounds)

    def _fail(self, error: Exception, ended: list[ExchangeRow]) -> None:
        busy = isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in _BUSY
        for entry in ended:
            entry.attempts += 1
            if not busy or entry.attempts >= PATIENCE:
                del self._entries[entry.writer]
        self._attempts += 1
        if not busy or self._attempts >= PATIENCE:
            self._shown, self._attempts = {}, 0
        if busy and (self._entries or self._shown):
            return
        self._disconnect()
        self._failed_at = time.monotonic()
        self.problem = self._explain(error)
        if not self._warned:
            self._warned = True
            self._tell(self.problem)

    def _explain(self, error: Exception) -> str:
        if isinstance(error, JmuzError):
            return str(error)
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return f"the log {shown(self.path)} cannot be written ({reason}); replies are shown, but not logged"

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
