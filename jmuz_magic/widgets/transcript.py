"""The transcript of a panel: which turns it shows, and the numbered messages that keep its views in step.

A `PartMessage` says that a running turn has grown, a `TurnsMessage` which turns there are, some of them whole.
`sequence` counts messages; `version` counts changes of which turns and versions there are. A view takes a `part` only
if it has the `from` parts before it; otherwise it asks for what it lacks (`missing`). A turn that ends is sent whole
without being asked for: a request would wait for the end of a running cell.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from jmuz_magic.conversation.placing import placed
from jmuz_magic.display.views.view import Pace
from jmuz_magic.messages import Message, Retry
from jmuz_magic.text import clean_line
from jmuz_magic.widgets.entry import Entry
from jmuz_magic.widgets.protocol import Known, PartChange, PartMessage, ShownTurn, TurnsMessage

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation, ConversationEvent
    from jmuz_magic.conversation.turn import Turn

__all__ = ["Transcript"]


class Transcript:
    """What a panel shows of a conversation; usable from any thread.

    It shows the conversation's transcript with the running turn in its place, and prompts that are queued or could not
    become a turn: no prompt is lost.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._lock = threading.RLock()
        self._entries: dict[Turn, Entry] = {}
        self._refused: list[Entry] = []  # and queued
        self._versions: dict[str, tuple[int, int]] = {}
        self._notes: dict[Turn, str] = {}
        self._shown: list[Entry] = []
        self._running: Turn | None = None
        self._sequence = self._version = 0
        self.catch_up()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is shown, in order."""
        return tuple(self._shown)

    @property
    def pace(self) -> float:
        """Seconds to wait before the next `catch_up`."""
        return Pace.pause(sum(entry.open_chars for entry in self.entries))

    def hear(self, event: ConversationEvent) -> None:
        """Note what `catch_up` cannot see in the conversation; returns at once."""
        if isinstance(event.chunk, Retry) and event.turn:
            self._notes[event.turn] = clean_line(event.chunk.line)

    def refuse(self, prompt: Message, error: str) -> None:
        """Show a prompt that could not become a turn."""
        with self._lock:
            self._refused.append(Entry(prompt, error=error))

    def queue(self, prompt: Message) -> None:
        """Show a prompt that is asked when the reply before it has ended."""
        with self._lock:
            self._refused.append(Entry(prompt, queued=True))

    def next_queued(self) -> Entry | None:
        """The first prompt that is queued."""
        return next((entry for entry in tuple(self._refused) if entry.queued and not entry.dismissed), None)

    def find(self, entry_id: object) -> Entry | None:
        """The shown entry with this id."""
        return next((entry for entry in self.entries if entry.id == entry_id), None)

    def dismiss_refused(self) -> None:
        """Remove all prompts that never became a turn, queued ones too."""
        with self._lock:
            for entry in self._refused:
                entry.dismissed = True

    def catch_up(self) -> list[TurnsMessage | PartMessage]:
        """Look at the conversation and return the messages that bring views up to date since the last look."""
        with self._lock:
            arranged = self._arrange()
            whole: list[ShownTurn] = []
            parts: list[PartChange] = []
            for entry in self._shown:
                self._note(entry)
                change = entry.refresh(running=self._running is not None and entry.turn is self._running)
                if entry in arranged or change == "ended":
                    whole.append(entry.state())
                elif change:
                    parts.append(change)
            turns = [self._turns(whole)] if whole or arranged is not _SAME else []
            return [*turns, *(self._numbered(part) for part in parts)]

    def snapshot(self) -> TurnsMessage:
        """The whole transcript, for a page that has just been opened."""
        with self._lock:
            return self._message([entry.state() for entry in self._shown])

    def missing(self, known: Mapping[str, Known]) -> TurnsMessage:
        """What a view lacks.

        Args:
            known: by entry id, `ended` or how many parts the view has.
        """
        with self._lock:
            turns = [entry.state(_start(known, entry)) for entry in self._shown if known.get(entry.id) != "ended"]
            return self._turns(turns)

    def _turns(self, turns: list[ShownTurn]) -> TurnsMessage:
        self._sequence += 1
        return self._message(turns)

    def _message(self, turns: list[ShownTurn]) -> TurnsMessage:
        order = [entry.id for entry in self._shown]
        return {
            "type": "turns",
            "sequence": self._sequence,
            "version": self._version,
            "order": order,
            "versions": self._versions,
            "turns": turns,
        }

    def _numbered(self, change: PartChange) -> PartMessage:
        self._sequence += 1
        return {"type": "part", "sequence": self._sequence, "version": self._version, **change}

    def _note(self, entry: Entry) -> None:
        if entry.turn in self._notes:
            note = self._notes.pop(entry.turn)
            entry.note = note if entry.turn.state == "waiting" else ""

    def _arrange(self) -> frozenset[Entry]:
        """Decide what is shown; return the new entries, or `_SAME` if the order is unchanged."""
        conversation = self._conversation
        running = conversation.running  # read first: an ending turn enters the transcript before it stops running
        self._running = running
        transcript = conversation.transcript
        turns = placed(transcript, running)
        for turn in turns:
            if turn not in self._entries:
                self._entries[turn] = Entry(turn.prompt, turn)
        shown = [self._entries[turn] for turn in turns]
        self._refused = [entry for entry in self._refused if not entry.dismissed]
        for entry in self._refused:
            shown.insert(len(shown) if entry.queued else _position(shown, entry), entry)
        # What a running turn is to replace keeps its entry, which is shown again if that turn fails.
        self._entries = {turn: self._entries[turn] for turn in {*turns, *transcript} if turn in self._entries}
        versions = self._find_versions(shown)
        if (shown, versions) == (self._shown, self._versions):
            return _SAME
        new = frozenset(shown) - frozenset(self._shown)
        self._shown, self._versions, self._version = shown, versions, self._version + 1
        return new

    def _find_versions(self, shown: list[Entry]) -> dict[str, tuple[int, int]]:
        """By entry, which of how many versions of the turn it is, where there are several."""
        all_versions = self._conversation.versions
        found = ((entry, all_versions[entry.turn]) for entry in shown if entry.turn in all_versions)
        return {entry.id: (versions.index(entry.turn) + 1, len(versions)) for entry, versions in found if entry.turn}


_SAME: frozenset[Entry] = frozenset()


def _position(shown: list[Entry], refused: Entry) -> int:
    """The position after the last entry that existed when the prompt was refused."""
    earlier = (at for at in range(len(shown), 0, -1) if shown[at - 1].number < refused.number)
    return next(earlier, 0)


def _start(known: Mapping[str, Known], entry: Entry) -> int:
    """How many parts the view has; 0 for an ended entry, whose parts may have been made again."""
    count = known.get(entry.id)
    return count if isinstance(count, int) and count >= 0 and not entry.ended else 0
