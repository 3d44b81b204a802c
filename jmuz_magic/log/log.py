"""The exchange log: what this user asked on this machine, and what was answered."""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jmuz_magic.errors import JmuzError
from jmuz_magic.log.exchange import ID_CHARS, Exchange, LoggedConversation, this_process
from jmuz_magic.log.writer import ExchangeWriter, InLog, Shown, notebook_name
from jmuz_magic.text import inert_json

if TYPE_CHECKING:
    import sqlite3

    from jmuz_magic.log.thread import LogThread
    from jmuz_magic.request.request import Request

__all__ = ["ExchangeLog", "exchange_log", "open_exchange"]

MAX_BYTES = 256 * 2**20  # some 100,000 exchanges of typical length
MAX_AGE_DAYS = 365.0
OFF = ("off", "0", "no", "false", "none")

Made = TypeVar("Made")

_FLUSH = 2.0  # seconds that a reader waits for this process's pending writes
_logger = logging.getLogger(__name__)


class ExchangeLog:
    """An SQLite database of exchanges, written in the background from the first exchange on.

    Attributes:
        on_message: called on the log's thread with lines for the user (the log was created, or cannot be written);
            must not block. By default they become logging warnings.
        notebook: returns the notebook's full path, if known. An exchange keeps its file name; conversations keep all
            of it, to tell notebooks of the same name apart, but it leaves the log nowhere.
        max_bytes: the oldest exchanges are deleted when the log is larger.
        max_age_days: older exchanges are deleted.
    """

    def __init__(self) -> None:
        self.on_message: Callable[[str], None] = _logger.warning
        self.notebook: Callable[[], str | None] = _notebook_from_server
        self.max_bytes = MAX_BYTES
        self.max_age_days = MAX_AGE_DAYS
        self._began = datetime.now(UTC)
        self._location: str | os.PathLike[str] | None = None
        self._thread: LogThread | None = None
        self._process = os.getpid()
        self._lock = threading.Lock()

    @property
    def path(self) -> Path | None:
        """Where exchanges are logged: as configured, else `JMUZ_LOG`, else in the data directory; None if off."""
        location = self._location or os.environ.get("JMUZ_LOG", "").strip()
        if isinstance(location, str) and location.lower() in OFF:
            return None
        if location:
            return Path(location).expanduser().absolute()
        import platformdirs

        return platformdirs.user_data_path("jmuz_magic", appauthor=False) / "exchanges.sqlite3"

    def configure(
        self,
        location: str | os.PathLike[str] | None = None,
        *,
        max_bytes: int = MAX_BYTES,
        max_age_days: float = MAX_AGE_DAYS,
    ) -> None:
        """Change where exchanges are logged and how many are kept, from the next one on.

        Args:
            location: a path, `off`, or None for `JMUZ_LOG` or the platform's data directory.
            max_bytes: see the class.
            max_age_days: see the class.
        """
        self._location, self.max_bytes, self.max_age_days = location, max_bytes, max_age_days
        self.close()

    def open(
        self, request: Request, first: ExchangeWriter | None = None, cell: dict[str, Any] | None = None
    ) -> ExchangeWriter:
        """Open a new exchange: the request is about to be sent.

        Args:
            request: what is asked.
            first: the exchange that its turn began with; None if it is this one.
            cell: see `Exchange.cell`.
        """
        path = self.path
        if path is None:
            return ExchangeWriter(request)
        with self._writing(path) as thread:
            writer = ExchangeWriter(request, path, thread.wake, notebook=self.notebook(), first=first, cell=cell)
            thread.submit(writer)
        return writer

    def show(self, key: str, name: str | None, turns: Iterable[InLog]) -> None:
        """Note which turns a conversation shows now, by their first exchanges; those of other logs do not count."""
        path = self.path
        if path is not None:
            here = tuple(turn for turn in turns if turn.path == path)
            with self._writing(path) as thread:
                thread.submit(Shown(key, name, self.notebook(), here))

    def rows(self, limit: int = 20) -> list[Exchange]:
        """The latest exchanges, newest first; -1 for all."""
        return self.search("", limit)

    def search(self, words: str, limit: int = 20) -> list[Exchange]:
        """The latest exchanges whose prompt or reply contains all the words, newest first; -1 for all.

        Case is ignored, and parts of words match.
        """
        from jmuz_magic.log import rows as log_rows

        with self._reading() as connection:
            return list(log_rows.latest(connection, words, limit)) if connection else []

    def turns(self, words: str = "", limit: int = 20, *, here: bool = False) -> list[tuple[Exchange, ...]]:
        """The latest turns, newest first, each as its exchanges; -1 for all.

        Args:
            words: as for `search`; one exchange of the turn has to contain them all.
            limit: how many turns.
            here: only those of this notebook, or of this process if the notebook's name is unknown.
        """
        from jmuz_magic.log import rows as log_rows

        since = self._began.isoformat(timespec="milliseconds")
        place = log_rows.Here(notebook_name(self.notebook()), this_process(), since) if here else None
        with self._reading() as connection:
            return list(log_rows.turns(connection, words, limit, place)) if connection else []

    def conversations(
        self, words: str = "", limit: int = 20, *, here: bool = False, key: str = ""
    ) -> list[LoggedConversation]:
        """The conversations that were changed last, newest first; -1 for all.

        Args:
            words: as for `search`; each has to be in a turn that the conversation shows.
            limit: how many.
            here: only those of this notebook; if its path is unknown, of programs without one.
            key: only those whose id begins so.
        """
        from jmuz_magic.log import conversations

        place = conversations.Place(self.notebook()) if here else None
        with self._reading() as connection:
            found = conversations.latest(connection, words, place, key) if connection else iter(())
            return list(found if limit == -1 else islice(found, limit))

    def turns_of(self, conversation: LoggedConversation, made: Callable[[tuple[Exchange, ...]], Made]) -> list[Made]:
        """What `made` makes of each turn that the conversation shows, given its exchanges, in order.

        One turn is read after the other: each request contains the history before it.

        Raises:
            JmuzError: the log is damaged, perhaps since something else has changed it.
        """
        from jmuz_magic.log import conversations

        with self._reading() as connection:
            try:
                return list(map(made, conversations.turns_shown(connection, conversation))) if connection else []
            except (ValueError, TypeError, LookupError, AttributeError):
                key = conversation.id[:ID_CHARS]
                raise JmuzError(f"conversation {key} cannot be read: the log is damaged there") from None

    def delete_conversation(self, key: str) -> int:
        """Delete the conversation with that id and all its exchanges, for good; return how many turns it showed."""
        from jmuz_magic.log import conversations

        with self._changing() as connection:
            return conversations.delete(connection, key) if connection else 0

    def get(self, number: int | str) -> Exchange:
        """The exchange with that id, or the latest for `"last"`.

        Raises:
            JmuzError: there is none.
        """
        from jmuz_magic.log import rows as log_rows

        with self._reading() as connection:
            return log_rows.find(connection, number)

    def turn(self, number: int | str) -> tuple[Exchange, ...]:
        """The exchanges of a turn, in order: of the one that `get` finds.

        Raises:
            JmuzError: there is none.
        """
        from jmuz_magic.log import rows as log_rows

        with self._reading() as connection:
            exchange = log_rows.find(connection, number)
            return log_rows.turn_of(connection, exchange) if connection else ()  # it was found: there is one

    def export(self, path: str | os.PathLike[str]) -> int:
        """Write all exchanges as JSON Lines, oldest first, to a new file that only the user can read; return how many.

        Raises:
            JmuzError: the file name is not suitable, the file exists, or it cannot be written.
        """
        from jmuz_magic.log import rows as log_rows
        from jmuz_magic.storage.replacing import created

        target = Path(path).expanduser()
        if target.suffix != ".jsonl" or target.name.endswith(".jmuz.jsonl"):
            raise JmuzError(
                f"expected a file name that ends in .jsonl, not in .jmuz.jsonl like a recording, got {target.name!r}"
            )
        count = 0
        try:
            with self._reading() as connection, created(target) as file:
                for exchange in log_rows.latest(connection, oldest_first=True) if connection else ():
                    file.write(inert_json(json.dumps(exchange.as_dict(), ensure_ascii=False)).encode() + b"\n")
                    count += 1
        except FileExistsError:
            raise JmuzError(f"{target} already exists; give another name, or remove it first") from None
        except OSError as error:
            raise JmuzError(f"the log cannot be exported to {target}: {error.strerror or error}") from None
        return count

    def delete(self, number: int) -> int:
        """Delete an exchange with the others of its turn, for good; return how many; 0 if none has that id."""
        return self._delete(number=number)

    def delete_before(self, moment: date | datetime) -> int:
        """Delete all exchanges asked before that time (local time unless it has a zone); return how many."""
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time.min)
        return self._delete(before=moment)

    def flush(self, timeout: float = _FLUSH) -> bool:
        """Wait until this process's exchanges are written, or cannot be; return False if that takes too long."""
        thread = self._thread if self._process == os.getpid() else None
        return thread.flush(timeout) if thread else True

    def close(self) -> None:
        """End the thread; unfinished exchanges are written as interrupted. The next exchange starts another thread."""
        if self._process != os.getpid():
            return
        with self._lock:
            thread, self._thread = self._thread, None
        if thread:
            thread.stop(_FLUSH)

    def _thread_for(self, path: Path) -> LogThread:
        from jmuz_magic.log.thread import LogThread

        thread = self._thread
        if thread is None or thread.path != path:
            if thread:
                thread.stop(0)
            thread = self._thread = LogThread(path, self.max_bytes, self.max_age_days, self._say)
            atexit.unregister(self.close)
            atexit.register(self.close)
        return thread

    def _begin_in_fork(self) -> None:
        if self._thread:
            _inherited.append(self._thread)
        self._thread, self._lock, self._process = None, threading.Lock(), os.getpid()

    def _say(self, line: str) -> None:
        with contextlib.suppress(Exception):  # a listener's error must not stop the log
            self.on_message(line)

    def _delete(self, *, number: int | None = None, before: datetime | None = None) -> int:
        from jmuz_magic.log import rows as log_rows

        with self._changing() as connection:
            return log_rows.delete(connection, number=number, before=before) if connection else 0

    @contextmanager
    def _writing(self, path: Path) -> Iterator[LogThread]:
        if self._process != os.getpid():
            self._begin_in_fork()
        with self._lock:
            yield self._thread_for(path)

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection | None]:
        """The database, brought to the current schema; None if there is none."""
        from jmuz_magic.log.store import connect

        with self._reading() as connection:
            is_there = connection is not None
        if not is_there:
            yield None
            return
        assert self.path is not None
        with _database_errors(self.path), closing(connect(self.path)[0]) as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        from jmuz_magic.log.store import connect_to_read, shown

        path = self.path
        if path is None:
            raise JmuzError("the log is off; set JMUZ_LOG or %config JmuzMagics.log to turn it on")
        self.flush()
        with _database_errors(path):
            try:
                connection = connect_to_read(path)
            except OSError as error:
                raise JmuzError(f"the log {shown(path)} cannot be read: {error.strerror or error}") from None
            if connection is None:
                if self._thread and self._thread.problem:  # what was asked is not in it, and will not be
                    raise JmuzError(self._thread.problem)
                yield None
                return
            with closing(connection):
                yield connection


@contextmanager
def _database_errors(path: Path) -> Iterator[None]:
    import sqlite3

    from jmuz_magic.log.store import shown

    try:
        yield
    except sqlite3.Error as error:
        raise JmuzError(f"the log {shown(path)} cannot be read: {error}") from None
    except (OverflowError, ValueError):
        raise JmuzError("expected an exchange's number or a date, got one that is out of range") from None


def _notebook_from_server() -> str | None:
    """The notebook's path, if the Jupyter server told the kernel."""
    return os.environ.get("JPY_SESSION_NAME") or None


# A fork must not close its parent's database.
_inherited: list[LogThread] = []

exchange_log = ExchangeLog()


def open_exchange(
    request: Request, first: ExchangeWriter | None = None, cell: dict[str, Any] | None = None
) -> ExchangeWriter:
    """A new exchange in the log of this process; its methods do nothing if the log is off."""
    return exchange_log.open(request, first, cell)
