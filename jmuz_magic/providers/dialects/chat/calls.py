"""Assembles tool calls from deltas, however a service numbers and names them."""

from __future__ import annotations

import json
from typing import Any

from jmuz_magic.messages import ToolCall
from jmuz_magic.providers.dialects.mending import mend

__all__ = ["CallDeltas"]

KNOWN = frozenset({"id", "index", "type", "function"})


class CallDeltas:
    """Assembles the tool calls of one choice.

    A delta belongs to the call with its id, else its index, else to the last call. It begins a new call if it brings a
    name and the call that it would belong to is complete, or has another id and no arguments yet. Some services send
    no ids or a new one with each delta, no index or always 0, and some repeat a whole call at the end.
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_id: dict[str, _Call] = {}
        self._by_index: dict[int, _Call] = {}  # the last call that began with that index

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def have_arguments(self) -> bool:
        """Whether more than names has arrived."""
        return any(call.arguments for call in self._calls)

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The calls so far."""
        return tuple(ToolCall(mend(call.id), mend(call.name), mend(call.arguments), call.extra) for call in self._calls)

    def add(self, entry: dict[str, Any]) -> None:
        """Add a delta."""
        function = entry.get("function")
        function = function if isinstance(function, dict) else {}
        delta = _Call(entry.get("index"), _text(entry.get("id")), _text(function.get("name")))
        delta.arguments = _arguments(function.get("arguments"))
        delta.extra = {name: value for name, value in entry.items() if name not in KNOWN and value is not None}
        call = self._call_of(delta)
        if call is None or call.is_followed_by(delta):
            call = delta
            self._calls.append(delta)
            if delta.index is not None:
                self._by_index[delta.index] = delta
        else:
            call.join(delta)
        if call.id:
            self._by_id[call.id] = call

    def _call_of(self, delta: _Call) -> _Call | None:
        if delta.id in self._by_id:
            return self._by_id[delta.id]
        if delta.index is not None:
            return self._by_index.get(delta.index)
        return self._calls[-1] if self._calls else None


class _Call:
    """A tool call under construction, or a delta of one."""

    def __init__(self, index: Any, id_: str, name: str) -> None:
        self.index = index if isinstance(index, int) else None
        self.id, self.name, self.arguments = id_, name, ""
        self.extra: dict[str, Any] = {}

    def is_followed_by(self, delta: _Call) -> bool:
        """Whether `delta` begins another call."""
        if not delta.name or (delta.id and delta.id == self.id):
            return False
        if _is_whole(self.arguments):
            return bool(delta.id and self.id) or (delta.name, delta.arguments) != (self.name, self.arguments)
        return not self.arguments and bool(delta.id and self.id)

    def join(self, delta: _Call) -> None:
        """Add a delta of this call."""
        self.id = self.id or delta.id
        if delta.name != self.name:  # some services repeat the name in each delta
            self.name += delta.name
        if not (delta.arguments == self.arguments and _is_whole(self.arguments)):  # … or the whole call at the end
            self.arguments += delta.arguments
        self.extra |= delta.extra


def _is_whole(arguments: str) -> bool:
    if not arguments.rstrip().endswith("}"):  # rules out nearly all deltas cheaply
        return False
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False


def _arguments(value: Any) -> str:
    if isinstance(value, str) or value is None:
        return value or ""
    return json.dumps(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
