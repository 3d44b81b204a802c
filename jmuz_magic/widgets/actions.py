"""What a panel does for each operation that its views send.

Operations run on the bridge's thread. The result is the answer for the view that asked, which shows `{"error": …}`.
What goes wrong with a prompt is shown in the transcript instead, where it can be retried.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, assert_never
from weakref import WeakKeyDictionary

from jmuz_magic.conversation.export import Format, exported
from jmuz_magic.display.bundle import reply_bundle
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Message
from jmuz_magic.text import clean_line
from jmuz_magic.widgets.entry import Entry
from jmuz_magic.widgets.files import message_of, parts_sent, with_files_of
from jmuz_magic.widgets.models import ask_models
from jmuz_magic.widgets.protocol import (
    Answer,
    Ask,
    Clear,
    Export,
    ListModels,
    PanelAction,
    Regenerate,
    Resume,
    Retry,
    SetSettings,
    Stop,
    Undo,
    Unknown,
)
from jmuz_magic.widgets.resuming import resume
from jmuz_magic.widgets.settings import apply_settings
from jmuz_magic.widgets.sight import typed_form

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation
    from jmuz_magic.conversation.turn import Turn
    from jmuz_magic.widgets.transcript import Transcript

__all__ = ["Actions"]

EXPORTS: dict[Format, str] = {"md": "text/markdown", "ipynb": "application/x-ipynb+json", "json": "application/json"}
BY_A_CELL = "a cell asked for this reply; interrupt the cell to stop it"
BUSY = "a reply is still being written; stop it first"

# The task of each turn, so that any panel of the conversation can stop what another one started.
_tasks: WeakKeyDictionary[Turn, asyncio.Task[None]] = WeakKeyDictionary()


class Actions:
    """The operations of one panel on its conversation."""

    def __init__(self, conversation: Conversation, transcript: Transcript) -> None:
        self._conversation = conversation
        self._transcript = transcript
        self._own: set[asyncio.Task[None]] = set()
        self._said: set[str] = set()

    async def serve(self, operation: PanelAction | Unknown, buffers: Sequence[bytes]) -> Answer:
        """The answer to one operation, even an unknown one."""
        if isinstance(operation, Unknown):
            return {"error": "this panel is older than the kernel; reload the page"}
        try:
            return await self._do(operation, buffers) or {}
        except JmuzError as error:
            return {"error": clean_line(str(error))}

    async def _do(self, operation: PanelAction, buffers: Sequence[bytes]) -> Answer | None:
        match operation:
            case Ask():
                return self._ask(operation, buffers)
            case Clear():
                return await self._clear()
            case Export():
                return await self._export(operation.format)
            case ListModels():
                return {"entries": await ask_models(self._conversation.endpoint, refresh=operation.refresh)}
            case Regenerate() | Retry():
                return self._retry(operation)
            case Resume():
                return await resume(self._conversation, operation)
            case SetSettings():
                apply_settings(self._conversation, operation)
                return None
            case Stop():
                return self.stop()
            case Undo():
                return self._undo()
        assert_never(operation)

    def stop(self) -> Answer | None:
        """Stop the running reply; what has arrived stays."""
        running = self._conversation.running
        if running is None:
            return None
        task = _tasks.get(running)
        if task is None:
            return {"note": BY_A_CELL}
        task.cancel()
        return None

    @property
    def _takes_pdf(self) -> bool:
        try:
            return bool(getattr(self._conversation.endpoint.provider, "takes_pdf", False))
        except JmuzError:  # nothing is configured, which the turn will say
            return True

    def _ask(self, asked: Ask, buffers: Sequence[bytes]) -> Answer | None:
        message = message_of(asked, buffers, takes_pdf=self._takes_pdf)
        replaced = self._transcript.find(asked.replaces)
        if replaced:
            message = with_files_of(replaced.prompt, message)
        return self._start(message, replaced)

    def _retry(self, operation: Regenerate | Retry) -> Answer | None:
        last = next(reversed(self._transcript.entries), None)
        entry = self._transcript.find(operation.turn) if isinstance(operation, Retry) else last
        return self._start(entry.prompt, entry) if entry else None

    def _undo(self) -> Answer | None:
        """Remove the last turn, or first a prompt that never became one."""
        if self._conversation.running:
            return {"error": BUSY}
        entries = self._transcript.entries
        if entries and entries[-1].turn is None:
            entries[-1].dismissed = True
        else:
            self._conversation.undo()
        return None

    async def _clear(self) -> Answer | None:
        """Stop a running reply, then remove all turns."""
        running = self._conversation.running
        if running is not None:
            task = _tasks.get(running)
            if task is None:
                return {"error": BY_A_CELL}
            task.cancel()
            await asyncio.wait([task])
        self._transcript.dismiss_refused()
        self._conversation.clear()
        return None

    async def _export(self, kind: Format) -> Answer:
        text = await asyncio.to_thread(exported, self._conversation, kind, reply_bundle)
        return {"file": {"name": f"{_file_name(self._conversation.name)}.{kind}", "type": EXPORTS[kind], "text": text}}

    def end(self) -> None:
        """Stop what this panel started; from any thread."""
        for task in tuple(self._own):
            with contextlib.suppress(RuntimeError):  # the bridge was closed, and its tasks with it
                task.get_loop().call_soon_threadsafe(task.cancel)

    @property
    def running_here(self) -> bool:
        """Whether a panel asked for the running reply."""
        running = self._conversation.running
        return running is not None and running in _tasks

    def _start(self, prompt: Message, replaced: Entry | None) -> Answer | None:
        if self._conversation.running:
            return {"error": BUSY}
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
        task = asyncio.get_running_loop().create_task(_run(turn))
        _tasks[turn] = task
        self._own.add(task)
        task.add_done_callback(self._own.discard)
        # A cancelled task holds its error, the error its frames, and those the turn, which would never be freed.
        task.add_done_callback(lambda _: _tasks.pop(turn, None))
        return self._notice(turn)

    def _notice(self, turn: Turn) -> Answer | None:
        """Who reads the prompts: said once if a free third party does."""
        endpoint = turn.request.endpoint
        notice = endpoint.notice if endpoint and not turn.recorded else None
        if notice is None or notice in self._said:
            return None
        self._said.add(notice)
        return {"note": notice}

    def _replaceable(self, entry: Entry | None) -> tuple[Turn | None, bool]:
        """The turn that a new one replaces, and whether those after it stay.

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


async def _run(turn: Turn) -> None:
    """Read the turn to its end; the conversation keeps all panels informed."""
    # The turn holds the error, and the transcript shows it.
    with contextlib.suppress(JmuzError):
        async with contextlib.aclosing(turn.chunks()) as chunks:
            async for _ in chunks:
                pass


def _sent_in_part(prompt: Message) -> tuple[str, ...]:
    typed = typed_form(prompt)
    return (*(typed.sent_in_part if typed else ()), *parts_sent(prompt))


def _file_name(name: str | None) -> str:
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name or "")
    return f"chat-{safe}" if safe.strip("-") else "chat"
