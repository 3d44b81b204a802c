"""The live view of a kernel: a reply as a few display outputs of which only the last one still changes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any, assert_never

from jmuz_magic.display.html.markdown import Blocks
from jmuz_magic.display.pictures import image_bundles
from jmuz_magic.display.reply import (
    cut_line,
    footer_lines,
    reasoning_html,
    reply_metadata,
    reply_text,
    tail_html,
    waiting_html,
    with_cut,
)
from jmuz_magic.display.views.view import Pace, Publish
from jmuz_magic.messages import (
    Answered,
    Chunk,
    Citations,
    FinishReason,
    Image,
    Reasoning,
    Reply,
    ToolCalls,
    Unshown,
    Usage,
)
from jmuz_magic.text import clean_text

__all__ = ["HtmlView"]

_GROUP_CHARS = 6_000
_REASONING_TAIL = 4_000
_WAIT_BEFORE_SAYING_SO = 0.2


def _publish(data: dict[str, Any], metadata: dict[str, Any], transient: dict[str, Any], update: bool) -> None:
    from IPython.display import publish_display_data

    publish_display_data(data, metadata, transient=transient, update=update)  # type: ignore[no-untyped-call]


class _Output:
    """One display output; it is sent only when it changed."""

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


class _GroupedText:
    """The text of a reply in groups of blocks, one output each.

    A group is closed by the block with which it holds `max(6 kB, what came before / 8)`: that depends on the
    text alone, so the same reply always leaves the same outputs, and no part already shown moves to another.
    """

    def __init__(self, first: _Output, publish: Publish) -> None:
        self._publish = publish
        self._outputs = [first]
        self._start_over()

    def _start_over(self) -> None:
        self._blocks = Blocks()
        self._fed: list[str] = []
        self._starts = [0]  # index of the first block of every group
        self._grouped = self._chars = self._chars_before = 0
        self._closed_shown = 0

    def feed(self, text: str) -> None:
        self._fed.append(text)
        self._blocks.feed(text)

    @property
    def open_chars(self) -> int:
        return self._chars + self._blocks.open_chars

    def show(self) -> None:
        """Send the groups that were closed since the last time, and the open one."""
        self._group()
        for group in range(self._closed_shown, len(self._starts) - 1):
            self._output(group).show(self._bundle(group))
        self._closed_shown = len(self._starts) - 1
        html = "".join(self._blocks.committed[self._starts[-1] :]) + self._blocks.open
        self._output(self._closed_shown).show({"text/html": html})

    def finish(self, reply: Reply, tail: str, plain: str, cut: str) -> None:
        """Send all groups as they are in the end.

        Args:
            reply: whose text is the truth.
            tail: HTML below the last group.
            plain: what stands there where there is no text.
            cut: why the reply is not whole; "" for one that is.
        """
        self._reconcile(reply.text)
        self._blocks.finish()
        self._group()
        last = len(self._starts) - 1
        for group in range(last):
            self._output(group).show(self._bundle(group))
        bundle = self._bundle(last)
        bundle = {"text/html": bundle["text/html"] + tail, "text/plain": with_cut(bundle["text/plain"], cut) or plain}
        self._output(last).show(bundle, reply_metadata(reply))
        for output in self._outputs[last + 1 :]:  # only after a reply that is not what was streamed
            output.show({"text/html": "", "text/plain": ""})

    def _reconcile(self, text: str) -> None:
        fed = "".join(self._fed)
        if not text.startswith(fed):
            self._start_over()
            fed = ""
        self.feed(text[len(fed) :])

    def _group(self) -> None:
        sources = self._blocks.sources if self._blocks.committed else []
        for index in range(self._grouped, len(sources)):
            self._begin_group_if_full(index)
            self._chars += len(sources[index])
        self._grouped = len(sources)
        if self._blocks.open:
            self._begin_group_if_full(len(sources))

    def _begin_group_if_full(self, index: int) -> None:
        # Not before something follows: the end of a reply would leave an empty output.
        if self._chars >= max(_GROUP_CHARS, self._chars_before / 8):
            self._chars_before += self._chars
            self._chars = 0
            self._starts.append(index)

    def _output(self, group: int) -> _Output:
        while len(self._outputs) <= group:
            self._outputs.append(_Output(self._publish))
        return self._outputs[group]

    def _bundle(self, group: int) -> dict[str, str]:
        end = self._starts[group + 1] if group + 1 < len(self._starts) else None
        blocks = slice(self._starts[group], end)
        html, source = self._blocks.committed[blocks], self._blocks.sources[blocks]
        return {"text/html": "".join(html), "text/plain": "".join(source)}


class _ReasoningPart:
    """Reasoning: its last part in an open fold while it grows, all of it in a closed one when the reply begins."""

    def __init__(self, output: _Output) -> None:
        self.output = output
        self._start_over()

    def _start_over(self) -> None:
        self._blocks = Blocks()
        self._fed: list[str] = []

    def feed(self, text: str) -> None:
        self._fed.append(text)
        self._blocks.feed(text)

    @property
    def open_chars(self) -> int:
        return self._blocks.open_chars

    def show_tail(self) -> None:
        """Bounded, so that an hour of reasoning costs no more per update than a minute of it."""
        committed, tail, chars = self._blocks.committed, [self._blocks.open], self._blocks.open_chars
        for html, source in zip(reversed(committed), reversed(self._blocks.sources), strict=True):
            chars += len(source)
            if chars > _REASONING_TAIL:
                break
            tail.append(html)
        self.output.show({"text/html": reasoning_html("".join(reversed(tail)), opened=True)})

    def show_whole(self, opened: bool) -> None:
        blocks = self._blocks
        html = "".join(blocks.committed) + blocks.open
        self._show(html, opened)

    def finish(self, text: str, opened: bool) -> None:
        """`text` is what was thought, whatever was fed."""
        fed = "".join(self._fed)
        if not text.startswith(fed):
            self._start_over()
            fed = ""
        self.feed(text[len(fed) :])
        self._blocks.finish()
        self._show("".join(self._blocks.committed), opened)

    def _show(self, html: str, opened: bool) -> None:
        self.output.show({"text/html": reasoning_html(html, opened), "text/plain": clean_text("".join(self._fed))})


class HtmlView:
    """Shows a reply in a notebook; messages and time are linear in the length of the reply.

    Finished blocks gather in a group that is one display output. A group that is full is sent once more, with its
    source as `text/plain`, and then never again; what follows begins the next. Only the open group is
    updated, and the less often the more is in it (`Pace`).

    Args:
        publish: sends the messages; None sends them through IPython.
        show_reasoning: whether reasoning is shown, folded once the reply begins.
        clock: seconds; for tests.
    """

    def __init__(
        self,
        *,
        publish: Publish | None = None,
        show_reasoning: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._publish = publish or _publish
        self._show_reasoning = show_reasoning
        self._clock = clock
        self._pace = Pace(clock)
        self._changed = False
        self._waiting: tuple[str, float] | None = None
        self._spare: _Output | None = _Output(self._publish)  # holds the waiting line, then the first part
        self._reasoning: _ReasoningPart | None = None
        self._text: _GroupedText | None = None

    def wait(self, line: str) -> None:
        self._waiting = (line, self._clock())

    def append(self, chunk: Chunk) -> None:
        match chunk:
            case str():
                self._text_part().feed(chunk)
                self._changed = True
            case Reasoning(text):
                if self._show_reasoning:
                    self._reasoning_part().feed(text)
                    self._changed = True
            case Usage() | FinishReason() | ToolCalls() | Answered() | Citations() | Image() | Unshown():
                pass  # the reply given to `close` holds them
            case _:
                assert_never(chunk)

    def tick(self) -> None:
        if self._changed:
            self._show_growth()
        elif self._spare is not None and self._waiting is not None:
            self._show_waiting(self._spare, *self._waiting)

    def _show_waiting(self, output: _Output, line: str, since: float) -> None:
        if output.is_shown or self._clock() - since >= _WAIT_BEFORE_SAYING_SO:
            output.show({"text/html": waiting_html(line), "text/plain": clean_text(line)})

    def _show_growth(self) -> None:
        growing = self._text or self._reasoning
        if growing is None or not self._pace.due(growing.open_chars):
            return
        if self._text is None and self._reasoning is not None:
            self._reasoning.show_tail()
        elif self._text is not None:
            if self._reasoning is not None:
                self._reasoning.show_whole(opened=False)
            self._text.show()
        self._pace.shown()
        self._changed = False

    def close(self, reply: Reply, error: str | None = None) -> None:
        if reply.reasoning and self._show_reasoning:
            self._reasoning_part().finish(reply.reasoning, opened=not reply.text)
        lines = footer_lines(reply, error, images_shown=True)
        if error is not None and not (reply.text or reply.images or reply.unshown) and self._nothing_shown():
            return  # the error says it all
        cut = cut_line(reply, error)
        self._text_part().finish(reply, tail_html(reply, lines), reply_text(reply, lines, cut), cut)
        for image in image_bundles(reply.images):
            self._publish(image, {}, {}, False)

    def _nothing_shown(self) -> bool:
        return self._text is None and self._reasoning is None and not (self._spare and self._spare.is_shown)

    def _next_output(self) -> _Output:
        output, self._spare = self._spare or _Output(self._publish), None
        return output

    def _text_part(self) -> _GroupedText:
        if self._text is None:
            self._text = _GroupedText(self._next_output(), self._publish)
        return self._text

    def _reasoning_part(self) -> _ReasoningPart:
        if self._reasoning is None:
            self._reasoning = _ReasoningPart(self._next_output())
        return self._reasoning
