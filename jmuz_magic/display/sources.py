"""The sources that a service names for a reply, as links below it."""

from __future__ import annotations

from collections.abc import Sequence

from jmuz_magic.display.html.rendering import link_html
from jmuz_magic.messages import Citation
from jmuz_magic.text import clean_line

__all__ = ["sources_html", "sources_text"]


def sources_html(citations: Sequence[Citation]) -> str:
    """A list, numbered like the markers in a reply; "" without sources."""
    items = "".join(f"<li>{link_html(clean_line(source.url), clean_line(source.title))}</li>\n" for source in citations)
    return f'<div class="jmuz-sources"><p>Sources:</p>\n<ol>\n{items}</ol></div>\n' if citations else ""


def sources_text(citations: Sequence[Citation]) -> str:
    """The same for terminals."""
    return "".join(f"[{number}] {_line(source)}\n" for number, source in enumerate(citations, 1))


def _line(source: Citation) -> str:
    return ": ".join(filter(None, (clean_line(source.title), clean_line(source.url))))
