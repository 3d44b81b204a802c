"""Views: what shows a reply while it grows. `make_view` picks one; all are driven from one thread."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import IO, Any, Literal, Protocol

from jmuz_magic.display.views.reach import is_console, updates_apply
from jmuz_magic.messages import Chunk, Reply

__all__ = ["Kind", "Pace", "Publish", "QuietView", "View", "make_view"]

Kind = Literal["auto", "html", "once", "text", "quiet"]
Publish = Callable[[dict[str, Any], dict[str, Any], dict[str, Any], bool], None]
"""`publish(data, metadata, transient, update)`: sends one display message."""


class View(Protocol):
    """Shows one reply. Order of calls: any `wait`, `append` and `tick`, then one `close`."""

    def wait(self, line: str) -> None:
        """Show `line` until text comes."""

    def append(self, chunk: Chunk) -> None:
        """Take a chunk; it is shown at this or a later `tick`."""

    def tick(self) -> None:
        """Show what is due; call it after every batch, and about every 0.1 s while none comes."""

    def close(self, reply: Reply, error: str | None = None) -> None:
        """Show the end. `reply.text` is the truth; `error` is why it broke off, in one line."""


class Pace:
    """When a growing text may be shown again: the more of it is open, the less often.

    A front end renders every update and nothing holds the kernel back, so what an update costs (the open part)
    must bound how many there are: at most every 0.1 s, and at most 15 kB of Markdown a second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = float("-inf")

    def due(self, open_chars: int) -> bool:
        """Whether to show now."""
        return self._clock() - self._last >= self.pause(open_chars)

    @staticmethod
    def pause(open_chars: int) -> float:
        """Seconds from one showing to the next."""
        return max(0.1, open_chars / 15_000)

    def shown(self) -> None:
        """Note that it was shown."""
        self._last = self._clock()


class QuietView:
    """Shows nothing."""

    def wait(self, line: str) -> None: ...

    def append(self, chunk: Chunk) -> None: ...

    def tick(self) -> None: ...

    def close(self, reply: Reply, error: str | None = None) -> None: ...


def make_view(
    kind: Kind,
    *,
    shell: Any,
    show_reasoning: bool = True,
    publish: Publish | None = None,
    stream: IO[str] | None = None,
    recorded: str | None = None,
) -> View:
    """The view for where the reply is going.

    Args:
        kind: "auto" looks at `shell`: safe HTML in a kernel, text in a terminal (through rich, where that is
            installed and the terminal is one) and in `jupyter console`. "html" and "text" insist, "once" is HTML
            that is sent once, at the end, as "html" is where updates do not apply; "quiet" shows nothing.
        shell: IPython's shell, or None.
        show_reasoning: whether reasoning is shown.
        publish: sends display messages instead of IPython; implies "html".
        stream: where text is written; None is `sys.stdout` at the time of writing.
        recorded: the day when the reply was recorded, for one that is replayed; a notebook shows it in one output.
    """
    if kind == "quiet":
        return QuietView()
    if publish is not None or kind in ("html", "once") or (kind == "auto" and _is_notebook(shell)):
        once = kind == "once" or (publish is None and not updates_apply(shell))
        return _html_view(once, recorded, show_reasoning, publish)
    from jmuz_magic.display.views.terminal import TextView, make_rich_view

    rich_view = make_rich_view(stream or sys.stdout, show_reasoning) if kind == "auto" else None
    return rich_view or TextView(stream, show_reasoning=show_reasoning)


def _html_view(once: bool, recorded: str | None, show_reasoning: bool, publish: Publish | None) -> View:
    if once or recorded is not None:
        from jmuz_magic.display.views.replay import OnceView

        return OnceView(recorded, show_reasoning=show_reasoning, publish=publish)
    from jmuz_magic.display.views.live import HtmlView

    return HtmlView(publish=publish, show_reasoning=show_reasoning)


def _is_notebook(shell: Any) -> bool:
    return getattr(shell, "kernel", None) is not None and not is_console(shell)
