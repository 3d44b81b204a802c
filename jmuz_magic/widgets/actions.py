"""What a panel does for each operation that its views send.

Operations run on the bridge's thread. The result is the answer for the view that asked, which shows `{"error": …}`.
What goes wrong with a prompt is shown in the transcript instead, where it can be retried.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias, assert_never

from jmuz_magic.content import text_of
from jmuz_magic.conversation.branches import undone_words
from jmuz_magic.conversation.export import Format, exported
from jmuz_magic.conversation.selection import get_selection
from jmuz_magic.display.bundle import reply_bundle
from jmuz_magic.errors import JmuzError
from jmuz_magic.text import clean_line, clean_text
from jmuz_magic.widgets.asking import BUSY, BY_A_CELL, Asking
from jmuz_magic.widgets.files import message_of, with_files_of
from jmuz_magic.widgets.listing import provider_rows
from jmuz_magic.widgets.models import ask_models
from jmuz_magic.widgets.protocol import (
    Answer,
    Ask,
    Clear,
    Delete,
    Export,
    ListModels,
    PanelAction,
    Regenerate,
    Resume,
    SetSettings,
    Show,
    Stop,
    Undo,
    Unknown,
)
from jmuz_magic.widgets.resuming import resume
from jmuz_magic.widgets.settings import apply_settings, show_settings

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation
    from jmuz_magic.widgets.transcript import Transcript

__all__ = ["Actions"]

EXPORTS: dict[Format, str] = {"md": "text/markdown", "ipynb": "application/x-ipynb+json", "json": "application/json"}
OnTurns: TypeAlias = Ask | Delete | Regenerate | Show | Stop | Undo
DELETED = "deleted; Undo in the menu brings it back"


class Actions:
    """The operations of one panel on its conversation.

    Attributes:
        asking: asks its prompts.
    """

    def __init__(self, conversation: Conversation, transcript: Transcript) -> None:
        self._conversation = conversation
        self._transcript = transcript
        self.asking = Asking(conversation, transcript)

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
            case Clear():
                return await self._clear()
            case Export():
                return await self._export(operation.format)
            case ListModels():
                return await self._list_models(refresh=operation.refresh)
            case Resume():
                return await resume(self._conversation, operation)
            case SetSettings():
                return self._set(operation)
            case _:
                return self._change(operation, buffers)

    def _change(self, operation: OnTurns, buffers: Sequence[bytes]) -> Answer | None:
        match operation:
            case Ask():
                return self._ask(operation, buffers)
            case Delete():
                return self._delete(operation.turn)
            case Regenerate():
                return self._ask_again(operation.turn)
            case Show():
                return self._show(operation)
            case Stop():
                return self.asking.stop()
            case Undo():
                return self._undo()
        assert_never(operation)

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
            return self.asking.ask_again(replaced, with_files_of(replaced.prompt, message))
        return self.asking.ask(message)

    def _ask_again(self, turn: str) -> Answer | None:
        entry = self._transcript.find(turn)
        return self.asking.ask_again(entry) if entry else None

    def _delete(self, turn: str) -> Answer | None:
        """Remove a turn, or a prompt that never became one."""
        entry = self._transcript.find(turn)
        if entry is None:
            return None
        if entry.turn is None:
            entry.dismissed = True
            return None
        if self.asking.busy:
            return {"error": BUSY}
        self._conversation.delete(entry.turn)
        return {"note": DELETED}

    def _show(self, operation: Show) -> Answer | None:
        """Show another version of a turn, with what followed it."""
        entry = self._transcript.find(operation.turn)
        versions = self._conversation.versions.get(entry.turn, ()) if entry and entry.turn else ()
        if not 0 < operation.version <= len(versions):
            return None
        if self.asking.busy:
            return {"error": BUSY}
        self._conversation.show(versions[operation.version - 1])
        return {"note": f"version {operation.version} of {len(versions)}"}

    def _undo(self) -> Answer | None:
        """Undo the last change, or first remove a prompt that never became a turn."""
        entries = self._transcript.entries
        if entries and entries[-1].turn is None:
            entries[-1].dismissed = True
            return None
        if self.asking.busy:
            return {"error": BUSY}
        before = self._conversation.transcript
        turn = self._conversation.undo()
        after = self._conversation.transcript
        answer: Answer = {"note": undone_words(turn, before, after)}
        if turn and turn.prompt not in [each.prompt for each in after]:  # else it would be lost
            answer["prompt"] = clean_text(text_of(turn.prompt))
        return answer

    async def _clear(self) -> Answer | None:
        """Stop a running reply, then remove all turns."""
        if self._conversation.running and not self.asking.running_here:
            return {"error": BY_A_CELL}
        self._transcript.dismiss_refused()  # first, or the end of that reply would send what is queued
        await self.asking.stopped()
        self._conversation.clear()
        return None

    async def _list_models(self, *, refresh: bool) -> Answer:
        answer: Answer = {"providers": provider_rows(get_selection())}
        try:
            answer["entries"] = await ask_models(self._conversation.endpoint, refresh=refresh)
        except JmuzError as error:
            answer["error"] = clean_line(str(error))
        return answer

    def _set(self, changes: SetSettings) -> Answer | None:
        """Apply settings; say who will read the conversation if that changes."""
        apply_settings(self._conversation, changes)
        if changes.provider is None or not self._conversation.turns:
            return None
        return {"note": f"the next prompt and the turns above go to {show_settings(self._conversation)['endpoint']}"}

    async def _export(self, kind: Format) -> Answer:
        text = await asyncio.to_thread(exported, self._conversation, kind, reply_bundle)
        return {"file": {"name": f"{_file_name(self._conversation.name)}.{kind}", "type": EXPORTS[kind], "text": text}}


def _file_name(name: str | None) -> str:
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name or "")
    return f"chat-{safe}" if safe.strip("-") else "chat"
