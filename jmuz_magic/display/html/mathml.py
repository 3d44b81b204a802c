"""A converter's MathML, read by a strict parser and rewritten from a list of tags and attributes.

The converter is third-party code fed with an untrusted formula, so nothing it writes reaches a page unchecked. What
is not listed below never leaves this file: no `id`, link, class or event handler, and only the style declarations
listed. The widget's `place()` checks the same list in the browser.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from html.entities import html5
from xml.parsers import expat

from jmuz_magic.display.text import escape_html

__all__ = ["rewrite_mathml"]

_MAX_CHARS = 400_000
_MAX_DEPTH = 200  # browsers flatten what is nested deeper than 512

_LEAVES = frozenset({"mi", "mn", "mo", "ms", "mtext"})
_EMPTY = frozenset({"mprescripts", "mspace", "none"})
_ROWS = frozenset((
    "math", "menclose", "mfrac", "mmultiscripts", "mover", "mpadded", "mphantom", "mroot", "mrow", "msqrt", "mstyle",
    "msub", "msubsup", "msup", "mtable", "mtd", "mtr", "munder", "munderover",
))  # fmt: skip
_IN_TEXT = frozenset({"b", "code", "em", "i", "s", "span", "u"})  # HTML from \textbf and the like

# Bounded, so that no formula can move over what is next to it.
_LENGTH = r"-?(?:[0-9]{1,2}|[0-9]{0,2}\.[0-9]{1,10})(?:r?em|ex|pt|px)?"
_SWITCH = r"true|false"
_ATTRIBUTES = {
    "accent": _SWITCH,
    "accentunder": _SWITCH,
    "columnspan": r"[0-9]{1,2}",
    "depth": _LENGTH,
    "display": r"block",
    "displaystyle": _SWITCH,
    "fence": _SWITCH,
    "form": r"infix|prefix|postfix",
    "height": _LENGTH,
    "largeop": _SWITCH,
    "linethickness": _LENGTH,
    "lspace": _LENGTH,
    "mathcolor": r"#[0-9A-Fa-f]{6}",
    "mathvariant": r"normal",
    "maxsize": _LENGTH,
    "minsize": _LENGTH,
    "movablelimits": _SWITCH,
    "notation": r"(?:actuarial|box|phasorangle|(?:up|down)diagonalstrike(?: downdiagonalstrike)?)",
    "rspace": _LENGTH,
    "scriptlevel": r"[+-]?[0-9]",
    "separator": _SWITCH,
    "stretchy": _SWITCH,
    "symmetric": _SWITCH,
    "voffset": _LENGTH,
    "width": _LENGTH,
}
_STYLES = (
    r"border-(?:bottom|left|right|top): 0\.05em (?:dashed|solid) currentcolor",
    r"font-variant-caps: small-caps",
    r"justify-items: (?:center|end|start)",
    r"margin-left: -?0?\.[0-9]{1,10}em",
    r"math-shift: compact",
    r"padding-(?:bottom|left|right|top): (?:0|1em|0?\.[0-9]{1,10}em)",
    r"text-align: (?:center|left|right)",
    r"width: (?:100|50|7\.5)%",
)
_IS_LISTED = {name: re.compile(pattern) for name, pattern in _ATTRIBUTES.items()}
_LISTED_STYLE = re.compile("|".join(_STYLES))
_COLOUR = re.compile(r"color: (#[0-9A-Fa-f]{6})")
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*;)")


class _UnlistedError(Exception):
    """An element or attribute that does not belong in a formula."""


def rewrite_mathml(converted: str) -> str | None:
    """The formula as MathML written by us; None if it cannot be read or contains an unlisted element.

    Unlisted attributes are left out: a formula reads the same without them.
    """
    # No declaration, so no entities of its own; and XML does not know HTML's (`&ApplyFunction;`).
    if len(converted) > _MAX_CHARS or "<!" in converted or "<?" in converted:
        return None
    writer = _Writer()
    try:
        writer.read(_ENTITY.sub(_named, converted))
    except (_UnlistedError, expat.ExpatError, ValueError):
        return None
    return "".join(writer.parts)


def _named(entity: re.Match[str]) -> str:
    character = html5.get(entity[1])
    return entity[0] if character is None else html.escape(character)


class _Writer:
    """Writes each element as the parser reaches it; without a tree, no depth can exhaust the stack."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._open: list[str] = []

    def read(self, source: str) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.Parse(source, True)

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if not self._may_stand_here(tag) or len(self._open) >= _MAX_DEPTH:
            raise _UnlistedError(tag)
        self._open.append(tag)
        written = "".join(f' {name}="{escape_html(value)}"' for name, value in _listed(attributes))
        self.parts.append(f"<{tag}{written}>")

    def _may_stand_here(self, tag: str) -> bool:
        if not self._open:
            return tag == "math"
        parent = self._open[-1]
        if parent in _ROWS:
            return tag != "math" and (tag in _ROWS or tag in _LEAVES or tag in _EMPTY)
        return tag in _IN_TEXT and (parent == "mtext" or parent in _IN_TEXT)

    def _end(self, tag: str) -> None:
        self._open.pop()
        self.parts.append(f"</{tag}>")

    def _text(self, text: str) -> None:
        parent = self._open[-1]
        if parent in _LEAVES or parent in _IN_TEXT:
            self.parts.append(escape_html(text))
        elif text.strip():
            raise _UnlistedError(text)


def _listed(attributes: Mapping[str, str]) -> list[tuple[str, str]]:
    """The listed attributes, as HTML."""
    kept = []
    for name, value in attributes.items():
        if name == "style":
            kept += _listed_styles(value)
        elif name in _IS_LISTED and _IS_LISTED[name].fullmatch(value):
            kept.append((name, value))
    return kept


def _listed_styles(style: str) -> list[tuple[str, str]]:
    """The listed declarations; a colour becomes MathML's own attribute, since styles hold only constants."""
    declarations = [re.sub(r"\s*:\s*", ": ", declaration.strip()) for declaration in style.split(";")]
    colours = [("mathcolor", colour[1]) for colour in map(_COLOUR.fullmatch, declarations) if colour]
    constants = [declaration for declaration in declarations if _LISTED_STYLE.fullmatch(declaration)]
    return colours[-1:] + ([("style", ";".join(constants))] if constants else [])
