"""One choice of a reply: text, reasoning, tool calls, and why it ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, assert_never

from jmuz_magic.messages import Chunk, FinishReason, Reasoning, ToolCall, Unshown
from jmuz_magic.providers.dialects.chat.calls import CallDeltas
from jmuz_magic.providers.dialects.chat.deltas import KINDS, is_thought, kinds_in, listed, plain_text, thought_in
from jmuz_magic.providers.dialects.chat.parts import Part, parts_of
from jmuz_magic.providers.dialects.chat.thoughts import Details, Thoughts, ThoughtSplitter
from jmuz_magic.providers.dialects.ends import read_end
from jmuz_magic.providers.dialects.extras import Extras
from jmuz_magic.providers.dialects.mending import Mender, mend
from jmuz_magic.providers.http.error_text import error_message

__all__ = ["ReplyChoice"]


class ReplyChoice:
    """Takes the deltas of one choice.

    Attributes:
        plain: whether text may go straight into the chunks: nothing is held, no thought can begin, no end came.
        began: whether anything came.
        refused: whether the model declined.
        end: why it ended; None until known.
        failure: what the service says about an end by an error.
        finished: whether its end came and nothing followed.
        ending: whether its end came and nothing is likely to follow.
        resumed: whether something followed an end, so that this service's ends mean little.
        later: chunks of a choice that is shown after the first.
    """

    def __init__(self, extras: Extras, tags: Sequence[str] = (), begins_inside: bool = False) -> None:
        self.plain = self.began = self.refused = self.finished = self.ending = self.resumed = False
        self.end: FinishReason | None = None
        self.failure = ""
        self.later: list[Chunk] = []
        self._extras = extras
        self._text, self._thought = Mender(), Mender()
        self._splitter = ThoughtSplitter(tags, begins_inside)
        self._thoughts, self._details = Thoughts(), Details()
        self._calls = CallDeltas()
        self._heard = False
        self._streamed: set[str] = set()  # what came in deltas, and is not taken from a final message again

    @property
    def finish_reason(self) -> str | None:
        """Only the reason."""
        return self.end.reason if self.end else None

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls so far."""
        return self._calls.calls

    def read(self, entry: dict[str, Any], chunks: list[Chunk]) -> bool:
        """Take what a choice object of any known shape contains; return whether it contained anything."""
        self.began = True
        delta = entry.get("delta")
        delta = {"content": delta} if isinstance(delta, str) else delta
        kinds = kinds_in(delta)
        if kinds and isinstance(delta, dict):
            self._streamed |= kinds - {"sources"}  # which are reported once each anyway
            self._read_delta(delta, chunks)
        alone = not kinds and not self._read_message(entry, chunks)
        if error := entry.get("error"):
            self.failure = error_message(error) or json.dumps(error)
        native = entry.get("native_finish_reason")
        end = read_end(entry.get("finish_reason")) or (FinishReason("error") if self.failure else None)
        if end:
            self._take_end(end, native if isinstance(native, str) else "", alone)
        return bool(end) or not alone

    def add_text(self, text: str, chunks: list[Chunk]) -> None:
        """Take text from a delta that ends in no half character."""
        if self._splitter.midline and not ("\n" in text or "\0" in text or self._text.pending or self.finished):
            self._splitter.skip(text)
            chunks.append(text)
            return
        self._streamed.add("text")
        self._take_text(text, chunks)

    def add_reasoning(self, text: str, chunks: list[Chunk]) -> None:
        """Take reasoning from a delta that ends in no half character."""
        if self._thoughts.plain and not self.finished and not self._thought.pending and "\0" not in text:
            self._thoughts.members.append(text)
            chunks.append(Reasoning(text))
            return
        self._streamed.add("thought")
        self._take_thought(text, chunks)

    def flush(self, chunks: list[Chunk]) -> None:
        """Release what is held."""
        if thought := self._thought.flush():
            self._thoughts.add("members", thought, chunks)
        self._pass(self._splitter.feed(self._text.flush()), chunks)
        self._pass(self._splitter.flush(), chunks)
        self._thoughts.flush(chunks)
        self.plain = False

    def later_chunks(self, index: int | None) -> list[Chunk]:
        """The whole of a choice that waited, under its number; None if there is only one choice."""
        chunks, self.later = self.later, []
        self.flush(chunks)
        if not chunks or index is None:
            return chunks
        reason = f" ({self.finish_reason})" if self.finish_reason not in (None, "stop") else ""
        return [f"\n\n**Choice {index + 1}**{reason}\n\n", *chunks]

    def unfinished_calls(self) -> list[Unshown]:
        """The calls of a reply that broke off: kept, but not to be run."""
        return [
            Unshown(
                "unfinished tool call",
                {"id": call.id, "name": call.name, "arguments": call.arguments, "extra": dict(call.extra)},
            )
            for call in self.tool_calls
        ]

    def _take_end(self, end: FinishReason, native: str, alone: bool) -> None:
        # Some services send `stop` in every chunk from the first on. So only one that comes alone, after something
        # else, is likely to be the last; and any other reason says more than `stop`.
        self.finished = True
        self.ending = alone and not self.resumed and (end.reason != "stop" or self._heard)
        if self.end is None or self.end.reason == "stop" or end.reason == "error":
            native = "" if end.reason == "stop" or native.lower() == end.reason else native
            self.end = FinishReason(end.reason, end.said or native)
        self.plain = False

    def _go_on(self) -> None:
        self.began = self._heard = True
        if self.finished:
            self.resumed, self.finished, self.ending = True, False, False

    def _take_text(self, text: str, chunks: list[Chunk]) -> None:
        self._go_on()
        self._pass(self._splitter.feed(self._text.feed(text)), chunks)
        self.plain = self._splitter.passing and not self._text.pending and self.end is None

    def _take_thought(self, text: str, chunks: list[Chunk]) -> None:
        self._go_on()
        if mended := self._thought.feed(text):
            self._thoughts.add("members", mended, chunks)

    def _pass(self, split: list[str | Reasoning], chunks: list[Chunk]) -> None:
        for each in split:
            match each:
                case str():
                    chunks.append(each)
                case Reasoning(text):
                    self._thoughts.add("tags", text, chunks)
                case _:
                    assert_never(each)

    def _read_message(self, entry: dict[str, Any], chunks: list[Chunk]) -> bool:
        """Take a whole message, except for what came in deltas; return whether it brought anything new."""
        message = entry.get("message") or entry.get("text")
        message = message if isinstance(message, dict) else {"content": message}
        known = self._streamed if self._calls.have_arguments else self._streamed - {"calls"}
        new = {name: value for name, value in message.items() if KINDS.get(name) not in known}
        if not kinds_in(new):
            return False
        self._read_delta(new, chunks)
        return True

    def _read_delta(self, delta: dict[str, Any], chunks: list[Chunk]) -> None:
        self._read_thought(delta, chunks)
        self._read_content(delta, chunks)
        if refusal := plain_text(delta.get("refusal")):
            self._take_refusal(refusal, chunks)
        for image in listed(delta.get("images")):
            self._take_image(image, chunks)
        if isinstance(audio := delta.get("audio"), dict):
            self._take_audio(audio, chunks)
        for name in ("annotations", "citations"):
            self._extras.cite(delta.get(name))
        calls = listed(delta.get("tool_calls"))
        older = delta.get("function_call")  # the form before tools; some send it empty, or with the newer one
        if isinstance(older, dict) and any(older.values()) and not calls:
            calls = [{"index": 0, "function": older}]
        for call in calls:
            if isinstance(call, dict):
                self._go_on()
                self._calls.add(call)

    def _read_thought(self, delta: dict[str, Any], chunks: list[Chunk]) -> None:
        thought = whole = thought_in(delta)
        for detail in listed(delta.get("reasoning_details")):
            if not isinstance(detail, dict):
                continue
            if "data" in detail:
                self._extras.encrypted(detail)
            elif not whole:  # OpenRouter sends the same text in both members
                thought += self._details.feed(detail)
        if thought:
            self._take_thought(thought, chunks)

    def _read_content(self, delta: dict[str, Any], chunks: list[Chunk]) -> None:
        content = delta.get("content")
        if isinstance(content, str) and is_thought(delta):  # Gemini's flag; its tags come too
            self._splitter.allow("thought")
            if not self._splitter.inside and not content.lstrip().startswith("<thought>"):
                self._take_thought(content, chunks)
                return
        for part in parts_of(content):
            self._take_part(part, chunks)

    def _take_part(self, part: Part, chunks: list[Chunk]) -> None:
        match part:
            case "text", text:
                self._take_text(text, chunks)
            case "thinking", text:
                self._take_thought(text, chunks)
            case "refusal", text:
                self._take_refusal(text, chunks)
            case "image", value:
                self._take_image(value, chunks)
            case "audio", value:
                self._take_audio(value, chunks)
            case "encrypted", value:
                self._extras.encrypted(value)
            case _, value:
                self._extras.keep(mend(f"part of type {value['type']}"[:60]), value)

    def _take_refusal(self, text: str, chunks: list[Chunk]) -> None:
        self.refused = True
        self._take_text(text, chunks)

    def _take_image(self, part: Any, chunks: list[Chunk]) -> None:
        self._go_on()
        self._extras.image(part, chunks)

    def _take_audio(self, audio: dict[str, Any], chunks: list[Chunk]) -> None:
        if transcript := self._extras.audio(audio):
            self._take_text(transcript, chunks)
