"""What the advert cleaner should do, said a second time: over the whole text at once, slow, with string methods.

The tests compare the cleaner with it; it shares no code and no regular expression with it.
"""

from __future__ import annotations

import re

LIMIT = 600
BLANKS = " \t\r"
OPENINGS = ("https://discord.gg/", "https://discord.com/invite/")


def clean(text: str) -> tuple[str, list[str]]:
    """The text without adverts, and the adverts."""
    return _Ideal().clean(text)


def invites(line: str) -> list[tuple[int, int]]:
    """Start and end of every invite."""
    found = []
    for start in range(len(line)):
        for opening in OPENINGS:
            if line.startswith(opening, start):
                end = start + len(opening)
                while end < len(line) and line[end].isascii() and (line[end].isalnum() or line[end] == "-"):
                    end += 1
                if end > start + len(opening):
                    found.append((start, min(end, start + len(opening) + 100)))
    return found


def is_word_end(line: str, place: int, *, hyphen: str = "") -> bool:
    return not line[place : place + 1].isalnum() and line[place : place + 1] not in ("_", hyphen or "_")


def is_aside(characters: str) -> bool:
    return len(characters) <= 40 and not any(c.isalnum() or c in "`~" for c in characters)


def is_only(line: str, start: int, end: int) -> bool:
    """Whether `line` is what stands between these places, with nothing but punctuation around it."""
    return is_aside(line[:start]) and is_aside(line[end:]) and not begins_block(line)


def begins_block(line: str) -> bool:
    """Whether `line` is a list item, a heading, a quote or a row of a table."""
    mark, blank, _ = line.replace("\t", " ").partition(" ")
    heading = bool(blank) and set(mark) == {"#"} and len(mark) <= 6
    return line[:1] in (">", "|") or heading or (bool(blank) and mark in ("-", "+", "*"))


def joins(line: str) -> bool:
    return line.startswith("Join for free") and is_word_end(line, 13)


def is_invite_line(line: str) -> bool:
    found = invites(line)
    return any(is_only(line, *place) for place in found) or bool(found and found[0][0] == 0 and "..." in line)


def is_o1_line(line: str) -> bool:
    place = line.find("o1-preview")
    if place >= 0 and is_only(line, place, place + 10):
        return True
    return place == 0 and is_word_end(line, 10, hyphen="-") and ("..." in line or bool(invites(line)))


class _Ideal:
    def __init__(self) -> None:
        self.shown = ""
        self.removed: list[str] = []
        self.fence = ""
        self.nested = False
        self.seen = False  # a line with something to see came before

    def clean(self, text: str) -> tuple[str, list[str]]:
        lines = re.findall(r"[^\n]*\n|[^\n]+", text)
        for number, line in enumerate(lines):
            self.line(line, "".join(lines[number:]))
        return self.shown, self.removed

    def line(self, line: str, text: str) -> None:
        content = line.removesuffix("\n")
        if not self.shown and not content.strip(BLANKS) and len(content) <= LIMIT:
            return
        if self.is_code(content):
            self.shown += line if self.shown or not self.fence else line.lstrip(BLANKS)
        elif self.is_advert(content[:LIMIT].lstrip(" "), line, text):
            self.removed.append(line.strip())
        else:
            self.text(line)
        self.seen = True

    def is_code(self, content: str) -> bool:
        before = content[: len(content) - len(content.lstrip(BLANKS + ">"))]
        if self.fence:
            run = content[len(before) :].rstrip(BLANKS)
            closes = set(run) == {self.fence[0]} and len(run) >= len(self.fence) and len(content) <= LIMIT
            if closes and (self.nested or before in ("", " ", "  ", "   ")):
                self.fence = ""
            return True
        if not self.shown and not content[:LIMIT].strip(BLANKS):
            return True  # it cannot be waited for what comes after so many blanks
        if content.startswith("    ") or "\t" in content[: len(content) - len(content.lstrip(" \t"))][:4]:
            return True
        self.open_fence(content[:LIMIT])
        return bool(self.fence)

    def open_fence(self, content: str) -> None:
        rest = content.lstrip(" \t")
        while mark := re.match(r"(>|[-+*](?=[ \t])|[0-9]{1,9}[.)](?=[ \t]))[ \t]*", rest):
            rest = rest[mark.end() :]
        run = rest[: len(rest) - len(rest.lstrip(rest[:1]))]
        if len(run) >= 3 and (run[0] == "~" or (run[0] == "`" and "`" not in rest[len(run) :])):
            self.fence = run
            self.nested = rest != content.lstrip(" \t")

    def is_advert(self, start: str, line: str, text: str) -> bool:
        invited = bool(invites(line[:LIMIT].removesuffix("\n")))
        if self.shown:
            return joins(start) and invited  # R4
        if joins(start) or is_o1_line(start):  # R1, R3
            if len(line.removesuffix("\n")) > LIMIT:
                return invited
            return invited or self.seen or self.is_followed(line, text)
        if is_invite_line(start) and len(line.removesuffix("\n")) <= LIMIT:  # R2
            return self.is_followed(line, text)
        return False

    def is_followed(self, line: str, text: str) -> bool:
        return text[len(line) : LIMIT + 1].strip(BLANKS + "\n") != ""

    def text(self, line: str) -> None:
        kept, last = "", 0
        for start, end in invites(line):  # R5
            dots = len(line[end:]) - len(line[end:].lstrip("."))
            if dots >= 3 and len(re.findall("`+", line[:start])) % 2 == 0:
                kept += line[last:start]
                last = end + min(dots, 16)
                self.removed.append(line[start:last])
        kept += line[last:]
        self.shown += kept if self.shown else kept.lstrip(BLANKS + "\n")
