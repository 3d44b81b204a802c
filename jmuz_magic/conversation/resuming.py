"""Conversations of the log, to go on with: which one is meant, and its turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jmuz_magic.content import text_of
from jmuz_magic.conversation.placing import number
from jmuz_magic.conversation.steps import Step, is_paused
from jmuz_magic.conversation.turn import Turn
from jmuz_magic.errors import JmuzError
from jmuz_magic.log.exchange import ID_CHARS, LoggedConversation
from jmuz_magic.log.log import exchange_log
from jmuz_magic.log.writer import FromLog
from jmuz_magic.providers.endpoint.connection import Connection
from jmuz_magic.recordings.replaying import get_recording
from jmuz_magic.request.cell import Cell, is_watched
from jmuz_magic.request.request import Request

if TYPE_CHECKING:
    from pathlib import Path

    from jmuz_magic.log.exchange import Exchange
    from jmuz_magic.providers.endpoint.endpoint import Endpoint
    from jmuz_magic.recordings.recording import Recording
    from jmuz_magic.request.request import State

__all__ = ["Earlier", "check_may_resume", "find_earlier", "read_earlier", "refuse_beside"]


@dataclass(frozen=True, eq=False, repr=False)
class Earlier:
    """A conversation as the log has it.

    Attributes:
        logged: its name and where it is.
        turns: the turns that it showed, ended.
        system: the system message of the last one; None for none.
    """

    logged: LoggedConversation
    turns: tuple[Turn, ...]
    system: str | None

    @property
    def origin(self) -> str:
        """Scheme, host and port that the turns were sent to last; "" if none of them is sent again."""
        return next((turn.origin for turn in reversed(self.turns) if turn.is_remembered), "")

    def goes_elsewhere(self, endpoint: Endpoint) -> bool:
        """Whether this endpoint has another origin than the one that has read the turns."""
        return self.origin not in ("", endpoint.origin)

    def question(self, endpoint: Endpoint) -> str:
        """What to ask before the turns go elsewhere."""
        return f"this conversation went to {self.origin}; send its turns to {endpoint.origin} from now on?"

    def line(self, endpoint: Endpoint) -> str:
        """What is resumed, from when it is, and who will read it."""
        return f"resumed {self.logged.words}, sent with the next prompt to {endpoint.label}"


def check_may_resume() -> None:
    """Refuse where nothing may depend on what this user asked before.

    Raises:
        JmuzError: a recording is in use, or nobody watches.
    """
    refuse_beside(get_recording())
    if not is_watched():
        raise JmuzError("nothing is resumed where nobody watches, such as under nbclient or papermill")


def refuse_beside(recording: Recording | None) -> None:
    """Refuse if this recording is in use: what it holds must not depend on the log.

    Raises:
        JmuzError: it is.
    """
    if recording is not None and recording.mode != "off":
        raise JmuzError("nothing is resumed while a recording is in use; %jmuz_record --off ends it")


def find_earlier(wanted: str | None) -> LoggedConversation:
    """The conversation to resume: the one of this notebook that has the name and changed last, else one by its id.

    Args:
        wanted: its name, None for one without; or the beginning of an id (eight characters), from any notebook.

    Raises:
        JmuzError: there is none, or the log is off.
    """
    named = (each for each in exchange_log.conversations(limit=-1, here=True) if each.name == wanted)
    found = next(named, None)
    if found is None and wanted and len(wanted) >= ID_CHARS:
        found = next(iter(exchange_log.conversations(limit=1, key=wanted)), None)
    if found is None:
        which = f"conversation {wanted!r}" if wanted else "conversation without a name"
        raise JmuzError(f"nothing to resume: the log has no {which} of this notebook; %jmuz_history --all lists all")
    return found


def read_earlier(logged: LoggedConversation) -> Earlier:
    """The conversation with its turns.

    Raises:
        JmuzError: the log cannot be read, or is damaged.
    """
    path, systems = exchange_log.path, []
    assert path is not None  # it was found there

    def turn(exchanges: tuple[Exchange, ...]) -> Turn:
        systems.append(_system(exchanges[0]))
        return _turn(exchanges, path)

    turns = tuple(exchange_log.turns_of(logged, turn))
    number(sorted(turns, key=_asked))
    return Earlier(logged, turns, systems[-1] if systems else None)


def _asked(turn: Turn) -> int:
    assert turn.logged is not None
    return turn.logged.number or 0


def _system(exchange: Exchange) -> str | None:
    first = exchange.messages[0] if exchange.messages else None
    return text_of(first) if first and first["role"] == "system" else None


def _turn(exchanges: tuple[Exchange, ...], path: Path) -> Turn:
    """A turn that has ended, made of its exchanges; with its prompt, but without the history before it."""
    first, last = exchanges[0], exchanges[-1]
    prompt = first.messages[-1]
    if prompt["role"] != "user" or not all(isinstance(exchange.text, str) for exchange in exchanges):
        raise ValueError("expected a user's prompt and replies in text")
    request = Request(Connection(), first.model, (prompt,), conversation=first.conversation)
    cell = Cell(first.cell["id"], first.cell["run"]) if first.cell and "id" in first.cell else None
    wording = first.cell.get("wording") if first.cell else None
    made = Turn(
        request,
        on_start=lambda _: None,
        on_chunk=lambda *_: None,
        on_end=lambda _: None,
        cell=cell,
        wording=wording,
        earlier=FromLog(path, first.id, last.origin),
    )
    steps = tuple(_step(exchange, request) for exchange in exchanges)
    error = JmuzError(last.error) if last.state == "failed" and last.error else None
    made.take_over(steps, _parts(steps), _state(last), error)
    return made


def _step(exchange: Exchange, request: Request) -> Step:
    reply = replace(exchange.reply, messages=request.messages)
    return Step(request, reply, exchange.tool_results)


def _parts(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Those whose text is part of the reply: one that neither called a tool nor paused was corrected."""
    return tuple(step for step in steps if step.results or is_paused(step.reply) or step is steps[-1])


def _state(exchange: Exchange) -> State:
    """The turn's state; a reply that never ended counts as interrupted."""
    return "interrupted" if exchange.state == "streaming" else exchange.state
