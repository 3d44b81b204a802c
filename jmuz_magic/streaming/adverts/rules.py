"""What adverts look like: the rules of the cleaner, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["HOLD_LIMIT", "INVITE", "JMUZ_ADVERTS", "AdvertRule", "any_of"]

HOLD_LIMIT = 600
"""Characters held at most while it is undecided whether they are an advert."""


@dataclass(frozen=True)
class AdvertRule:
    """One kind of advert and where it stands.

    A line is matched without its line break and without the blanks before it; a line longer than
    `HOLD_LIMIT` is judged by its first `HOLD_LIMIT` characters, and is an advert only if they hold an invite
    and `alone` is not `stays`.

    Attributes:
        name: for people.
        where: `head` means lines before the first visible text of a reply, `body` lines after it, `anywhere`
            a span inside a line. None of them means code.
        opening: texts of which one starts the advert; before it, only a line may have something else.
        pattern: regular expression of the whole advert.
        undecided: regular expression of the texts that are longer than an opening and may still become an
            advert; for spans none longer than `HOLD_LIMIT`.
        alone: whether a line is removed without a visible line after it. `goes`: yes; `stays`: no; `invites`:
            only if it holds an invite or a visible line came before it.
    """

    name: str
    where: Literal["head", "body", "anywhere"]
    opening: tuple[str, ...]
    pattern: str
    undecided: str
    alone: Literal["goes", "stays", "invites"] = "goes"

    @property
    def beginning(self) -> str:
        """Regular expression of every text, not the empty one, that may still become this advert."""
        return any_of(*map(_begun, self.opening), self.undecided)


def any_of(*patterns: str) -> str:
    """Regular expression that matches what one of `patterns` matches; nothing if there are none."""
    return "(?:" + "|".join(patterns or ["(?!)"]) + ")"


def _begun(literal: str) -> str:
    """Regular expression of every beginning of `literal` but the empty one."""
    pattern = ""
    for character in reversed(literal):
        pattern = re.escape(character) + (f"(?:{pattern})?" if pattern else "")
    return pattern


_INVITES = ("https://discord.gg/", "https://discord.com/invite/")
_INVITE_BEGUN = any_of(*map(_begun, _INVITES))
INVITE = any_of(*map(re.escape, _INVITES)) + "[A-Za-z0-9-]{1,100}"
"""Regular expression of an invite; the bound is far above the codes that exist."""

# Punctuation, emoji and blanks, as many as an advert may have at either end. Not backticks and tildes: they make
# code of what follows them.
_ASIDE = r"(?:[^\w`~]|_){0,40}"
# … but not a mark that makes a list item, heading, quote or row of a table of the line: that is the reply's own.
_NO_BLOCK = r"(?! *(?:[-+*][ \t]|#{1,6}[ \t]|[>|]))"
_JOIN = r"Join for free\b.*"
_O1 = "o1-preview"
_O1_WORD = rf"{_O1}(?![\w-])"

# The sixth rule needs no row: what none of these matches passes.
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
