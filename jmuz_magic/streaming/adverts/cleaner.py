"""Removes the adverts that an endpoint mixes into its replies from the stream.

Four laws hold for every reply:

1. However it is cut into deltas, the result is the same.
2. Text without adverts comes out unchanged, except that blank lines at the start of a reply are dropped, and the
   spaces before its first line unless that is indented code.
3. Only the undecided start of a line, or of an advert inside it, is held, and in the head a line that is removed
   only if more text follows; never more than `HOLD_LIMIT` characters.
4. Nothing is lost at the end: `flush` returns what is still held unless it is an advert.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

from jmuz_magic.streaming.adverts.fences import Fence, opened_by
from jmuz_magic.streaming.adverts.line import Line
from jmuz_magic.streaming.adverts.patterns import LineRules, compiled
from jmuz_magic.streaming.adverts.rules import HOLD_LIMIT, INVITE, JMUZ_ADVERTS, AdvertRule
from jmuz_magic.streaming.adverts.spans import Spans

__all__ = ["HOLD_LIMIT", "JMUZ_ADVERTS", "AdvertCleaner", "AdvertRule"]

_BLANKS = " \t\r"
_INDENTED_CODE = re.compile(r" {0,3}\t| {4}")
_INVITE = re.compile(INVITE)

_Kind: TypeAlias = Literal["undecided", "text", "code", "advert", "blank"]
"""What the line being read has turned out to be.

