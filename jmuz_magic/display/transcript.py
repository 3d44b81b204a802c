"""Turns as shown without a live widget: in a saved notebook, a terminal, or `%jmuz_history`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from jmuz_magic.display.bundle import reply_html
from jmuz_magic.display.reply import cut_line, footer_html, footer_lines, reply_text
from jmuz_magic.display.text import direction, text_html
from jmuz_magic.messages import Reply
from jmuz_magic.text import clean_text

__all__ = ["ShownTurn", "prompt_html", "transcript_bundle"]


class ShownTurn(NamedTuple):
    """A turn as shown.

    Attributes:
        prompt: shown verbatim.
        reply: rendered as in a cell.
        error: why the reply broke off; None if it did not.
        note: another line to show; "" for none.
    """

    prompt: str
    reply: Reply
    error: str | None = None
    note: str = ""


def prompt_html(prompt: str) -> str:
    """A prompt, verbatim, to show above its reply."""
    asked = direction(prompt) and direction(prompt) + ' style="text-align:start"'
    lines = text_html(prompt).replace("\n", "<br>\n")
    return f'<div class="jmuz-prompt"><blockquote><p{asked}>{lines}</p></blockquote></div>\n'


def transcript_bundle(turns: Iterable[ShownTurn], empty: str = "no turns yet") -> dict[str, str]:
    """Prompts with their replies as `text/html` and `text/plain`.

    Args:
        turns: in order.
        empty: the text to show if there are no turns.
    """
    html: list[str] = []
    text: list[str] = []
    for turn in turns:
        plain = reply_text(turn.reply, footer_lines(turn.reply, turn.error), cut_line(turn.reply, turn.error))
        notes = _notes(turn)
        html.append(prompt_html(turn.prompt) + reply_html(turn.reply, turn.error) + footer_html(notes))
        quoted = "\n".join(f"> {line}" for line in clean_text(turn.prompt).split("\n"))
        text.append("\n".join([f"{quoted}\n\n{plain}", *(f"[{clean_text(note)}]" for note in notes)]))
    if not html:
        return {
            "text/html": f'<div class="jmuz-history"><p><em>{text_html(empty)}</em></p></div>',
            "text/plain": empty,
        }
    return {"text/html": f'<div class="jmuz-history">{"".join(html)}</div>', "text/plain": "\n\n".join(text)}


def _notes(turn: ShownTurn) -> list[str]:
    """What the bundle of the reply leaves out: for an empty reply it omits the error."""
    unsaid = turn.error if turn.error and not (turn.reply.text or turn.reply.reasoning) else ""
    return [note for note in (unsaid, turn.note) if note]
