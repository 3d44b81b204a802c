"""Bold, italic and strike beside Chinese, Japanese and Korean, as a reader of these means them.

CommonMark lets `**` open or close beside punctuation only where a blank or other punctuation is on its other side.
These languages write no blanks there, so `**「注意」**正文` would keep its stars. The change that is proposed to the
standard (https://github.com/commonmark/commonmark-spec/issues/650): beside such a character the condition falls away.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from markdown_it.rules_inline import emphasis, strikethrough

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.parser_inline import RuleFuncInlineType
    from markdown_it.rules_inline import StateInline

__all__ = ["enable_cjk_emphasis", "is_cjk"]

# Wide, but emoji: arrows and symbols of the first plane, and the pictures of the second.
_EMOJI = (("\u2300", "\u2bff"), ("\U0001f000", "\U0001faff"))
_JAMO = ("\u1100", "\u11ff")  # parts of Korean syllables; those that come second count as narrow
_SELECTORS = frozenset(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))  # part of the character before


def enable_cjk_emphasis(parser: MarkdownIt) -> None:
    """Teach `parser` where `*`, `**` and `~~` may stand; `_`, which never splits a word, stays as it is."""
    parser.inline.ruler.at("emphasis", _beside_cjk(emphasis.tokenize))
    parser.inline.ruler.at("strikethrough", _beside_cjk(strikethrough.tokenize))


def _beside_cjk(rule: RuleFuncInlineType) -> RuleFuncInlineType:
    def tokenize(state: StateInline, silent: bool) -> bool:
        start, known = state.pos, len(state.delimiters)
        found = rule(state, silent)
        if len(state.delimiters) > known and state.src[start] != "_":
            _loosen(state, start, known)
        return found

    return tokenize


def _loosen(state: StateInline, start: int, known: int) -> None:
    """Let the run of delimiters from `start` to the parser's place open and close beside CJK characters."""
    before = state.src[start - 1] if start else " "
    if before in _SELECTORS and start > 1:
        before = state.src[start - 2]
    after = state.src[state.pos] if state.pos < state.posMax else " "
    if is_cjk(before) or is_cjk(after):
        for delimiter in state.delimiters[known:]:
            delimiter.open, delimiter.close = not after.isspace(), not before.isspace()


def is_cjk(character: str) -> bool:
    """Whether it belongs to Chinese, Japanese or Korean, their punctuation included."""
    if any(first <= character <= last for first, last in _EMOJI):
        return False
    return unicodedata.east_asian_width(character) in ("F", "H", "W") or _JAMO[0] <= character <= _JAMO[1]
