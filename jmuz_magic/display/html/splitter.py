"""Where a growing reply can be cut: at top-level blocks that no later text can change."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from jmuz_magic.display.html.maths import OPEN_END
from jmuz_magic.display.html.parser import make_parser
from jmuz_magic.display.text import TextCleaner

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["Splitter"]

_WINDOW = 64_000
"""A longer block (a list or paragraph; never code) is cut at the end of a line: parsing takes kilobytes of memory
for each line, and it happens every time the open part is shown."""


class Splitter:
    """Cuts Markdown that arrives in deltas into top-level blocks, the same ones however it is cut.

    `feed` costs no more than the copy. `take` parses what is still open, so call it at the pace that `open_chars`
    sets (`Pace` in view.py): then the total time is linear in the text, even if one block never ends.

    Attributes:
        open_chars: the number of characters after the last finished block.
    """

    def __init__(self) -> None:
        self.open_chars = 0
        self._cleaner = TextCleaner()
        self._parts: list[str] = []
        self._has_new_line = False

    def feed(self, delta: str) -> None:
        """Add text and make its control characters visible."""
        cleaned = self._cleaner.feed(delta)
        self._parts.append(cleaned)
        self.open_chars += len(cleaned)
        self._has_new_line = self._has_new_line or "\n" in cleaned

    @property
    def open_source(self) -> str:
        """The text after the last finished block."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    def take(self) -> list[str]:
        """The source of every block finished since the last call.

        Of the blocks in complete lines, all but the last are final; what an incomplete line will become (`#` or
        `#hashtag`) is not known yet.
        """
        if not self._has_new_line:
            return []
        self._has_new_line = False
        source = self.open_source
        starts = _starts(source[: source.rfind("\n") + 1], growing=True)
        self._parts = [source[starts[-1] :]]
        self.open_chars = len(self._parts[0])
        return [source[start:end] for start, end in pairwise(starts)]

    def flush(self) -> list[str]:
        """The remaining blocks: the text is complete."""
        self.feed(self._cleaner.flush())
        source = self.open_source
        self._parts, self.open_chars, self._has_new_line = [], 0, False
        starts = [*_starts(source, growing=False), len(source)]
        return [source[start:end] for start, end in pairwise(starts) if end > start]


def _starts(source: str, growing: bool) -> list[int]:
    """Offsets of the blocks of `source`, the first 0; found in windows, so that no parse sees much at once."""
    starts, size = [0], _WINDOW
    while True:
        start = starts[-1]
        end = _window_end(source, start, size)
        is_last = end == len(source)
        found, kind = _block_starts(source[start:end], growing=growing or not is_last)
        if size > _WINDOW and len(found) > 1:
            starts.append(start + found[1])  # so far only code was read; what follows it gets its own window
            size = _WINDOW
            continue
        starts += [start + offset for offset in found[1:]]
        if is_last:
            return starts
        if len(found) == 1 and kind == "fence":
            size *= 2  # code is never cut, and is cheap to read
            continue
        if len(found) == 1:
            starts.append(end)
        size = _WINDOW


def _window_end(source: str, start: int, size: int) -> int:
    """The end of a line about `size` after `start`, if possible before a line that is not indented."""
    if len(source) - start <= size:
        return len(source)
    last = end = source.rfind("\n", start, start + size) + 1
    while end > start + size // 2 and source[end] in " \t\n":
        end = source.rfind("\n", start, end - 1) + 1
    if end <= start + size // 2:
        end = last
    return end if end > start else source.find("\n", start + size) + 1 or len(source)


def _block_starts(source: str, growing: bool) -> tuple[list[int], str]:
    """Offsets of the top-level blocks of `source`, the first 0, and what the last one is.

    While it grows, a link definition at the end of `source` or right above its last block may still claim the lines
    below for its title, so it counts as one block with what follows.
    """
    parser = make_parser()
    tokens: list[Token] = []
    parser.block.parse(source, parser, {OPEN_END: growing}, tokens)
    blocks = [(token.map, token.type) for token in tokens if token.level == 0 and token.map and token.nesting >= 0]
    while growing and len(blocks) > 1 and blocks[-2][1] == "definition" and blocks[-2][0][1] == blocks[-1][0][0]:
        blocks.pop()
    return [0, *_offsets(source, [lines[0] for lines, _ in blocks[1:]])], blocks[-1][1] if blocks else ""


def _offsets(source: str, lines: list[int]) -> list[int]:
    """The offsets of the given lines, which must ascend."""
    offsets, line, offset = [], 0, 0
    for wanted in lines:
        while line < wanted:
            offset = source.index("\n", offset) + 1
            line += 1
        offsets.append(offset)
    return offsets
