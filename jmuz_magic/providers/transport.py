"""The one file that opens connections, and that turns every error of doing so into a `JmuzError`.

aiohttp is imported on first use: that costs about 200 ms of CPU, and loading the extension must not pay it.
Every error is raised after the handler that saw aiohttp's has ended: so neither `__cause__` nor `__context__`
nor a local variable of the traceback keeps an object whose `repr` holds the Authorization header.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from jmuz_magic.errors import JmuzError, ProviderConnectionError, ProviderTimeoutError, ResponseError, StreamError
from jmuz_magic.messages import OnNotice, Retry, Secret
from jmuz_magic.providers.endpoint import is_loopback
from jmuz_magic.providers.failures import (
    LONGEST_MESSAGE,
    Failure,
    describe,
    one_line,
    redact,
    redirect_error,
    status_error,
)
from jmuz_magic.providers.policy import Policy, asked_delay
from jmuz_magic.providers.sessions import LoopSession, acquire

if TYPE_CHECKING:
    from aiohttp import ClientResponse

__all__ = ["Call", "Response", "find_proxy", "open_response"]

LARGEST_ERROR = 64 * 1024  # bytes of an error's body that are read
GLANCE = 0.5  # seconds between two looks at a connection that brings nothing
ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate", "br", "zstd"})


@dataclass(frozen=True)
class Call:
    """One request; its repr shows neither headers nor prompt.

    Attributes:
        headers: values that are `Secret` are opened where the request is made, and redacted in what comes back.
        key_source: where the key came from, for the message that it was rejected.
    """

    method: str
    url: str
    origin: str
    headers: Mapping[str, str | Secret] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    key_source: str = "none"

    def redact(self, text: str) -> str:
        """A server's text without what our headers hold in secret; before it is cut, or half a key would stay."""
        for value in self.headers.values():
            if isinstance(value, Secret):
                for secret in (value, Secret(value.reveal().rpartition(" ")[2])):  # "Bearer KEY", and KEY alone
                    text = redact(text, secret)
        return text

    def shown(self, text: str, longest: int = LONGEST_MESSAGE) -> str:
        """A server's text as an error may repeat it: no secret, one line, bounded."""
        return one_line(self.redact(text), longest)

    @property
    def address(self) -> str:
        """Host and port."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port or {'http': 80, 'https': 443}[parts.scheme]}"


async def open_response(call: Call, policy: Policy, on_notice: OnNotice | None = None) -> Response:
    """Send the request until a 2xx answer has brought its first bytes, or until trying again makes no sense.

    Args:
        call: what to send.
        policy: timers, limits and retries.
        on_notice: is told of each wait between attempts.

    Raises:
        JmuzError: with the number of attempts made.
    """
    for attempt in itertools.count(1):
        outcome = await _attempt(call, policy)
        if isinstance(outcome, Response):
            return outcome
        outcome.error.attempts = attempt
        delay = policy.delay(attempt, outcome.delay) if outcome.retry else None
        if delay is None:
            raise outcome.error
        if on_notice:
            on_notice(Retry(str(outcome.error), delay, attempt + 1))
        await policy.sleep(delay)
    raise AssertionError("unreachable")


async def _attempt(call: Call, policy: Policy) -> Response | Failure:
    proxy = find_proxy(call.url)
    if proxy and proxy.startswith("socks"):
        host = urlsplit(proxy).hostname
        return Failure(
            ProviderConnectionError(f"the SOCKS proxy {host} is not supported; use an HTTP proxy, or NO_PROXY")
        )
    session = await acquire()
    deadline = asyncio.get_running_loop().time() + policy.first_data
    timer = asyncio.timeout_at(deadline)
    try:
        async with timer:
            raw = await _send(session, call, policy, proxy)
            if not 200 <= raw.status < 300:
                return await _refusal(raw, call, policy)
    except Exception as error:  # noqa: BLE001 - whatever aiohttp raises becomes one of our errors, here
        if timer.expired():
            return Failure(_first_data_error(call, policy))
        return _connection_failure(error, call, policy, proxy)
    response = Response(raw, session, call, policy, deadline)
    return await response.prefetch() or response


async def _send(session: LoopSession, call: Call, policy: Policy, proxy: str | None) -> ClientResponse:
    from aiohttp import ClientTimeout

    secure = call.url.startswith("https:") or (proxy or "").startswith("https:")
    return await session.client.request(
        call.method,
        call.url,
        data=call.body,
        headers={name: value.reveal() if isinstance(value, Secret) else value for name, value in call.headers.items()},
        timeout=ClientTimeout(total=None, connect=policy.connect),
        allow_redirects=False,  # 307 and 308 would send the prompt elsewhere, and headers such as X-Api-Key with it
        proxy=proxy,
        ssl=session.ssl_context() if secure else True,
    )


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
            asked=asked_delay(raw.headers, policy.wall()),
            said=call.shown(describe(body)),
        )
    finally:
        raw.close()


class Response:
    """The body of a 2xx answer, read as it comes, by timers of our own.

    Use it in `with`: leaving the block closes the connection, unless `release()` has found another use for it.

    Attributes:
        content_type: such as `text/event-stream`, without parameters; "" where the server said none.
    """

    def __init__(self, raw: ClientResponse, session: LoopSession, call: Call, policy: Policy, deadline: float) -> None:
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
        self._deadline = deadline
        self._patience = policy.idle
        self._first: bytes | None = None
        self._began = self._waiting = self._expired = False
        self._received = 0
        self._watchdog = self._loop.call_later(GLANCE, self._watch)
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
            dropped = True
        except JmuzError as error:
            self.close()
            return Failure(error)
        except BaseException:
            self.close()
            raise
        else:
            return None
        self.close()
        return Failure(_dropped_error(self._call), retry=dropped)

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
        """A data event came: the idle timer starts anew, once the reader waits again."""
        self._began = True
        self._deadline = self._loop.time() + self._patience

    def expect_end(self) -> None:
        """A finish reason came: little more is to be waited for."""
        self._patience = self._policy.after_finish

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
        failure: JmuzError | None = None
        self._waiting = True
        try:
            received = await self._content.readany()
        except Exception as error:  # noqa: BLE001 - whatever aiohttp raises becomes one of our errors, here
            failure = self._timeout_error() if self._expired else _body_error(error, self._call, self._received > 0)
        self._waiting = False
        if failure is not None:
            raise failure
        if not received and self._was_reset():
            raise _broken_error(self._call)
        self._received += len(received)
        if self._received > self._policy.largest_body:
            raise StreamError(
                f"{self._call.origin} sent more than {_size(self._policy.largest_body)} for one reply; stopped reading",
                origin=self._call.origin,
                attempts=1,
            )
        return received

    def _was_reset(self) -> bool:
        # To aiohttp the end of a body without a length is proper, also when the connection was reset.
        return not self._framed and self._protocol is not None and isinstance(self._protocol.exception(), OSError)

    def _watch(self) -> None:
        # One timer that looks at the deadline costs less than setting a timer for each event.
        now = self._loop.time()
        if not self._waiting:  # the reader is slow, not the server; it sets a new deadline when it waits again
            self._deadline = max(self._deadline, now + self._patience)
        # aiohttp closes the connection at a malformed chunk in mid-body, but does not wake who reads the body.
        lost = self._protocol is not None and self._protocol.transport is None and not self._content.is_eof()
        if now < self._deadline and not lost:
            self._watchdog = self._loop.call_at(min(self._deadline, now + GLANCE), self._watch)
            return
        self._expired = not lost
        if self._raw is not None:
            self._raw.close()  # wakes the reader

    def _timeout_error(self) -> JmuzError:
        if not self._began:
            return _first_data_error(self._call, self._policy)
        return ProviderTimeoutError(
            f"{self._call.origin} went silent: no data for {self._patience:g} s, the reply is incomplete (idle)",
            origin=self._call.origin,
            attempts=1,
        )


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


def find_proxy(url: str) -> str | None:
    """The proxy that the environment (on macOS also the system) names for `url`; None for loopback and NO_PROXY."""
    parts = urlsplit(url)
    if is_loopback(parts.hostname or ""):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _connection_failure(error: Exception, call: Call, policy: Policy, proxy: str | None) -> Failure:
    """The failure for what aiohttp raised before an answer came."""
    import aiohttp

    via = f" through the proxy {urlsplit(proxy).hostname}:{urlsplit(proxy).port}" if proxy else ""
    origin = call.origin
    if isinstance(error, TimeoutError):
        text = f"no connection to {call.address}{via} within {policy.connect:g} s (connect timeout){_http_hint(call)}"
        return Failure(ProviderTimeoutError(text, origin=origin))
    if isinstance(error, (ssl.SSLError, ssl.CertificateError)):
        return Failure(ProviderConnectionError(_tls_text(error, call) + via, origin=origin))
    if isinstance(error, aiohttp.ClientHttpProxyError):
        text = f"cannot reach {call.address}{via}: the proxy answered {error.status}"
        return Failure(ProviderConnectionError(text, origin=origin), retry=error.status >= 500)
    if isinstance(error, aiohttp.ClientConnectorError):
        return Failure(ProviderConnectionError(_connect_text(error, call, via, bool(proxy)), origin=origin), retry=True)
    if isinstance(error, (aiohttp.ServerDisconnectedError, OSError)) or "Connection closed" in str(error):
        return Failure(_dropped_error(call, via), retry=True)
    if isinstance(error, aiohttp.InvalidURL):
        return Failure(ProviderConnectionError(f"{origin} is no address that can be asked", origin=origin))
    return Failure(_not_http_error(error, call))


def _connect_text(error: Exception, call: Call, via: str, through_proxy: bool) -> str:
    cause = getattr(error, "os_error", error)
    refused = isinstance(cause, ConnectionRefusedError) or "Connect call failed" in str(cause)
    if through_proxy:
        return f"cannot connect to {call.address}{via}: {'connection refused' if refused else _os_text(cause)}"
    if isinstance(cause, socket.gaierror):
        return f"cannot resolve host {urlsplit(call.url).hostname}; is the name right, is there a network?"
    if refused:
        return f"connection refused by {call.address}; is the server running?"
    return f"cannot connect to {call.address}: {_os_text(cause)}"


def _os_text(error: BaseException) -> str:
    return one_line(getattr(error, "strerror", None) or type(error).__name__, 120)


def _tls_text(error: Exception, call: Call) -> str:
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"the TLS certificate of {call.address} was not accepted: {one_line(cause.verify_message, 200)}; if it "
            "comes from your own authority, name the authority's certificate file in SSL_CERT_FILE"
        )
    reason = one_line(getattr(cause, "reason", None) or type(cause).__name__, 120)
    return f"TLS with {call.address} failed ({reason}){_http_hint(call)}"


def _dropped_error(call: Call, via: str = "") -> ProviderConnectionError:
    return ProviderConnectionError(
        f"{call.address} dropped the connection{via} before any answer{_http_hint(call)}",
        origin=call.origin,
        attempts=1,
    )


def _http_hint(call: Call) -> str:
    return "; does the address there start with http://?" if call.url.startswith("https:") else ""


def _first_data_error(call: Call, policy: Policy) -> ProviderTimeoutError:
    return ProviderTimeoutError(
        f"{call.origin} sent no data within {policy.first_data:g} s; to wait longer: --timeout SECONDS",
        origin=call.origin,
        attempts=1,
    )


def _not_http_error(error: Exception, call: Call) -> ResponseError:
    # What aiohttp quotes behind the colon are headers.
    text = getattr(error, "message", None)
    detail = text.partition(":")[0] if isinstance(text, str) and text else type(error).__name__
    return ResponseError(
        f"{call.origin} answered with what is not proper HTTP ({one_line(call.shown(detail), 100)})",
        origin=call.origin,
        attempts=1,
    )


def _body_error(error: Exception, call: Call, began: bool) -> JmuzError:
    """The error for what aiohttp raised while a body was read."""
    import aiohttp
    from aiohttp.http_exceptions import ContentEncodingError

    garbled = isinstance(error.__cause__, ContentEncodingError) or not isinstance(
        error, (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError)
    )
    if garbled and not began:
        return _not_http_error(error.__cause__ if isinstance(error.__cause__, Exception) else error, call)
    return _broken_error(call)


def _broken_error(call: Call) -> StreamError:
    text = f"the connection to {call.origin} broke off before the reply was complete"
    return StreamError(text, origin=call.origin, attempts=1)


def _size(limit: int) -> str:
    return f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit} bytes"
