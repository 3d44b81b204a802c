"""Turns the payloads of events into the chunks of a reply."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from jmuz_magic.messages import Chunk, FinishReason, ToolCalls
from jmuz_magic.providers.dialects.chat.choices import ReplyChoice
from jmuz_magic.providers.dialects.chat.payloads import decode, list_of_choices
from jmuz_magic.providers.dialects.foreign import error_in, passing_message
from jmuz_magic.providers.dialects.reader import PayloadReader
from jmuz_magic.streaming.sse import Event

__all__ = ["ReplyReader"]


class ReplyReader(PayloadReader):
    """Reads one reply, event by event or as one JSON body.

    Choice 0 streams; further choices follow it under their number.
    """

    speaks = "chat/completions"

    def __init__(
        self, origin: str, shown: Callable[[str], str], tags: Sequence[str] = (), begins_inside: bool = False
    ) -> None:
        """Start reading.

        Args:
            origin: as in `PayloadReader`.
            shown: as in `PayloadReader`.
            tags: names of tags besides `think` that mean reasoning.
            begins_inside: whether the text may begin in mid-thought.
        """
        super().__init__(origin, shown)
        self._habits = (self._extras, tags, begins_inside)
        self._first = ReplyChoice(*self._habits)
        self._choices = {0: self._first}
        self._end_told = False

    @property
    def finished(self) -> bool:
        """Whether choices came, each with its finish reason."""
        return self._end_told and all(choice.finished for choice in self._began_choices())

    @property
    def ending(self) -> bool:
        """Whether they came in a way that makes more of the reply unlikely."""
        return self._end_told and all(choice.ending for choice in self._began_choices())

    @property
    def complete(self) -> bool:
        """Whether nothing of the reply would be lost if the connection broke now."""
        return self.finished and not any(choice.resumed for choice in self._began_choices())

    def read(self, events: Iterable[Event]) -> list[Chunk]:
        """The chunks in these events."""
        chunks: list[Chunk] = []
        first = self._first
        self.heard = heard = False
        for event in events:
            try:
                payload = decode(event.data) if self._began else None  # the first event says who answers
            except (msgspec.DecodeError, ValueError, RecursionError):
                payload = None
            if payload is None:
                self._read_other(event, chunks)
                if self.ended:
                    break
                continue
            if payload.usage:
                self._facts.count(payload.usage)
            delta = payload.choices[0].delta
            if text := delta.reasoning_content or delta.reasoning:
                heard = True
                first.add_reasoning(text, chunks)
            if text := delta.content:
                heard = True
                if first.plain and "\0" not in text:
                    chunks.append(text)
                else:
                    first.add_text(text, chunks)
        self.heard |= heard
        return chunks

    def settle(self) -> None:
        """Decide, now that nothing more comes, whether what came is an error."""
        if self.failure is not None:
            return
        began = self._began_choices()
        end = began[0].end if began else None
        if not began:
            self._fail_without_reply("expected a reply with choices")
        elif end and end.reason == "error":
            self._fail(began[0].failure or f"the reply broke off (finish_reason={end.said or end.reason})")
        elif not self.done and not self.finished and self._passing:
            self._fail(self._passing)

    def rest(self) -> list[Chunk]:
        """What is still held of a reply that broke off, and what is known about it; its calls must not be run."""
        chunks = self._rest()
        for choice in self._choices.values():
            chunks += choice.unfinished_calls()
        return chunks + self._facts.chunks()

    def finish(self) -> list[Chunk]:
        """What is still held, then tool calls, who answered, usage, and the finish reason."""
        chunks = self._rest()
        choices = [choice for _, choice in sorted(self._choices.items())]
        chunks += [ToolCalls(calls) for choice in choices if (calls := choice.tool_calls)]
        chunks += self._facts.chunks()
        if end := self._end():
            chunks.append(end)
        return chunks

    def _began_choices(self) -> list[ReplyChoice]:
        return [choice for _, choice in sorted(self._choices.items()) if choice.began]

    def _rest(self) -> list[Chunk]:
        chunks: list[Chunk] = []
        self._first.flush(chunks)
        several = len(self._choices) > 1 and (self._first.began or len(self._choices) > 2)
        for index, choice in sorted(self._choices.items()):
            if index:
                chunks.extend(choice.later_chunks(index if several else None))
        return chunks + self._extras.chunks()

    def _end(self) -> FinishReason | None:
        began = self._began_choices()
        if not self.done and not self.finished:
            return FinishReason("truncated")
        end = next((choice.end for choice in began), None)
        if began and began[0].refused and (end is None or end.reason == "stop"):
            return FinishReason("refusal")
        return end

    def _walk(self, payload: dict[str, Any], chunks: list[Chunk], name: str) -> None:
        self._facts.note(payload)
        for sources in ("citations", "search_results"):
            self._extras.cite(payload.get(sources))
        choices = list_of_choices(payload.get("choices"))
        for position, entry in enumerate(choices):
            self._read_choice(entry, position, chunks)
        self._passing = "" if choices else passing_message(payload) or self._passing
        if said := error_in(payload, bool(choices)):
            self._fail(said)
        else:
            self._fail_if_foreign(payload, name)

    def _read_choice(self, entry: dict[str, Any], position: int, chunks: list[Chunk]) -> None:
        index = entry.get("index")
        index = index if isinstance(index, int) and 0 <= index < 1000 else position
        choice = self._choices.setdefault(index, ReplyChoice(*self._habits))
        self.heard |= choice.read(entry, chunks if index == 0 else choice.later)
        self._end_told = self._end_told or choice.end is not None
        self._facts.count(entry.get("usage"))
        self._began = True
