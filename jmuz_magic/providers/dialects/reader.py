"""What the readers of all dialects share: events off the fast path, whole bodies, cut-off ends, errors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from jmuz_magic.errors import JmuzError, ResponseError, StreamError
from jmuz_magic.messages import Chunk
from jmuz_magic.providers.advice import advice
from jmuz_magic.providers.dialects.extras import Extras
from jmuz_magic.providers.dialects.facts import Facts
from jmuz_magic.providers.dialects.foreign import dialect_of, said_in_lines
from jmuz_magic.providers.dialects.payloads import DONE, is_done, loads_lines
from jmuz_magic.providers.http.error_text import error_message
from jmuz_magic.streaming.sse import Event

__all__ = ["PayloadReader"]

SPOKEN = {"chat/completions": "chat", "Messages": "anthropic", "Responses": "responses"}
"""The dialects that can be chosen, by the name in which they are told apart."""
SHOWN = 200  # characters of a payload that an error quotes


class PayloadReader(ABC):
    """Reads one reply, event by event or as one JSON body; the caller raises `failure` after the chunks before it.

    Attributes:
        speaks: what replies of this dialect are called in errors.
        own_events: how the names of its events begin, if they have any; broken JSON in one of them is an error, since
            text would be missing, while other names belong to the service.
        done: whether the reply was marked as complete, or came as one body.
        heard: whether the last read brought data; what only keeps a connection alive is none.
        failure: the error that the payloads reported; None if there is none.
    """

    speaks: ClassVar[str]
    own_events: ClassVar[tuple[str, ...]] = ()

    def __init__(self, origin: str, shown: Callable[[str], str]) -> None:
        """Start reading.

        Args:
            origin: the endpoint's origin, for errors.
            shown: makes a server's text fit to show in an error.
        """
        self.done = self.heard = False
        self.failure: JmuzError | None = None
        self._origin, self._shown = origin, shown
        self._extras, self._facts = Extras(), Facts()
        self._began = False  # whether a payload belonged to a reply
        self._other = b""  # the first one that did not
        self._passing = ""  # a message that came alone: an error if nothing follows

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether the reply came with its end."""

    @property
    @abstractmethod
    def ending(self) -> bool:
        """Whether it came in a way that makes more of the reply unlikely."""

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether nothing of the reply would be lost if the connection broke now."""

    @property
    def ended(self) -> bool:
        """Whether nothing that comes now can belong to the reply."""
        return self.done or self.failure is not None

    @abstractmethod
    def read(self, events: Iterable[Event]) -> list[Chunk]:
        """The chunks in these events."""

    @abstractmethod
    def settle(self) -> None:
        """Decide, now that nothing more comes, whether what came is an error."""

    @abstractmethod
    def rest(self) -> list[Chunk]:
        """What is still held of a reply that broke off, and what is known about it; its calls must not be run."""

    @abstractmethod
    def finish(self) -> list[Chunk]:
        """What is still held, then tool calls, who answered, usage, and the finish reason."""

    @abstractmethod
    def _walk(self, payload: dict[str, Any], chunks: list[Chunk], name: str) -> None:
        """Take a payload of any shape; `name` is that of its event."""

    def read_cut_off(self, events: Iterable[Event]) -> list[Chunk]:
        """The chunks in what the end of the body left unfinished; half an event is ignored."""
        return self.read(event for event in events if loads_lines(event.data) is not None or is_done(event.data))

    def read_strays(self, lines: bytes) -> list[Chunk]:
        """The chunks in lines between events, at the end of a stream that was not marked as complete."""
        chunks: list[Chunk] = []
        if self.ended or self.finished or not lines.strip():
            return chunks
        payloads = loads_lines(lines)
        if said := said_in_lines(lines):
            self._fail(said)
        elif payloads is not None:
            self._walk_safely(payloads, chunks, lines)
        self._other = self._other or lines.strip()
        return chunks

    def read_body(self, body: bytes) -> list[Chunk]:
        """The chunks in a reply that came as one JSON body, or as JSON line by line."""
        chunks: list[Chunk] = []
        payloads = loads_lines(body)
        self.done = True
        if payloads is None:
            self.failure = self._malformed("expected JSON", body)
        else:
            self._walk_safely(payloads, chunks, body)
        self.settle()
        return chunks

    def _read_other(self, event: Event, chunks: list[Chunk]) -> None:
        """Read an event that does not fit the typed path."""
        data = event.data.strip()
        if is_done(data):
            self.done = True
            return
        payloads = loads_lines(data)
        if event.event == "error":
            said = payloads and error_message(payloads)
            self._fail(said or data.decode("utf-8", "replace"))
        elif payloads is not None:
            self._walk_safely(payloads, chunks, data, event.event)
            self.done |= data.endswith(DONE)  # events separated by single line breaks
        elif data and (event.event == "message" or event.event.startswith(self.own_events)):
            self.failure = self._malformed("expected JSON in an event", data)
        else:
            self._other = self._other or data

    def _walk_safely(self, payloads: list[Any], chunks: list[Chunk], data: bytes, name: str = "") -> None:
        nested = False
        try:
            for payload in payloads:
                for part in payload if isinstance(payload, list) else [payload]:
                    if isinstance(part, dict):
                        self._walk(part, chunks, name)
        except RecursionError:
            nested = True
        if nested:
            self.failure = self._malformed("expected a reply", b"deeply nested JSON")
        if not self._began:
            self._other = self._other or data

    def _fail(self, said: str) -> None:
        self.failure = ResponseError(
            f"{self._origin} reported an error: {self._shown(said)}", origin=self._origin, attempts=1
        )

    def _fail_if_foreign(self, payload: dict[str, Any], event: str) -> None:
        """Fail if a payload that belongs to no reply so far is another dialect's."""
        dialect = "" if self._began else dialect_of(payload, event)
        if dialect in ("", self.speaks):
            return
        name = SPOKEN.get(dialect)
        option = name and advice(f"--dialect {name}", f'dialect="{name}"')
        hint = f"; choose it with {option}, or" if option else ", which is not supported;"
        text = (
            f"expected a {self.speaks} reply from {self._origin}, got one in the {dialect} dialect{hint} "
            "check the api_base, or the gateway's route"
        )
        self.failure = ResponseError(text, origin=self._origin, attempts=1)

    def _fail_without_reply(self, expected: str) -> None:
        if self._passing:
            self._fail(self._passing)
        elif self._other:
            self.failure = self._malformed(expected, self._other)
        else:
            text = f"expected a reply from {self._origin}, got an event stream without one"
            self.failure = ResponseError(text, origin=self._origin, attempts=1)

    def _malformed(self, expected: str, data: bytes) -> JmuzError:
        came = self._shown(data.decode("utf-8", "replace"))[:SHOWN]
        kind = StreamError if self._began else ResponseError
        return kind(f"{expected} from {self._origin}, got {came!r}", origin=self._origin, attempts=1)
