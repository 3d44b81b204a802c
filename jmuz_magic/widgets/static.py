"""The transcript as ordinary outputs, which saved notebooks, nbconvert and code-hosting sites show."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from jmuz_magic.display.latex.text import escape_latex
from jmuz_magic.display.reply import footer_html
from jmuz_magic.display.text import text_html
from jmuz_magic.display.transcript import transcript_bundle
from jmuz_magic.display.views.publish import publish
from jmuz_magic.display.views.reach import displays_follow_context
from jmuz_magic.text import clean_line

if TYPE_CHECKING:
    from jmuz_magic.widgets.entry import Entry
    from jmuz_magic.widgets.transcript import Transcript

__all__ = ["StaticTranscript"]

TO_GO_ON = "to go on: %load_ext jmuz_magic, then run this cell"
ONLY_COPY = "the log is off: this output is the only copy"
TURNS = 8  # that an output takes before the next one is opened; JupyterLab shows 50 outputs of a cell before it asks

# A trusted notebook that is opened without its kernel says "Error displaying widget: model not found" above the
# transcript. A notebook that is not trusted ignores the rule, and shows the panel's text instead of that error.
_NO_ERROR = (
    "<style>.jp-OutputArea-child:has(> .jp-OutputArea-output.jupyter-widgets)"
    ":has(+ .jp-OutputArea-child > .jp-OutputArea-output > .jmuz-transcript) { display: none; }</style>\n"
)
_EMPTY = {"text/html": '<div class="jmuz-transcript"></div>', "text/latex": "", "text/plain": ""}


class StaticTranscript:
    """Display outputs: a heading, then some turns in each.

    A turn is sent with those that share its output, so it costs the same however long the conversation is. A turn that
    is replaced or removed changes only its own output.

    Args:
        transcript: what they show.
        name: the conversation's, for the heading.
        display_id: the outputs' display id, to which each adds its number.
    """

    def __init__(self, transcript: Transcript, name: str | None, display_id: str) -> None:
        self._transcript = transcript
        self._has_name = name is not None
        self._title = clean_line(f"Conversation {name or ''}").strip()
        self._display_id = f"jmuz-transcript-{display_id}"
        self._outputs: list[list[Entry]] = [[]]
        self._sent: list[Sequence[Entry] | str | None] = []
        self._cell: contextvars.Context | None = None
        self._lock = threading.Lock()

    def show(self) -> None:
        """Display it in the running cell, as a single output if outputs cannot be changed later."""
        if not self._in_kernel():
            self._publish(0, self.bundle())
            return
        with self._lock:
            self._cell = contextvars.copy_context()
            self._outputs = arranged(self._outputs, self._ended)
            self._sent = self._shown
            for number in range(len(self._sent)):
                self._publish(number, self._bundle(number))

    def refresh(self, *, extend: bool) -> None:
        """Update it, from any thread; does nothing before it is shown or if nothing has changed.

        Args:
            extend: whether its cell takes new outputs, now that it has ended. Front ends do, for the page that ran the
                cell; nbclient, where nobody sees the panel, does not.
        """
        with self._lock:
            if self._cell is None:
                return
            before, may_add = self._sent, extend and displays_follow_context()
            self._outputs = arranged(self._outputs, self._ended, may_add=may_add)
            self._sent = self._shown
            for number in range(len(before), len(self._sent)):
                self._cell.copy().run(self._publish, number, self._bundle(number))
            # From below, so that what moves down appears there before it disappears above.
            for number in reversed(range(len(before))):
                if self._sent[number] != before[number]:
                    self._publish(number, self._bundle(number), update=True)

    def bundle(self) -> dict[str, str]:
        """The whole transcript as one output."""
        return _turns(self._ended)

    @property
    def _ended(self) -> list[Entry]:
        return [entry for entry in self._transcript.entries if entry.ended]

    @property
    def _shown(self) -> list[Sequence[Entry] | str | None]:
        """What each output shows, for comparison; of the heading, its line, None without turns."""
        return [_going_on(self._outputs, has_name=self._has_name), *map(tuple, self._outputs)]

    def _bundle(self, number: int) -> dict[str, str]:
        if number == 0:
            return _heading(self._title, _going_on(self._outputs, has_name=self._has_name))
        entries = self._outputs[number - 1]
        return _turns(entries) if entries else _EMPTY

    def _publish(self, number: int, bundle: dict[str, str], *, update: bool = False) -> None:
        publish(dict(bundle), {}, {"display_id": f"{self._display_id}-{number}"}, update)

    @staticmethod
    def _in_kernel() -> bool:
        # A terminal would print the transcript again.
        from IPython.core.getipython import get_ipython

        return hasattr(get_ipython(), "kernel")


def arranged(outputs: Sequence[Sequence[Entry]], ended: Iterable[Entry], *, may_add: bool = True) -> list[list[Entry]]:
    """Spread turns over outputs, in order: known ones stay in theirs, new ones go where there is room.

    Args:
        outputs: the turns in each so far.
        ended: the turns to show.
        may_add: whether there may be more outputs than before; without, the last one takes what is left.
    """
    place = {entry: number for number, entries in enumerate(outputs) for entry in entries}
    spread: list[list[Entry]] = [[] for _ in outputs]
    number = 0
    for entry in ended:
        number = max(number, place.get(entry, number))
        is_last = number == len(spread) - 1
        if entry not in place and len(spread[number]) >= TURNS and (may_add or not is_last):
            number += 1
            if is_last:
                spread.append([])
        spread[number].append(entry)
    return spread


def _turns(entries: Sequence[Entry]) -> dict[str, str]:
    return transcript_bundle([entry.static() for entry in entries], "jmuz-transcript")


def _going_on(outputs: Sequence[Sequence[Entry]], *, has_name: bool) -> str | None:
    """How to go on without this kernel; "" if recordings answered, None without turns."""
    turns = [entry.turn for entries in outputs for entry in entries if entry.turn]
    logged = [turn for turn in turns if turn.logged and turn.logged.path]
    if logged:  # a lone reply without a name is no conversation yet
        return TO_GO_ON if has_name or len(logged) > 1 else ""
    if any(turn.recorded is None for turn in turns):
        return ONLY_COPY
    return "" if any(outputs) else None


def _heading(title: str, line: str | None) -> dict[str, str]:
    # Without turns an error is all there is to see, perhaps since the front end lacks the widgets.
    style, rest = ("", _turns([])) if line is None else (_NO_ERROR, _EMPTY)
    lines = [line] if line else []
    html = f"{style}<h3>{text_html(title)}</h3>\n{footer_html(lines)}"
    latex = f"\\par\\medskip\\textbf{{\\large {escape_latex(title)}}}\\par\n" + "".join(map(_small, lines))
    return {
        "text/html": f'<div class="jmuz-transcript">\n{html}</div>\n{rest["text/html"]}',
        "text/latex": f"{latex}\n{rest['text/latex']}",
        "text/plain": "\n\n".join(filter(None, (title, *lines, rest["text/plain"]))),
    }


def _small(line: str) -> str:
    return f"{{\\small {escape_latex(line)}}}\\par\n"
