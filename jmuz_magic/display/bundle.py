"""A whole reply as one output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jmuz_magic.display.html.copying import STYLE, finished
from jmuz_magic.display.reply import (
    calls_text,
    foot_lines,
    framed_html,
    reasoning_html,
    reply_text,
    tail_html,
)
from jmuz_magic.display.text import unbroken
from jmuz_magic.messages import Reply

if TYPE_CHECKING:
    from jmuz_magic.display.html.markdown import Blocks

__all__ = ["reply_bundle"]


def reply_bundle(
    reply: Reply,
    *,
    show_reasoning: bool = True,
    show_footer: bool = True,
    error: str | None = None,
    images_shown: bool = False,
    recorded: str | None = None,
    notes: Sequence[str] = (),
    alone: bool = True,
) -> dict[str, str]:
    """The MIME bundle that shows `reply` in a notebook; `text/plain` is its Markdown source.

    `text/latex`, without reasoning, is for documents: whatever shows HTML prefers `text/html`. Never `text/markdown`:
    a front end would render that without our safeguards.

    Args:
        reply: complete or partial.
        show_reasoning: whether to include reasoning, folded.
        show_footer: whether its foot begins with `facts`.
        error: see `footer_lines`.
        images_shown: see `footer_lines`.
        recorded: see `foot_lines`.
        notes: what else the foot says.
        alone: whether it is an output of its own, whose code a button can copy.
    """
    from jmuz_magic.display.latex.rendering import render_latex
    from jmuz_magic.display.latex.tail import tail_latex

    foot = foot_lines(reply, error, show_facts=show_footer, images_shown=images_shown, recorded=recorded)
    foot += notes
    blocks = _blocks(reply.text)
    latex = render_latex(blocks.sources, blocks.references)
    return {
        "text/html": _whole_html(reply, _text_html(blocks, alone), foot, show_reasoning),
        "text/latex": latex + tail_latex(reply, calls_text(reply.tool_calls), foot),
        "text/plain": reply_text(reply, error, images_shown=images_shown),
    }


def _blocks(text: str) -> Blocks:
    from jmuz_magic.display.html.markdown import Blocks

    blocks = Blocks()
    blocks.feed(text)
    blocks.finish()
    return blocks


def _whole_html(reply: Reply, text: str, foot: Sequence[str], show_reasoning: bool) -> str:
    thought = "".join(_blocks(reply.reasoning).committed) if show_reasoning else ""
    return unbroken(framed_html(reasoning_html(thought, opened=not reply.text) + text + tail_html(reply, foot)))


def _text_html(blocks: Blocks, alone: bool) -> str:
    html = "".join(blocks.committed)
    shown, styled = finished(html) if alone else (html, False)
    return shown + STYLE if styled else shown
