"""What adverts look like: the cleaner's rules as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["HOLD_LIMIT", "INVITE", "JMUZ_ADVERTS", "AdvertRule", "any_of"]

HOLD_LIMIT = 600
"""The most characters held while it is undecided whether they are an advert."""


@dataclass(frozen=True)
class AdvertRule:
    """One kind of advert and where it occurs.

    A line is matched without its line break and its leading spaces. A line longer than `HOLD_LIMIT` is judged by its
    first `HOLD_LIMIT` characters, and is an advert only if they contain an invite and `alone` is not `stays`.

    Attributes:
        name: for display.
        where: `head` for lines before the first visible text of a reply, `body` for lines after it, `anywhere` for
            a span inside a line. Code is never matched.
        opening: texts that can start the advert; only in a whole-line advert may something precede them.
        pattern: matches the whole advert.
        undecided: matches texts longer than an opening that may still become an advert; for spans none longer than
            `HOLD_LIMIT`.
        alone: whether a line is removed even if no visible line follows. `goes`: yes; `stays`: no; `invites`: only
            if it contains an invite or a visible line came before it.
    """

    name: str
    where: Literal["head", "body", "anywhere"]
    opening: tuple[str, ...]
    pattern: str
    undecided: str
    alone: Literal["goes", "stays", "invites"] = "goes"

    @property
    def beginning(self) -> str:
        """Matches every non-empty text that may still become this advert."""
        return any_of(*map(_begun, self.opening), self.undecided)


def any_of(*patterns: str) -> str:
    """Matches what any of `patterns` matches; without patterns, nothing."""
    return "(?:" + "|".join(patterns or ["(?!)"]) + ")"


def _begun(literal: str) -> str:
    """Matches every non-empty beginning of `literal`."""
    pattern = ""
    for character in reversed(literal):
        pattern = re.escape(character) + (f"(?:{pattern})?" if pattern else "")
    return pattern


_INVITES = ("https://discord.gg/", "https://discord.com/invite/")
_INVITE_BEGUN = any_of(*map(_begun, _INVITES))
INVITE = any_of(*map(re.escape, _INVITES)) + "[A-Za-z0-9-]{1,100}"
"""Matches an invite; the bound is far above the codes that exist."""

# Punctuation, emoji and blanks, as many as an advert may have at either end; not backticks and tildes, which turn
# what follows into code.
_ASIDE = r"(?:[^\w`~]|_){0,40}"
# … but not a marker that makes the line a list item, heading, quote or table row: that belongs to the reply.
_NO_BLOCK = r"(?! *(?:[-+*][ \t]|#{1,6}[ \t]|[>|]))"
_JOIN = r"Join for free\b.*"
_O1 = "o1-preview"
_O1_WORD = rf"{_O1}(?![\w-])"

# A sixth rule needs no entry: what none of these matches passes.
JMUZ_ADVERTS: tuple[AdvertRule, ...] = (
    AdvertRule(
        name="R1",
        where="head",
        opening=("Join for free",),
        pattern=_JOIN,
        undecided=_JOIN,
        alone="invites",
    ),
    AdvertRule(
        name="R2",
        where="head",
        opening=_INVITES,
        pattern=rf"{_NO_BLOCK}{_ASIDE}{INVITE}{_ASIDE}|{INVITE}.*\.\.\..*",
        undecided=rf"{_NO_BLOCK}{_ASIDE}(?:{_INVITE_BEGUN}?|{INVITE}{_ASIDE})|{INVITE}.*",
        alone="stays",
    ),
    AdvertRule(
        name="R3",
        where="head",
        opening=(_O1,),
        pattern=rf"{_NO_BLOCK}{_ASIDE}{_O1}{_ASIDE}|{_O1_WORD}.*(?:\.\.\.|{INVITE}).*",
        undecided=rf"{_NO_BLOCK}{_ASIDE}(?:(?:{_begun(_O1)})?|{_O1}{_ASIDE})|{_O1_WORD}.*",
        alone="invites",
    ),
    AdvertRule(
        name="R4",
        where="body",
        opening=("Join for free",),
        pattern=f"{_JOIN}{INVITE}.*",
        undecided=_JOIN,
    ),
    AdvertRule(
        name="R5",
        where="anywhere",
        opening=_INVITES,
        pattern=rf"{INVITE}\.{{3,16}}",
        undecided=rf"{INVITE}\.{{0,15}}",
    ),
)
