"""Runs one turn in a cell: the stream goes to a view, and its end is shown as the notebook should see it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jmuz_magic.conversation.remarks import new_remarks
from jmuz_magic.errors import JmuzError, MissingAuthError
from jmuz_magic.log.log import exchange_log
from jmuz_magic.messages import AdvertRemoved, Chunk, ModelPicked, Notice, OptionLeftOut, Reply, Retry
from jmuz_magic.streaming.bridge import get_bridge
from jmuz_magic.text import clean_text

if TYPE_CHECKING:
    from jmuz_magic.conversation.turn import Turn
    from jmuz_magic.display.views.view import View
    from jmuz_magic.magics.session import Session

__all__ = ["ReplyInterrupted", "hint_for", "run_turn", "show_chunk", "without_traceback"]


LOG_SECONDS = 0.25
"""How long a cell that has shown its reply waits for the log, so that a warning appears where it belongs."""


class ReplyInterrupted(KeyboardInterrupt):
    """The user stopped a reply: "Run All" stops too, and one line is shown instead of a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"KeyboardInterrupt: {self}"]


def run_turn(session: Session, turn: Turn, view: View) -> Reply:
    """Ask, show the reply as it arrives, and return it; it is kept as `_jmuz` however it ends.

    Raises:
        JmuzError: the turn failed; shown by IPython as one line.
        ReplyInterrupted: the user stopped it.
    """
    try:
        _follow(turn, view)
    except JmuzError as error:
        with _deferred_interrupts():
            # A complete reply that could not be recorded is shown as complete.
            _finish(session, turn, view, None if turn.state == "complete" else str(error))
        raise without_traceback(error, hint_for(error)) from None
    except KeyboardInterrupt:
        with _deferred_interrupts(raise_after=False):
            turn.give_up()
            _finish(session, turn, view)
        raise ReplyInterrupted("stopped; the partial reply is in _jmuz") from None
    with _deferred_interrupts():
        _finish(session, turn, view)
    return turn.reply


def _follow(turn: Turn, view: View) -> None:
    if not turn.recorded:
        model = turn.request.resolved_model
        view.wait(f"waiting for {model} …" if model else "waiting …")
    with get_bridge().stream(turn.chunks) as batches:
        for batch in batches:
            for chunk in batch:
                show_chunk(chunk, view)
            view.tick()


def show_chunk(chunk: Chunk | Notice, view: View) -> None:
    """Pass a chunk to the view, or show a notice while it waits."""
    match chunk:
        case Retry():
            view.wait(chunk.line)
        case ModelPicked(model):
            view.wait(f"waiting for {model} …")
        case AdvertRemoved() | OptionLeftOut():
            pass  # these are in the reply
        case _:
            view.append(chunk)


def _finish(session: Session, turn: Turn, view: View, error: str | None = None) -> None:
    reply = turn.reply
    session.keep(reply)
    view.close(reply, error)
    exchange_log.flush(LOG_SECONDS)
    session.remarks.extend(new_remarks(turn))
    session.say_pending()


def without_traceback(error: JmuzError, hint: str = "") -> JmuzError:
    """The same error, shown by IPython as one line instead of a traceback."""
    line = clean_text(f"{type(error).__name__}: {error}") + hint

    def render(*_: Any) -> list[str]:
        return [line]

    error._render_traceback_ = render  # type: ignore[attr-defined]  # IPython's protocol, looked up on the instance
    return error


def hint_for(error: JmuzError) -> str:
    """What to do next in a notebook, appended to the error."""
    if isinstance(error, MissingAuthError) and "%jmuz_key" not in str(error):
        return " (set one with %jmuz_key; %jmuz_use shows where the current one comes from)"
    return ""


@contextmanager
def _deferred_interrupts(*, raise_after: bool = True) -> Iterator[None]:
    """Delay an interrupt until the end of the block: a view cut off in its last update would show half a reply."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came and raise_after:
        raise ReplyInterrupted("the reply is complete; it is in _jmuz")
