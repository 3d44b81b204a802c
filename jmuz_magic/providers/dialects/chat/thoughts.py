"""What a model thought, from wherever services put it: separate members, details, tags in the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

from jmuz_magic.messages import Chunk, Reasoning
from jmuz_magic.streaming.adverts.fences import Fence, opened_by

__all__ = ["Details", "ThoughtSplitter", "Thoughts"]

LONGEST_LINE = 400  # characters of a line that are checked for a code fence
LONGEST_TAG = 40

_Source: TypeAlias = Literal["members", "tags"]


class Thoughts:
    """Passes each thought on once: some services send the same ones in two places.

    Thoughts from the place that came first pass. Those from the other place are held to the end, and pass then if they
    are different.

    Attributes:
        plain: whether thoughts in members pass.
        members: the thoughts that came in members.
    """

    def __init__(self) -> None:
        self.plain = False
        self.members: list[str] = []
        self._tags: list[str] = []
        self._first: _Source | None = None

    def add(self, source: _Source, text: str, chunks: list[Chunk]) -> None:
        """Add a delta of a thought."""
        if self._first is None and text.strip():
            self._first = source
            self.plain = source == "members"
        (self.members if source == "members" else self._tags).append(text)
        if source == (self._first or source):
            chunks.append(Reasoning(text))

    def flush(self, chunks: list[Chunk]) -> None:
        """Release what is held."""
        members, tags = "".join(self.members), "".join(self._tags)
        self.members, self._tags = [], []
        passed, held = (tags, members) if self._first == "tags" else (members, tags)
        if _squeezed(held) not in _squeezed(passed):
            chunks.append(Reasoning("\n\n" + held.lstrip()))


def _squeezed(text: str) -> str:
    return "".join(text.split())


class Details:
    """Reads the texts of `reasoning_details`; entries of one type belong together, whatever their `index`.

    Most services send only what is new, MiniMax everything so far (its documentation, 2026-11-28): then the second
    text of a type begins with all of the first.
    """

    def __init__(self) -> None:
        self._before: dict[str, str] = {}
        self._cumulative: dict[str, bool] = {}
        self._last = ""

    def feed(self, detail: dict[str, Any]) -> str:
        """What this entry adds to the thought."""
        kind, text = str(detail.get("type")), detail.get("text") or detail.get("summary")
        if not isinstance(text, str):
            return ""
        new = self._new(kind, text)
        parted = "\n\n" if new and self._last not in ("", kind) else ""  # a summary, then the thought itself
        self._last = kind if new else self._last
        return parted + new

    def _new(self, kind: str, text: str) -> str:
        before = self._before.get(kind, "")
        if not before.strip():
            self._before[kind] = text
            return text
        if kind not in self._cumulative:
            self._cumulative[kind] = text.startswith(before) and text != before
        if not self._cumulative[kind]:
            return text
        self._before[kind] = text
        return text.removeprefix(before)


class ThoughtSplitter:
    """Turns `<think>…</think>` into reasoning if it is the first visible text of a reply.

    In such a reply the tag begins another thought right after one, or at the start of a line that is not code.
    Elsewhere tags are text: nothing is held for them, and prose about them is unchanged.

    Args:
        tags: names of other tags with the same meaning.
        begins_inside: whether the text may begin in mid-thought, so that only the closing tag comes; all of it is
            held until that tag, or the end.

    Attributes:
        midline: whether we are inside a line of a reply that began with a thought; no other can begin before its end.
    """

    def __init__(self, tags: Sequence[str] = (), begins_inside: bool = False) -> None:
        self._tags = ["think", *tags]
        self._begins_inside = begins_inside
        self.midline = False
        self._close = ""
        self._held = ""
        self._undecided: list[str] = []  # held while the text may have started in mid-thought
        self._seam = ""  # the end of that
        self._parted = True  # the next thought needs no separate line
        self._line = ""  # the line being read, as far as needed to recognise a fence
        self._fence: Fence | None = None
        self._state: Callable[[str], list[str | Reasoning]] = self._at_start

    @property
    def passing(self) -> bool:
        """Whether all further text passes."""
        return self._state == self._pass

    @property
    def inside(self) -> bool:
        """Whether a thought is open."""
        return self._state == self._inside

    def allow(self, tag: str) -> None:
        """Accept this tag as one that means a thought."""
        if tag not in self._tags:
            self._tags.append(tag)

    def feed(self, text: str) -> list[str | Reasoning]:
        """The text and thoughts decided so far."""
        if not text:
            return []
        text, self._held = self._held + text, ""
        return self._state(text)

    def skip(self, text: str) -> None:
        """Take text that passes: in `midline` and without a line break."""
        if len(self._line) < LONGEST_LINE:
            self._line += text

    def flush(self) -> list[str | Reasoning]:
        """What is held: a thought if one is open, else text."""
        held = "".join(self._undecided) or self._held
        self._held, self._undecided = "", []
        if not held:
            return []
        return [Reasoning(held)] if self.inside else [held]

    def _at_start(self, text: str) -> list[str | Reasoning]:
        return self._thought_or(self._maybe_inside if self._begins_inside else self._pass, text)

    def _thought_or(self, state: Callable[[str], list[str | Reasoning]], text: str) -> list[str | Reasoning]:
        """Enter a thought if the text begins with its tag; hold what may become one; else go to the other state."""
        visible = text.lstrip()
        if tag := self._opened(visible):
            return self._enter(tag, visible)
        if self._may_open(visible):
            self._held = text
            return []
        self._state = state
        return state(text)

    def _opened(self, text: str, start: int = 0) -> str | None:
        return next((tag for tag in self._tags if text.startswith(f"<{tag}>", start)), None)

    def _may_open(self, text: str, start: int = 0) -> bool:
        rest = len(text) - start  # a long one is not copied for each of its lines
        return any(rest < len(tag) + 2 and f"<{tag}>".startswith(text[start:]) for tag in self._tags)

    def _enter(self, tag: str, text: str) -> list[str | Reasoning]:
        self.midline, self._parted = False, not self._close
        self._close = f"</{tag}>"
        self._state = self._inside
        return self._inside(text.removeprefix(f"<{tag}>"))

    def _maybe_inside(self, text: str) -> list[str | Reasoning]:
        self._undecided.append(text)
        seam, closes = self._seam + text, [f"</{tag}>" for tag in self._tags]
        self._seam = seam[-LONGEST_TAG:]
        found = [close for close in closes if close in seam]
        if not found:
            return []
        whole, self._undecided = "".join(self._undecided), []
        self._state = self._after_thought
        thought, _, after = whole.partition(min(found, key=whole.find))
        return [*([Reasoning(thought)] if thought else []), *self._after_thought(after)]

    def _inside(self, text: str) -> list[str | Reasoning]:
        thought, close, after = text.partition(self._close)
        if not close:
            size = next((size for size in range(len(self._close) - 1, 0, -1) if text.endswith(self._close[:size])), 0)
            thought, self._held = text[: len(text) - size], text[len(text) - size :]
        if thought and not self._parted:
            self._parted = True
            thought = thought if thought[0].isspace() else f"\n\n{thought}"
        chunks: list[str | Reasoning] = [Reasoning(thought)] if thought else []
        if close:
            self._state = self._after_thought
            chunks += self._after_thought(after)
        return chunks

    def _after_thought(self, text: str) -> list[str | Reasoning]:
        # Line breaks between a thought and what follows belong to neither.
        text = text.lstrip("\r\n")
        if not text:
            return []
        return self._thought_or(self._between, text)

    def _between(self, text: str) -> list[str | Reasoning]:
        """Text of a reply that began with a thought: another may begin at the start of a line."""
        shown, start = "", 0
        while start < len(text):
            if not self._line and self._fence is None:
                if tag := self._opened(text, start):
                    return [*([text[:start]] if start else []), *self._enter(tag, text[start:])]
                if self._may_open(text, start):
                    self._held = text[start:]
                    break
            end = text.find("\n", start) + 1
            self._line = (self._line + text[start : end or len(text)])[:LONGEST_LINE]
            start = end or len(text)
            if end:
                self._end_line(self._line.removesuffix("\n"))
        self.midline = bool(self._line)
        shown = text[: len(text) - len(self._held)]
        return [shown] if shown else []

    def _end_line(self, line: str) -> None:
        self._line = ""
        if self._fence is None:
            self._fence = opened_by(line)
        elif self._fence.is_closed_by(line):
            self._fence = None

    def _pass(self, text: str) -> list[str | Reasoning]:
        return [text]
