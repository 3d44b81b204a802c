"""Checks HTML against the list of what a reply may become: every tag, attribute, class, style and scheme."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from pygments.token import STANDARD_TYPES

from jmuz_magic.display.html.copying import BUTTON, STYLE
from jmuz_magic.display.html.styles import CODE, FOOT, REASONING, REPLY, SCROLL, WRAPPED

__all__ = ["MATHML", "problems", "without_buttons"]

TAGS = frozenset((
    "a", "blockquote", "br", "code", "details", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "li", "ol", "p", "pre", "s", "small", "span", "strong", "summary", "table", "tbody", "td", "th", "thead", "tr",
    "ul",
))  # fmt: skip
ALIGNMENTS = frozenset(f"text-align:{where}" for where in ("center", "left", "right", "start"))
STYLES = {
    "code": frozenset({CODE, WRAPPED}),
    "div": frozenset({FOOT, REASONING, REPLY, SCROLL}),
    "p": frozenset({"text-align:start"}),
    "td": ALIGNMENTS,
    "th": ALIGNMENTS,
}
DIRECTED = frozenset(("blockquote", "code", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"))
VOID = frozenset(["br", "hr"])
TOKEN_CLASSES = frozenset(filter(None, STANDARD_TYPES.values()))
DIV_CLASS = re.compile(r"highlight|jmuz-(calls|footer|label|math|reasoning|reply|request|sources|waiting)")
LANGUAGE = re.compile(r"language-[A-Za-z0-9_+#.-]{1,40}")
SCHEME = re.compile(r"(https?://|mailto:)[!-~]+", re.IGNORECASE)
REL = "noopener noreferrer nofollow"
INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ud800-\udfff]")

MATHML = frozenset((
    "math", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow", "ms", "mspace",
    "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover",
    "menclose", "mmultiscripts", "mprescripts", "none",
))  # fmt: skip
IN_MTEXT = frozenset(["b", "code", "em", "i", "s", "span", "u"])
SHORT = r"-?(\d|\d\d|\d?\d?\.\d+)(em|rem|ex|pt|px)?"
MATHML_VALUES = {
    **dict.fromkeys(("accent", "accentunder", "displaystyle", "fence", "largeop"), "true|false"),
    **dict.fromkeys(("movablelimits", "separator", "stretchy", "symmetric"), "true|false"),
    **dict.fromkeys(("depth", "height", "linethickness", "lspace", "maxsize"), SHORT),
    **dict.fromkeys(("minsize", "rspace", "voffset", "width"), SHORT),
    "columnspan": r"\d\d?",
    "display": "block",
    "form": "infix|prefix|postfix",
    "mathcolor": "#[0-9A-Fa-f]{6}",
    "mathvariant": "normal",
    "notation": r"[a-z]+( [a-z]+)?",
    "scriptlevel": r"[-+]?\d",
}
# Constants of a converter, however it writes them: they are the same for every formula, but for bounded numbers.
CONSTANT = re.compile(
    r"text-align:(left|right|center)|justify-items:(start|end|center)|width:(100%|50%|7\.5%)|math-shift:compact|"
    r"padding-(top|right|bottom|left):(0|1em|0?\.\d+em)|border-(top|right|bottom|left):0\.05emsolidcurrentcolor|"
    r"border-(top|right|bottom|left):0\.05emdashedcurrentcolor|font-variant-caps:small-caps|margin-left:-?0?\.\d+em|color:#[0-9A-Fa-f]{6}"
)
BARE = re.compile("<(?![a-z/])")  # text is escaped: where a parser forgives this, the next character may change that
CONVERTERS_CLASS = re.compile(r"menclose-[a-z]+|math-core-(sans-)?serif-font")


def without_buttons(html: str) -> str:
    """Without the buttons that copy code, and their style: exactly those that we write."""
    return html.replace(BUTTON, "").replace(STYLE, "")


def problems(html: str, mathml: bool = False) -> list[str]:
    """What in `html` is not on the list; [] if all is. With `mathml`, its tags are allowed, too."""
    checker = _Checker(mathml)
    checker.feed(html)
    checker.close()
    bare = ["a bare <"] if BARE.search(html) else []
    return [*checker.problems, *bare, *(f"<{tag}> is not closed" for tag in checker.open_tags)]


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
        elif self._mathml and tag in IN_MTEXT and "mtext" in self.open_tags:
            self._check_in_mtext(tag, attrs)
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
            if not (_is_constant(tag, name, value) or _is_allowed(tag, name, value)):
                self.problems.append(f"<{tag} {name}={value!r}>")
            elif value is not None and INVISIBLE.search(value):
                self.problems.append(f"control character in <{tag} {name}={value!r}>")

    def _check_mathml(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if (tag == "math") != ("math" not in self.open_tags[:-1]):
            self.problems.append(f"<{tag}> in or outside of <math>")
        if set(self.open_tags[:-1]) & {"mi", "mn", "mo", "ms", "mtext", "mspace", "none"}:
            self.problems.append(f"<{tag}> inside a text")
        self._check_values(tag, attrs)

    def _check_in_mtext(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if attrs and tag != "span":
            self.problems.append(f"<{tag}> with attributes")
        self._check_values(tag, attrs)

    def _check_values(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.problems += [f"<{tag} {name}={value!r}>" for name, value in attrs if not _is_in_formula(name, value or "")]


def _is_in_formula(name: str, value: str) -> bool:
    match name:
        case "style":
            declarations = value.replace(" ", "").rstrip(";").split(";")
            return all(map(CONSTANT.fullmatch, declarations))
        case "class":
            return CONVERTERS_CLASS.fullmatch(value) is not None
    return re.fullmatch(MATHML_VALUES.get(name, r"\b\B"), value) is not None


def _is_constant(tag: str, name: str, value: str | None) -> bool:
    match name:
        case "dir":
            return value == "auto" and tag in DIRECTED
        case "style":
            return value in STYLES.get(tag, ())
        case "tabindex":
            return value == "0" and tag in ("code", "div")
    return False


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
        case "details", "open":
            return value is None
    return False
