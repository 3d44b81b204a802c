"""Marks that a growing paragraph has opened and not closed yet, treated as what they will most likely become.

Without this, `**bold` shows its asterisks until the closing ones arrive. Only the last paragraph of the open part is
changed, and only while it grows: what a finished block becomes does not depend on it.
"""

from __future__ import annotations

import re

from jmuz_magic.display.html.maths import formula_end

__all__ = ["settled"]

_MARK = re.compile(r"\\.|`+|\$+|\*+|_+|~+|!?\[|\](?:\([^)\s]*\)?)?|<", re.DOTALL)
_HALF_ADDRESS = re.compile(r"h?|htt?|https?:?/?|https?://[^\s<>]*")
_SPECIAL = re.compile(r"[\\`*_~\[\]!<&$]")
_MAX_OPEN = 200  # an asterisk that nothing closes for longer than this is an asterisk
_MAX_MARKS = 50  # open at once


def settled(text: str) -> str:
    """`text` with its open marks closed: emphasis and code end here, half a link is its label, half a formula is text.

    Args:
        text: Markdown of a paragraph of which the end is missing.
    """
    return _Scan(text).result()


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text.rstrip()
        self._open: list[tuple[str, int]] = []  # mark and where it starts
        self._hidden: list[tuple[int, int]] = []  # what is not shown for now

    def result(self) -> str:
        position, tail = 0, ""
        while (mark := _MARK.search(self._text, position)) and not tail:
            position, tail = self._after(mark)
            del self._open[:-_MAX_MARKS]  # else a bomb of marks takes the square of its length
        return self._closed(tail)

    def _after(self, mark: re.Match[str]) -> tuple[int, str]:
        """Where to go on, and what to put in place of the rest of the text if its end was reached; else ""."""
        found, start, end = mark.group(), mark.start(), mark.end()
        if found[0] == "`":
            return self._after_code(found, start, end)
        if found[0] == "$" or found in ("\\(", "\\["):
            return self._after_formula(start, end)
        if found[0] == "<":
            if _HALF_ADDRESS.fullmatch(self._text, end):
                self._hidden.append((start, end))
        elif found[0] in "![":
            self._open.append(("[", start))
        elif found[0] == "]":
            self._close_link(found, start, end)
        elif found[0] in "*_~":
            self._emphasis(found, start, end)
        return end, ""

    def _after_code(self, ticks: str, start: int, end: int) -> tuple[int, str]:
        closing = re.compile(f"(?<!`){ticks}(?!`)").search(self._text, end)
        if closing:
            return closing.end(), ""
        code = self._text[end:].rstrip("`")
        self._hidden.append((start, len(self._text)))
        return end, f"{ticks}{code}{ticks}" if code.strip() else " "

    def _after_formula(self, start: int, end: int) -> tuple[int, str]:
        after = formula_end(self._text, start)
        if after:
            return after, ""
        rest = self._text[end : end + 1]
        is_money = self._text[start] == "$" and end - start == 1 and (rest.isspace() or rest.isdigit())
        if is_money or len(self._text) - start > _MAX_OPEN:
            return end, ""
        self._hidden.append((start, len(self._text)))
        return end, _SPECIAL.sub(lambda special: f"&#{ord(special.group())};", self._text[start:])

    def _close_link(self, found: str, start: int, end: int) -> None:
        opened = next((index for index in reversed(range(len(self._open))) if self._open[index][0] == "["), None)
        if opened is None:
            return
        begin = self._open.pop(opened)[1]
        if end == len(self._text) and not found.endswith(")"):  # the target is still arriving
            self._hide_bracket(begin)
            self._hidden.append((start, end))

    def _emphasis(self, run: str, start: int, end: int) -> None:
        before, after = self._text[start - 1 : start], self._text[end : end + 1]
        if not after:
            self._hidden.append((start, end))  # the rest of it, or of its text, is missing
        elif run == "~" or (run[0] == "_" and before.isalnum() and after.isalnum()):
            return
        elif before and not before.isspace() and any(mark[0] == run[0] for mark, _ in self._open):
            self._close_emphasis(run)
        elif not after.isspace():
            self._open.append((run[:3], start))

    def _close_emphasis(self, run: str) -> None:
        index = max(index for index, (mark, _) in enumerate(self._open) if mark[0] == run[0])
        mark, start = self._open.pop(index)
        if len(mark) > len(run):
            self._open.insert(index, (mark[len(run) :], start))

    def _hide_bracket(self, start: int) -> None:
        self._hidden.append((start, start + (2 if self._text[start] == "!" else 1)))

    def _closed(self, tail: str) -> str:
        closers = []
        for mark, start in reversed(self._open):
            if len(self._text) - start > _MAX_OPEN:
                continue
            if mark == "[":
                self._hide_bracket(start)
            else:
                closers.append(mark)
        parts, position = [], 0
        for start, end in sorted(self._hidden):
            parts.append(self._text[position:start])
            position = max(position, end)
        shown = "".join([*parts, self._text[position:], tail]).rstrip()
        while closers and shown.endswith(closers[0]):  # nothing to emphasise yet
            shown = shown.removesuffix(closers.pop(0)).rstrip()
        return shown + "".join(closers) if shown else ""
