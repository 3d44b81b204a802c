"""Replies in a terminal, which receives nothing but text."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import IO, assert_never

from jmuz_magic.display.reply import calls_text, foot_lines, waiting_line
from jmuz_magic.display.sources import sources_text
from jmuz_magic.display.text import TextCleaner
from jmuz_magic.display.views.reach import is_read
from jmuz_magic.display.views.view import unfed
from jmuz_magic.messages import (
    Answered,
    Chunk,
    Citations,
    FinishReason,
    Image,
    Reasoning,
    ReasoningItems,
    Reply,
    ToolCalls,
    ToolResult,
    Unshown,
    Usage,
)
from jmuz_magic.text import clean_line, clean_text

__all__ = ["TextView"]


class _Part:
    """Text that grows on a stream, cleaned as it arrives."""

    def __init__(self) -> None:
        self._cleaner = TextCleaner()
        self._fed: list[str] = []

    def feed(self, delta: str) -> str:
        self._fed.append(delta)
        return self._cleaner.feed(delta)

    def rest(self, text: str) -> str:
        """The part of `text` not fed yet; all of it, on a new line, if something else was fed."""
        rest = unfed(self._fed, text)
        return "\n" + clean_text(text) if rest is None else self._cleaner.feed(rest) + self._cleaner.flush()


class TextView:
    """Prints a reply as plain text while it arrives.

    Args:
        stream: where to write; None means `sys.stdout` at the time of writing.
        show_reasoning: whether reasoning is printed, before the reply and marked.
        show_footer: whether who answered, tokens and seconds are printed after the reply; None: where somebody reads
            it, since what is piped or redirected should be the reply alone.
        recorded: the day a replayed reply was recorded; None for one that was not replayed.
        clock: seconds; for tests.
    """

    def __init__(
        self,
        stream: IO[str] | None = None,
        *,
        show_reasoning: bool = True,
        show_footer: bool | None = None,
        recorded: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._show_reasoning = show_reasoning
        self._show_footer = show_footer
        self._recorded = recorded
        self._reasoning, self._text = _Part(), _Part()
        self._clock = clock
        self._waiting, self._asked = "", ("", 0.0)
        self._at_line_start = True
        self._reasoning_begun = self._text_begun = False

    def wait(self, line: str) -> None:
        """Write the line on a terminal, where it is erased later; files and pipes get none."""
        if self._at_line_start and not self._text_begun and not self._reasoning_begun:
            self._asked = (clean_line(line), self._clock())
            self._write_waiting(self._asked[0])

    def _write_waiting(self, line: str) -> None:
        stream = self._stream or sys.stdout
        if line != self._waiting and stream.isatty():
            self._erase_waiting()
            self._waiting = line[:78]
            stream.write(self._waiting)
            stream.flush()

    def _erase_waiting(self) -> None:
        if self._waiting:
            stream = self._stream or sys.stdout
            stream.write("\r" + " " * len(self._waiting) + "\r")
            self._waiting = ""

    def append(self, chunk: Chunk) -> None:
        match chunk:
            case str():
                self._write_text(self._text.feed(chunk))
            case Reasoning(text):
                if self._show_reasoning:
                    self._write_reasoning(self._reasoning.feed(text))
            case Usage() | FinishReason() | ToolCalls() | Answered() | Citations() | Image() | Unshown() | ToolResult():
                pass  # `close` gets them with the reply
            case ReasoningItems():
                pass  # nobody but the service can read them
            case _:
                assert_never(chunk)

    def tick(self) -> None:
        """Count the seconds while nothing has arrived; text is written as it arrives."""
        if self._waiting:
            line, since = self._asked
            self._write_waiting(waiting_line(line[:50], self._clock() - since, "Ctrl-C stops"))

    def close(self, reply: Reply, error: str | None = None) -> None:
        self._erase_waiting()
        if self._show_reasoning and not self._text_begun:
            self._write_reasoning(self._reasoning.rest(reply.reasoning))
        self._write_text(self._text.rest(reply.text))
        self._end_text()
        self._end_line()
        self._write(calls_text(reply.tool_calls))
        self._write(sources_text(reply.citations))
        if error is not None and not (self._reasoning_begun or self._text_begun or reply.images or reply.unshown):
            return  # the error says it all
        foot = self._foot(reply, error)
        self._write(f"[{' · '.join(foot)}]\n" if foot else "")

    def _foot(self, reply: Reply, error: str | None) -> list[str]:
        read = is_read(self._stream or sys.stdout)
        show_facts = read if self._show_footer is None else self._show_footer
        # A file gets the same text from a recording as from the model.
        recorded = self._recorded if read or show_facts else None
        return foot_lines(reply, error, show_facts=show_facts, recorded=recorded)

    def _write_reasoning(self, text: str) -> None:
        if not self._reasoning_begun and text.strip():
            self._reasoning_begun = True
            self._write("[reasoning]\n")
        self._write(text)

    def _write_text(self, text: str) -> None:
        if text:
            self._begin_text()
            self._write(text)

    def _begin_text(self) -> None:
        self._erase_waiting()
        if not self._text_begun and self._reasoning_begun:
            self._end_line()
            self._write("[reply]\n")
        self._text_begun = True

    def _end_text(self) -> None:
        """Write what is still held: here nothing."""

    def _end_line(self) -> None:
        if not self._at_line_start:
            self._write("\n")

    def _write(self, text: str) -> None:
        if not text:
            return
        self._erase_waiting()
        stream = self._stream or sys.stdout
        encoding = getattr(stream, "encoding", None) or "utf-8"
        stream.write(text.encode(encoding, "replace").decode(encoding))
        stream.flush()
        self._at_line_start = text.endswith("\n")
