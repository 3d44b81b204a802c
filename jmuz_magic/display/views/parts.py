"""The parts of a live view: outputs, a reply's text in groups of blocks, its reasoning in a fold."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from jmuz_magic.display.html.copying import STYLE, finished
from jmuz_magic.display.html.markdown import Blocks
from jmuz_magic.display.reply import framed_html, reasoning_html, reply_metadata, with_cut
from jmuz_magic.display.text import unbroken
from jmuz_magic.display.views.publish import Publish
from jmuz_magic.display.views.view import unfed
from jmuz_magic.messages import Reply
from jmuz_magic.text import clean_text

__all__ = ["GroupedText", "Output", "ReasoningPart"]

_GROUP_CHARS = 6_000
_REASONING_TAIL = 4_000


class Output:
    """One display output, sent only when it has changed."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._transient = {"display_id": secrets.token_hex(8)}
        self._sent: tuple[dict[str, Any], dict[str, Any]] | None = None

    @property
    def is_shown(self) -> bool:
        return self._sent is not None

    def show(self, data: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
        state = (data, metadata or {})
        if state != self._sent:
            update, self._sent = self.is_shown, state
            self._publish(*state, self._transient, update)


class _Part:
    """Markdown that grows; the final text is authoritative, whatever was fed."""

    def __init__(self) -> None:
        self._start_over()

    def _start_over(self) -> None:
        self._blocks = Blocks()
        self._fed: list[str] = []

    def feed(self, delta: str) -> None:
        self._fed.append(delta)
        self._blocks.feed(delta)

    def _end(self, text: str) -> None:
        rest = unfed(self._fed, text)
        if rest is None:
            self._start_over()
        self.feed(text if rest is None else rest)
        self._blocks.finish()


class GroupedText(_Part):
    """The text of a reply in groups of blocks, one output each.

    A group is closed by the block that fills it to `max(6 kB, length of earlier groups / 8)`. That depends on the
    text alone, so the same reply always leaves the same outputs, and nothing already shown moves to another output.
    """

    def __init__(self, first: Output, publish: Publish) -> None:
        super().__init__()
        self._publish = publish
        self._outputs = [first]

    def _start_over(self) -> None:
        super()._start_over()
        self._latex: dict[int, tuple[str, str]] = {}  # of each group sent in its final state, with its HTML
        self._starts = [0]  # index of the first block of each group
        self._grouped = self._chars = self._chars_before = 0
        self._closed_shown = 0
        self._styled: int | None = None

    @property
    def open_chars(self) -> int:
        return self._chars + self._blocks.open_chars

    def show(self, unfinished: str) -> None:
        """Send the groups closed since the last call, and the open one with `unfinished` below it."""
        self._group()
        for group in range(self._closed_shown, len(self._starts) - 1):
            self._output(group).show(self._bundle(group))
        self._closed_shown = len(self._starts) - 1
        html = "".join(self._blocks.committed[self._starts[-1] :]) + self._blocks.open
        self._output(self._closed_shown).show({"text/html": framed_html(html + unfinished)})

    def finish(self, reply: Reply, tail: str, latex: str, plain: str, cut: str) -> None:
        """Send all groups in their final state.

        Args:
            reply: its text is authoritative.
            tail: HTML to show below the last group.
            latex: the same as LaTeX.
            plain: plain text to show if the reply has no text.
            cut: why the reply is incomplete; "" if it is complete.
        """
        self._end(reply.text)
        self._group()
        last = len(self._starts) - 1
        for group in range(last):
            self._output(group).show(self._bundle(group))
        bundle = self._bundle(last, tail)
        bundle["text/latex"] += latex
        bundle["text/plain"] = with_cut(bundle["text/plain"], cut) or plain
        self._output(last).show(bundle, reply_metadata(reply))
        for output in self._outputs[last + 1 :]:  # only if the reply is not what was streamed
            output.show({"text/html": "", "text/plain": ""})

    def _group(self) -> None:
        sources = self._blocks.sources if self._blocks.committed else []
        for index in range(self._grouped, len(sources)):
            self._begin_group_if_full(index)
            self._chars += len(sources[index])
        self._grouped = len(sources)
        if self._blocks.open:
            self._begin_group_if_full(len(sources))

    def _begin_group_if_full(self, index: int) -> None:
        # Only when something follows, or the end of a reply could leave an empty output.
        if self._chars >= max(_GROUP_CHARS, self._chars_before / 8):
            self._chars_before += self._chars
            self._chars = 0
            self._starts.append(index)

    def _output(self, group: int) -> Output:
        while len(self._outputs) <= group:
            self._outputs.append(Output(self._publish))
        return self._outputs[group]

    def _bundle(self, group: int, tail: str = "") -> dict[str, str]:
        end = self._starts[group + 1] if group + 1 < len(self._starts) else None
        blocks = slice(self._starts[group], end)
        html, sources = "".join(self._blocks.committed[blocks]), self._blocks.sources[blocks]
        return {
            "text/html": unbroken(framed_html(self._finished(group, html) + tail)),
            "text/latex": self._group_latex(group, html, sources),
            "text/plain": "".join(sources),
        }

    def _finished(self, group: int, html: str) -> str:
        """With buttons for code, and the style in the first group that needs it: it is the page's."""
        shown, styled = finished(html)
        if styled and self._styled in (None, group):
            self._styled = group
            return shown + STYLE
        return shown

    def _group_latex(self, group: int, html: str, sources: Sequence[str]) -> str:
        """The LaTeX of a group, made anew only where a late link definition has changed its HTML."""
        from jmuz_magic.display.latex.rendering import render_latex  # only once a group is complete

        known = self._latex.get(group)
        if known is None or known[0] != html:
            known = self._latex[group] = (html, render_latex(sources, self._blocks.references))
        return known[1]


class ReasoningPart(_Part):
    """Reasoning: its end in an open fold while it grows, all of it in a closed fold once the reply begins."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self.output = output

    @property
    def open_chars(self) -> int:
        return self._blocks.open_chars

    def show_tail(self, unfinished: str) -> None:
        """Show the end of it and `unfinished`; bounded, so that an update costs the same however long it is."""
        committed, tail, chars = self._blocks.committed, [self._blocks.open], self._blocks.open_chars
        for html, source in zip(reversed(committed), reversed(self._blocks.sources), strict=True):
            chars += len(source)
            if chars > _REASONING_TAIL:
                break
            tail.append(html)
        html = reasoning_html("".join(reversed(tail)), opened=True)
        self.output.show({"text/html": framed_html(html + unfinished)})

    def show_whole(self, opened: bool) -> None:
        blocks = self._blocks
        html = "".join(blocks.committed) + blocks.open
        self._show(html, opened)

    def finish(self, text: str, opened: bool) -> None:
        """Show all of it; `text` is authoritative, whatever was fed."""
        self._end(text)
        self._show("".join(self._blocks.committed), opened)

    def _show(self, html: str, opened: bool) -> None:
        # LaTeX that is empty, since without any nbconvert would print the text instead.
        html = unbroken(framed_html(reasoning_html(html, opened)))
        self.output.show({"text/html": html, "text/latex": "", "text/plain": clean_text("".join(self._fed))})
