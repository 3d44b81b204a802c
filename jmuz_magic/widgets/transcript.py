"""The transcript of a panel: which turns it shows, and the numbered messages that keep its views in step.

Two kinds of message:

    part    {sequence, version, turn, from, parts, open, note, state}    a running turn has grown
    turns   {sequence, version, order, turns: [...]}                     which turns there are; some of them whole

`sequence` counts messages; `version` counts orders of turns. A view takes a `part` only if it has the `from` parts
before it, else it asks for what it misses (`missing`). A turn that ends is sent whole, unasked: a question would
wait for the end of a running cell.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jmuz_magic.display.view import Pace
from jmuz_magic.messages import Message, Retry
from jmuz_magic.widgets.entry import Entry, one_line

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation, ConversationEvent
    from jmuz_magic.conversation.turn import Turn

__all__ = ["Transcript"]


class Transcript:
    """What a panel shows of a conversation; usable from any thread.

    It shows the turns of the history, the one that runs, and those that failed or were stopped before their
    reply began: they never enter the history, but a prompt is not lost.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._lock = threading.RLock()
        self._entries: dict[Turn, Entry] = {}
        self._refused: list[Entry] = []
        self._started: deque[Turn] = deque()
        self._notes: dict[Turn, str] = {}
        self._shown: list[Entry] = []
        self._sequence = self._version = 0
        self.catch_up()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is shown, in order."""
        return tuple(self._shown)

    @property
    def pace(self) -> float:
        """Seconds to wait before catching up again."""
        return Pace.pause(sum(entry.open_chars for entry in self.entries))

    def hear(self, event: ConversationEvent) -> None:
        """Note what `catch_up` could not see in the conversation; returns at once."""
        if event.kind == "started" and event.turn:
            self._started.append(event.turn)
        elif isinstance(event.chunk, Retry) and event.turn:
            self._notes[event.turn] = one_line(f"{event.chunk.reason}; asking again in {event.chunk.delay:.1f} s …")

    def refuse(self, prompt: Message, error: str) -> None:
        """Show a prompt that could not become a turn."""
        with self._lock:
            self._refused.append(Entry(prompt, error=error))

    def find(self, entry_id: object) -> Entry | None:
        """The shown entry with this id."""
        return next((entry for entry in self.entries if entry.id == entry_id), None)

    def dismiss_apart(self) -> None:
        """Take away all that never was in the history."""
        with self._lock:
            for entry in self._shown:
                entry.dismissed = entry.dismissed or (entry.ended and entry.stands_apart)

    def catch_up(self) -> list[dict[str, Any]]:
        """Look at the conversation; the messages that bring a view from the last look to this one."""
        with self._lock:
            arranged = self._arrange()
            whole, parts = [], []
            for entry in self._shown:
                self._note(entry)
                change = entry.refresh()
                if entry in arranged or (change and "turn" not in change):
                    whole.append(entry.state())
                elif change:
                    parts.append(change)
            messages = [self._turns(whole)] if whole or arranged is not _SAME else []
            return messages + [self._numbered("part", **part) for part in parts]

    def snapshot(self) -> dict[str, Any]:
        """The whole transcript, for a page that is opened now."""
        with self._lock:
            turns = [entry.state() for entry in self._shown]
            return {**self._head(), "type": "turns", "turns": turns}

    def missing(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """What a view does not have.

        Args:
            known: by entry id, `ended`, or how many parts the view has.
        """
        with self._lock:
            turns = [entry.state(_start(known, entry)) for entry in self._shown if known.get(entry.id) != "ended"]
            return self._turns(turns)

    def _turns(self, turns: list[dict[str, Any]]) -> dict[str, Any]:
        self._sequence += 1
        return {**self._head(), "type": "turns", "turns": turns}

    def _head(self) -> dict[str, Any]:
        return {"sequence": self._sequence, "version": self._version, "order": [entry.id for entry in self._shown]}

    def _numbered(self, kind: str, **content: Any) -> dict[str, Any]:
        self._sequence += 1
        return {"type": kind, "sequence": self._sequence, "version": self._version, **content}

    def _note(self, entry: Entry) -> None:
        if entry.turn in self._notes:
            note = self._notes.pop(entry.turn)
            entry.note = note if entry.turn.state == "waiting" else ""

    def _arrange(self) -> frozenset[Entry]:
        """Decide what is shown; the entries that are new, or `_SAME` where the order stays."""
        conversation = self._conversation
        running = conversation.running  # read first: a turn that ends enters the history before it stops running
        history = conversation.turns
        started = [self._started.popleft() for _ in range(len(self._started))]
        for turn in (*history, *started, *([running] if running else [])):
            if turn not in self._entries:
                self._entries[turn] = self._enter(turn)
        replaced = running.replacing if running else None
        visible = set(history[: history.index(replaced)] if replaced in history else history)
        shown = [entry for entry in self._entries.values() if _is_shown(entry, visible, running)]
        shown += [entry for entry in self._refused if not entry.dismissed]
        shown.sort(key=lambda entry: entry.number)
        self._entries = {turn: entry for turn, entry in self._entries.items() if entry in shown or turn in history}
        self._refused = [entry for entry in self._refused if not entry.dismissed]
        if shown == self._shown:
            return _SAME
        new = frozenset(shown) - frozenset(self._shown)
        self._shown, self._version = shown, self._version + 1
        return new

    def _enter(self, turn: Turn) -> Entry:
        """The entry of a turn; failed askings of the same prompt right before it are what it tries again."""
        for entry in reversed(self._shown):
            if not (entry.ended and entry.stands_apart and entry.prompt == turn.prompt):
                break
            entry.dismissed = True
        return Entry(turn.prompt, turn)


_SAME: frozenset[Entry] = frozenset()


def _is_shown(entry: Entry, visible: set[Turn], running: Turn | None) -> bool:
    turn = entry.turn
    if turn is None or entry.dismissed:
        return False
    return turn in visible or turn is running or not turn.ended or entry.stands_apart


def _start(known: Mapping[str, Any], entry: Entry) -> int:
    """How many parts the view has; an ended entry is sent whole, because its parts may have been made anew."""
    count = known.get(entry.id)
    return count if isinstance(count, int) and count >= 0 and not entry.ended else 0
