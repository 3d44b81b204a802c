"""What only the service can read of a reply, and the places where it stood between text and calls.

A reply's blocks are kept in their order: thoughts and the service's own tools whole and untouched, while text and
calls, which the message holds anyway, leave a mark: `{"type": "text", "characters": 12}` or
`{"type": "tool_use", "id": …}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from jmuz_magic.content import text_part

__all__ = ["NAME", "call_mark", "in_their_places", "is_opaque", "text_mark", "wanted_back"]

Block: TypeAlias = dict[str, Any]
NAME = "anthropic"
"""The dialect that reads what is kept."""
THOUGHTS = frozenset({"redacted_thinking", "thinking"})


def wanted_back(kind: str) -> bool:
    """Whether the service wants blocks of this type back: thoughts, what its own tools did, and summaries.

    See platform.claude.com/docs/en/build-with-claude/thinking, …/agents-and-tools/tool-use/server-tools and
    …/build-with-claude/compaction (2026-11-28).
    """
    return kind in THOUGHTS or kind in ("compaction", "server_tool_use") or kind.endswith("_tool_result")


def text_mark(characters: int, citations: Sequence[Any] = ()) -> Block:
    """The place of a text, with what it cites."""
    return {"type": "text", "characters": characters, **({"citations": list(citations)} if citations else {})}


def is_opaque(place: Block) -> bool:
    """Whether more than the place is kept, so that the message alone would not do."""
    return place["type"] not in ("text", "tool_use") or "citations" in place


def call_mark(block: Block) -> Block:
    """The place of a call, with what only the service understands of it, such as which of its tools called."""
    return {name: value for name, value in block.items() if name not in ("input", "name")}


def in_their_places(items: Iterable[Mapping[str, Any]], blocks: Sequence[Block]) -> list[Block]:
    """The blocks of a message, with what the service wants back where it stood.

    A text that is no longer as long as it was stands where the first one did; a call that is not in the message leaves
    nothing, and neither do thoughts that nothing follows, which the service refuses.

    Args:
        items: as kept with the reply.
        blocks: those of the message: its text and its calls.
    """
    kept = [dict(item) for item in items]
    calls = {str(block.get("id")): block for block in blocks if block["type"] == "tool_use"}
    others = [block for block in blocks if block["type"] != "tool_use"]
    placed: list[Block] = []
    text = _Text(others, sum(_characters(item) for item in kept))
    for item in kept:
        match item.get("type"):
            case "text":
                cited = {"citations": item["citations"]} if "citations" in item and text.is_as_it_was else {}
                placed += [part | cited for part in text.next(_characters(item))]
            case "tool_use":
                if call := calls.pop(str(item.get("id")), None):
                    placed.append(call | call_mark(item))
            case kind if wanted_back(str(kind)):
                placed.append(item)
    placed += [*text.rest(), *calls.values()]
    while placed and placed[-1]["type"] in THOUGHTS:
        placed.pop()
    return placed


def _characters(item: Block) -> int:
    count = item.get("characters")
    return count if item.get("type") == "text" and isinstance(count, int) else 0


class _Text:
    """Cuts the text of a message where blocks stood between its parts."""

    def __init__(self, blocks: list[Block], characters: int) -> None:
        self._blocks = blocks
        text = blocks[0]["text"] if len(blocks) == 1 and blocks[0]["type"] == "text" else ""
        self._text = text if len(text) == characters else None
        self._at = 0

    @property
    def is_as_it_was(self) -> bool:
        return self._text is not None

    def next(self, characters: int) -> list[Block]:
        if self._text is None:
            return self.rest()
        part = self._text[self._at : self._at + characters]
        self._at += characters
        return [text_part(part)] if part.strip() else []

    def rest(self) -> list[Block]:
        if self._text is not None:
            return self.next(len(self._text))
        blocks, self._blocks = self._blocks, []
        return blocks
