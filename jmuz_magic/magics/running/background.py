"""A reply that streams into its own output while other cells run."""

from __future__ import annotations

import contextvars
import secrets
import threading
import time
from concurrent.futures import CancelledError, Future, wait
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from jmuz_magic.conversation.remarks import new_remarks
from jmuz_magic.display.views.make import Kind, make_view
from jmuz_magic.display.views.publish import publish
from jmuz_magic.display.views.reach import late_display, updates_apply
from jmuz_magic.display.views.view import Pace, QuietView, View
from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.running.foreground import ReplyInterrupted, hint_for, show_chunk, without_traceback
from jmuz_magic.messages import Notice, Reply
from jmuz_magic.streaming.bridge import CLOSE_TIMEOUT, get_bridge
from jmuz_magic.text import clean_line

if TYPE_CHECKING:
    from jmuz_magic.conversation.turn import Turn
    from jmuz_magic.magics.session import Session

__all__ = ["Job", "start_job"]


class Job:
    """A turn in the background; its reply grows in the output of the cell that asked."""

    def __init__(self, session: Session, turn: Turn, future: Future[None], ended: threading.Event) -> None:
        self._session = session
        self._turn = turn
        self._future = future
        self._ended = ended

    def __repr__(self) -> str:
        asked = self._turn.reply.model or self._turn.request.resolved_model
        model = clean_line(asked) or "a model that is picked when sent"
        return f"<background reply of {model}; .result() waits for it>"

    def done(self) -> bool:
        """Whether the job is over."""
        return self._future.done()

    def cancel(self) -> None:
        """Stop it; what has arrived stays."""
        self._future.cancel()

    def result(self, timeout: float | None = None) -> Reply:
        """Wait for the reply and keep it as `_jmuz`; by then the job's output shows all of it.

        Args:
            timeout: seconds; None waits as long as it takes.

        Raises:
            JmuzError: the turn failed.
            ReplyInterrupted: it was cancelled, or the wait was interrupted and the job goes on.
            TimeoutError: the time ran out; the job goes on.
        """
        try:
            self._future.result(timeout)
        except JmuzError as error:
            self._session.keep(self._turn.reply)
            raise without_traceback(error, hint_for(error)) from None
        except KeyboardInterrupt:
            raise ReplyInterrupted("waiting was interrupted; the job goes on (.cancel() stops it)") from None
        except CancelledError:
            # A future ends at once, the turn only when the bridge has closed it, which also brings what is still held.
            self._ended.wait(CLOSE_TIMEOUT)
            self._session.keep(self._turn.reply)
            raise ReplyInterrupted("the job was cancelled; the partial reply is in _jmuz") from None
        self._session.keep(self._turn.reply)
        return self._turn.reply


class _OneOutput:
    """Collects a view's outputs in one: no new output can reach a cell that has ended."""

    def __init__(self) -> None:
        self._parts: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        self._pace = Pace(time.monotonic)
        self._transient = {"display_id": secrets.token_hex(8)}
        publish({"text/html": "", "text/plain": ""}, {}, self._transient, False)  # into the asking cell

    def publish(self, data: dict[str, Any], metadata: dict[str, Any], transient: dict[str, Any], update: bool) -> None:
        before = self._parts.get(transient["display_id"], ({}, {}))[0]
        self._parts[transient["display_id"]] = ({**before, **data}, metadata)
        # The whole is sent each time, so its whole size sets the pace.
        if self._pace.due(sum(len(data.get("text/html", "")) for data, _ in self._parts.values())):
            self._send("text/html", "text/plain")
            self._pace.shown()

    def flush(self) -> None:
        self._send("text/html", "text/latex", "text/plain")

    def _send(self, *kinds: str) -> None:
        metadata: dict[str, Any] = {}
        for _, part in self._parts.values():
            metadata.update(part)
        data = {kind: "".join(str(data.get(kind, "")) for data, _ in self._parts.values()) for kind in kinds}
        publish(data, metadata, self._transient, True)


class _LateOutput:
    """For where updates do not apply: one output at the end, where the job was started."""

    def __init__(self, shell: Any) -> None:
        self._display = late_display(shell)

    def publish(self, data: dict[str, Any], metadata: dict[str, Any], transient: dict[str, Any], update: bool) -> None:
        self._display(data, metadata)

    def flush(self) -> None:
        """Do nothing: nothing is held."""


def start_job(session: Session, turn: Turn, *, show_reasoning: bool, once: bool = False) -> Job:
    """Run the turn on the bridge's thread and return at once; `once` shows its reply whole, at the end."""
    if turn.recorded:
        return _replay(session, turn, show_reasoning)
    output, view = _shown(session, show_reasoning, once)
    # An empty context: messages that update a display must not seem to belong to whatever cell is running.
    ended = threading.Event()
    future = contextvars.Context().run(get_bridge().submit, _run(turn, view, output, ended, session))
    return Job(session, turn, future, ended)


def _shown(session: Session, show_reasoning: bool, once: bool) -> tuple[_OneOutput | _LateOutput | None, View]:
    """The output for the reply, and its view."""
    shell = session.shell
    if not session.is_kernel:
        return None, QuietView()
    once = once or not updates_apply(shell)
    output = _LateOutput(shell) if once else _OneOutput()
    kind: Kind = "once" if once else "html"
    show_footer = bool(session.settings.show_footer)
    view = make_view(
        kind,
        shell=shell,
        show_reasoning=show_reasoning,
        show_footer=show_footer,
        background=True,
        publish=output.publish,
    )
    return output, view


def _replay(session: Session, turn: Turn, show_reasoning: bool) -> Job:
    """Show a replayed reply at once: nothing to wait for, one output that never changes."""
    ended = threading.Event()
    future = get_bridge().submit(_run(turn, QuietView(), None, ended, session))
    wait([future])
    if session.is_kernel and turn.recorded:
        view = make_view(
            "html",
            shell=session.shell,
            show_reasoning=show_reasoning,
            show_footer=bool(session.settings.show_footer),
            recorded=turn.recorded.date,
        )
        view.close(turn.reply)
    return Job(session, turn, future, ended)


async def _run(
    turn: Turn, view: View, output: _OneOutput | _LateOutput | None, ended: threading.Event, session: Session
) -> None:
    def on_notice(notice: Notice) -> None:
        show_chunk(notice, view)

    error: str | None = None
    try:
        async with aclosing(turn.chunks(on_notice)) as chunks:
            async for chunk in chunks:
                show_chunk(chunk, view)
                view.tick()
    except JmuzError as caught:
        error = None if turn.state == "complete" else str(caught)  # complete, but not recorded
        raise
    finally:
        view.close(turn.reply, error)
        if output:
            output.flush()
        session.remarks.extend(new_remarks(turn))  # the next asking cell prints them
        ended.set()
