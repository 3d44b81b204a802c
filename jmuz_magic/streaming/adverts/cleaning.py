"""The advert cleaner, applied to the chunks of a reply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, assert_never

from jmuz_magic.messages import (
    AdvertRemoved,
    Answered,
    Chunk,
    Citations,
    FinishReason,
    Image,
    OnNotice,
    Reasoning,
    ReasoningItems,
    ToolCalls,
    ToolResult,
    Unshown,
    Usage,
)

if TYPE_CHECKING:
    from jmuz_magic.streaming.adverts.cleaner import AdvertCleaner, AdvertRule

__all__ = ["Cleaning"]


class Cleaning:
    """Passes text through the cleaner and every other chunk unchanged; without rules, everything unchanged.

    What the cleaner holds is released before the first chunk that ends the text.
    """

    def __init__(self, rules: Sequence[AdvertRule] | None, on_notice: OnNotice | None) -> None:
        self._cleaner: AdvertCleaner | None = None
        if rules is not None:
            from jmuz_magic.streaming.adverts.cleaner import AdvertCleaner

            self._cleaner = AdvertCleaner(rules)
        self._on_notice = on_notice
        self._told = 0

    def clean(self, chunks: list[Chunk]) -> Iterable[Chunk]:
        """The part of these chunks that may be shown now."""
        return chunks if self._cleaner is None else self._clean(chunks, self._cleaner)

    def last(self, chunks: list[Chunk]) -> Iterator[Chunk]:
        """These chunks and everything held, because no more will come."""
        yield from self.clean(chunks)
        if self._cleaner is not None:
            yield from self._flush(self._cleaner)

    def _clean(self, chunks: list[Chunk], cleaner: AdvertCleaner) -> Iterator[Chunk]:
        for chunk in chunks:
            if isinstance(chunk, str):  # nearly all are, and as a `case` this is slower
                text = cleaner.feed(chunk)
                if len(cleaner.removed) != self._told:
                    self._tell(cleaner)
                if text:
                    yield text
                continue
            match chunk:
                case ToolCalls() | Usage() | FinishReason():  # the text has ended
                    yield from self._flush(cleaner)
                case Reasoning() | Answered() | Citations() | Image() | Unshown() | ReasoningItems() | ToolResult():
                    pass  # these come in mid-text too
                case _:
                    assert_never(chunk)
            yield chunk

    def _flush(self, cleaner: AdvertCleaner) -> Iterator[Chunk]:
        text = cleaner.flush()
        self._tell(cleaner)
        if text:
            yield text

    def _tell(self, cleaner: AdvertCleaner) -> None:
        new, self._told = cleaner.removed[self._told :], len(cleaner.removed)
        for advert in new:
            if self._on_notice:
                self._on_notice(AdvertRemoved(advert))
