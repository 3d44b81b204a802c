"""The live view in a kernel: a reply as a few display outputs, of which only the last still changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import assert_never

from jmuz_magic.display.pictures import image_bundles
from jmuz_magic.display.reply import (
    calls_text,
    cut_line,
    foot_lines,
    framed_html,
    reply_text,
    tail_html,
    unfinished_html,
    waiting_html,
    waiting_line,
)
from jmuz_magic.display.views.parts import GroupedText, Output, ReasoningPart
from jmuz_magic.display.views.publish import Publish, publish
from jmuz_magic.display.views.view import Pace
from jmuz_magic.messages import (
    Answered,
    Chunk,
    Citations,
    FinishReason,
    Image,
    Reasoning,
    ReasoningItems,
    Reply,
    ToolCalls,
    ToolResult,
    Unshown,
    Usage,
)
from jmuz_magic.text import clean_text

__all__ = ["HtmlView"]

_WAIT_BEFORE_SAYING_SO = 0.2
_HOW_TO_STOP = {False: "interrupt the kernel to stop", True: ".cancel() stops it"}
_WHERE_IT_WILL_BE = {False: "_jmuz", True: ".result() of its job"}


class HtmlView:
    """Shows a reply in a notebook; messages and time grow linearly with its length.

    Finished blocks are collected in a group, which is one display output. A full group is sent once more, with its
    source as `text/plain`, and never again; what follows starts the next group. Only the open group is updated,
    less often the more it holds (`Pace`).

    Args:
        publish: sends the messages.
        show_reasoning: whether reasoning is shown, folded once the reply begins.
        show_footer: whether who answered, tokens and seconds are shown below the reply.
        background: whether the reply belongs to a job.
        clock: seconds; for tests.
    """

    def __init__(
        self,
        *,
        publish: Publish = publish,
        show_reasoning: bool = True,
        show_footer: bool = True,
        background: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._publish = publish
        self._show_reasoning = show_reasoning
        self._show_footer = show_footer
        self._background = background
        self._stop = _HOW_TO_STOP[background]
        self._unfinished = unfinished_html(_WHERE_IT_WILL_BE[background])
        self._clock = clock
        self._pace = Pace(clock)
        self._changed = False
        self._waiting: tuple[str, float] | None = None
        self._spare: Output | None = Output(self._publish)  # shows the waiting line, then the first part
        self._reasoning: ReasoningPart | None = None
        self._text: GroupedText | None = None

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
            case Usage() | FinishReason() | ToolCalls() | Answered() | Citations() | Image() | Unshown() | ToolResult():
                pass  # `close` gets them with the reply
            case ReasoningItems():
                pass  # nobody but the service can read them
            case _:
                assert_never(chunk)

    def tick(self) -> None:
        if self._changed:
            self._show_growth()
        elif self._spare is not None and self._waiting is not None:
            self._show_waiting(self._spare, *self._waiting)

    def _show_waiting(self, output: Output, line: str, since: float) -> None:
        waited = self._clock() - since
        if output.is_shown or waited >= _WAIT_BEFORE_SAYING_SO:
            line = waiting_line(line, waited, self._stop)
            output.show({"text/html": framed_html(waiting_html(line)), "text/plain": clean_text(line)})

    def _show_growth(self) -> None:
        growing = self._text or self._reasoning
        if growing is None or not self._pace.due(growing.open_chars):
            return
        if self._text is None and self._reasoning is not None:
            self._reasoning.show_tail(self._unfinished)
        elif self._text is not None:
            if self._reasoning is not None:
                self._reasoning.show_whole(opened=False)
            self._text.show(self._unfinished)
        self._pace.shown()
        self._changed = False

    def close(self, reply: Reply, error: str | None = None) -> None:
        from jmuz_magic.display.latex.tail import tail_latex  # what only the end needs does not delay the first text

        if reply.reasoning and self._show_reasoning:
            self._reasoning_part().finish(reply.reasoning, opened=not reply.text)
        unshown = self._text is None and self._reasoning is None and not (reply.text or reply.images or reply.unshown)
        if error is not None and unshown and not self._background:
            self._show_nothing()  # the cell says the error
            return
        foot = foot_lines(reply, error, show_facts=self._show_footer, images_shown=True)
        latex = tail_latex(reply, calls_text(reply.tool_calls), foot)
        plain = reply_text(reply, error, images_shown=True)
        self._text_part().finish(reply, tail_html(reply, foot), latex, plain, cut_line(reply, error))
        for image in image_bundles(reply.images):
            self._publish(image, {}, {}, False)

    def _show_nothing(self) -> None:
        if self._spare is not None and self._spare.is_shown:
            self._spare.show({"text/html": "", "text/plain": ""})

    def _next_output(self) -> Output:
        output, self._spare = self._spare or Output(self._publish), None
        return output

    def _text_part(self) -> GroupedText:
        if self._text is None:
            self._text = GroupedText(self._next_output(), self._publish)
        return self._text

    def _reasoning_part(self) -> ReasoningPart:
        if self._reasoning is None:
            self._reasoning = ReasoningPart(self._next_output())
        return self._reasoning
