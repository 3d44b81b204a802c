"""One choice of a reply: its text, its reasoning, its tool calls, why it ended."""

from __future__ import annotations

import json
import math
from typing import Any

from jmuz_magic.messages import Chunk, Reasoning, ToolCall, Usage

__all__ = ["ReplyChoice", "read_usage"]

OPEN, CLOSE = "<think>", "</think>"


class ReplyChoice:
    """Takes the deltas of one choice.

    Attributes:
        plain: text may go straight into the chunks: nothing is held and no `<think>` can begin here.
        began: something came.
        refused: the model declined.
        finish_reason: the service's word; None until it came.
        later: chunks of a choice that is shown after the first.
    """

    def __init__(self) -> None:
        self.plain = self.began = self.refused = False
        self.finish_reason: str | None = None
        self.later: list[Chunk] = []
        self._text, self._thought = _Mender(), _Mender()
        self._think = _ThinkSplitter()
        self._calls: list[_Call] = []

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls as far as they came."""
        return tuple(ToolCall(_mend(call.id), _mend(call.name), _mend(call.arguments)) for call in self._calls)

    def read(self, entry: dict[str, Any], chunks: list[Chunk]) -> None:
        """Take what a choice object of any known shape holds; unknown shapes hold nothing."""
        self.began = True
        delta = entry.get("delta") or entry.get("message") or {"content": entry.get("text")}
        if isinstance(delta, str):
            delta = {"content": delta}
        if isinstance(delta, dict):
            self._read_delta(delta, chunks)
        if (reason := entry.get("finish_reason")) and self.finish_reason is None:
            self.finish_reason = _mend(str(reason))

    def add_text(self, text: str, chunks: list[Chunk]) -> None:
        """Take text of the reply."""
        self.began = True
        chunks.extend(self._think.feed(self._text.feed(text)))
        self.plain = self._think.passing and not self._text.pending

    def add_reasoning(self, text: str, chunks: list[Chunk]) -> None:
        """Take text of what the model thought."""
        self.began = True
        if mended := self._thought.feed(text):
            chunks.append(Reasoning(mended))

    def flush(self, chunks: list[Chunk]) -> None:
        """Give out what is held."""
        if thought := self._thought.flush():
            chunks.append(Reasoning(thought))
        chunks.extend(self._think.feed(self._text.flush()))
        chunks.extend(self._think.flush())
        self.plain = False

    def later_chunks(self, index: int | None) -> list[Chunk]:
        """All of a choice that waited, under its number; None where it is the only one."""
        chunks, self.later = self.later, []
        self.flush(chunks)
        if not chunks or index is None:
            return chunks
        reason = f" ({self.finish_reason})" if self.finish_reason not in (None, "stop") else ""
        return [f"\n\n**Choice {index + 1}**{reason}\n\n", *chunks]

    def _read_delta(self, delta: dict[str, Any], chunks: list[Chunk]) -> None:
        for name in ("reasoning_content", "reasoning"):
            if thought := _plain_text(delta.get(name)):
                self.add_reasoning(thought, chunks)
                break  # some services send both, with the same text
        for kind, text in _parts(delta.get("content")):
            (self.add_reasoning if kind == "thinking" else self.add_text)(text, chunks)
        if refusal := _plain_text(delta.get("refusal")):
            self.refused = True
            self.add_text(refusal, chunks)
        calls = delta.get("tool_calls")
        if isinstance(delta.get("function_call"), dict):  # the form before tools
            calls = [{"index": 0, "function": delta["function_call"]}]
        for entry in calls if isinstance(calls, list) else []:
            if isinstance(entry, dict):
                self._read_call(entry)

    def _read_call(self, entry: dict[str, Any]) -> None:
        function = entry.get("function")
        function = function if isinstance(function, dict) else {}
        id_, name = _plain_text(entry.get("id")), _plain_text(function.get("name"))
        call = self._call(entry.get("index"), id_)
        call.id = call.id or id_
        if name != call.name:  # some services repeat the name with each piece
            call.name += name
        arguments = function.get("arguments")
        call.arguments += _plain_text(arguments) if not isinstance(arguments, dict) else json.dumps(arguments)

    def _call(self, index: Any, id_: str) -> _Call:
        """The call that a piece belongs to: by its index, but a new id is a new call, whatever its index."""
        index = index if isinstance(index, int) else None
        for call in reversed(self._calls):
            if id_ and call.id and id_ != call.id:
                continue
            if (index is None and not id_) or (id_ and id_ == call.id) or (index is not None and index == call.index):
                return call
        call = _Call(index)
        self._calls.append(call)
        return call


class _Call:
    """A tool call in the making."""

    def __init__(self, index: int | None) -> None:
        self.index = index
        self.id = self.name = self.arguments = ""


class _Mender:
    """Joins surrogates that were cut in two by deltas, and drops NUL: neither passes zmq, sqlite or a file."""

    def __init__(self) -> None:
        self.pending = ""

    def feed(self, text: str) -> str:
        text = self.pending + text.replace("\0", "")
        self.pending = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
        return _pair_surrogates(text.removesuffix(self.pending))

    def flush(self) -> str:
        pending, self.pending = self.pending, ""
        return "\ufffd" if pending else ""


class _ThinkSplitter:
    """Turns `<think>…</think>` into reasoning where it is the first visible text of a reply."""

    def __init__(self) -> None:
        self._held = ""
        self._state = self._at_start

    @property
    def passing(self) -> bool:
        """Whether all text passes from here on."""
        return self._state == self._pass

    def feed(self, text: str) -> list[Chunk]:
        if not text:
            return []
        text, self._held = self._held + text, ""
        return self._state(text)

    def flush(self) -> list[Chunk]:
        held, self._held = self._held, ""
        if not held:
            return []
        return [Reasoning(held)] if self._state == self._inside else [held]

    def _at_start(self, text: str) -> list[Chunk]:
        visible = text.lstrip()
        if visible.startswith(OPEN):
            self._state = self._inside
            return self._inside(visible.removeprefix(OPEN))
        if OPEN.startswith(visible):
            self._held = text
            return []
        self._state = self._pass
        return [text]

    def _inside(self, text: str) -> list[Chunk]:
        thought, close, after = text.partition(CLOSE)
        if close:
            self._state = self._behind
            return [*([Reasoning(thought)] if thought else []), *self._behind(after)]
        held = next((size for size in range(len(CLOSE) - 1, 0, -1) if text.endswith(CLOSE[:size])), 0)
        thought, self._held = text[: len(text) - held], text[len(text) - held :]
        return [Reasoning(thought)] if thought else []

    def _behind(self, text: str) -> list[Chunk]:
        # The line breaks between the thought and the reply belong to neither.
        text = text.lstrip("\r\n")
        if not text:
            return []
        self._state = self._pass
        return [text]

    def _pass(self, text: str) -> list[Chunk]:
        return [text]


def read_usage(value: Any) -> Usage | None:
    """Token counts of any shape; None where there is none."""
    if not isinstance(value, dict):
        return None
    counts = [_count(value.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")]
    return Usage(*counts) if any(count is not None for count in counts) else None


def _count(value: Any) -> int | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return int(value) if number else None


def _plain_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _parts(content: Any) -> list[tuple[str, str]]:
    """Kind (`text` or `thinking`) and text of the parts of a content."""
    if isinstance(content, str):
        return [("text", content)] if content else []
    if isinstance(content, (int, float)) and not isinstance(content, bool):
        return [("text", str(content))] if math.isfinite(content) else []
    if isinstance(content, dict):
        return _part(content)
    if isinstance(content, list):
        return [pair for part in content for pair in (_part(part) if isinstance(part, dict) else _parts(part))]
    return []


def _part(part: dict[str, Any]) -> list[tuple[str, str]]:
    if part.get("type") in ("thinking", "reasoning"):
        thought = part.get("thinking") or part.get("reasoning") or part.get("text")
        return [("thinking", text) for _, text in _parts(thought)]
    return _parts(part.get("text") or part.get("value"))  # some put the text a level deeper, as its value


def _mend(text: str) -> str:
    return _pair_surrogates(text.replace("\0", ""))


def _pair_surrogates(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
