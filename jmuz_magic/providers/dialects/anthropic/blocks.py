"""One block of a reply's content while it grows."""

from __future__ import annotations

import json
from typing import Any

from jmuz_magic.messages import ToolCall
from jmuz_magic.providers.dialects.anthropic.places import call_mark, text_mark, wanted_back
from jmuz_magic.providers.dialects.mending import mend

__all__ = ["Block"]


class Block:
    """A block: what began it, and its deltas.

    Attributes:
        kind: its type.
        characters: how much of the reply's text it contains.
        deltas: the text of its deltas, other than those of the reply's text.
    """

    __slots__ = ("_added", "_citations", "_signature", "_start", "characters", "deltas", "kind")

    def __init__(self, start: dict[str, Any]) -> None:
        self.kind = str(start.get("type") or "")
        self.characters = 0
        self.deltas: list[str] = []
        self._start = start
        self._added: dict[str, Any] = {}  # in place: deltas may be many
        self._signature: list[str] = []
        begun = start.get("citations")
        self._citations: list[Any] = list(begun) if isinstance(begun, list) else []

    @property
    def is_call(self) -> bool:
        """Whether it asks us to call a function; calls of the service's own tools are answered there."""
        return self.kind == "tool_use"

    @property
    def call_id(self) -> str:
        """The id of the call."""
        return mend(str(self._start.get("id") or ""))

    @property
    def call(self) -> ToolCall:
        """The call."""
        name = mend(str(self._start.get("name") or ""))
        return ToolCall(self.call_id, name, mend("".join(self.deltas)) or json.dumps(self._start.get("input") or {}))

    @property
    def whole(self) -> dict[str, Any]:
        """The block as it would have come in one piece."""
        said = "".join(self.deltas)
        match self.kind:
            case "thinking":
                thought = str(self._start.get("thinking") or "") + said
                return self._start | {"thinking": mend(thought), "signature": self._whole_signature}
            case "server_tool_use" if said:
                return self._start | {"input": _loads(said) or {}}
            case "compaction" if said:
                return self._start | self._added | {"content": mend(said)}
        return self._start | self._added

    @property
    def place(self) -> dict[str, Any] | None:
        """What is sent back of it: all, or the mark of its place; None for what the service does not want back."""
        match self.kind:
            case "text":
                return text_mark(self.characters, self._citations) if self.characters else None
            case "tool_use":
                return call_mark(self._start | {"id": self.call_id})
            case "thinking" if not self._whole_signature:
                return None  # cut off, or of a service that signs nothing; without a signature it is refused
            case "server_tool_use" if self.deltas and _loads("".join(self.deltas)) is None:
                return None  # cut off
        return self.whole if wanted_back(self.kind) else None

    def cite(self, citation: dict[str, Any]) -> None:
        """Add a source that the text cites."""
        self._citations.append(citation)

    def sign(self, signature: str) -> None:
        """Add to the signature of a thought."""
        self._signature.append(signature)

    def add(self, members: dict[str, Any]) -> None:
        """Add members that come with a delta."""
        self._added |= members

    @property
    def _whole_signature(self) -> str:
        return str(self._start.get("signature") or "") + "".join(self._signature)


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
