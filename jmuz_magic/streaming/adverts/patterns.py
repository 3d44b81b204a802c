"""The cleaner's rules as compiled patterns, compiled once for all replies."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from jmuz_magic.streaming.adverts.fences import OPENING_BEGUN
from jmuz_magic.streaming.adverts.rules import AdvertRule, any_of

__all__ = ["LineRules", "SpanPatterns", "compiled"]


class LineRules:
    """Rules for whole lines."""

    def __init__(self, rules: Sequence[AdvertRule]) -> None:
        self._rules = [(rule, re.compile(rule.pattern)) for rule in rules]
        begun = any_of(*(rule.beginning for rule in rules))
        self._begun = re.compile(f"{OPENING_BEGUN}| {{0,3}}{begun}")
        self._plain: set[str] = set()

    def may_match(self, line: str) -> bool:
        """Whether `line` may still become an advert, or open a fence."""
        return self._begun.fullmatch(line) is not None

    def cannot_start(self, character: str) -> bool:
        """Whether no advert, fence or blank line starts with `character`."""
        if character in self._plain:
            return True
        plain = character != "\n" and not self.may_match(character)
        if plain:
            self._plain.add(character)
        return plain

    def matching(self, line: str) -> list[AdvertRule]:
        content = line.lstrip(" ")
        return [rule for rule, pattern in self._rules if pattern.fullmatch(content)]


class SpanPatterns:
    """Rules for what is removed inside a line.

    Attributes:
        suspect: finds what might matter in a delta, in half the time of `matter`.
        matter: finds what matters in a delta that continues a line of text or code: a line break, a backtick, a
            span, or the start of one at the end of the delta.
        token: finds a run of backticks or a span.
        begun: finds the start of a span at the end of a text.
    """

    def __init__(self, rules: Sequence[AdvertRule]) -> None:
        spans = any_of(*(rule.pattern for rule in rules))
        begun = any_of(*(rule.beginning for rule in rules)) + r"\Z"
        openings = [text for rule in rules for text in rule.opening]
        first, second = (re.escape("".join(sorted({text[at : at + 1] for text in openings}))) for at in (0, 1))
        begins = rf"(?:(?<=[\n`])|[{second}]|\Z)" if min(map(len, openings), default=0) > 1 else ""
        self.suspect = re.compile(f"[\n`{first}]{begins}")
        self.matter = re.compile(f"[\n`]|{spans}|{begun}")
        self.token = re.compile(f"`+|{spans}")
        self.begun = re.compile(begun)


@functools.lru_cache(maxsize=16)
def compiled(rules: tuple[AdvertRule, ...]) -> tuple[LineRules, LineRules, SpanPatterns]:
    """The patterns for the head, the body and spans; cached, since compiling delays the first text by 0.1 ms."""
    head, body, spans = ([rule for rule in rules if rule.where == where] for where in ("head", "body", "anywhere"))
    return LineRules(head), LineRules(body), SpanPatterns(spans)
