"""The transcript as an ordinary output, which saved notebooks, nbconvert and code-hosting sites show."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from jmuz_magic.display.transcript import transcript_bundle
from jmuz_magic.display.views.publish import publish

if TYPE_CHECKING:
    from jmuz_magic.widgets.entry import Entry
    from jmuz_magic.widgets.transcript import Transcript

__all__ = ["StaticTranscript"]

# Characters of HTML that an output may hold before its turns move into the one above. Until then a turn is sent with
# its neighbours, so its cost hardly grows with the transcript: some 70 kB at 300 turns of 2 kB.
_ROOM = (None, 256_000, 16_000)
_EMPTY = {"text/html": '<div class="jmuz-transcript-rest"></div>', "text/latex": "", "text/plain": ""}


_State: TypeAlias = "tuple[tuple[Entry, ...], bool]"


class StaticTranscript:
    """Display outputs that are updated after each turn.

    All exist from the start: only an output that a cell has shown can be changed while another cell runs. The last
    one takes new turns; a full one hands its turns to the one above.

    Args:
        transcript: what they show.
        display_id: the outputs' display id, to which each adds its number.
    """

    def __init__(self, transcript: Transcript, display_id: str) -> None:
        self._transcript = transcript
        self._display_id = display_id
        self._outputs: list[list[Entry]] = [[] for _ in _ROOM]
        self._sent: list[_State] | None = None
        self._lock = threading.Lock()

    def show(self) -> None:
        """Display it in the running cell, as a single output if outputs cannot be changed later."""
        if not self._in_kernel():
            self._publish(0, self.bundle(), update=False)
            return
        with self._lock:
            self._arrange()
            self._sent = self._states()
            for number in range(len(_ROOM)):
                self._publish(number, self._output(number), update=False)

    def refresh(self) -> None:
        """Update it, from any thread; does nothing before it is shown or if nothing has changed."""
        if self._sent is None:
            return
        with self._lock:
            self._arrange()
            before, self._sent = self._sent, self._states()
            for number, state in enumerate(
                self._sent
            ):  # top down, so that what moves up appears there before it disappears
                if state != before[number]:
                    self._publish(number, self._output(number), update=True)

    def _states(self) -> list[_State]:
        """What each output shows, for comparison: its turns, and whether there are any at all."""
        return [(tuple(entries), any(self._outputs)) for entries in self._outputs]

    def bundle(self) -> dict[str, str]:
        """The whole transcript as one output."""
        return _bundle([entry for entry in self._transcript.entries if entry.ended])

    def _arrange(self) -> None:
        """Put new turns into the last output and remove turns that are gone."""
        ended = [entry for entry in self._transcript.entries if entry.ended]
        kept = 0
        for entries in self._outputs:
            while entries and entries != ended[kept : kept + len(entries)]:
                entries.pop()
            kept += len(entries)
        self._outputs[-1] += ended[kept:]
        for number in range(len(_ROOM) - 1, 0, -1):
            room = _ROOM[number]
            if room is not None and sum(len(entry.static()["text/html"]) for entry in self._outputs[number]) > room:
                self._outputs[number - 1] += self._outputs[number]
                self._outputs[number] = []

    def _output(self, number: int) -> dict[str, str]:
        says_so = number == len(_ROOM) - 1 and not any(self._outputs)
        return _bundle(self._outputs[number]) if self._outputs[number] or says_so else _EMPTY

    def _publish(self, number: int, bundle: dict[str, str], *, update: bool) -> None:
        publish(dict(bundle), {}, {"display_id": f"{self._display_id}-{number}"}, update)

    @staticmethod
    def _in_kernel() -> bool:
        # A terminal would print the transcript again.
        from IPython.core.getipython import get_ipython

        return hasattr(get_ipython(), "kernel")


def _bundle(entries: Sequence[Entry]) -> dict[str, str]:
    return transcript_bundle([entry.static() for entry in entries], "jmuz-transcript")
