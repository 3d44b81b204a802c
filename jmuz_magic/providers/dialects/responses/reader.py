"""Turns the payloads of a Responses stream into the chunks of a reply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from jmuz_magic.messages import Chunk, FinishReason, Reasoning, ReasoningItems, ToolCalls, Unshown
from jmuz_magic.providers.dialects.ends import read_end
from jmuz_magic.providers.dialects.foreign import error_in, passing_message
from jmuz_magic.providers.dialects.mending import Mender, mend
from jmuz_magic.providers.dialects.reader import PayloadReader
from jmuz_magic.providers.dialects.responses.events import DELTAS, ENDS, PARTS, TEXT, WHOLES, Part, decode
from jmuz_magic.providers.dialects.responses.items import CALL, MESSAGE, THOUGHT, Item, Items
from jmuz_magic.providers.http.error_text import error_message
from jmuz_magic.streaming.sse import Event

__all__ = ["ResponsesReader"]

PICTURE = "image_generation_call"
NOTHING_YET = ("", 0, 0, 0)
SILENT = frozenset({MESSAGE, CALL, THOUGHT, "compaction"})  # shown as what they are, or nothing to show


class ResponsesReader(PayloadReader):
    """Reads one reply.

    Texts of several messages, and several thoughts, are separate paragraphs. A part whose deltas came is not taken
    again from the events that bring it whole: its own, the end of its item, the end of the reply.
    """

    speaks = "Responses"
    own_events = ("response.",)

    def __init__(self, origin: str, shown: Callable[[str], str]) -> None:
        """See `PayloadReader`."""
        super().__init__(origin, shown)
        self._items = Items()
        self._end: FinishReason | None = None
        self._refused = False
        self._text, self._thought = Mender(), Mender()
        self._open = NOTHING_YET  # type and indices of deltas that may pass as they are
        self._last: Item | None = None  # of those with text
        self._thoughts = False  # whether any came

    @property
    def finished(self) -> bool:
        """See `PayloadReader`."""
        return self._end is not None

    @property
    def ending(self) -> bool:
        """See `PayloadReader`."""
        return self.finished

    @property
    def complete(self) -> bool:
        """See `PayloadReader`."""
        return self.finished

    def read(self, events: Iterable[Event]) -> list[Chunk]:
        """See `PayloadReader`."""
        chunks: list[Chunk] = []
        self.heard = heard = False
        kind, index, content, summary = self._open
        for event in events:
            try:
                delta = decode(event.data)
            except (msgspec.DecodeError, ValueError, RecursionError):
                delta = None
            if (
                delta is not None
                and delta.output_index == index
                and delta.type == kind
                and delta.content_index == content
                and delta.summary_index == summary
                and "\0" not in delta.delta
            ):
                if text := delta.delta:
                    heard = True
                    chunks.append(text if kind == TEXT else Reasoning(text))
                continue
            self._read_other(event, chunks)
            if self.ended:
                break
            kind, index, content, summary = self._open
        self.heard |= heard
        return chunks

    def settle(self) -> None:
        """See `PayloadReader`."""
        if self.failure is not None:
            return
        if not self._began:
            self._fail_without_reply("expected a Responses reply")
        elif not self.done and self._passing:
            self._fail(self._passing)

    def rest(self) -> list[Chunk]:
        """See `PayloadReader`."""
        chunks = self._held()
        chunks += [_unfinished(item) for item in self._calls()]
        return chunks + self._facts.chunks()

    def finish(self) -> list[Chunk]:
        """See `PayloadReader`."""
        chunks = self._held()
        calls = dict.fromkeys(item for item in self._calls() if item.whole or self.done)
        chunks += [_unfinished(item) for item in self._calls() if item not in calls]
        if calls:
            chunks.append(ToolCalls(tuple(item.call for item in calls)))
        if self.done and (items := self._items.sent_back()):
            chunks.append(ReasoningItems(items, "responses"))
        chunks += self._facts.chunks()
        end = self._end if self.done else FinishReason("truncated")
        return [*chunks, end] if end else chunks

    def _calls(self) -> list[Item]:
        return [item for item in self._items if item.kind == CALL]

    def _held(self) -> list[Chunk]:
        chunks: list[Chunk] = [Reasoning(held)] if (held := self._thought.flush()) else []
        chunks += [held] if (held := self._text.flush()) else []
        for item in self._items:
            if item.kind not in SILENT and "image" not in item.streamed:
                self._extras.keep(mend(item.kind.replace("_", " "))[:60], item.value)
        return chunks + self._extras.chunks()

    def _walk(self, payload: dict[str, Any], chunks: list[Chunk], name: str) -> None:
        kind = payload.get("type")
        kind = kind if isinstance(kind, str) else name
        whole = payload.get("object") == "response"
        response = payload if whole else payload.get("response")
        if whole or kind.startswith("response."):
            self._began = True
        if part := DELTAS.get(kind):
            self._take_delta(part, payload, chunks)
            self._go_on(kind, payload)
        elif part := WHOLES.get(kind):
            self._take_delta(part, payload, chunks, whole=True)
        elif self._take(kind, payload, chunks):
            self.heard = True
        elif isinstance(response, dict):
            self._facts.note(response)
            if whole or kind in ENDS:
                self._take_end(response, kind, chunks)
        elif kind in ("error", "response.error"):
            self._fail(error_message(payload) or "an error without a message")
        elif not self._began or not kind.startswith("response."):
            self._take_foreign(payload, name)

    def _take(self, kind: str, payload: dict[str, Any], chunks: list[Chunk]) -> bool:
        """Take an event about an item; return whether it is one."""
        value = payload.get("item")
        match kind:
            case "response.output_item.added" if isinstance(value, dict):
                self._open = NOTHING_YET
                self._items.begin(payload, value)
            case "response.output_item.done" if isinstance(value, dict):
                self._take_contents(self._items.ended(payload, value), value, chunks)
            case "response.function_call_arguments.delta" | "response.function_call_arguments.done":
                self._take_arguments(payload)
            case "response.output_text.annotation.added":
                self._extras.cite([payload.get("annotation")])
            case _:
                return False
        return True

    def _take_foreign(self, payload: dict[str, Any], name: str) -> None:
        self._passing = passing_message(payload) or self._passing
        if said := error_in(payload, False):
            self._fail(said)
        else:
            self._fail_if_foreign(payload, name)

    def _take_delta(self, part: Part, payload: dict[str, Any], chunks: list[Chunk], whole: bool = False) -> None:
        """Take a delta of a part, or the whole of it, which counts only if no delta came."""
        of, kind, index, member = part
        text = payload.get(member)
        if not isinstance(text, str) or not text:
            return
        item = self._items.of(payload, of)
        begins = item.begins(kind, _index(payload, index))
        if begins or not whole:
            self._take_text(kind, item, text, begins, chunks)

    def _take_text(self, kind: str, item: Item, text: str, begins: bool, chunks: list[Chunk]) -> None:
        """Pass on the text of a part; one that begins another message, or another thought, is a paragraph."""
        self.heard = True
        if item.kind == THOUGHT:
            text = f"\n\n{text}" if begins and self._thoughts else text
            self._thoughts = True
            if mended := self._thought.feed(text):
                chunks.append(Reasoning(mended))
            return
        self._refused |= kind == "refusal"
        text = f"\n\n{text}" if begins and self._last not in (None, item) else text
        self._last = item
        if mended := self._text.feed(text):
            chunks.append(mended)

    def _go_on(self, kind: str, payload: dict[str, Any]) -> None:
        """Let deltas of the part of this one pass as they are, unless it ended in half a character."""
        pending = self._text.pending or self._thought.pending
        typed = kind != "response.refusal.delta"
        index, content, summary = (_index(payload, f"{name}_index") for name in ("output", "content", "summary"))
        self._open = (kind, index, content, summary) if typed and not pending else NOTHING_YET

    def _take_contents(self, item: Item, value: dict[str, Any], chunks: list[Chunk]) -> None:
        """Take what an item holds and did not come in deltas."""
        if item.kind == MESSAGE:
            self._take_parts(item, value.get("content"), chunks)
        elif item.kind == THOUGHT:
            readable = "thought" in item.streamed or (not item.streamed and value.get("content"))
            self._take_parts(item, value.get("content" if readable else "summary"), chunks)
        elif item.kind == PICTURE and value.get("result") and item.begins("image", 0):
            self._extras.image({"b64_json": value["result"]}, chunks)

    def _take_parts(self, item: Item, parts: Any, chunks: list[Chunk]) -> None:
        seen: Counter[str] = Counter()
        for index, part in enumerate(parts if isinstance(parts, list) else []):
            if not isinstance(part, dict):
                continue
            kind, member = PARTS.get(str(part.get("type")), ("", ""))
            self._extras.cite(part.get("annotations"))
            seen[kind] += 1
            if seen[kind] <= len(item.streamed.get(kind, ())):
                continue
            item.begins(kind, index)
            if not kind:
                self._extras.keep(mend(f"part of type {part.get('type')}")[:60], part)
            elif isinstance(text := part.get(member), str) and text:
                self._take_text(kind, item, text, True, chunks)

    def _take_arguments(self, payload: dict[str, Any]) -> None:
        item = self._items.of(payload, CALL)
        if isinstance(delta := payload.get("delta"), str):
            item.add_arguments(delta)
        item.note({name: payload[name] for name in ("arguments", "name", "call_id") if name in payload})

    def _take_end(self, response: dict[str, Any], kind: str, chunks: list[Chunk]) -> None:
        output = response.get("output")
        for item, value in self._items.all_ended(output if isinstance(output, list) else []):
            self._take_contents(item, value, chunks)
        status = str(response.get("status") or kind.rpartition(".")[2])
        error = response.get("error")
        self.done = True
        if error or status in ("failed", "cancelled"):
            self._fail(error_message(error) or f"the reply broke off (status={status})")
        else:
            self._end = self._end_of(response, status)

    def _end_of(self, response: dict[str, Any], status: str) -> FinishReason | None:
        details = response.get("incomplete_details")
        if status == "incomplete" and isinstance(details, dict):
            return read_end(details.get("reason")) or FinishReason(status)
        if status != "completed":
            return read_end(status)
        return FinishReason("refusal" if self._refused else "tool_calls" if self._calls() else "stop")


def _index(payload: dict[str, Any], name: str) -> int:
    value = payload.get(name)
    return value if isinstance(value, int) else 0


def _unfinished(item: Item) -> Unshown:
    """A call of a reply that broke off: kept, but not to be run."""
    call = item.call
    return Unshown("unfinished tool call", {"id": call.id, "name": call.name, "arguments": call.arguments})
