"""Turns as they are shown without a live widget: in a saved notebook, a terminal, `%jmuz_history`."""

from __future__ import annotations

from collections.abc import Iterable

from jmuz_magic.display.reply import reply_bundle
from jmuz_magic.display.text import clean_text, text_html
from jmuz_magic.messages import Reply

__all__ = ["transcript_bundle"]


def transcript_bundle(turns: Iterable[tuple[str, Reply]], empty: str = "no turns yet") -> dict[str, str]:
    """Prompts with their replies, in order, as `text/html` and `text/plain`.

    Args:
        turns: the prompt's text, shown as it is, and the reply, rendered as in a cell.
        empty: what stands there without turns.
    """
    html: list[str] = []
    text: list[str] = []
    for prompt, reply in turns:
        bundle = reply_bundle(reply)
        lines = text_html(prompt).replace("\n", "<br>\n")
        html.append(f'<div class="jmuz-prompt"><blockquote><p>{lines}</p></blockquote></div>\n{bundle["text/html"]}')
        quoted = "\n".join(f"> {line}" for line in clean_text(prompt).split("\n"))
        text.append(f"{quoted}\n\n{bundle['text/plain']}")
    if not html:
        return {
            "text/html": f'<div class="jmuz-history"><p><em>{text_html(empty)}</em></p></div>',
            "text/plain": empty,
        }
    return {"text/html": f'<div class="jmuz-history">{"".join(html)}</div>', "text/plain": "\n\n".join(text)}
