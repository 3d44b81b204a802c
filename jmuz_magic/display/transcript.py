"""Turns as shown without a live widget: in a saved notebook, a document, a terminal, or `%jmuz_history`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jmuz_magic.display.bundle import reply_bundle
from jmuz_magic.display.text import direction, text_html
from jmuz_magic.messages import Reply
from jmuz_magic.text import clean_line, clean_text

__all__ = ["transcript_bundle", "turn_bundle"]

_EMPTY = "no turns yet"


def turn_bundle(prompt: str, reply: Reply, error: str | None = None, note: str = "") -> dict[str, str]:
    """A prompt with its reply as `text/html`, `text/latex` and `text/plain`.

    Args:
        prompt: shown verbatim.
        reply: rendered as in a cell.
        error: why the reply broke off; None if it did not.
        note: what else its foot says; "" for nothing.
    """
    from jmuz_magic.display.latex.text import quoted_latex  # as in `reply_bundle`

    notes = [clean_line(note)] if note else []
    shown = reply_bundle(reply, error=error, notes=notes, alone=False)
    quoted = "\n".join(f"> {line}" for line in clean_text(prompt).split("\n"))
    said = f"{quoted}\n\n{shown['text/plain']}"
    return {
        "text/html": _prompt_html(prompt) + shown["text/html"],
        "text/latex": quoted_latex(prompt) + shown["text/latex"],
        "text/plain": "\n".join([said, *(f"[{each}]" for each in notes)]),
    }


def transcript_bundle(turns: Sequence[Mapping[str, str]], box: str = "jmuz-history") -> dict[str, str]:
    """Turns as one output.

    Args:
        turns: what `turn_bundle` made of each.
        box: the class of the element around them.
    """
    html, latex = ("".join(turn[kind] for turn in turns) for kind in ("text/html", "text/latex"))
    return {
        "text/html": f'<div class="{box}">\n{html or f"<p><em>{_EMPTY}</em></p>"}</div>',
        "text/latex": latex or _EMPTY,
        "text/plain": "\n\n".join(turn["text/plain"] for turn in turns) or _EMPTY,
    }


def _prompt_html(prompt: str) -> str:
    """A prompt, verbatim, to show above its reply."""
    asked = direction(prompt) and direction(prompt) + ' style="text-align:start"'
    lines = text_html(prompt).replace("\n", "<br>\n")
    return f'<div class="jmuz-prompt"><blockquote><p{asked}>{lines}</p></blockquote></div>\n'
