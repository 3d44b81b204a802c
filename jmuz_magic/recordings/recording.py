"""Recordings: replies kept beside a notebook, so that it runs again the same, without network and cost."""

from __future__ import annotations

import os
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from jmuz_magic.errors import JmuzError
from jmuz_magic.recordings.file import RecordingFile
from jmuz_magic.recordings.line import RecordedExchange, line_of
from jmuz_magic.recordings.slots import Slot, Slots
from jmuz_magic.request.asked import Asked

if TYPE_CHECKING:
    from jmuz_magic.messages import Reply
    from jmuz_magic.recordings.mode import ReplayMode
    from jmuz_magic.request.request import Request, State

__all__ = ["Asking", "Recording"]


class Asking:
    """One asking of a request.

    Attributes:
        recorded: what answers it; None where the endpoint has to be asked, and `close` is to be called.
    """

    def __init__(
        self,
        recorded: RecordedExchange | None = None,
        take: Callable[[], None] | None = None,
        record: Callable[[Reply | None], None] | None = None,
    ) -> None:
        self.recorded = recorded
        self._take = take
        self._record = record

    def begin(self) -> None:
        """The turn is run; an asking that never begins does not count."""
        if self._take:
            self._take()

    def close(self, state: State, reply: Reply) -> None:
        """The reply has ended: a complete one is recorded; after any other the request counts as not asked.

        Reads and writes the file; where the recording answered, nothing happens.

        Raises:
            JmuzError: the file cannot be written.
        """
        self.begin()
        if self._record:
            self._record(reply if state == "complete" else None)


class Recording:
    """One file, and what was asked of it.

    The n-th asking of one request gets its n-th recorded reply. Askings are counted from the making of this
    object on. A cell that is run again asks what it asked before, where cells are known (`set_place_finder`).

    Attributes:
        path: of the file; where the mode is `auto` it need not exist yet.
        mode: `auto` replays and records what is missing, `only` replays, `off` does neither.
    """

    def __init__(self, path: str | os.PathLike[str], mode: ReplayMode = "auto") -> None:
        """Open a recording.

        Raises:
            JmuzError: it is no recording, or `only` finds no file.
        """
        self.path = Path(path).expanduser().absolute()
        self.mode = mode
        self._lock = threading.RLock()
        self._slots = Slots()
        self._file = RecordingFile(self.path)
        if mode == "only" and not self.path.exists():
            raise JmuzError(
                f"there is no recording {self.path.name}; %jmuz_record --auto makes one from the replies of an endpoint"
            )
        if mode == "auto" and not self.path.parent.is_dir():
            raise JmuzError(f"expected a recording in a directory that exists, but {self.path.parent.name} is none")
        if mode != "off":
            self._file.lines()

    def ask(self, request: Request, *, fresh: bool = False) -> Asking:
        """The next asking of this request; to be called in order of asking, before anything is sent.

        Args:
            request: what is asked; its endpoint may be None where the mode is `only`.
            fresh: ask the endpoint even where a reply is recorded; the new one takes its place.

        Raises:
            JmuzError: the file cannot be read; in `only`, nothing is recorded for this asking.
        """
        if self.mode == "off":
            return Asking()
        if fresh and self.mode == "only":
            raise JmuzError(f"fresh replies come from an endpoint, but {self.path.name} is used with only; use auto")
        with self._lock:
            lines = self.exchanges()
            asked = Asked.of(request)
            key = self._key_of(asked, lines)
            slot = self._slots.take_place(key)
            recorded = [line for line in lines if line.key == key]
            number = self._slots.number(slot)
            slot.has_line = number < len(recorded)
            if slot.has_line and not fresh:
                asking = Asking(recorded[number], slot.take)
            elif self.mode == "only":
                self._slots.drop(slot)
                raise JmuzError(_explain(self.path.name, asked, lines, len(recorded)))
            else:
                asking = Asking(None, slot.take, lambda reply: self._close(slot, request, asked, reply))
        weakref.finalize(asking, self._let_go, slot).atexit = False
        return asking

    def exchanges(self) -> list[RecordedExchange]:
        """All that is recorded now, in order.

        Raises:
            JmuzError: the file cannot be read.
        """
        return [line for line in self._file.lines() if isinstance(line, RecordedExchange)]

    def unused(self) -> list[RecordedExchange]:
        """What is recorded and was not yet asked for, in order.

        Raises:
            JmuzError: the file cannot be read.
        """
        left = self._slots.counts()
        unused = []
        for line in self.exchanges():
            left[line.key] -= 1
            if left[line.key] < 0:
                unused.append(line)
        return unused

    def _key_of(self, asked: Asked, lines: list[RecordedExchange]) -> str:
        """The request's key; where no model is named and none could be asked, that of a recorded one like it."""
        if asked.model or self.mode != "only":
            return asked.key
        keys = [line.key for line in lines if line.asked.key_without_model == asked.key_without_model]
        for key, count in Counter(keys).items():
            if self._slots.next_number(key) < count:
                return key
        return keys[0] if keys else asked.key

    def _let_go(self, slot: Slot) -> None:
        """Nobody holds the asking any more; perhaps it was never begun, as for `--dry-run`."""
        if not slot.is_taken:
            self._slots.drop(slot)

    def _close(self, slot: Slot, request: Request, asked: Asked, reply: Reply | None) -> None:
        with self._lock:
            try:
                if reply is not None:
                    line = line_of(request, asked, reply)
                    self._file.change(lambda lines: self._slots.put(lines, slot, line))
            finally:
                if not slot.has_line:
                    self._slots.drop(slot)


def _explain(name: str, asked: Asked, lines: list[RecordedExchange], count: int) -> str:
    """Why nothing answers in `only`."""
    if count:
        replies = "1 reply" if count == 1 else f"{count} replies"
        time = _ordinal(count + 1)
        return (
            f"{name} holds {replies} to this request, asked for the {time} time; %jmuz_record --only resets the count"
        )
    others = [line.asked for line in lines]
    nearest = asked.nearest(others)
    if nearest is None:
        return f"{name} holds no exchange yet; %jmuz_record --auto records some"
    differences = "; ".join(asked.differences(others[nearest])) or "a key"
    return f"{name} holds no reply to this request; the nearest is exchange {nearest + 1}, which differs: {differences}"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
