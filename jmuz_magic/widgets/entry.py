"""One turn as a panel shows it: the prompt, the reply as safe HTML that only grows, and its facts."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal

from jmuz_magic.content import described, text_of
from jmuz_magic.conversation.history import NOT_SENT
from jmuz_magic.display.html.markdown import Blocks
from jmuz_magic.display.reply import calls_html, fact_lines, footer_lines
from jmuz_magic.display.sources import sources_html
from jmuz_magic.display.transcript import turn_bundle
from jmuz_magic.messages import Reply
from jmuz_magic.text import clean_line, clean_text
from jmuz_magic.widgets.files import describe_files
from jmuz_magic.widgets.protocol import Kind, OpenBlocks, Part, PartChange, ShownTurn
from jmuz_magic.widgets.sight import typed_form

if TYPE_CHECKING:
    from jmuz_magic.conversation.turn import Turn
    from jmuz_magic.messages import Message

__all__ = ["Entry"]

QUEUED = "Queued: sent when the reply before it has ended."

_numbers = itertools.count(1)


class Entry:
    """A turn in a panel's transcript.

    Its parts are HTML of finished blocks. Their number only grows until the turn ends; then `refresh` makes them
    again from the whole reply. `refresh` and `state` are called from one thread at a time.

    Attributes:
        number: entries are shown in this order.
        id: names the entry in messages.
        turn: None for a prompt that is queued, or was refused before it became one.
        prompt: the user's message.
        error: why the reply is missing or incomplete; "" otherwise.
        note: what to show where the reply will appear.
        ended: whether the parts are final.
        queued: whether it waits for the end of another reply.
        dismissed: whether it was retried, undone or cleared without ever becoming a turn.
    """

    def __init__(self, prompt: Message, turn: Turn | None = None, error: str = "", *, queued: bool = False) -> None:
        self.number = next(_numbers)
        self.id = f"turn-{self.number}"
        self.turn = turn
        self.prompt = prompt
        self.error = error
        self.note = "" if error else QUEUED if queued else "Waiting for the model …"
        self.queued = queued
        self.ended = turn is None and not queued
        self.dismissed = False
        self._reasoning, self._text = Blocks("mathml"), Blocks("mathml")
        self._taken: dict[Kind, int] = {"reasoning": 0, "text": 0}
        self._parts: list[Part] = []
        self._open: OpenBlocks = {"reasoning": "", "text": ""}
        self._images = describe_files(prompt)
        self._typed = typed_form(prompt, turn)
        self._static: dict[str, str] = {}

    @property
    def has_nothing(self) -> bool:
        """Whether it failed or has no reply, so that all one can do is try again."""
        return self.turn is None or self.turn.has_nothing

    @property
    def is_left_out(self) -> bool:
        """Whether it has ended and is not sent with later prompts."""
        turn = self.turn
        return turn is not None and turn.ended and not (turn.is_remembered and turn.reply.text.strip())

    @property
    def open_chars(self) -> int:
        """Characters of Markdown that each `refresh` parses again."""
        return self._reasoning.open_chars + self._text.open_chars

    def refresh(self, *, running: bool = False) -> PartChange | Literal["ended"] | None:
        """Take what came since the last call; return the change for views that have the earlier parts.

        Args:
            running: whether the conversation has yet to take the turn, so that its place is undecided.

        Returns:
            None if nothing changed; `ended` if the parts were made again.
        """
        if self.ended or self.turn is None:
            return None
        if self.turn.ended and not running:
            self._finish(self.turn)
            return "ended"
        before, start = (self._open.copy(), self.note), len(self._parts)
        self._take(self.turn.reply)
        if len(self._parts) == start and before == (self._open, self.note):
            return None
        return {
            "turn": self.id,
            "from": start,
            "parts": self._parts[start:],
            "open": self._open.copy(),
            "note": self.note,
            "state": self.turn.state,
        }

    def _take(self, reply: Reply) -> None:
        self._feed("reasoning", self._reasoning, reply.reasoning)
        if reply.text and self._open["reasoning"]:
            self._commit("reasoning", self._reasoning, end=True)
        self._feed("text", self._text, reply.text)
        if reply.text or reply.reasoning:
            self.note = ""

    def _feed(self, kind: Kind, blocks: Blocks, whole: str) -> None:
        new = whole[self._taken[kind] :]
        if new:
            self._taken[kind] += len(new)
            blocks.feed(new)
            self._commit(kind, blocks)

    def _commit(self, kind: Kind, blocks: Blocks, *, end: bool = False) -> None:
        if end:
            blocks.finish()
        known = sum(1 for part in self._parts if part[0] == kind)
        self._parts += [(kind, html) for html in blocks.committed[known:]]
        self._open[kind] = blocks.open

    def _finish(self, turn: Turn) -> None:
        reply = turn.reply
        self._take(reply)
        self._reasoning.finish()
        self._text.finish()
        self._parts = [("reasoning", html) for html in self._reasoning.committed]
        self._parts += [("text", html) for html in self._text.committed]
        if reply.tool_calls:
            self._parts.append(("text", calls_html(reply.tool_calls)))
        if reply.citations:
            self._parts.append(("text", sources_html(reply.citations)))
        self._open, self.note, self.ended = {"reasoning": "", "text": ""}, "", True
        self._reasoning, self._text = Blocks("mathml"), Blocks("mathml")  # their content is in the parts
        if turn.state == "failed":
            self.error = clean_line(str(turn.error)) if turn.error else "the reply broke off"
        elif self.has_nothing:
            self.error = "Stopped before the reply began."

    def state(self, start: int = 0) -> ShownTurn:
        """The whole entry, or what a view with `start` parts lacks of it."""
        reply = self.turn.reply if self.turn else None
        return {
            "id": self.id,
            "from": start,
            "prompt": clean_text(text_of(self.prompt)),
            "typed": clean_text(self._typed.text) if self._typed else "",
            "images": self._images,
            "parts": self._parts[start:],
            "open": self._open.copy(),
            "note": self.note,
            "state": self.turn.state if self.turn else "queued" if self.queued else "failed",
            "ended": self.ended,
            "error": self.error,
            "source": clean_text(reply.text) if reply and self.ended else "",
            "facts": self._facts(reply) if reply and self.ended else [],
        }

    def _facts(self, reply: Reply) -> list[str]:
        turn = self.turn
        facts = [clean_line(reply.model)] if reply.model else []
        tokens = reply.usage.completion_tokens if reply.usage else None
        if tokens is not None:
            facts.append(f"{tokens:,} tokens")
        if reply.text or reply.reasoning:
            facts.append(f"{reply.elapsed:.1f} s")
        if self.is_left_out:
            facts.append(NOT_SENT)
        facts += fact_lines(reply) if self.error else footer_lines(reply)
        if turn and turn.omitted:
            facts.append(f"older turns not sent: {turn.omitted}")
        return facts

    def static(self) -> dict[str, str]:
        """Prompt and reply for a reader without a kernel; made once, since an ended entry no longer changes."""
        if not self._static or not self.ended:
            error = self.error if self.turn is None or self.turn.state == "failed" else None
            reply = self.turn.reply if self.turn else Reply("")
            note = NOT_SENT if self.is_left_out else ""
            self._static = turn_bundle(described(self.prompt), reply, error, note)
        return self._static
