"""The body of an answer, read as it arrives, with our own timers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from jmuz_magic.errors import JmuzError, ResponseError, StreamError
from jmuz_magic.providers.http.call import Call
from jmuz_magic.providers.http.connection_errors import (
    Failure,
    body_error,
    broken_error,
    dropped_error,
    first_data_error,
    keep_alive_error,
    silence_error,
    size_text,
)
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.providers.http.sessions import LoopSession

if TYPE_CHECKING:
    from aiohttp import ClientResponse

__all__ = ["BLANKS", "Response"]

BLANKS = b" \t\r\n\xef\xbb\xbf"

GLANCE = 0.5  # seconds between two looks at a connection that brings nothing
ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate", "br", "zstd"})


class Response:
    """The body of a 2xx answer, read as it arrives, with our own timers.

    Use it in `with`: leaving the block closes the connection, unless `release()` has kept it for reuse.

    Attributes:
        content_type: such as `text/event-stream`, without parameters; "" if the server sent none.
    """

    def __init__(self, raw: ClientResponse, session: LoopSession, call: Call, policy: Policy, started: float) -> None:
        self.content_type = raw.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        self._raw: ClientResponse | None = raw
        self._content = raw.content
        self._protocol = raw.connection.protocol if raw.connection else None
        self._encoding = raw.headers.get("Content-Encoding", "").strip().lower()
        self._framed = raw.headers.get("Transfer-Encoding") is not None or "Content-Length" in raw.headers
        self._session = session
        self._call = call
        self._policy = policy
        self._loop = asyncio.get_running_loop()
        self._patience = policy.next_data
        self._silent_at = started + policy.first_data  # a connection that brings no bytes is given up then
        self._data_due = started + policy.next_data  # … and one that brings bytes but no data
        self._first: bytes | None = None
        self._failure: JmuzError | None = None
        self._began = self._waiting = self._expired = False
        self._received = self._glanced = self._at_data = 0  # bytes in all, at the last glance, at the last data
        self._watchdog = self._loop.call_at(min(self._deadline, self._loop.time() + GLANCE), self._watch)
        session.open.add(raw)

    def __enter__(self) -> Response:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def prefetch(self) -> Failure | None:
        """Read the first bytes; a connection that drops before them may be retried."""
        if self._encoding not in ENCODINGS:
            self.close()
            text = f"{self._call.origin} sent a body in an unknown encoding ({self._call.shown(self._encoding, 40)!a})"
            return Failure(ResponseError(text, origin=self._call.origin))
        try:
            self._first = await self._read_some()
        except StreamError:
            return Failure(dropped_error(self._call), retry=True)
        except JmuzError as error:
            return Failure(error)
        finally:
            if self._first is None:
                self.close()
        return None

    async def read(self) -> bytes:
        """The next bytes, at least one; b"" at the end of the body.

        Raises:
            ProviderTimeoutError: nothing came in time.
            StreamError: the connection broke off, or the body is larger than the policy allows.
            ResponseError: the answer is malformed HTTP.
        """
        if self._first is not None:
            received, self._first = self._first, None
            return received
        return await self._read_some()

    async def read_all(self, head: bytes = b"") -> bytes:
        """The whole of a body that is not a stream, `head` included; then the connection is released.

        Raises:
            ResponseError: it is larger than the policy allows.
            JmuzError: as `read`.
        """
        received, size = [head], len(head)
        self.touch()
        while some := await self.read():
            if some.strip(BLANKS):  # some services keep the connection alive with blanks
                self.touch()
            received.append(some)
            size += len(some)
            if size > self._policy.largest_event:
                limit = size_text(self._policy.largest_event)
                text = f"{self._call.origin} sent a body of more than {limit}; stopped reading"
                raise ResponseError(text, origin=self._call.origin, attempts=1)
        self.release()
        return b"".join(received)

    def touch(self) -> None:
        """Note that data came, not just bytes: the timer for the next starts when the reader waits again."""
        self._began = True
        self._at_data = self._received
        self._data_due = self._loop.time() + self._patience

    def expect_end(self, ending: bool) -> None:
        """Shorten the patience because a finish reason came, or restore it because more came after all."""
        self._patience = self._policy.after_finish if ending else self._policy.next_data

    def close(self) -> None:
        """Close the connection if this response still has one."""
        self._watchdog.cancel()
        if self._raw is not None:
            self._session.open.discard(self._raw)
            self._raw.close()
            self._raw = None

    def release(self) -> None:
        """The whole reply was read: keep the connection for the next request if its body ends soon."""
        raw, self._raw = self._raw, None
        self._watchdog.cancel()
        if raw is not None:
            self._session.open.discard(raw)
            if not raw.closed:
                self._session.spawn(_drain(raw, self._policy))

    async def _read_some(self) -> bytes:
        if self._failure is not None:
            raise self._failure
        failure: JmuzError | None = None
        received = b""
        self._waiting = True
        try:
            received = await self._content.readany()
        except Exception as error:  # noqa: BLE001 - whatever aiohttp raises becomes one of our errors
            failure = self._timeout_error() if self._expired else body_error(error, self._call, self._received > 0)
        self._waiting = False
        if failure is None and not received and self._was_reset():
            failure = broken_error(self._call)
        if failure is not None:
            self._failure = failure
            received = self._salvage()
            if not received:
                raise failure
        self._received += len(received)
        if self._received > self._policy.largest_body:
            limit = size_text(self._policy.largest_body)
            text = f"{self._call.origin} sent more than {limit} for one reply; stopped reading"
            raise StreamError(text, origin=self._call.origin, attempts=1)
        return received

    def _salvage(self) -> bytes:
        # aiohttp raises before it hands out what arrived while the reader was busy, which belongs to the reply.
        return bytes(self._content._read_nowait(-1))  # noqa: SLF001 - there is no public way

    def _was_reset(self) -> bool:
        # To aiohttp a body without a length ends properly even if the connection was reset.
        return not self._framed and self._protocol is not None and isinstance(self._protocol.exception(), OSError)

    def _watch(self) -> None:
        # One timer that checks the deadlines costs less than setting a timer for each event or reading the clock for
        # each read: silence is measured from the glance after the last byte.
        now = self._loop.time()
        if not self._waiting:  # the reader is slow, not the server: the deadline moves
            self._data_due = max(self._data_due, now + self._patience)
        if not self._waiting or self._received != self._glanced:
            self._glanced = self._received
            self._silent_at = now + self._policy.idle
        # At a malformed chunk in mid-body aiohttp closes the connection but does not wake the reader.
        closed = self._protocol is not None and self._protocol.transport is None
        lost = self._waiting and closed and not self._content.is_eof()
        if now < self._deadline and not lost:
            self._watchdog = self._loop.call_at(min(self._deadline, now + GLANCE), self._watch)
            return
        self._expired = not lost
        if self._raw is not None:
            self._raw.close()  # wakes the reader

    @property
    def _deadline(self) -> float:
        return min(self._silent_at, self._data_due)

    def _timeout_error(self) -> JmuzError:
        policy = self._policy
        if not self._received:
            return first_data_error(self._call, policy)
        if self._received > self._at_data:
            return keep_alive_error(self._call, policy.next_data, self._began)
        return silence_error(self._call, min(policy.idle, policy.next_data), self._began)


async def _drain(raw: ClientResponse, policy: Policy) -> None:
    size = 0
    try:
        async with asyncio.timeout(policy.drain):
            while size <= policy.largest_drain and (data := await raw.content.readany()):
                size += len(data)
    except Exception:  # noqa: BLE001, S110 - the reply is complete; what goes wrong after it does not matter
        pass
    finally:
        raw.close()  # does nothing if the body ended: its connection is already back in the pool
