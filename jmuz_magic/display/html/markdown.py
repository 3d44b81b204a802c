"""Safe HTML from a reply: whole, or block by block while it grows.

What can be in the HTML is decided in `rendering.py`; a kernel never hands a reply to a front end as Markdown or
as HTML of the reply's own.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import MutableMapping
from functools import cache
from typing import Any, Literal

from jmuz_magic.display.html.maths import OPEN_END, mathml_html, tex_html
from jmuz_magic.display.html.parser import make_parser
from jmuz_magic.display.html.rendering import Renderer
from jmuz_magic.display.html.splitter import Splitter

__all__ = ["Blocks", "Math", "render_html"]

Math = Literal["tex", "mathml"]


@cache
def _renderer(math: Math) -> Renderer:
    return Renderer(tex_html if math == "tex" else mathml_html)


def render_html(text: str, math: Math = "tex") -> str:
    """The whole reply `text` as safe HTML.

    Args:
        text: Markdown from a stranger.
        math: "tex" leaves formulas for the front end to typeset (cell output); "mathml" converts them here.
    """
    blocks = Blocks(math)
    blocks.feed(text)
    blocks.finish()
    return "".join(blocks.committed)


class Blocks:
    """A growing reply as HTML: finished top-level blocks, and the open part that may still change.

    `"".join(committed)` after `finish` equals `render_html` of the whole text. For the pace at which `committed` and
    `open` are read see `Splitter` and `Pace`; each finished block is rendered once.

    Args:
        math: see `render_html`.

    Attributes:
        sources: the Markdown of every committed block, control characters made visible.
    """

    def __init__(self, math: Math = "tex") -> None:
        self.sources: list[str] = []
        self._renderer = _renderer(math)
        self._splitter = Splitter()
        self._committed: list[str] = []
        self._references: dict[str, Any] = {}
        self._references_known: list[int] = []  # how many there were when a block was rendered

    def feed(self, text: str) -> None:
        """Add a delta; costs no more than the copy."""
        self._splitter.feed(text)

    @property
    def open_chars(self) -> int:
        """Characters of Markdown that are not committed."""
        return self._splitter.open_chars

    @property
    def committed(self) -> list[str]:
        """HTML of the finished blocks; it only grows (`finish` says what it changed)."""
        self._commit(self._splitter.take())
        return self._committed

    @property
    def open(self) -> str:
        """HTML of the part that may still change."""
        self._commit(self._splitter.take())
        own: MutableMapping[str, Any] = {}
        environment = {"references": ChainMap(own, self._references), OPEN_END: True}
        return self._renderer.html(make_parser().parse(self._splitter.open_source, environment))

    def finish(self) -> list[int]:
        """Commit all that is open.

        Returns:
            Indexes of blocks committed earlier that have other HTML now, because they use a link definition that
            came after them.
        """
        before = len(self._committed)
        self._commit(self._splitter.flush())
        return [index for index in range(len(self._committed)) if self._resolve_late(index) and index < before]

    def _commit(self, sources: list[str]) -> None:
        for source in sources:
            self.sources.append(source)
            self._committed.append(self._html(source))
            self._references_known.append(len(self._references))

    def _html(self, source: str) -> str:
        return self._renderer.html(make_parser().parse(source, {"references": self._references}))

    def _resolve_late(self, index: int) -> bool:
        """Render a block again if it may use a definition that was not known; whether its HTML changed."""
        known, self._references_known[index] = self._references_known[index], len(self._references)
        if known == len(self._references) or "[" not in self.sources[index]:
            return False
        before, self._committed[index] = self._committed[index], self._html(self.sources[index])
        return before != self._committed[index]
