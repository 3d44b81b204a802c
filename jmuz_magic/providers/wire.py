"""From the payloads of events to the chunks of a reply.

Most payloads take a typed path (msgspec, several times faster than json). What does not fit takes a tolerant walk
over `json.loads`: real services send null choices, contents that are lists or numbers, NaN, broken UTF-8, and
surrogates cut in two.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from jmuz_magic.errors import JmuzError, ResponseError, StreamError
from jmuz_magic.messages import Chunk, FinishReason, ToolCalls
from jmuz_magic.providers.choices import ReplyChoice, read_usage
from jmuz_magic.providers.failures import error_message
from jmuz_magic.streaming.sse import Event

__all__ = ["ReplyReader"]

DONE = b"[DONE]"
SHOWN = 200  # characters of a payload that an error repeats


class _Delta(msgspec.Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: Any = None
    function_call: Any = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta
    index: int = 0
    finish_reason: str | None = None


class _Payload(msgspec.Struct, gc=False):
    choices: tuple[_Choice]  # exactly one; anything else takes the walk
    usage: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Payload).decode


class ReplyReader:
    """Reads one reply, event by event, or as one JSON body.

    Choice 0 streams; further choices come after it under their number. `failure` is raised by whoever reads,
    after the chunks that came before it.

    Attributes:
        done: `[DONE]` came, or the reply came as one body.
        heard: whether what was read last held data; roles, empty deltas and progress only keep a connection alive.
        failure: the error that the payloads told of; None while there is none.
    """

    def __init__(self, origin: str, shown: Callable[[str], str]) -> None:
        """Start reading.

        Args:
            origin: who is read, for errors.
            shown: makes a server's text fit to be shown in an error.
        """
        self.done = self.heard = False
        self.failure: JmuzError | None = None
        self._origin = origin
        self._shown = shown
        self._first = ReplyChoice()
        self._choices = {0: self._first}
        self._usage: Any = None
        self._began = False

    @property
    def finished(self) -> bool:
        """Whether choices came, and every one gave its finish reason."""
        began = [choice for choice in self._choices.values() if choice.began]
        return bool(began) and all(choice.finish_reason for choice in began)

    @property
    def ended(self) -> bool:
        """Whether nothing that comes now belongs to the reply."""
        return self.done or self.failure is not None

    def read_cut_off(self, events: Iterable[Event]) -> list[Chunk]:
        """The chunks in what the end of the body left unfinished; half an event is none."""
        return self.read(event for event in events if _loads(event.data) is not None or event.data.strip() == DONE)

    def read(self, events: Iterable[Event]) -> list[Chunk]:
        """The chunks in these events."""
        chunks: list[Chunk] = []
        first = self._first
        self.heard = heard = False
        for event in events:
            try:
                payload = _decode(event.data)
            except (msgspec.DecodeError, ValueError, RecursionError):
                payload = None
            if payload is None or payload.error is not None:
                self._read_other(event, chunks)
                if self.ended:
                    break
                continue
            choice = payload.choices[0]
            delta = choice.delta
            if choice.index or choice.finish_reason or delta.tool_calls or delta.refusal or delta.function_call:
                self._walk_safely(_loads(event.data), chunks)
                continue
            if payload.usage is not None:
                self._usage = payload.usage
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

    def read_body(self, body: bytes) -> list[Chunk]:
        """The chunks in a reply that came as one JSON body."""
        chunks: list[Chunk] = []
        payload = _loads(body)
        self.done = True
        if payload is None:
            self.failure = self._malformed("expected JSON", body)
            return chunks
        self._walk_safely(payload, chunks)
        if not self._began and self.failure is None:
            self.failure = self._malformed("expected a reply with choices", body)
        return chunks

    def rest(self) -> list[Chunk]:
        """What is still held of a reply that broke off: text only."""
        chunks: list[Chunk] = []
        self._first.flush(chunks)
        several = len(self._choices) > 1 and (self._first.began or len(self._choices) > 2)
        for index, choice in sorted(self._choices.items()):
            if index:
                chunks.extend(choice.later_chunks(index if several else None))
        return chunks

    def finish(self) -> list[Chunk]:
        """What is still held, then tool calls, usage, and why the reply ended."""
        chunks = self.rest()
        choices = [choice for _, choice in sorted(self._choices.items())]
        chunks += [ToolCalls(calls) for choice in choices if (calls := choice.tool_calls)]
        if (usage := read_usage(self._usage)) is not None:
            chunks.append(usage)
        if reason := self._finish_reason(choices):
            chunks.append(FinishReason(reason))
        return chunks

    def _finish_reason(self, choices: list[ReplyChoice]) -> str | None:
        began = [choice for choice in choices if choice.began]
        if not self.done and not self.finished:
            return "truncated"
        reason = next((choice.finish_reason for choice in began), None)
        if began and began[0].refused and reason in (None, "stop"):
            return "refusal"
        return reason

    def _read_other(self, event: Event, chunks: list[Chunk]) -> None:
        """An event that the typed path does not know."""
        data = event.data.strip()
        if data == DONE:
            self.done = True
            return
        payload = _loads(data)
        if event.event == "error":
            self._fail(error_message(payload) or data.decode("utf-8", "replace"))
        elif payload is None and data:
            self.failure = self._malformed("expected JSON in an event", data)
        else:
            self._walk_safely(payload, chunks)

    def _walk_safely(self, payload: Any, chunks: list[Chunk]) -> None:
        nested = False
        try:
            for part in payload if isinstance(payload, list) else [payload]:
                if isinstance(part, dict):
                    self._walk(part, chunks)
        except RecursionError:
            nested = True
        if nested:
            self.failure = self._malformed("expected a reply", b"deeply nested JSON")

    def _walk(self, payload: dict[str, Any], chunks: list[Chunk]) -> None:
        if payload.get("usage") is not None:
            self._usage = payload["usage"]
        choices = _list_of_choices(payload.get("choices"))
        for position, entry in enumerate(choices):
            index = entry.get("index")
            index = index if isinstance(index, int) and 0 <= index < 1000 else position
            choice = self._choices.setdefault(index, ReplyChoice())
            choice.read(entry, chunks if index == 0 else choice.later)
            self._began = True
            self.heard |= _holds_data(entry)
        if said := _error_in(payload, bool(choices)):
            self._fail(said)

    def _fail(self, said: str) -> None:
        self.failure = ResponseError(
            f"{self._origin} reported an error: {self._shown(said)}", origin=self._origin, attempts=1
        )

    def _malformed(self, expected: str, data: bytes) -> JmuzError:
        came = self._shown(data.decode("utf-8", "replace"))[:SHOWN]
        kind = StreamError if self._first.began else ResponseError
        return kind(f"{expected} from {self._origin}, got {came!a}", origin=self._origin, attempts=1)


def _loads(data: bytes) -> Any:
    """The JSON in `data`, broken UTF-8 replaced; None where it is none."""
    try:
        return json.loads(data.decode("utf-8-sig", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None


def _holds_data(entry: dict[str, Any]) -> bool:
    delta = entry.get("delta") or entry.get("message") or entry.get("text")
    if isinstance(delta, dict):
        delta = any(value for name, value in delta.items() if name != "role")
    return bool(delta or entry.get("finish_reason"))


def _list_of_choices(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        value = [value] if {"delta", "message", "text"} & value.keys() else list(value.values())
    return [choice for choice in value if isinstance(choice, dict)] if isinstance(value, list) else []


def _error_in(payload: dict[str, Any], with_choices: bool) -> str:
    """What a payload says of an error; "" where it holds none."""
    if error := payload.get("error"):
        return error_message(error) or json.dumps(error)
    if with_choices:
        return ""
    if isinstance(payload.get("message"), str) or payload.get("detail") or payload.get("errors"):
        return error_message(payload)
    return ""
