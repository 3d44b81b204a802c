"""Assembles tool calls from pieces, however a service numbers and names them."""

from __future__ import annotations

import json
from typing import Any

from jmuz_magic.messages import ToolCall
from jmuz_magic.providers.dialects.chat.mending import mend

__all__ = ["CallPieces"]

KNOWN = frozenset({"id", "index", "type", "function"})


class CallPieces:
    """Assembles the tool calls of one choice.

    A piece belongs to the call with its id, else its index, else to the last call. It begins a new call if it brings a
    name and the call that it would belong to is complete, or has another id and no arguments yet. Some services send
    no ids or a new one with each piece, no index or always 0, and some repeat a whole call at the end.
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
        """Add a piece."""
        function = entry.get("function")
        function = function if isinstance(function, dict) else {}
        piece = _Call(entry.get("index"), _text(entry.get("id")), _text(function.get("name")))
        piece.arguments = _arguments(function.get("arguments"))
        piece.extra = {name: value for name, value in entry.items() if name not in KNOWN and value is not None}
        call = self._call_of(piece)
        if call is None or call.is_followed_by(piece):
            call = piece
            self._calls.append(piece)
            if piece.index is not None:
                self._by_index[piece.index] = piece
        else:
            call.join(piece)
        if call.id:
            self._by_id[call.id] = call

    def _call_of(self, piece: _Call) -> _Call | None:
        if piece.id in self._by_id:
            return self._by_id[piece.id]
        if piece.index is not None:
            return self._by_index.get(piece.index)
        return self._calls[-1] if self._calls else None


class _Call:
    """A tool call under construction, or a piece of one."""

    def __init__(self, index: Any, id_: str, name: str) -> None:
        self.index = index if isinstance(index, int) else None
        self.id, self.name, self.arguments = id_, name, ""
        self.extra: dict[str, Any] = {}

    def is_followed_by(self, piece: _Call) -> bool:
        """Whether `piece` begins another call."""
        if not piece.name or (piece.id and piece.id == self.id):
            return False
        if _is_whole(self.arguments):
            return bool(piece.id and self.id) or (piece.name, piece.arguments) != (self.name, self.arguments)
        return not self.arguments and bool(piece.id and self.id)

    def join(self, piece: _Call) -> None:
        """Add a piece of this call."""
        self.id = self.id or piece.id
        if piece.name != self.name:  # some services repeat the name in each piece
            self.name += piece.name
        if not (piece.arguments == self.arguments and _is_whole(self.arguments)):  # … or the whole call at the end
            self.arguments += piece.arguments
        self.extra |= piece.extra


def _is_whole(arguments: str) -> bool:
    if not arguments.rstrip().endswith("}"):  # rules out nearly all pieces cheaply
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
