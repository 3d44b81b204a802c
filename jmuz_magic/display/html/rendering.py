"""Turns Markdown tokens into HTML, writing nothing but a short list of tags and attributes.

Tags come from `_TAGS`, attributes from the functions that write them, and everything else is escaped text. A token
unknown to this file is shown as its text.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from jmuz_magic.display.html.highlighting import highlight
from jmuz_magic.display.html.links import bare_urls, host_of, safe_href, shown_target
from jmuz_magic.display.html.styles import CODE, SCROLL
from jmuz_magic.display.text import direction, escape_html, text_html

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["Link", "Renderer", "link_html"]

_TAGS = {
    "blockquote": "blockquote",
    "bullet_list": "ul",
    "em": "em",
    "list_item": "li",
    "paragraph": "p",
    "s": "s",
    "strong": "strong",
    "table": "table",
    "tbody": "tbody",
    "thead": "thead",
    "tr": "tr",
}
_OWN_LINE = frozenset({"blockquote", "bullet_list", "ordered_list", "table", "tbody", "thead", "tr"})
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,40}")
_OWN_SCROLL = f'<div tabindex="0" style="{SCROLL}">'
_CELL_CODE = f' tabindex="0" style="{CODE}"'
_HEADINGS_BELOW = 2  # the notebook's own are h1 to h3, mostly

Maths = Callable[[str, bool], str]


def link_html(url: str, label: str) -> str:
    """A link with its target; label and address as text if the address may not be linked to."""
    href = safe_href(url)
    if href is None or not label:
        return _bare_link_html(url) if not label else f"{text_html(label)} ({text_html(url)})"
    return f"{_anchor(href)}{text_html(label)}</a>{_target_html(label, href, opaque=True)}"


def _bare_link_html(url: str) -> str:
    href = safe_href(url)
    return text_html(url) if href is None else f"{_anchor(href)}{text_html(url)}</a>{_target_html(url, href)}"


def _target_html(label: str, href: str, *, opaque: bool = False) -> str:
    """Where a link leads, if its label could hide that."""
    target = shown_target(label, href, opaque=opaque)
    return f" ({text_html(target)})" if target else ""


def _anchor(href: str, title: str = "") -> str:
    shown = escape_html(title).replace("\n", "&#10;")  # see `unbroken`
    titled = f' title="{shown}"' if title else ""
    return f'<a href="{escape_html(href)}"{titled} rel="noopener noreferrer nofollow">'


def _linked_text_html(text: str) -> str:
    """Text whose bare addresses become links."""
    parts, end = [], 0
    for start, after in bare_urls(text):
        parts += [text_html(text[end:start]), _bare_link_html(text[start:after])]
        end = after
    return "".join(parts) + text_html(text[end:])


def _code_html(token: Token, asked: str, styled: str) -> str:
    words = token.info.split() if token.type == "fence" else []
    language = words[0] if words and _LANGUAGE.fullmatch(words[0]) else ""
    label = f'<div class="jmuz-label"><code>{escape_html(language)}</code></div>' if language else ""
    # In a cell the label alone names the language: a class would cost every update 3 % more bytes.
    attributes = styled or (f' class="language-{escape_html(language)}"' if language else "")
    code = highlight(token.content, language)
    # The empty paragraph makes the gap below: front ends give a pre none, and a reply brings no styles.
    asked = asked if token.level else ""  # code in a list or quote must not inherit its direction
    return f'{label}<div class="highlight"><pre{asked}><code{attributes}>{code}</code></pre></div><p></p>\n'


class Link(NamedTuple):
    """An open link: its text as it will be read, and whether it contains a formula, which may read differently."""

    href: str
    label: str
    opaque: bool

    @classmethod
    def opened_by(cls, tokens: Sequence[Token], index: int) -> Link:
        parts, opaque, depth = [], False, 1
        for token in itertools.islice(tokens, index + 1, None):
            depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
            if not depth:
                break
            parts.append(" " if token.type in ("softbreak", "hardbreak") else token.content)
            opaque = opaque or token.type == "maths"
        return cls(safe_href(str(tokens[index].attrs.get("href", ""))) or "", "".join(parts), opaque)

    @property
    def target(self) -> str:
        """Where it leads, if its label could hide that."""
        return shown_target(self.label, self.href, opaque=self.opaque) if self.href else ""

    @property
    def end(self) -> str:
        return "</a>" + _target_html(self.label, self.href, opaque=self.opaque) if self.href else ""


def _directed(tokens: Sequence[Token]) -> Iterator[tuple[Token, str]]:
    """Each token with the attribute that lets a browser detect the direction of its outermost block.

    Code has none: its direction is not that of the text around it.
    """
    block: list[Token] = []
    for token in tokens:
        block.append(token)
        if token.level == 0 and token.nesting <= 0:
            found = direction(*(each.content for each in block if each.type in ("inline", "plain")))
            yield from ((each, found) for each in block)
            block = []


class Renderer:
    """Writes HTML for markdown-it's tokens.

    Args:
        maths: turns a formula with its delimiters into HTML; the second argument says whether it is a block.
        in_cell: whether the HTML brings its own look, for the output of a cell; the panel has a style sheet.
    """

    def __init__(self, maths: Maths, *, in_cell: bool) -> None:
        self._maths = maths
        self._in_cell = in_cell

    def html(self, tokens: Sequence[Token]) -> str:
        """The HTML of whole blocks."""
        return "".join(self._block(token, asked) for token, asked in _directed(tokens))

    def _block(self, token: Token, asked: str) -> str:
        kind = token.type
        if kind == "inline":
            return self._inline(token.children or [], asked)
        if kind in ("fence", "code_block"):
            return _code_html(token, asked, _CELL_CODE if self._in_cell else "")
        if kind == "maths_block":
            return self._maths(token.content, True)
        if kind == "hr":
            return "<hr>\n"
        if kind == "definition":
            return ""
        return self._tag(token, asked) if token.nesting else text_html(token.content)

    def _tag(self, token: Token, asked: str = "") -> str:
        """A listed opening or closing tag; "" for a paragraph of a tight list."""
        name, _, side = token.type.rpartition("_")
        if token.hidden:
            return "\n" if side == "close" else ""
        tag, attributes = self._name_and_attributes(name, token, asked)
        newline = "\n" if side == "close" or name in _OWN_LINE else ""
        if name in ("em", "strong", "s"):
            newline = ""
        frame = name == "table" and self._in_cell
        if side == "close":
            return f"</{tag}>{newline}{'</div>' if frame else ''}"
        # Only the outermost block gets the attribute: it would ignore inner blocks that have one.
        return f"{_OWN_SCROLL if frame else ''}<{tag}{attributes}{'' if token.level else asked}>{newline}"

    def _name_and_attributes(self, name: str, token: Token, asked: str) -> tuple[str, str]:
        if name == "heading":
            level = int(token.tag[1])
            return f"h{min(6, level + _HEADINGS_BELOW) if self._in_cell else level}", ""
        if name == "ordered_list":
            start = token.attrs.get("start")
            return "ol", "" if start is None else f' start="{int(start)}"'
        if name in ("th", "td"):
            align = str(token.attrs.get("style", "")).removeprefix("text-align:")
            # Set even if the reply does not: JupyterLab aligns cells of HTML tables to the right.
            default = "start" if asked else "left"
            return name, f' style="text-align:{align if align in ("center", "left", "right") else default}"'
        tag = _TAGS.get(name, "p")
        # JupyterLab aligns paragraphs to the left, whatever their direction.
        return tag, ' style="text-align:start"' if asked and tag == "p" else ""

    def _inline(self, tokens: Sequence[Token], asked: str = "") -> str:
        parts: list[str] = []
        link: Link | None = None
        inside = 0  # an address in <…> inside a link is part of its text: links do not nest
        for index, token in enumerate(tokens):
            if token.type == "link_open" and link:
                inside += 1
            elif token.type == "link_close" and inside:
                inside -= 1
            elif token.type == "link_open":
                link = Link.opened_by(tokens, index)
                parts.append(_anchor(link.href, str(token.attrs.get("title", ""))) if link.href else "")
            elif token.type == "link_close":
                parts.append(link.end if link else "")
                link = None
            else:
                parts.append(self._span(token, asked, linked=link is not None))
        return "".join(parts)

    def _span(self, token: Token, asked: str, *, linked: bool) -> str:
        kind = token.type
        if kind == "text":
            return text_html(token.content) if linked else _linked_text_html(token.content)
        if kind == "code_inline":
            return f"<code{asked}>{escape_html(token.content)}</code>"
        if kind == "maths":
            return self._maths(token.content, False)
        if kind == "image":
            return self._image(token, linked)
        if kind in ("softbreak", "hardbreak"):
            return "<br>\n" if kind == "hardbreak" else "\n"
        return self._tag(token) if token.nesting else text_html(token.content)

    @staticmethod
    def _image(token: Token, linked: bool) -> str:
        """An image becomes a link that shows its host; it is never loaded, since its address could leak the prompt."""
        label = "image: " + (token.content or "no description")
        href = safe_href(str(token.attrs.get("src", "")))
        if href is None or linked:
            return f"[{text_html(label)}]"
        return f"{_anchor(href)}{text_html(label)}</a> ({text_html(host_of(href) or href)})"
