"""Checks HTML against the list of what a reply may become: every tag, attribute, class, style and scheme."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from pygments.token import STANDARD_TYPES

__all__ = ["MATHML", "problems"]

TAGS = frozenset((
    "a", "blockquote", "br", "code", "details", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "li", "ol", "p", "pre", "s", "span", "strong", "summary", "table", "tbody", "td", "th", "thead", "tr",
    "ul",
))  # fmt: skip
VOID = frozenset(["br", "hr"])
TOKEN_CLASSES = frozenset(filter(None, STANDARD_TYPES.values()))
DIV_CLASS = re.compile(r"highlight|jmuz-(calls|footer|label|math|reasoning|request|waiting)")
LANGUAGE = re.compile(r"language-[A-Za-z0-9_+#.-]{1,40}")
SCHEME = re.compile(r"(https?://|mailto:)[!-~]+", re.IGNORECASE)
REL = "noopener noreferrer nofollow"
INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ud800-\udfff]")

MATHML = frozenset((
    "math", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow", "ms", "mspace",
    "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover",
    "menclose", "mmultiscripts", "mprescripts", "none",
))  # fmt: skip


def problems(html: str, mathml: bool = False) -> list[str]:
    """What in `html` is not on the list; [] if all is. With `mathml`, its tags are allowed, too."""
    checker = _Checker(mathml)
    checker.feed(html)
    checker.close()
    return [*checker.problems, *(f"<{tag}> is not closed" for tag in checker.open_tags)]


class _Checker(HTMLParser):
    def __init__(self, mathml: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.open_tags: list[str] = []
        self._mathml = mathml

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open_tags.append(tag)
        if self._mathml and tag in MATHML:
            self._check_mathml(tag, attrs)
        elif tag not in TAGS:
            self.problems.append(f"tag <{tag}>")
        else:
            self._check_attributes(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self.open_tags or self.open_tags.pop() != tag:
            self.problems.append(f"</{tag}> out of place")

    def handle_data(self, data: str) -> None:
        if found := INVISIBLE.search(data):
            self.problems.append(f"character {found.group()!r}")

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"comment {data!r}")

    def handle_decl(self, decl: str) -> None:
        self.problems.append(f"declaration {decl!r}")

    def handle_pi(self, data: str) -> None:
        self.problems.append(f"processing instruction {data!r}")

    def unknown_decl(self, data: str) -> None:
        self.problems.append(f"declaration {data!r}")

    def _check_attributes(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.problems.append(f"<{tag}> has an attribute twice")
        if tag == "a" and not {"href", "rel"} <= set(names):
            self.problems.append("<a> without href or rel")
        for name, value in attrs:
            if not _is_allowed(tag, name, value):
                self.problems.append(f"<{tag} {name}={value!r}>")
            elif value is not None and INVISIBLE.search(value):
                self.problems.append(f"control character in <{tag} {name}={value!r}>")

    def _check_mathml(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name.startswith("on") or name in ("href", "src", "xlink:href") or "url" in (value or ""):
                self.problems.append(f"<{tag} {name}={value!r}>")


def _is_allowed(tag: str, name: str, value: str | None) -> bool:
    text = value or ""
    match tag, name:
        case "a", "href":
            return SCHEME.fullmatch(text) is not None
        case "a", "title":
            return True
        case "a", "rel":
            return text == REL
        case "code", "class":
            return LANGUAGE.fullmatch(text) is not None
        case "span", "class":
            return text in TOKEN_CLASSES
        case "div", "class":
            return DIV_CLASS.fullmatch(text) is not None
        case "ol", "start":
            return text.isdigit()
        case (("td" | "th"), "style"):
            return text in ("text-align:left", "text-align:center", "text-align:right")
        case "details", "open":
            return value is None
    return False