`text`: adverts inside it are removed; `code`: it passes unchanged; `advert`: it is removed with its line break;
`blank`: it comes before the first visible text and is dropped.
"""


class AdvertCleaner:
    """Deltas in, the same text without its adverts out.

    Attributes:
        removed: the adverts removed, in order, without the white space around them.
    """

    def __init__(self, rules: Sequence[AdvertRule] = JMUZ_ADVERTS) -> None:
        self.removed: list[str] = []
        self._head, self._body, patterns = compiled(tuple(rules))
        self._spans = Spans(patterns, self.removed)
        self._held = ""
        self._kind: _Kind = "undecided"
        self._advert: list[str] = []  # a line being removed, as far as it has come
        self._fence: Fence | None = None
        self._visible = False  # something was shown: the head is over
        self._later = False  # a line with visible text came before this one
        self._midline = False  # the line is text or code, and something was shown
        self._passing = False  # so it is, and nothing is held: a delta passes unless it contains something that matters
        self._fresh = False  # a line begins next, after the head, and nothing is held
        self._suspect, self._matter = self._spans.suspect, self._spans.matter

    def feed(self, delta: str) -> str:
        """The text decided by now: of `delta` and of what was held before it."""
        # `_read` alone would do, at 0.66 µs for a delta of four characters; with the fast paths it is 0.43. Most deltas
        # are in mid-line and have no character that a span, code or another line begins with.
        if self._passing:
            if self._kind == "code":
                start = delta.find("\n")
                return delta if start < 0 else self._begin_lines(delta, start)
            suspect = self._suspect(delta)
            if not suspect:
                return delta
            if delta[suspect.start()] == "\n":
                return self._begin_lines(delta, suspect.start())
            if not self._matter(delta):
                return delta
        elif self._fresh:
            return self._begin_lines(delta, 0)
        elif not self._midline:
            return self._begin_line(self._held + delta) if self._held else self._read(delta, ended=False)
        return self._go_on(delta)

    def _go_on(self, delta: str) -> str:
        """Like `_read` but faster, inside a line of which part is shown."""
        # One delta in eleven: a backtick, or what may begin a span. What the line is, is known (saves 0.09 µs).
        if self._held:
            delta = self._held + delta
            if not self._matter(delta):
                return self._pass(delta)
        elif not self._passing and delta and delta[0] != "`":  # a backtick came last
            self._pass(delta)
            return self.feed(delta)
        if "\n" in delta:
            return self._read(delta, ended=False)
        shown, taken = self._spans.clean(delta, False)
        self._held = delta[taken:]
        self._passing = not self._held and not self._spans.after_backtick
        return shown

    def _pass(self, delta: str) -> str:
        self._held = ""
        self._passing = True
        self._spans.after_backtick = False
        return delta

    def _begin_lines(self, delta: str, start: int) -> str:
        """Like `_read` but faster, for a delta in which a line ends or begins at `start`; nothing is held."""
        # One delta in eight. The first character of nearly all lines shows that they are plain (saves 0.22 µs).
        if self._fresh:
            self._fresh = False
        else:
            self._end_line()
            self._passing = self._midline = False
        size = len(delta)
        while start < size:
            if delta[start] == "\n":
                start += 1
                continue
            if self._fence:
                plain, end = self._fence.stays_open(delta, start, size), delta.find("\n", start)
            else:
                plain, end = self._body.cannot_start(delta[start]), -1
                if plain and (suspect := self._suspect(delta, start)):
                    end = suspect.start()
            if not plain or (end >= 0 and delta[end] != "\n"):
                rest = delta[start:]
                return delta[:start] + (self._read(rest, ended=False) if "\n" in rest else self._begin_line(rest))
            if end < 0:
                self._kind = "code" if self._fence else "text"
                self._midline = self._passing = True
                return delta
            start = end
        self._fresh = True
        return delta

    def _begin_line(self, text: str) -> str:
        """Like `_read` but faster, for the start of a line of which nothing is shown yet."""
        # One delta in fourteen: what may become a fence is held, as list items and indents are (saves 0.15 µs).
        end = text.find("\n")
        line = text if end < 0 else text[:end]
        kind: _Kind | None = None
        if self._visible and line and len(line) < HOLD_LIMIT:
            kind = self._kind_in_fence(line, end < 0, self._fence) if self._fence else self._kind_of(line, end < 0)
        if kind == "undecided":
            self._held = text
            return ""
        if kind is None:
            return self._read(text, ended=False)
        self._held, self._kind = "", kind
        self._midline = self._passing = True
        return text if end < 0 else self._begin_lines(text, end)

    def _kind_of(self, line: str, partial: bool) -> _Kind | None:
        """What a line after the head and outside fences is; None if that takes a closer look."""
        if line[0] in _BLANKS:
            return None
        if partial and self._body.may_match(line):
            return "undecided"
        if not partial and self._body.matching(line):
            return None
        if not partial or "~" in line:  # until the line ends, another backtick may follow
            self._fence = opened_by(line)
        if self._fence:
            return "code"
        return None if self._suspect(line) else "text"

    def _kind_in_fence(self, line: str, partial: bool, fence: Fence) -> _Kind:
        if partial:
            return "undecided" if fence.may_close(line) else "code"
        if fence.is_closed_by(line):
            self._fence = None
        return "code"

    def flush(self) -> str:
        """The rest of the text: the reply ends here."""
        return self._read(self._held, ended=True)

    def _read(self, text: str, *, ended: bool) -> str:
        shown: list[str] = []
        start = 0
        while start < len(text):
            end = text.find("\n", start) + 1 or len(text)
            if self._kind == "undecided":
                self._kind = self._judge(text, start, end, ended)
            whole = ended or text[end - 1] == "\n"
            start += self._take(text[start:end], whole, shown)
            if start < end:
                break
            if whole:
                self._end_line()
        if ended and self._kind == "advert":
            self._end_line()
        self._held = text[start:]
        self._midline = self._visible and (self._kind == "text" or self._kind == "code")
        self._passing = self._midline and not self._held and not self._spans.after_backtick
        self._fresh = self._visible and self._kind == "undecided" and not self._held
        return "".join(shown)

    def _take(self, piece: str, whole: bool, shown: list[str]) -> int:
        """Add the visible part of a piece of the line to `shown`; return how much of the piece is decided."""
        if self._kind == "undecided":
            return 0
        if self._kind == "text":
            if self._visible and not self._suspect(piece, 0, len(piece) - whole):
                shown.append(piece)
                self._spans.after_backtick = False
                return len(piece)
            cleaned, taken = self._spans.clean(piece, whole)
            shown.append(cleaned if self._visible else cleaned.lstrip(_BLANKS + "\n"))
            self._visible = self._visible or bool(shown[-1])
            return taken
        if self._kind == "code":
            shown.append(piece if self._visible or not self._fence else piece.lstrip(_BLANKS))
            self._visible = True
        elif self._kind == "advert":
            self._advert.append(piece)
        return len(piece)

    def _end_line(self) -> None:
        if self._kind == "advert":
            self.removed.append("".join(self._advert).strip())
            self._advert.clear()
        if self._kind != "blank":
            self._later = True
        self._kind = "undecided"
        self._spans.start_line()

    def _judge(self, text: str, start: int, end: int, ended: bool) -> _Kind:
        """What the line at `text[start:end]` is."""
        # The first character of nearly every line shows that it is nothing special.
        if self._fence:
            if self._fence.stays_open(text, start, end):
                return "code"
            return self._judge_in_fence(self._fence, Line(text, start, end, ended))
        if self._visible and self._body.cannot_start(text[start]):
            return "text"
        return self._judge_line(Line(text, start, end, ended))

    def _judge_line(self, line: Line) -> _Kind:
        if not self._visible and not line.start.strip(_BLANKS):
            return "undecided" if line.partial else "code" if line.long else "blank"
        if _INDENTED_CODE.match(line.start):
            return "code"
        kind = self._judge_by(self._body if self._visible else self._head, line)
        if kind == "text":
            self._fence = opened_by(line.start)
        return "code" if self._fence else kind

    def _judge_in_fence(self, fence: Fence, line: Line) -> _Kind:
        if line.partial and fence.may_close(line.start):
            return "undecided"
        if not line.partial and not line.long and fence.is_closed_by(line.start):
            self._fence = None
        return "code"

    def _judge_by(self, rules: LineRules, line: Line) -> _Kind:
        if line.partial:
            return "undecided" if rules.may_match(line.start) else "text"
        for rule in rules.matching(line.start):
            goes = self._goes(rule, line)
            if goes is not False:
                return "advert" if goes else "undecided"
        return "text"

    def _goes(self, rule: AdvertRule, line: Line) -> bool | None:
        """Whether a matching line is removed; None if that depends on what follows."""
        invites = _INVITE.search(line.start) is not None
        if line.long:
            return invites and rule.alone != "stays"
        if rule.alone == "goes" or (rule.alone == "invites" and (invites or self._later)):
            return True
        return line.is_followed()
