"""The one file that opens connections, and that turns every error of doing so into a `JmuzError`.

aiohttp is imported on first use: that costs about 200 ms of CPU, and loading the extension must not pay it.
Every error is raised after the handler that saw aiohttp's has ended: so neither `__cause__` nor `__context__`
nor a local variable of the traceback keeps an object whose `repr` holds the Authorization header.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jmuz_magic.errors import JmuzError, ProviderConnectionError, ResponseError, StreamError
from jmuz_magic.messages import OnNotice, Retry, Secret
from jmuz_magic.providers.http.call import Call
from jmuz_magic.providers.http.connection_errors import (
    body_error,
    broken_error,
    connection_failure,
    dropped_error,
    first_data_error,
    keep_alive_error,
    silence_error,
    size_text,
)
from jmuz_magic.providers.http.failures import Failure, describe, redirect_error, status_error
from jmuz_magic.providers.http.policy import Policy, Waits, asked_delay
from jmuz_magic.providers.http.proxies import find_proxy
from jmuz_magic.providers.http.refusals import refused_by
from jmuz_magic.providers.http.sessions import LoopSession, acquire

if TYPE_CHECKING:
    from aiohttp import ClientResponse

__all__ = ["Response", "open_response"]

LARGEST_ERROR = 64 * 1024  # bytes of an error's body that are read
GLANCE = 0.5  # seconds between two looks at a connection that brings nothing
ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate", "br", "zstd"})


async def open_response(call: Call, policy: Policy, on_notice: OnNotice | None = None) -> Response:
    """Send the request until a 2xx answer has brought its first bytes, or until trying again makes no sense.

    Args:
        call: what to send.
        policy: timers, limits and retries.
        on_notice: is told of each wait between attempts.

    Raises:
        JmuzError: with the number of attempts made.
    """
    waits = Waits(policy)
    for attempt in itertools.count(1):
        outcome = await _attempt(call, policy)
        if isinstance(outcome, Response):
            return outcome
        outcome.error.attempts = attempt
        delay = waits.for_model(outcome.delay) if outcome.loading else waits.after(outcome.retry, outcome.delay)
        if delay is None:
            raise _not_loaded(outcome.error, policy) if outcome.loading else outcome.error
        if on_notice:
            on_notice(Retry(str(outcome.error), delay, attempt + 1))
        await policy.sleep(delay)
    raise AssertionError("unreachable")


def _not_loaded(error: JmuzError, policy: Policy) -> JmuzError:
    error.args = (f"{error} (still loading after {policy.first_data:g} s; to wait longer: --timeout SECONDS)",)
    return error


async def _attempt(call: Call, policy: Policy) -> Response | Failure:
    proxy = find_proxy(call.url)
    if proxy and proxy.startswith("socks"):
        host = urlsplit(proxy).hostname
        return Failure(
            ProviderConnectionError(f"the SOCKS proxy {host} is not supported; use an HTTP proxy, or NO_PROXY")
        )
    session = await acquire()
    started = asyncio.get_running_loop().time()
    timer = asyncio.timeout_at(started + policy.first_data)
    try:
        async with timer:
            raw = await _send(session, call, policy, proxy)
            if not 200 <= raw.status < 300:
                return await _refusal(raw, call, policy)
    except Exception as error:  # noqa: BLE001 - whatever aiohttp raises becomes one of our errors, here
        if timer.expired():
            return Failure(first_data_error(call, policy))
        return connection_failure(error, call, policy, proxy)
    response = Response(raw, session, call, policy, started)
    return await response.prefetch() or response


async def _send(session: LoopSession, call: Call, policy: Policy, proxy: str | None) -> ClientResponse:
    from aiohttp import ClientTimeout

    secure = call.url.startswith("https:") or (proxy or "").startswith("https:")
    return await session.client.request(
        call.method,
        call.url,
        data=_payload(call.body),
        headers={name: value.reveal() if isinstance(value, Secret) else value for name, value in call.headers.items()},
        timeout=ClientTimeout(total=None, connect=policy.connect),
        allow_redirects=False,  # 307 and 308 would send the prompt elsewhere, and headers such as X-Api-Key with it
        proxy=proxy,
        ssl=session.ssl_context() if secure else True,
    )


def _payload(body: bytes | None) -> bytes | BytesIO | None:
    """The body as aiohttp wants it: it warns of more than a megabyte of raw bytes, which it would write in one go."""
    return BytesIO(body) if body and len(body) > 2**20 else body


async def _refusal(raw: ClientResponse, call: Call, policy: Policy) -> Failure:
    """The failure for a status other than 2xx."""
    try:
        if 300 <= raw.status < 400:
            target = call.redact(raw.headers.get("Location", ""))
            return redirect_error(raw.status, target, origin=call.origin, url=call.url)
        body = b""
        with contextlib.suppress(Exception):  # a broken body must not hide the status
            while len(body) < LARGEST_ERROR and (piece := await raw.content.readany()):
                body += piece
        return status_error(
            raw.status,
            call.shown(raw.reason or "", 80),
            body,
            origin=call.origin,
            key_source=call.key_source,
            key_advice=call.key_advice(),
            asked=asked_delay(raw.headers, policy.wall()),
            said=call.shown(describe(body)),
            refused=refused_by(raw.status, body, call.body),
        )
    finally:
        raw.close()


class Response:
    """The body of a 2xx answer, read as it comes, by timers of our own.

    Use it in `with`: leaving the block closes the connection, unless `release()` has found another use for it.

    Attributes:
        content_type: such as `text/event-stream`, without parameters; "" where the server said none.
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
        self._silent_at = started + policy.first_data  # then a connection that brings no byte is given up
        self._data_due = started + policy.next_data  # … and one that brings bytes, but no data
        self._first: bytes | None = None
        self._failure: JmuzError | None = None
        self._began = self._waiting = self._expired = False
        self._received = self._glanced = self._at_data = 0  # bytes: in all, at the last glance, with the last data
        self._watchdog = self._loop.call_at(min(self._deadline, self._loop.time() + GLANCE), self._watch)
        session.open.add(raw)

    def __enter__(self) -> Response:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def prefetch(self) -> Failure | None:
        """Read the first bytes; a connection that drops before them may be tried again."""
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
            ResponseError: what came is not HTTP.
        """
        if self._first is not None:
            received, self._first = self._first, None
            return received
        return await self._read_some()

    def touch(self) -> None:
        """Data came, not just bytes: the time for the next begins, once the reader waits again."""
        self._began = True
        self._at_data = self._received
        self._data_due = self._loop.time() + self._patience

    def expect_end(self, ending: bool) -> None:
        """Little more is to be waited for, since a finish reason came; or more is, after all."""
        self._patience = self._policy.after_finish if ending else self._policy.next_data

    def close(self) -> None:
        """Close the connection, if this response still has one."""
        self._watchdog.cancel()
        if self._raw is not None:
            self._session.open.discard(self._raw)
            self._raw.close()
            self._raw = None

    def release(self) -> None:
        """All of the reply was read: keep the connection for the next request, if its body ends soon."""
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
        except Exception as error:  # noqa: BLE001 - whatever aiohttp raises becomes one of our errors, here
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
        # aiohttp raises before it hands out what came while the reader was busy; that is part of the reply.
        return bytes(self._content._read_nowait(-1))  # noqa: SLF001 - it has no public way

    def _was_reset(self) -> bool:
        # To aiohttp the end of a body without a length is proper, also when the connection was reset.
        return not self._framed and self._protocol is not None and isinstance(self._protocol.exception(), OSError)

    def _watch(self) -> None:
        # One timer that looks at the deadlines costs less than setting a timer for each event, or reading the clock
        # for each piece that comes: silence is measured from the glance that follows the last byte.
        now = self._loop.time()
        if not self._waiting:  # the reader is slow, not the server; it sets a new deadline when it waits again
            self._data_due = max(self._data_due, now + self._patience)
        if not self._waiting or self._received != self._glanced:
            self._glanced = self._received
            self._silent_at = now + self._policy.idle
        # aiohttp closes the connection at a malformed chunk in mid-body, but does not wake who reads the body.
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
            while size <= policy.largest_drain and (piece := await raw.content.readany()):
                size += len(piece)
    except Exception:  # noqa: BLE001, S110 - the reply is complete; what goes wrong behind it concerns nobody
        pass
    finally:
        raw.close()  # does nothing to a body that ended: its connection is back in the pool already
