"""`make_view` picks the view for where the reply is shown."""

from __future__ import annotations

import importlib.util
import sys
from typing import IO, Any, Literal

from jmuz_magic.display.views.publish import Publish
from jmuz_magic.display.views.publish import publish as through_ipython
from jmuz_magic.display.views.reach import is_console, updates_apply
from jmuz_magic.display.views.view import QuietView, View

__all__ = ["Kind", "make_view"]


Kind = Literal["auto", "html", "once", "text", "quiet"]


def make_view(
    kind: Kind,
    *,
    shell: Any,
    show_reasoning: bool = True,
    show_footer: bool | None = None,
    background: bool = False,
    publish: Publish | None = None,
    stream: IO[str] | None = None,
    recorded: str | None = None,
) -> View:
    """The view for where the reply is shown.

    Args:
        kind: "auto" looks at `shell`: safe HTML in a kernel, text in a terminal (through rich if it is installed)
            and in `jupyter console`. "html" and "text" force one of them. "once" is HTML sent once, at the end, as
            is "html" where updates do not apply. "quiet" shows nothing.
        shell: IPython's shell, or None.
        show_reasoning: whether reasoning is shown.
        show_footer: whether who answered, tokens and seconds are shown; None: in a notebook and on a terminal.
        background: whether the reply belongs to a job.
        publish: sends display messages in place of IPython; implies "html".
        stream: where text is written; None means `sys.stdout` at the time of writing.
        recorded: the day a replayed reply was recorded; a notebook shows such a reply in one output.
    """
    if kind == "quiet":
        return QuietView()
    if publish is not None or kind in ("html", "once") or (kind == "auto" and _is_notebook(shell)):
        once = kind == "once" or (publish is None and not updates_apply(shell))
        return _html_view(
            once or recorded is not None,
            recorded,
            publish=publish or through_ipython,
            show_reasoning=show_reasoning,
            show_footer=show_footer is not False,
            background=background,
        )
    options: dict[str, Any] = {"show_reasoning": show_reasoning, "show_footer": show_footer, "recorded": recorded}
    if kind == "auto" and _is_for_rich(stream or sys.stdout):
        from jmuz_magic.display.views.rich_view import RichView

        return RichView(stream or sys.stdout, **options)
    from jmuz_magic.display.views.terminal import TextView

    return TextView(stream, **options)


def _html_view(
    once: bool, recorded: str | None, *, publish: Publish, show_reasoning: bool, show_footer: bool, background: bool
) -> View:
    if once:
        from jmuz_magic.display.views.replay import OnceView

        return OnceView(recorded, show_reasoning=show_reasoning, show_footer=show_footer, publish=publish)
    from jmuz_magic.display.views.live import HtmlView

    return HtmlView(publish=publish, show_reasoning=show_reasoning, show_footer=show_footer, background=background)


def _is_for_rich(stream: IO[str]) -> bool:
    return stream.isatty() and importlib.util.find_spec("rich") is not None


def _is_notebook(shell: Any) -> bool:
    return getattr(shell, "kernel", None) is not None and not is_console(shell)
