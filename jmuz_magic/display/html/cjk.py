"""Bold, italic and strikethrough next to Chinese, Japanese and Korean, as their readers expect.

In CommonMark, `**` next to punctuation opens or closes only if there is a space or punctuation on its other side.
These languages put no spaces there, so `**「注意」**正文` would keep its asterisks. As proposed for the standard
(https://github.com/commonmark/commonmark-spec/issues/650), the condition is dropped next to such characters.
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

# Wide, but emoji: arrows and symbols of the first plane, and pictures of the second.
_EMOJI = (("\u2300", "\u2bff"), ("\U0001f000", "\U0001faff"))
_JAMO = ("\u1100", "\u11ff")  # parts of Korean syllables, of which all but the first count as narrow
_SELECTORS = frozenset(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))  # part of the character before


def enable_cjk_emphasis(parser: MarkdownIt) -> None:
    """Teach `parser` where `*`, `**` and `~~` may open and close; `_`, which never splits a word, is unchanged."""
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
    """Let the run of delimiters from `start` to the parser's position open and close next to CJK characters."""
    before = state.src[start - 1] if start else " "
    if before in _SELECTORS and start > 1:
        before = state.src[start - 2]
    after = state.src[state.pos] if state.pos < state.posMax else " "
    if is_cjk(before) or is_cjk(after):
        for delimiter in state.delimiters[known:]:
            delimiter.open, delimiter.close = not after.isspace(), not before.isspace()


def is_cjk(character: str) -> bool:
    """Whether the character is Chinese, Japanese or Korean, punctuation included."""
    if any(first <= character <= last for first, last in _EMOJI):
        return False
    return unicodedata.east_asian_width(character) in ("F", "H", "W") or _JAMO[0] <= character <= _JAMO[1]
