"""The items of an output: which came, what of each has been passed on, and what goes back to the service."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import Any

from jmuz_magic.messages import ToolCall
from jmuz_magic.providers.dialects.mending import mend

__all__ = ["SENT_BACK", "Item", "Items"]

MESSAGE, CALL, THOUGHT = "message", "function_call", "reasoning"

# What only the service can read, and with it what the service has done itself in between, which it misses otherwise
# (developers.openai.com/api/docs/guides/reasoning, 2026-11). Its wishes that somebody else act are none of these.
_OPAQUE = frozenset({THOUGHT, "compaction", "program"})
SENT_BACK = _OPAQUE | {
    "code_interpreter_call", "file_search_call", "mcp_call", "mcp_list_tools", "program_output", "web_search_call",
}  # fmt: skip
# Members of a call that the service wants back besides those of `ToolCall` (recorded traffic, 2026-11-28).
_EXTRA = ("caller", "namespace")


class Item:
    """One item.

    Attributes:
        kind: its type.
        value: the item as it came last; empty before its end.
        whole: whether it came to its end.
        streamed: the parts whose deltas came, by kind of part.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.value: dict[str, Any] = {}
        self.whole = False
        self.streamed: dict[str, set[int]] = {}
        self._arguments: list[str] = []

    def begins(self, part: str, index: int) -> bool:
        """Whether this is the first time that the part comes."""
        known = self.streamed.setdefault(part, set())
        if index in known:
            return False
        known.add(index)
        return True

    def note(self, value: Mapping[str, Any]) -> None:
        """Take what the item says of itself; what came before counts where it says nothing."""
        self.value |= {name: each for name, each in value.items() if each not in (None, "") or name not in self.value}

    def add_arguments(self, delta: str) -> None:
        """Take a delta of a call's arguments."""
        self._arguments.append(delta)

    @property
    def call(self) -> ToolCall:
        """The call that this item is."""
        id_, name, arguments = (_text(self.value.get(each)) for each in ("call_id", "name", "arguments"))
        extra = {each: self.value[each] for each in _EXTRA if self.value.get(each) is not None}
        return ToolCall(mend(id_), mend(name), mend(arguments or "".join(self._arguments)), extra)


class Items:
    """All items of one reply.

    An event belongs to the item of its type and `output_index`; ids change on the way, and are used only if there is no
    index. The items of the last event belong to those before it by type and order.
    """

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._places: dict[tuple[str, str], Item] = {}

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def begin(self, payload: Mapping[str, Any], value: Mapping[str, Any]) -> Item:
        """A new item, as an event adds it."""
        item = Item(_text(value.get("type")))
        self._items.append(item)
        for name in (payload.get("output_index"), value.get("id")):
            if name is not None:
                self._places[item.kind, str(name)] = item
        item.note(value)
        return item

    def of(self, payload: Mapping[str, Any], kind: str) -> Item:
        """The item of this type that an event belongs to; a new one if it was not announced."""
        names = [payload.get("output_index"), payload.get("item_id")]
        for name in names:
            if name is not None and (kind, str(name)) in self._places:
                return self._places[kind, str(name)]
        if names == [None, None] and self._items and self._items[-1].kind == kind:
            return self._items[-1]
        return self.begin(payload, {"type": kind, "id": payload.get("item_id")})

    def ended(self, payload: Mapping[str, Any], value: Mapping[str, Any]) -> Item:
        """The item whose end came, with its value."""
        item = self.of({**payload, "item_id": value.get("id")}, _text(value.get("type")))
        if item.whole:
            item = self.begin(payload, value)
        return _whole(item, value)

    def all_ended(self, values: list[Any]) -> Iterator[tuple[Item, dict[str, Any]]]:
        """Each item that the last event names, and how it stands there."""
        same: defaultdict[str, deque[Item]] = defaultdict(deque)
        for item in self._items:
            same[item.kind].append(item)
        for value in values:
            kind = _text(value.get("type")) if isinstance(value, dict) else ""
            if not kind:
                continue
            known = same[kind].popleft() if same[kind] else self.begin({}, value)
            # The value that came with the item's own end counts: here ids and encrypted contents differ.
            yield (known if known.whole else _whole(known, value)), value

    def sent_back(self) -> tuple[dict[str, Any], ...]:
        """What goes back with this reply, in its order, with marks where texts and calls stood; () for nothing."""
        marks = [mark for item in self._items if (mark := _mark(item))]
        return tuple(marks) if any(mark["type"] in _OPAQUE or "phase" in mark for mark in marks) else ()


def _mark(item: Item) -> dict[str, Any]:
    """An item as it goes back: as it came, or the place of what the message of the reply holds."""
    value = item.value
    if item.kind == MESSAGE:
        phase = value.get("phase")
        return {"type": MESSAGE, "length": _length(value.get("content"))} | (
            {"phase": phase} if isinstance(phase, str) else {}
        )
    if item.kind == CALL:
        return {"type": CALL, "call_id": item.call.id}
    # A thought that is neither encrypted nor readable exists only where it was stored.
    empty = item.kind == THOUGHT and not (value.get("encrypted_content") or value.get("content"))
    return value if item.kind in SENT_BACK and item.whole and not empty else {}


def _length(content: Any) -> int:
    """The characters of a message, as the reply has them."""
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return sum(len(mend(_text(part.get("text") or part.get("refusal")))) for part in parts)


def _whole(item: Item, value: Mapping[str, Any]) -> Item:
    item.value = dict(value) if item.kind != CALL else item.value
    item.note(value)
    item.whole = True
    return item


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
