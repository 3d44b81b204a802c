"""Replies in a terminal through rich: headings, tables and coloured code, one finished block after another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any, Literal

from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markdown import Markdown
from rich.segment import Segment

from jmuz_magic.display.html.highlighting import can_highlight
from jmuz_magic.display.html.parser import make_parser
from jmuz_magic.display.html.splitter import Splitter
from jmuz_magic.display.views.terminal import TextView
from jmuz_magic.text import clean_text

__all__ = ["RichView"]


class _Inert:
    """What rich renders, with every character cleaned once more.

    rich decodes entities after the source was cleaned (`&#27;` is an ESC) and prints them.
    """

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._renderable, options):
            yield segment if segment.control else Segment(clean_text(segment.text), segment.style)


class RichView(TextView):
    """Prints each block of a reply once it is finished.

    Links show their address after their text; a terminal's own hyperlinks are not used, since their labels can lie.
    """

    def __init__(self, stream: IO[str], **options: Any) -> None:
        """`options` are those of `TextView`."""
        super().__init__(stream, **options)
        self._console = Console(file=stream, highlight=False, emoji=False, markup=False)
        self._splitter = Splitter()
        self._references: dict[str, Any] = {}

    def _write_text(self, text: str) -> None:
        self._splitter.feed(text)

    def tick(self) -> None:
        super().tick()
        self._print(self._splitter.take())

    def _end_text(self) -> None:
        self._print(self._splitter.flush())

    def _print(self, sources: Iterable[str]) -> None:
        for source in sources:
            self._begin_text()
            self._console.print(_Inert(self._markdown(source)), end="\n")

    def _markdown(self, source: str) -> Markdown:
        markdown = Markdown("", hyperlinks=False)
        tokens = make_parser().parse(source, {"references": self._references})
        markdown.parsed = [shown for token in tokens for shown in _for_rich(token)]
        return markdown


def _for_rich(token: Token) -> list[Token]:
    """The token in a form that rich knows; it would drop any other."""
    if token.type == "definition":
        return []
    if token.type == "maths_block":
        return [_new("paragraph_open", 1), _text(token.content), _new("paragraph_close", -1)]
    if token.type == "plain":
        return [_text(token.content)]
    if token.type == "fence" and not can_highlight(token.content, (token.info.split() or [""])[0]):
        token.info = ""
    if token.children:
        token.children = [_inline_for_rich(child) for child in token.children]
    return [token]


def _inline_for_rich(token: Token) -> Token:
    if token.type == "image":
        return _text(f"[image: {token.content or 'no description'}] ({token.attrs.get('src', '')})")
    return _text(token.content) if token.type == "maths" else token


def _text(content: str) -> Token:
    token = _new("text", 0)
    token.content = content
    return token


def _new(kind: str, nesting: Literal[-1, 0, 1]) -> Token:
    return Token(kind, "p" if nesting else "", nesting)
