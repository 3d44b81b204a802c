"""Recordings: replies kept beside a notebook, so that it runs again the same, without network and cost."""

from __future__ import annotations

import os
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from jmuz_magic.conversation.asked import Asked
from jmuz_magic.conversation.recording_file import RecordedExchange, change_lines, line_of, read_lines
from jmuz_magic.errors import JmuzError

if TYPE_CHECKING:
    from jmuz_magic.conversation.turn import Request, State
    from jmuz_magic.messages import Reply

__all__ = ["Asking", "Place", "Recording", "ReplayMode", "set_place_finder"]

ReplayMode: TypeAlias = Literal["auto", "only", "off"]
Lines: TypeAlias = list[RecordedExchange | bytes]


@dataclass(frozen=True)
class Place:
    """Where something is asked: a cell, and which of its runs."""

    cell: str
    run: int


_find_place: Callable[[], Place | None] | None = None


def set_place_finder(find: Callable[[], Place | None] | None) -> None:
    """How to learn which cell asks; where nobody knows, each asking of a request is a further one."""
    global _find_place
    _find_place = find


@dataclass(eq=False)
class _Slot:
    """The n-th asking of one request: of a cell's every run the same one, where the cell is known."""

    key: str
    place: Place | None
    has_line: bool = False
    is_taken: bool = False

    def take(self) -> None:
        self.is_taken = True


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
        self._slots: list[_Slot] = []  # in order of asking
        if mode == "only" and not self.path.exists():
            raise JmuzError(f"there is no recording {self.path.name}; auto makes one from the replies of an endpoint")
        if mode != "off":
            read_lines(self.path)

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
        place = _find_place() if _find_place else None
        with self._lock:
            lines = self.exchanges()
            asked = Asked.of(request)
            key = self._key_of(asked, place, lines)
            slot = self._take_slot(key, place)
            recorded = [line for line in lines if line.key == key]
            number = self._same(slot).index(slot)
            slot.has_line = number < len(recorded)
            if slot.has_line and not fresh:
                asking = Asking(recorded[number], slot.take)
            elif self.mode == "only":
                self._slots.remove(slot)
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
        return [line for line in read_lines(self.path) if isinstance(line, RecordedExchange)]

    def unused(self) -> list[RecordedExchange]:
        """What is recorded and was not yet asked for, in order.

        Raises:
            JmuzError: the file cannot be read.
        """
        left = Counter(slot.key for slot in self._slots)
        unused = []
        for line in self.exchanges():
            left[line.key] -= 1
            if left[line.key] < 0:
                unused.append(line)
        return unused

    def _key_of(self, asked: Asked, place: Place | None, lines: list[RecordedExchange]) -> str:
        """The request's key; where no model is named and none could be asked, that of a recorded one like it."""
        if asked.model or self.mode != "only":
            return asked.key
        keys = [line.key for line in lines if line.asked.key_without_model == asked.key_without_model]
        for key, count in Counter(keys).items():
            slot = self._slot_of(key, place)
            same = [other for other in self._slots if other.key == key]
            if (same.index(slot) if slot else len(same)) < count:
                return key
        return keys[0] if keys else asked.key

    def _slot_of(self, key: str, place: Place | None) -> _Slot | None:
        """What the cell asked at this point of an earlier run; None where it did not, or is not known."""
        if place is None:
            return None
        own = (slot for slot in self._slots if slot.key == key and slot.place and slot.place.cell == place.cell)
        return next((slot for slot in own if slot.place != place), None)

    def _take_slot(self, key: str, place: Place | None) -> _Slot:
        slot = self._slot_of(key, place)
        if slot is None:
            slot = _Slot(key, place)
            self._slots.append(slot)
        slot.place = place
        return slot

    def _let_go(self, slot: _Slot) -> None:
        """Nobody holds the asking any more; perhaps it was never begun, as for `--dry-run`."""
        if not slot.is_taken and slot in self._slots:
            self._slots.remove(slot)

    def _same(self, slot: _Slot) -> list[_Slot]:
        return [other for other in self._slots if other.key == slot.key]

    def _close(self, slot: _Slot, request: Request, asked: Asked, reply: Reply | None) -> None:
        with self._lock:
            try:
                if reply is not None:
                    line = line_of(request, asked, reply)
                    change_lines(self.path, lambda lines: self._put(lines, slot, line))
            finally:
                if not slot.has_line and slot in self._slots:
                    self._slots.remove(slot)

    def _put(self, lines: Lines, slot: _Slot, line: RecordedExchange) -> bool:
        """Put the line where it belongs; False where what is there may stay as it is."""
        at = _positions(lines, slot.key)
        number = self._number(slot)
        # More lines than we know of: another kernel has recorded the same asking in the meantime.
        foreign = not slot.has_line and len(at) > sum(other.has_line for other in self._same(slot))
        replaces, slot.has_line = slot.has_line or foreign, True
        if not replaces or number >= len(at):
            lines.insert(self._position(lines, slot), line)
            return True
        before = lines[at[number]]
        if foreign or (isinstance(before, RecordedExchange) and line.says_the_same(before)):
            return False
        lines[at[number]] = line
        return True

    def _number(self, slot: _Slot) -> int:
        """Which of the lines of its request is the slot's: slots before it may still wait for theirs."""
        same = self._same(slot)
        return sum(other.has_line for other in same[: same.index(slot)])

    def _position(self, lines: Lines, slot: _Slot) -> int:
        """Behind the line of what was asked before; else before that of what was asked after; else at the end."""
        at, number, here = _positions(lines, slot.key), self._number(slot), self._slots.index(slot)
        before = (self._line_of(lines, other) for other in reversed(self._slots[:here]))
        after = (self._line_of(lines, other) for other in self._slots[here + 1 :])
        position = next((found + 1 for found in before if found is not None), None)
        if position is None:
            position = next((found for found in after if found is not None), len(lines))
        lowest = at[number - 1] + 1 if 0 < number <= len(at) else 0
        highest = at[number] if number < len(at) else len(lines)
        return min(max(position, lowest), highest)

    def _line_of(self, lines: Lines, slot: _Slot) -> int | None:
        at, number = _positions(lines, slot.key), self._number(slot)
        return at[number] if slot.has_line and number < len(at) else None


def _positions(lines: Lines, key: str) -> list[int]:
    return [n for n, line in enumerate(lines) if isinstance(line, RecordedExchange) and line.key == key]


def _explain(name: str, asked: Asked, lines: list[RecordedExchange], count: int) -> str:
    """Why nothing answers in `only`."""
    if count:
        replies = "1 reply" if count == 1 else f"{count} replies"
        time = _ordinal(count + 1)
        return f"{name} holds {replies} to this request, and it is asked for the {time} time; %jmuz_record counts anew"
    others = [line.asked for line in lines]
    nearest = asked.nearest(others)
    if nearest is None:
        return f"{name} holds no exchange yet; auto records some"
    differences = "; ".join(asked.differences(others[nearest])) or "a key"
    return f"{name} holds no reply to this request; the nearest is exchange {nearest + 1}, which differs: {differences}"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
