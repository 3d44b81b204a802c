"""Safe HTML from a reply: whole, or block by block while it grows.

`rendering.py` decides what the HTML can contain; a front end never receives a reply as Markdown, nor any HTML that
the reply itself contains.
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
    return Renderer(tex_html, in_cell=True) if math == "tex" else Renderer(mathml_html, in_cell=False)


def render_html(text: str, math: Math = "tex") -> str:
    """The whole reply `text` as safe HTML.

    Args:
        text: untrusted Markdown.
        math: "tex" is for a cell's output: the front end typesets formulas, and the HTML brings its own look.
            "mathml" is for the panel, which has a style sheet: formulas are converted here.
    """
    blocks = Blocks(math)
    blocks.feed(text)
    blocks.finish()
    return "".join(blocks.committed)


class Blocks:
    """A growing reply as HTML: finished top-level blocks, and an open part that may still change.

    After `finish`, `"".join(committed)` equals `render_html` of the whole text. Each finished block is rendered once;
    for how often to read `committed` and `open` see `Splitter` and `Pace`.

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
        self._references_known: list[int] = []  # for each block, how many there were when it was rendered

    @property
    def references(self) -> dict[str, Any]:
        """The link definitions found so far, as markdown-it keeps them."""
        return self._references

    def feed(self, text: str) -> None:
        """Add a delta; costs no more than copying it."""
        self._splitter.feed(text)

    @property
    def open_chars(self) -> int:
        """The number of characters of Markdown not committed yet."""
        return self._splitter.open_chars

    @property
    def committed(self) -> list[str]:
        """HTML of the finished blocks; it only grows, except for what `finish` reports."""
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
        """Commit everything that is open.

        Returns:
            Indexes of blocks committed earlier whose HTML has changed, because they use a link definition that came
            later.
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
        """Render a block again if it may use a definition unknown before; return whether its HTML changed."""
        known, self._references_known[index] = self._references_known[index], len(self._references)
        if known == len(self._references) or "[" not in self.sources[index]:
            return False
        before, self._committed[index] = self._committed[index], self._html(self.sources[index])
        return before != self._committed[index]
