"""The parser behind all rendering: CommonMark with tables, strikethrough, task lists and formulas, without HTML."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from jmuz_magic.display.html.links import safe_href
from jmuz_magic.display.html.maths import OPEN_END, enable_maths
from jmuz_magic.display.html.settling import settled
from jmuz_magic.display.html.tables import enable_tables

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_core import StateCore

__all__ = ["make_parser"]

_MAX_NESTING = 40  # lists count twice; Python's stack holds about 1000 frames, some of which a kernel uses
_MAX_INLINE = 50_000
_TASK = re.compile(r"\[([ xX])\](?=\s)")


@cache
def make_parser() -> MarkdownIt:
    """The parser, created once; it keeps no state between texts."""
    from markdown_it import MarkdownIt

    from jmuz_magic.display.html.cjk import enable_cjk_emphasis

    options = {"html": False, "maxNesting": _MAX_NESTING, "inline_definitions": True}
    parser = MarkdownIt("commonmark", options).enable("strikethrough")
    parser.validateLink = lambda url: safe_href(url) is not None  # type: ignore[method-assign]  # the documented hook
    parser.block.ruler.before("table", "too_deep", _too_deep)
    parser.block.ruler.before("reference", "footnote", _footnote)
    parser.core.ruler.before("inline", "tasks", _tasks)
    parser.core.ruler.before("inline", "too_long", _too_long)
    parser.core.ruler.before("inline", "settle", _settle)
    enable_maths(parser)
    enable_tables(parser)
    enable_cjk_emphasis(parser)
    return parser


def _paragraph(state: StateBlock, start: int, end: int) -> None:
    opening = state.push("paragraph_open", "p", 1)
    opening.map = [start, end]
    token = state.push("inline", "", 0)
    token.content = state.getLines(start, end, state.blkIndent, False).strip()
    token.map, token.children = [start, end], []
    state.push("paragraph_close", "p", -1)
    state.line = end


def _too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Turn what is nested too deeply into one paragraph; markdown-it would drop it."""
    if silent or state.level < _MAX_NESTING - 3:
        return False
    _paragraph(state, start, end)
    return True


def _footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Keep a footnote (`[^1]: …`) as text; CommonMark would take it for a link definition and hide it."""
    first = state.bMarks[start] + state.tShift[start]
    if silent or not state.src.startswith("[^", first) or state.is_code_block(start):
        return False
    return state.md.block.ruler.getRules("")[-1](state, start, end, False)


def _tasks(state: StateCore) -> None:
    """Turn `[ ]` and `[x]` at the start of a list item into the characters ☐ and ☑: no form elements."""
    tokens = state.tokens
    for item, paragraph, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (item.type, paragraph.type) != ("list_item_open", "paragraph_open"):
            continue
        if box := _TASK.match(inline.content):
            inline.content = ("☐" if box.group(1) == " " else "☑") + inline.content[3:]


def _too_long(state: StateCore) -> None:
    """Show a paragraph of more than 50 kB, which is not prose, as plain text: that bounds the time for one block."""
    for token in state.tokens:
        if token.type == "inline" and len(token.content) > _MAX_INLINE:
            token.type = "plain"


def _settle(state: StateCore) -> None:
    """Close what the last paragraph of a growing text has opened."""
    if not state.env.get(OPEN_END):
        return
    for token in reversed(state.tokens):
        if token.type == "inline":
            token.content = settled(token.content)
        if token.nesting == 0:
            return
