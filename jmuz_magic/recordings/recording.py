"""Recordings: replies kept beside a notebook, so that it can be re-run without network or cost."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jmuz_magic.errors import JmuzError
from jmuz_magic.recordings.file import RecordingFile, shown
from jmuz_magic.recordings.line import RecordedExchange, line_of
from jmuz_magic.recordings.slots import Slot, Slots, first_steps, with_later
from jmuz_magic.request.asked import Asked
from jmuz_magic.request.cell import Cell, find_cell

if TYPE_CHECKING:
    from jmuz_magic.messages import Reply, ToolResult
    from jmuz_magic.recordings.mode import ReplayMode
    from jmuz_magic.request.request import Request, State

__all__ = ["Recorder", "Recording"]

RECORD = "%jmuz_record --auto {} (in Python: replay='auto')"


class Recorder:
    """One time that a request is asked: a recording answers it, or its reply is recorded there.

    Its turn may take further steps, whose lines come after that of the first, whatever they ask. Nothing is reserved
    before it begins, so an asking that never begins, as in a dry run, does not count.

    Attributes:
        recorded: what answers the step; None if the endpoint must be asked. Before it begins, what would answer now.
    """

    def __init__(self, recording: Recording, request: Request, fresh: bool) -> None:
        """Look up what is recorded.

        Raises:
            JmuzError: see `Recording.ask`.
        """
        self._recording, self._request, self._fresh = recording, request, fresh
        self._asked, self._cell = Asked.of(request), find_cell()
        self._step, self._of = 1, ""
        self._slot: Slot | None = None
        self._lock = threading.Lock()
        self.recorded = recording.find(self._asked, self._cell, fresh=fresh)

    def begin(self) -> None:
        """Note that the turn runs: from here on the asking counts, in the order in which askings begin.

        Raises:
            JmuzError: the file cannot be read, or in mode `only` the recorded reply is gone.
        """
        with self._lock:  # `close` may be called before `begin` has returned
            if self._slot is None:
                self._slot, self.recorded = self._recording.take(self._asked, self._cell, fresh=self._fresh)

    def go_on(self, request: Request) -> None:
        """Note that the turn takes a further step; if a recording answered so far, its next line answers.

        Raises:
            JmuzError: in mode `only`, there is no such line.
        """
        self._of, self._step = self._of or self._asked.key, self._step + 1
        self._request, self._asked = request, Asked.of(request)
        if self.recorded is not None and self._recording.mode == "only" and not self.recorded.later:
            name = self._recording.path.name
            raise JmuzError(f"{name} ends before step {self._step} of the turn; {RECORD.format('records the rest')}")
        later = self.recorded.later if self.recorded else ()
        self.recorded = replace(later[0], later=later[1:]) if later else None

    def close(self, state: State, reply: Reply, results: Sequence[ToolResult] = ()) -> None:
        """Record the reply if it is complete; otherwise the request counts as not asked.

        Reads and writes the file; does nothing if the recording answered.

        Raises:
            JmuzError: the file cannot be written.
        """
        self.begin()
        if self._slot is not None and self.recorded is None:
            asked = self._request, self._asked, reply, results, self._step, self._of
            self._recording.settle(self._slot, line_of(*asked) if state == "complete" else None)


class Recording:
    """One file, and what was asked of it.

    The n-th time that a request is asked, its n-th recorded reply answers; askings count from the creation of this
    object, in the order in which they begin. A cell that is run again asks what it asked before, if cells are known
    (`set_cell_finder`).

    Attributes:
        path: the file; in mode `auto` it need not exist yet.
        mode: `auto` replays, and records what is missing; `only` replays; `off` does neither.
    """

    def __init__(self, path: str | os.PathLike[str], mode: ReplayMode = "auto") -> None:
        """Open a recording.

        Raises:
            JmuzError: the file is not a recording, or is missing in mode `only`.
        """
        self.path = Path(path).expanduser().absolute()
        self.mode = mode
        self._lock = threading.RLock()
        self._slots = Slots()
        self._file = RecordingFile(self.path)
        if mode == "only" and not self.path.exists():
            raise JmuzError(f"there is no recording {shown(self.path)}; {self._next_step()}")
        if mode == "auto" and not self.path.parent.is_dir():
            raise JmuzError(
                f"expected a recording in an existing directory, but there is no directory {shown(self.path.parent)}; "
                "create it first"
            )
        if mode != "off":
            self._file.lines()

    def _next_step(self) -> str:
        """What to do about a missing file."""
        if self.path.parent.is_dir():
            return RECORD.format("creates it from an endpoint's replies")
        return f"there is no directory {shown(self.path.parent)} either"

    def ask(self, request: Request, *, fresh: bool = False) -> Recorder:
        """The recorder for the next asking of this request.

        Args:
            request: what is asked; its endpoint may be None in mode `only`.
            fresh: ask the endpoint even if a reply is recorded; the new one replaces it.

        Raises:
            JmuzError: the file cannot be read, or in mode `only` nothing is recorded for this asking.
        """
        if fresh and self.mode == "only":
            raise JmuzError(f"a fresh reply needs an endpoint, but {self.path.name} is in mode only; use mode auto")
        return Recorder(self, request, fresh)

    def find(self, asked: Asked, cell: Cell | None, *, fresh: bool = False) -> RecordedExchange | None:
        """What answers a request asked now in that cell; None if the endpoint must be asked.

        Raises:
            JmuzError: see `ask`.
        """
        if self.mode == "off":
            return None
        with self._lock:
            key, number = self._next(asked, cell)
            return None if fresh else self._recorded(asked, key, number)

    def take(self, asked: Asked, cell: Cell | None, *, fresh: bool = False) -> tuple[Slot, RecordedExchange | None]:
        """The same, with the slot of the asking, which counts from now on.

        Raises:
            JmuzError: see `ask`.
        """
        if self.mode == "off":
            return Slot(asked.key, cell), None
        with self._lock:
            key, number = self._next(asked, cell)
            recorded = self._recorded(asked, key, number)
            slot = self._slots.take(key, cell)
            slot.has_line = recorded is not None
            return slot, None if fresh else recorded

    def settle(self, slot: Slot, line: RecordedExchange | None) -> None:
        """Put the line of an asking where it belongs; None means that the asking does not count, unless it had a line.

        Raises:
            JmuzError: the file cannot be written.
        """
        if self.mode == "off":
            return
        with self._lock:
            try:
                if line is not None:
                    self._file.change(lambda lines: self._slots.put(lines, slot, line))
            finally:
                if not slot.has_line:
                    self._slots.drop(slot)

    def exchanges(self) -> list[RecordedExchange]:
        """Everything recorded so far, in order.

        Raises:
            JmuzError: the file cannot be read.
        """
        return [line for line in self._file.lines() if isinstance(line, RecordedExchange)]

    def unused(self) -> list[RecordedExchange]:
        """What is recorded but has not been asked for, in order.

        Raises:
            JmuzError: the file cannot be read.
        """
        left = self._slots.counts()
        unused = []
        for line in self._first_steps():
            left[line.key] -= 1
            if left[line.key] < 0:
                unused.append(line)
        return unused

    def _next(self, asked: Asked, cell: Cell | None) -> tuple[str, int]:
        """The key of a request asked now, and the number of the asking, from 0.

        If it names no model and no endpoint can supply one, the key is that of a similar recorded request.
        """
        if asked.model or self.mode != "only":
            return asked.key, self._slots.next_number(asked.key, cell)
        keys = Counter(
            line.key for line in self._first_steps() if line.asked.key_without_model == asked.key_without_model
        )
        numbers = {key: self._slots.next_number(key, cell) for key in keys}
        key = next((key for key, count in keys.items() if numbers[key] < count), next(iter(keys), asked.key))
        return key, numbers.get(key, 0)

    def _recorded(self, asked: Asked, key: str, number: int) -> RecordedExchange | None:
        lines = self._file.lines()
        at = first_steps(lines, key)
        if number < len(at):
            return with_later(lines, at[number])
        if self.mode == "only":
            raise JmuzError(_explain(self.path.name, asked, self._first_steps(), len(at)))
        return None

    def _first_steps(self) -> list[RecordedExchange]:
        return [line for line in self.exchanges() if not line.of]


def _explain(name: str, asked: Asked, lines: list[RecordedExchange], count: int) -> str:
    """Why no recorded reply answers in mode `only`."""
    if count:
        replies = "1 recorded reply" if count == 1 else f"{count} recorded replies"
        time = _ordinal(count + 1)
        return (
            f"{name} has {replies} to this request, which is asked a {time} time; %jmuz_record --only resets the count"
        )
    others = [line.asked for line in lines]
    nearest = asked.nearest(others)
    if nearest is None:
        return f"{name} has no exchanges yet; {RECORD.format('records some')}"
    differences = "; ".join(asked.differences(others[nearest])) or "a key"
    return (
        f"{name} has no reply to this request; the closest is exchange {nearest + 1}, which differs: {differences}; "
        + RECORD.format("asks and records it")
    )


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
