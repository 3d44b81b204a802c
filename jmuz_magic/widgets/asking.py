"""How a panel asks: one prompt after another, in place of an earlier turn or at the end."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from jmuz_magic.errors import JmuzError
from jmuz_magic.notebook.files import parts_sent
from jmuz_magic.text import clean_line
from jmuz_magic.widgets.sight import note_typed, typed_form

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation
    from jmuz_magic.conversation.turn import Turn
    from jmuz_magic.messages import Message
    from jmuz_magic.widgets.entry import Entry
    from jmuz_magic.widgets.protocol import Answer
    from jmuz_magic.widgets.transcript import Transcript

__all__ = ["BUSY", "BY_A_CELL", "Asking"]

BUSY = "a reply is still being written; stop it first"
BY_A_CELL = "a cell asked for this reply; interrupt the cell to stop it"
UNSEEN = "Not sent: no page showed the panel any more."

# The task of each turn, so that any panel of the conversation can stop what another one started.
_tasks: WeakKeyDictionary[Turn, asyncio.Task[None]] = WeakKeyDictionary()


class Asking:
    """Asks the prompts of one panel; those that come while a reply is written wait for its end.

    All methods but `end` are called on the bridge's thread.
    """

    def __init__(self, conversation: Conversation, transcript: Transcript) -> None:
        self._conversation = conversation
        self._transcript = transcript
        self._own: set[asyncio.Task[None]] = set()
        self._said: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether a reply is being written, or about to be."""
        return self._conversation.running is not None or bool(self._own)

    @property
    def running_here(self) -> bool:
        """Whether a panel asked for the running reply."""
        running = self._conversation.running
        return running is not None and running in _tasks

    def ask(self, prompt: Message) -> Answer | None:
        """Ask at the end, or queue the prompt."""
        if self.busy:
            self._transcript.queue(prompt)
            return None
        return self._start(prompt, None)

    def ask_again(self, entry: Entry, prompt: Message | None = None) -> Answer | None:
        """Ask the prompt of a turn once more, or another one in its place."""
        if self.busy:
            return {"error": BUSY}
        return self._start(prompt or entry.prompt, entry)

    def go_on(self) -> None:
        """Ask what is queued, if no reply is being written."""
        while not self.busy and (entry := self._transcript.next_queued()):
            entry.dismissed = True
            self._start(entry.prompt, None)

    def stop(self) -> Answer | None:
        """Stop the running reply; what has arrived stays."""
        running = self._conversation.running
        if running is None:
            return None
        task = _tasks.get(running)
        if task is None:
            return {"note": BY_A_CELL}
        task.cancel()
        return {"note": "stopped; the queued prompt is next"} if self._transcript.next_queued() else None

    async def stopped(self) -> None:
        """Stop what panels asked for, and wait for its end."""
        running = self._conversation.running
        tasks = {*self._own, *filter(None, [_tasks.get(running) if running else None])}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def abandon(self) -> None:
        """Stop everything because nobody sees it; queued prompts stay, not sent."""
        while entry := self._transcript.next_queued():
            entry.dismissed = True
            self._transcript.refuse(entry.prompt, UNSEEN)
        self.stop()

    def end(self) -> None:
        """Stop what this panel started and forget what it queued; from any thread."""
        self._transcript.dismiss_refused()
        for task in tuple(self._own):
            with contextlib.suppress(RuntimeError):  # the bridge was closed, and its tasks with it
                task.get_loop().call_soon_threadsafe(task.cancel)

    def _start(self, prompt: Message, replaced: Entry | None) -> Answer | None:
        try:
            replacing, in_place = self._replaceable(replaced)
            turn = self._conversation.turn(
                prompt, replacing=replacing, in_place=in_place, sent_in_part=_sent_in_part(prompt)
            )
        except JmuzError as error:
            self._dismiss(replaced)
            self._transcript.refuse(prompt, clean_line(str(error)))
            return None
        if replaced and (replaced.turn is None or replaced.turn is not replacing):
            self._dismiss(replaced)
        note_typed(turn)
        task = asyncio.get_running_loop().create_task(self._run(turn))
        _tasks[turn] = task
        self._own.add(task)
        task.add_done_callback(self._own.discard)
        # A cancelled task holds its error, the error its frames, and those the turn, which would never be freed.
        task.add_done_callback(lambda _: _tasks.pop(turn, None))
        task.add_done_callback(lambda _: self.go_on())
        return self._notice(turn)

    async def _run(self, turn: Turn) -> None:
        """Read the turn to its end; the conversation keeps all panels informed."""
        # The turn holds the error, and the transcript shows it.
        with contextlib.suppress(JmuzError):
            async with contextlib.aclosing(turn.chunks()) as chunks:
                async for _ in chunks:
                    pass
        if turn.error and not turn.entry:  # somebody else asked at the same moment
            self._transcript.refuse(turn.prompt, clean_line(str(turn.error)))

    def _notice(self, turn: Turn) -> Answer | None:
        """Who reads the prompts: said once if a free third party does."""
        endpoint = turn.request.endpoint
        notice = endpoint.notice if endpoint and not turn.recorded else None
        if notice is None or notice in self._said:
            return None
        self._said.add(notice)
        return {"note": notice}

    def _replaceable(self, entry: Entry | None) -> tuple[Turn | None, bool]:
        """The turn that is asked again, and whether those after it stay.

        For a turn that was set aside it is the one that this should have replaced. A turn without a reply is asked
        again in its place if a cell asked it, else at the end.
        """
        turn = entry.turn if entry else None
        if turn is None or (turn.has_nothing and not (turn.is_set_aside or turn.cell)):
            return None, False
        if turn.is_set_aside:
            target, in_place = turn.replacing, turn.in_place
        else:
            target, in_place = turn, turn.has_nothing
        return (target if target in self._conversation.transcript else None), in_place

    def _dismiss(self, entry: Entry | None) -> None:
        if entry and entry.turn is None:
            entry.dismissed = True
        elif entry and entry.turn and entry.turn.has_nothing:
            self._conversation.drop(entry.turn)


def _sent_in_part(prompt: Message) -> tuple[str, ...]:
    typed = typed_form(prompt)
    return (*(typed.sent_in_part if typed else ()), *parts_sent(prompt))
