"""A request as a cell shows it: readable messages, and the exact JSON in a fold."""

from __future__ import annotations

from collections.abc import Sequence

from jmuz_magic.display.html.styles import WRAPPED
from jmuz_magic.display.text import escape_html, text_html, unbroken
from jmuz_magic.text import clean_text

__all__ = ["request_bundle"]


def request_bundle(
    address: str, headers: Sequence[str], messages: Sequence[tuple[str, str]], body: str, notes: Sequence[str]
) -> dict[str, str]:
    """`text/html` and `text/plain` of a request, for a dry run.

    Args:
        address: method and address.
        headers: a line for each.
        messages: role and text of each message.
        body: the JSON body, already made inert.
        notes: lines to show below it.
    """
    plain = [address, *headers, *(f"{role}:\n{clean_text(text)}" for role, text in messages), body, *notes]
    html = [
        f"<p><code>{escape_html(address)}</code></p>",
        *(f"<p>{text_html(role)}:</p>\n{_verbatim_html(text)}" for role, text in messages),
        f"<details><summary>headers</summary>\n{_verbatim_html(chr(10).join(headers))}</details>" if headers else "",
        f"<details><summary>JSON body</summary>\n{_verbatim_html(body)}</details>",
        *(f"<p><em>{text_html(note)}</em></p>" for note in notes),
    ]
    shown = unbroken(f'<div class="jmuz-request">{"".join(html)}</div>\n')
    return {"text/html": shown, "text/plain": "\n".join(plain)}


def _verbatim_html(text: str) -> str:
    # nbconvert sets a bare <pre> in the font of prose, and front ends break its words anywhere.
    return f'<pre><code style="{WRAPPED}">{escape_html(text)}</code></pre>'
