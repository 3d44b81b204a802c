"""Maps askings of requests to lines: the order of a recording."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from jmuz_magic.recordings.file import Lines
from jmuz_magic.recordings.line import RecordedExchange
from jmuz_magic.request.cell import Cell

__all__ = ["Slot", "Slots", "first_steps", "with_later"]


@dataclass(eq=False)
class Slot:
    """The n-th asking of one request; if the cell is known, the same one for every run of it.

    Attributes:
        key: the request's key.
        cell: where it was last asked.
        has_line: whether the file has its reply; a request's slots with one correspond to its lines, in order.
    """

    key: str
    cell: Cell | None
    has_line: bool = False


class Slots:
    """The askings of a recording, in order."""

    def __init__(self) -> None:
        self._slots: list[Slot] = []

    def take(self, key: str, cell: Cell | None) -> Slot:
        """The slot for an asking that begins now."""
        slot = self._known(key, cell)
        if slot is None:
            slot = Slot(key, cell)
            self._slots.append(slot)
        slot.cell = cell
        return slot

    def next_number(self, key: str, cell: Cell | None) -> int:
        """The number, from 0, of an asking of the request that began now."""
        slot = self._known(key, cell)
        same = [other for other in self._slots if other.key == key]
        return same.index(slot) if slot else len(same)

    def drop(self, slot: Slot) -> None:
        """Forget an asking that does not count."""
        if slot in self._slots:
            self._slots.remove(slot)

    def counts(self) -> Counter[str]:
        """How often each request was asked."""
        return Counter(slot.key for slot in self._slots)

    def put(self, lines: Lines, slot: Slot, line: RecordedExchange) -> bool:
        """Put the slot's line where it belongs; return False if what is there can stay."""
        if line.of:
            return self._put_step(lines, slot, line)
        at = first_steps(lines, slot.key)
        number = self._line_number(slot)
        # More lines than we know of: another kernel has recorded this asking in the meantime.
        foreign = not slot.has_line and len(at) > sum(other.has_line for other in self._same(slot))
        replaces, slot.has_line = slot.has_line or foreign, True
        if not replaces or number >= len(at):
            lines.insert(self._position(lines, slot), line)
            return True
        before = lines[at[number]]
        if foreign or (isinstance(before, RecordedExchange) and line.says_the_same(before)):
            return False
        for later in reversed(_later_steps(lines, at[number])):  # they followed another reply
            del lines[later]
        lines[at[number]] = line
        return True

    def _put_step(self, lines: Lines, slot: Slot, line: RecordedExchange) -> bool:
        """Put the line of a later step after those before it; remove those after it, which followed another reply."""
        first = self._line_of(lines, slot)
        if first is None:
            return False  # the turn's first line was removed
        steps = _later_steps(lines, first)
        before, later = steps[: line.step - 2], steps[line.step - 2 :]
        if later and isinstance(same := lines[later[0]], RecordedExchange) and line.says_the_same(same):
            return False
        for n in reversed(later):
            del lines[n]
        lines.insert((before[-1] if before else first) + 1, line)
        return True

    def _known(self, key: str, cell: Cell | None) -> Slot | None:
        """What the cell asked at this point of an earlier run; None if nothing, or if the cell is unknown."""
        if cell is None:
            return None
        own = (slot for slot in self._slots if slot.key == key and slot.cell and slot.cell.id == cell.id)
        return next((slot for slot in own if slot.cell != cell), None)

    def _same(self, slot: Slot) -> list[Slot]:
        return [other for other in self._slots if other.key == slot.key]

    def _line_number(self, slot: Slot) -> int:
        """Which line of its request belongs to the slot: earlier slots may still be waiting for theirs."""
        same = self._same(slot)
        return sum(other.has_line for other in same[: same.index(slot)])

    def _position(self, lines: Lines, slot: Slot) -> int:
        """After the line of what was asked before, else before that of what was asked after, else at the end."""
        at, number, here = first_steps(lines, slot.key), self._line_number(slot), self._slots.index(slot)
        before = (self._line_of(lines, other) for other in reversed(self._slots[:here]))
        after = (self._line_of(lines, other) for other in self._slots[here + 1 :])
        position = next((_end_of(lines, found) for found in before if found is not None), None)
        if position is None:
            position = next((found for found in after if found is not None), len(lines))
        lowest = _end_of(lines, at[number - 1]) if 0 < number <= len(at) else 0
        highest = at[number] if number < len(at) else len(lines)
        return min(max(position, lowest), highest)

    def _line_of(self, lines: Lines, slot: Slot) -> int | None:
        at, number = first_steps(lines, slot.key), self._line_number(slot)
        return at[number] if slot.has_line and number < len(at) else None


def first_steps(lines: Lines, key: str) -> list[int]:
    """The positions of a request's lines, each the first of its turn."""
    return [n for n, line in enumerate(lines) if isinstance(line, RecordedExchange) and line.key == key and not line.of]


def with_later(lines: Lines, at: int) -> RecordedExchange:
    """The first line of a turn, at that position, with those of its later steps."""
    line = lines[at]
    assert isinstance(line, RecordedExchange)
    later = (lines[n] for n in _later_steps(lines, at))
    return replace(line, later=tuple(each for each in later if isinstance(each, RecordedExchange)))


def _later_steps(lines: Lines, at: int) -> list[int]:
    """The positions of a turn's later steps, up to the next turn that begins with the same request."""
    first = lines[at]
    assert isinstance(first, RecordedExchange)
    found: list[int] = []
    for n, line in enumerate(lines[at + 1 :], at + 1):
        if isinstance(line, RecordedExchange) and line.key == first.key and not line.of:
            break
        if isinstance(line, RecordedExchange) and line.of == first.key and line.step == len(found) + 2:
            found.append(n)
    return found


def _end_of(lines: Lines, at: int) -> int:
    """The position after a turn whose first line is at that position."""
    return [at, *_later_steps(lines, at)][-1] + 1
