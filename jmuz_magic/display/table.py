"""Tables as cells show them: text for terminals, HTML for front ends; every word in them is untrusted."""

from __future__ import annotations

from collections.abc import Sequence

from jmuz_magic.display.text import text_html
from jmuz_magic.text import clean_line

__all__ = ["table_bundle"]


def table_bundle(headings: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> dict[str, str]:
    """Headings and rows of text, as `text/html` and `text/plain`.

    Args:
        headings: one for each column.
        rows: each with as many cells; line breaks become spaces.
        empty: the text to show if there are no rows.
    """
    if not rows:
        return {"text/html": f'<div class="jmuz-table"><p>{text_html(empty)}</p></div>', "text/plain": empty}
    lines = [[clean_line(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    plain = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    head, *body = lines
    html = [
        f"<table><thead>{_row('th', head)}</thead><tbody>",
        *(_row("td", line) for line in body),
        "</tbody></table>",
    ]
    return {"text/html": f'<div class="jmuz-table">{"".join(html)}</div>', "text/plain": "\n".join(plain)}


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f'<{tag} style="text-align: left">{text_html(cell)}</{tag}>' for cell in cells) + "</tr>"
