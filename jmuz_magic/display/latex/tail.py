"""What follows a reply's text in LaTeX: tool calls, sources, the footer."""

from __future__ import annotations

from collections.abc import Sequence

from jmuz_magic.display.latex.rendering import link_latex
from jmuz_magic.display.latex.text import escape_latex
from jmuz_magic.messages import Reply
from jmuz_magic.text import clean_line

__all__ = ["tail_latex"]


def tail_latex(reply: Reply, calls: str, lines: Sequence[str]) -> str:
    """Small lines below the text; "" without any.

    Args:
        reply: its citations are shown.
        calls: its tool calls as text, one a line.
        lines: of its footer.
    """
    sources = [
        f"{{[}}{number}{{]}} {link_latex(clean_line(source.url), clean_line(source.title))}"
        for number, source in enumerate(reply.citations, 1)
    ]
    footer = [escape_latex(" · ".join(lines))] if lines else []
    notes = [*map(escape_latex, calls.splitlines()), *sources, *footer]
    return "".join(f"\\par\\noindent{{\\footnotesize {note}\\par}}\n\n" for note in notes)
