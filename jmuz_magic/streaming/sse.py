"""Server-Sent Events from bytes, as the WHATWG defines them.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from jmuz_magic.errors import StreamError

__all__ = ["Event", "SSEDecoder"]

_KNOWN = frozenset((b"", b"id", b"retry"))
_MOST_STRAYS = 2**16
_BOM = b"\xef\xbb\xbf"
_CR = 0x0D  # as a number, `in` takes a tenth of the time


class Event(NamedTuple):
    """One event: its type, its data as the bytes received, and the last id seen up to it.

    `data` is UTF-8 if the sender kept to the standard; NULs and a BOM inside are kept.
    """

    event: str
    data: bytes
    id: str

    @property
    def text(self) -> str:
        """The data decoded; invalid UTF-8 becomes U+FFFD."""
        return self.data.decode("utf-8", "replace")


@lru_cache(maxsize=256)
def _named(name: bytes) -> str:
    """The type of an event with this name; a stream has few."""
    return name.decode("utf-8", "replace") or "message"


# Event(…) goes through a Python-level __new__ that costs nearly twice as much.
_new = tuple.__new__


class SSEDecoder:
    """Bytes in, events out; the same events wherever the network cuts the bytes.

    The `feed` that brings the end of an event's blank line returns the event. Comments and `retry` are dropped;
    lines without a known field are kept separately, because servers write errors there.

    Attributes:
        strays: those lines, up to 64 KiB, or for JSON up to the size of an event.

    Args:
        max_event_bytes: limit for the data of one event plus the line being read, so that an endless event or line
            ends in an error instead of filling memory.
    """

    def __init__(self, max_event_bytes: int = 16 * 2**20) -> None:
        self._max = max_event_bytes
        self.strays = bytearray()
        self._line = bytearray()  # the line whose end has not arrived
        self._data = bytearray()  # the data lines of the open event, each with its "\n"
        self._event = ""
        self._id = ""
        # Reading is plain except at the start of the stream, after a CR, and after an overflow.
        self._plain = False
        self._bom: bytes | None = b""  # the part of a byte order mark seen so far; None once decided
        self._after_cr = False
        self._overflown = False

    def feed(self, data: bytes) -> list[Event]:
        """The events that end in `data`.

        Raises:
            StreamError: an event is larger than the limit. If events came before it, they are returned and the
                next call raises. Nothing can be read after that.
        """
        if not self._plain or _CR in data:
            data = self._normalise(data)
        end = data.rfind(b"\n") + 1
        if not end:
            self._line += data
            return self._within_limit([])
        lines = data[:end]
        if self._line:
            lines = bytes(self._line) + lines
            self._line.clear()
        if lines[-2:] != b"\n\n":
            lines = self._without_open_name(lines)
        events = self._read_plain(lines)
        if events is None:
            events = self._read_lines(lines) if lines else []
        if end == len(data):
            return events
        self._line += data[end:]
        return self._within_limit(events)

    def flush(self) -> list[Event]:
        """The last event, if the stream ended before its blank line; the standard drops it.

        It may be cut anywhere, so its data may be incomplete.

        Raises:
            StreamError: see `feed`.
        """
        return self.feed(b"\n\n") if self._line or self._data or self._overflown else []

    def _normalise(self, data: bytes) -> bytes:
        """`data` without a byte order mark at the start of the stream, and with LF as the only line end."""
        if self._overflown:
            raise self._overflow()
        if self._bom is not None:
            data = self._bom + data
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._bom = data
                return b""
            data = data.removeprefix(_BOM)
            self._bom = None
        if data:
            # A CR ends its line at once, so the LF of a CRLF cut in two must not end another line.
            if self._after_cr:
                data = data.removeprefix(b"\n")
            self._after_cr = data.endswith(b"\r")
        self._plain = not self._after_cr
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _without_open_name(self, lines: bytes) -> bytes:
        """The lines without the name of an event whose data did not arrive with it: it waits for them, unread.

        So what comes with it, and what comes next, can be read as whole events.
        """
        start = lines.rfind(b"\n", 0, -1) + 1
        opens = lines[start : start + 7] == b"event: " and (not start or lines[start - 2 : start] == b"\n\n")
        if opens and not (self._data or self._event):
            self._line += lines[start:]
            return lines[:start]
        return lines

    def _read_plain(self, lines: bytes) -> list[Event] | None:
        """Whole events of one `data: …` line each, all or none named, which is nearly all that comes; else None."""
        if self._data or self._event or len(lines) > self._max or lines[-2:] != b"\n\n":
            return None
        if lines[:7] == b"event: ":
            return self._read_named(lines)
        if lines[:6] != b"data: ":
            return None
        if lines.find(b"\n") == len(lines) - 2:
            return [_new(Event, ("message", lines[6:-2], self._id))]
        payloads = lines[6:-2].split(b"\n\ndata: ")
        if lines.count(b"\n") != 2 * len(payloads):
            return None
        return [_new(Event, ("message", payload, self._id)) for payload in payloads]

    def _read_named(self, lines: bytes) -> list[Event] | None:
        """The same for events of two lines, `event: …` and `data: …`; most that come together have one name."""
        end = lines.find(b"\n")
        opening = lines[: end + 7]
        if opening[end:] != b"\ndata: ":
            return None
        if lines.find(b"\n", end + 7) == len(lines) - 2:
            return [_new(Event, (_named(lines[7:end]), lines[end + 7 : -2], self._id))]
        payloads = lines[end + 7 : -2].split(b"\n\n" + opening)
        if lines.count(b"\n") == 3 * len(payloads):
            name = _named(opening[7:end])
            return [_new(Event, (name, payload, self._id)) for payload in payloads]
        blocks = [block.partition(b"\ndata: ") for block in lines[7:-2].split(b"\n\nevent: ")]
        if lines.count(b"\n") != 3 * len(blocks) or not all(found for _, found, _ in blocks):
            return None
        return [_new(Event, (_named(name), payload, self._id)) for name, _, payload in blocks]

    def _read_lines(self, lines: bytes) -> list[Event]:
        events: list[Event] = []
        for line in lines[:-1].split(b"\n"):
            if len(line) + len(self._data) > self._max:
                self._overflown = True
                break
            if line:
                self._read_field(line)
                continue
            if self._data:
                events.append(Event(self._event or "message", bytes(self._data[:-1]), self._id))
                self._data.clear()
            self._event = ""
        return self._within_limit(events)

    def _read_field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data += value
            self._data += b"\n"
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        elif name not in _KNOWN:
            # A line of JSON may be a whole reply, or one of its chunks.
            room = (self._max if line[:1] == b"{" else _MOST_STRAYS) - len(self.strays)
            self.strays += (line + b"\n")[: max(0, room)]

    def _within_limit(self, events: list[Event]) -> list[Event]:
        """Return `events`; on an overflow raise instead if there are none to return first."""
        if not self._overflown and len(self._line) + len(self._data) <= self._max:
            return events
        self._overflown = True
        self._plain = False
        self._line.clear()
        self._data.clear()
        if not events:
            raise self._overflow()
        return events

    def _overflow(self) -> StreamError:
        return StreamError(
            f"expected events of at most {self._max} bytes, but the endpoint sent a larger one; "
            "the reply ends here: check that the address is a chat endpoint"
        )
