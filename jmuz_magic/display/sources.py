"""The sources that a service names for its reply, as links below it."""

from __future__ import annotations

from collections.abc import Sequence

from jmuz_magic.display.html.rendering import link_html
from jmuz_magic.display.text import clean_text
from jmuz_magic.messages import Citation

__all__ = ["sources_html", "sources_text"]


def sources_html(citations: Sequence[Citation]) -> str:
    """A list, numbered as the marks in a reply count; "" without any."""
    items = "".join(f"<li>{link_html(_one_line(source.url), _one_line(source.title))}</li>\n" for source in citations)
    return f'<div class="jmuz-sources"><p>Sources:</p>\n<ol>\n{items}</ol></div>\n' if citations else ""


def sources_text(citations: Sequence[Citation]) -> str:
    """The same for terminals."""
    return "".join(f"[{number}] {_line(source)}\n" for number, source in enumerate(citations, 1))


def _line(source: Citation) -> str:
    return ": ".join(filter(None, (_one_line(source.title), _one_line(source.url))))


def _one_line(text: str) -> str:
    return " ".join(clean_text(text).split())
