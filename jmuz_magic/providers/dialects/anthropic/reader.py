"""Turns the payloads of events of the Messages API into the chunks of a reply."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from jmuz_magic.messages import Chunk, FinishReason, Reasoning, ReasoningItems, ToolCalls, Unshown
from jmuz_magic.providers.dialects.anthropic.blocks import Block
from jmuz_magic.providers.dialects.anthropic.failures import stated_failure
from jmuz_magic.providers.dialects.anthropic.payloads import Text, Thought, decode
from jmuz_magic.providers.dialects.anthropic.places import NAME, is_opaque
from jmuz_magic.providers.dialects.anthropic.sources import sources_in
from jmuz_magic.providers.dialects.anthropic.usage import Counts
from jmuz_magic.providers.dialects.ends import read_end
from jmuz_magic.providers.dialects.foreign import error_in, passing_message
from jmuz_magic.providers.dialects.mending import Mender, mend
from jmuz_magic.providers.dialects.payloads import loads_lines
from jmuz_magic.providers.dialects.reader import PayloadReader
from jmuz_magic.streaming.sse import Event

__all__ = ["MessageReader"]

_TOLD = frozenset({"redacted_thinking", "text", "thinking", "tool_use"})  # blocks that come out as something else
_SAID = frozenset({"text", "thinking"})  # blocks that hold no arguments
_KINDS = {"text_delta": "text", "thinking_delta": "thinking"}  # of a block that lacks its start


class MessageReader(PayloadReader):
    """Reads one reply, event by event or as one JSON body.

    Its blocks come one after another, each with a number; what a number means is said when the block begins. Blocks,
    deltas and events of unknown types are skipped. A message that begins in mid-stream replaces the one before: a
    gateway asked again.
    """

    speaks = "Messages"
    own_events = ("content_block_", "message_")

    def __init__(self, origin: str, shown: Callable[[str], str], limit: Callable[[], str] = str) -> None:
        """Start reading.

        Args:
            origin: as in `PayloadReader`.
            shown: as in `PayloadReader`.
            limit: the words for a reply that was cut by a limit that nobody chose; "" if somebody did.
        """
        super().__init__(origin, shown)
        self._blocks: dict[int, Block] = {}  # the last one of each number
        self._all: list[Block] = []  # in the order in which they began
        self._counts = Counts()
        self._text, self._thought = Mender(), Mender()
        self._end: FinishReason | None = None
        self._limit = limit

    @property
    def finished(self) -> bool:
        """Whether a stop reason came; `message_stop`, which follows it, brings nothing."""
        return self._end is not None

    ending = complete = finished

    def read(self, events: Iterable[Event]) -> list[Chunk]:
        """The chunks in these events."""
        chunks: list[Chunk] = []
        blocks, half_text, half_thought = self._blocks, self._text, self._thought
        self.heard = heard = False
        for event in events:
            try:
                payload = decode(event.data)
                block = blocks[payload.index]
            except (msgspec.DecodeError, ValueError, RecursionError, KeyError):
                self._read_other(event, chunks)
                if self.ended:
                    break
                continue
            heard = True
            delta = payload.delta
            if isinstance(delta, Text):
                text = delta.text
                if block.kind == "text" and text and not half_text.pending and "\0" not in text:
                    block.characters += len(text)
                    chunks.append(text)
                else:
                    self._take_text(block, text, chunks)
            elif isinstance(delta, Thought):
                thought = delta.thinking
                if block.kind == "thinking" and thought and not half_thought.pending and "\0" not in thought:
                    block.deltas.append(thought)
                    chunks.append(Reasoning(thought))
                else:
                    self._take_thought(block, thought, chunks)
            elif block.kind not in _SAID:
                block.deltas.append(delta.partial_json)
        self.heard |= heard
        return chunks

    def settle(self) -> None:
        """Decide, now that nothing more comes, whether what came is an error."""
        if self.failure is not None:
            return
        if not self._began:
            self._fail_without_reply("expected a Messages reply")
        elif not self.done and not self.finished and self._passing:
            self._fail(self._passing)

    def rest(self) -> list[Chunk]:
        """What is still held of a reply that broke off, and what is known about it; its calls must not be run."""
        return [*self._held(), *self._unfinished_calls(), *self._facts.chunks()]

    def finish(self) -> list[Chunk]:
        """What is still held, then tool calls, who answered, usage, what is to be sent back, and the finish reason."""
        if not self.done and not self.finished:
            return [*self.rest(), FinishReason("truncated")]
        chunks = self._held()
        if calls := tuple(block.call for block in self._all if block.is_call):
            chunks.append(ToolCalls(calls))
        chunks += self._facts.chunks()
        places = [place for block in self._all if (place := block.place)]
        if any(map(is_opaque, places)):
            chunks.append(ReasoningItems(tuple(places), NAME))
        return [*chunks, self._end] if self._end else chunks

    def _unfinished_calls(self) -> list[Unshown]:
        calls = (block.call for block in self._all if block.is_call)
        return [
            Unshown("unfinished tool call", {"id": call.id, "name": call.name, "arguments": call.arguments})
            for call in calls
        ]

    def _held(self) -> list[Chunk]:
        """Half a character, sources, and the blocks that cannot be shown."""
        chunks: list[Chunk] = [Reasoning(thought)] if (thought := self._thought.flush()) else []
        if text := self._text.flush():
            chunks.append(text)
        for block in self._all:
            if block.kind not in _TOLD:
                self._extras.keep(mend(f"part of type {block.kind}"[:60]), block.whole)
        return chunks + self._extras.chunks()

    def _read_other(self, event: Event, chunks: list[Chunk]) -> None:
        payloads = loads_lines(event.data) if event.event == "error" else None
        if payloads and isinstance(payloads[0], dict):
            self.failure = stated_failure(payloads[0], self._origin, self._shown)
        else:
            super()._read_other(event, chunks)

    def _walk(self, payload: dict[str, Any], chunks: list[Chunk], name: str) -> None:
        kind = payload.get("type") or name
        match kind:
            case "message_start":
                self._begin_message(payload.get("message"), chunks)
            case "message" if isinstance(payload.get("content"), list):
                self._begin_message(payload, chunks)
            case "content_block_start":
                self._begin_block(payload.get("index"), payload.get("content_block"), chunks)
            case "content_block_delta":
                self._take_delta(payload, chunks)
            case "message_delta":
                self._take_end(payload.get("delta"), payload.get("usage"))
            case "message_stop":
                self.done = True
            case "error":
                self.failure = stated_failure(payload, self._origin, self._shown)
            case "content_block_stop" | "ping":
                return
            case _:
                self._take_other(payload, name)
                return
        self._began = self.failure is None or self._began

    def _begin_message(self, message: Any, chunks: list[Chunk]) -> None:
        message = message if isinstance(message, dict) else {}
        chunks += self._unfinished_calls()
        self._blocks.clear()
        self._all.clear()
        self._end = None
        self._facts.note({"model": message.get("model")})
        content = message.get("content")
        for index, block in enumerate(content if isinstance(content, list) else ()):
            self._begin_block(index, block, chunks)
        self._take_end(message, message.get("usage"))

    def _begin_block(self, index: Any, start: Any, chunks: list[Chunk]) -> Block:
        start = start if isinstance(start, dict) else {}
        block = Block(start)
        index = index if isinstance(index, int) else len(self._blocks)
        known = self._blocks.get(index)
        if known and known is self._all[-1] and known.is_call and known.call_id == block.call_id:
            self._all.pop()  # it begins again; any other block stays, whose number a gateway gives twice
        self._blocks[index] = block
        self._all.append(block)
        if block.kind == "text" and isinstance(text := start.get("text"), str):
            self._take_text(block, text, chunks)
        elif block.kind == "thinking" and isinstance(thought := start.get("thinking"), str):
            self._show_thought(thought, chunks)
        elif block.kind == "redacted_thinking":
            self._extras.encrypted(start)
        elif block.kind == "fallback" and isinstance(served := start.get("to"), dict):
            self._facts.note({"model": served.get("model")})  # it declined, and this one goes on
        self._extras.cite(sources_in(start))
        self.heard |= block.kind not in ("text", "thinking")
        return block

    def _take_delta(self, payload: dict[str, Any], chunks: list[Chunk]) -> None:
        """Take a delta that does not fit the typed path: another type, half a character, a block without a start."""
        delta, index = payload.get("delta"), payload.get("index")
        if not isinstance(delta, dict):
            return
        if not isinstance(index, int):
            index = next(reversed(self._blocks), 0)  # of the one that began last
        kind = _KINDS.get(str(delta.get("type")))
        block = self._blocks.get(index) or self._begin_block(index, {"type": kind}, chunks)
        match delta:
            case {"type": "text_delta", "text": str(text)}:
                self._take_text(block, text, chunks)
            case {"type": "thinking_delta", "thinking": str(thought)}:
                self._take_thought(block, thought, chunks)
            case {"type": "input_json_delta", "partial_json": str(text)} if block.kind not in _SAID:
                block.deltas.append(text)
            case {"type": "signature_delta", "signature": str(signature)}:
                block.sign(signature)
            case {"type": "citations_delta", "citation": dict(citation)}:
                block.cite(citation)
                self._extras.cite([citation])
            case {"type": "compaction_delta"}:
                block.deltas.append(str(delta.get("content") or ""))
                block.add({name: value for name, value in delta.items() if name not in ("content", "type")})
        self.heard = True

    def _take_text(self, block: Block, text: str, chunks: list[Chunk]) -> None:
        """Take a delta of text; in a thought or a call, where a gateway miscounted, it is the reply's all the same."""
        if block.kind not in _TOLD:
            block.deltas.append(text)
        elif text := self._text.feed(text):
            self.heard = True
            self._text_block(block).characters += len(text)
            chunks.append(text)

    def _text_block(self, block: Block) -> Block:
        """The block itself if it holds text, else one after the others that does."""
        if block.kind == "text":
            return block
        if self._all[-1].kind != "text":
            self._all.append(Block({"type": "text"}))
        return self._all[-1]

    def _take_thought(self, block: Block, thought: str, chunks: list[Chunk]) -> None:
        """Take a delta of a thought; also where none belongs, as for text."""
        if block.kind == "thinking" or block.kind not in _TOLD:
            block.deltas.append(thought)
        if block.kind in _TOLD:
            self._show_thought(thought, chunks)

    def _show_thought(self, thought: str, chunks: list[Chunk]) -> None:
        if thought := self._thought.feed(thought):
            self.heard = True
            chunks.append(Reasoning(thought))

    def _take_end(self, said: Any, usage: Any) -> None:
        self._counts.note(usage)
        self._facts.usage = self._counts.usage
        said = said if isinstance(said, dict) else {}
        end = read_end(said.get("stop_reason"))
        if end is None:
            return
        if end.reason == "length" and end.said == "max_tokens":
            end = FinishReason("length", self._limit() or end.said)
        details = said.get("stop_details")
        if end.reason == "refusal" and isinstance(details, dict) and isinstance(why := details.get("category"), str):
            end = FinishReason("refusal", mend(why))
        self._end = end

    def _take_other(self, payload: dict[str, Any], name: str) -> None:
        self._passing = passing_message(payload) or self._passing
        if said := error_in(payload, self._began):
            self._fail(said)
        else:
            self._fail_if_foreign(payload, name)
