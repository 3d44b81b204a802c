"""Turns exceptions of aiohttp, ssl and the system into our errors.

Only names, hosts and reasons are taken over: the `repr` of aiohttp's errors contains the Authorization header.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from jmuz_magic.errors import JmuzError, ProviderConnectionError, ProviderTimeoutError, ResponseError, StreamError
from jmuz_magic.providers.http.call import Call
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.providers.http.proxies import Proxy
from jmuz_magic.text import clean_line

__all__ = [
    "Failure",
    "body_error",
    "broken_error",
    "connection_failure",
    "dropped_error",
    "first_data_error",
    "keep_alive_error",
    "proxy_denied_error",
    "silence_error",
    "size_text",
    "socks_error",
]


@dataclass(frozen=True, eq=False, repr=False)
class Failure:
    """An attempt that failed.

    Attributes:
        error: why.
        retry: whether to try again.
        delay: seconds that the service asks to wait; None if it does not say.
        loading: whether the service is still loading its model and will answer later.
    """

    error: JmuzError
    retry: bool = False
    delay: float | None = None
    loading: bool = False


def connection_failure(error: Exception, call: Call, policy: Policy, proxy: Proxy | None) -> Failure:
    """The failure for an exception that aiohttp raised before the answer began."""
    import aiohttp

    via = f" through the proxy {proxy.place}" if proxy else ""
    origin = call.origin
    if isinstance(error, TimeoutError):
        text = f"no connection to {call.address}{via} within {policy.connect:g} s (connect timeout){_http_hint(call)}"
        return Failure(ProviderTimeoutError(text, origin=origin))
    if isinstance(error, (ssl.SSLError, ssl.CertificateError)):
        return Failure(ProviderConnectionError(_tls_text(error, call) + via, origin=origin))
    if isinstance(error, aiohttp.ClientHttpProxyError):
        if error.status == 407 and proxy:
            return Failure(proxy_denied_error(proxy, call, error.headers))
        text = f"cannot reach {call.address}{via}: the proxy answered {error.status}"
        return Failure(ProviderConnectionError(text, origin=origin), retry=error.status >= 500)
    if isinstance(error, aiohttp.ClientConnectorError):
        return Failure(ProviderConnectionError(_connect_text(error, call, via, bool(proxy)), origin=origin), retry=True)
    if isinstance(error, (aiohttp.ServerDisconnectedError, OSError)) or "Connection closed" in str(error):
        return Failure(dropped_error(call, via), retry=True)
    if isinstance(error, aiohttp.InvalidURL):
        return Failure(ProviderConnectionError(f"{origin} is not a valid address", origin=origin))
    return Failure(_not_http_error(error, call))


def _connect_text(error: Exception, call: Call, via: str, through_proxy: bool) -> str:
    cause = getattr(error, "os_error", error)
    refused = isinstance(cause, ConnectionRefusedError) or "Connect call failed" in str(cause)
    if through_proxy:
        return f"cannot connect to {call.address}{via}: {'connection refused' if refused else _os_text(cause)}"
    if isinstance(cause, socket.gaierror):
        return f"cannot resolve host {urlsplit(call.url).hostname}; check the name and your network"
    if refused:
        return f"connection refused by {call.address}; is the server running?"
    return f"cannot connect to {call.address}: {_os_text(cause)}"


def _os_text(error: BaseException) -> str:
    return clean_line(getattr(error, "strerror", None) or type(error).__name__, 120)


def _tls_text(error: Exception, call: Call) -> str:
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"the TLS certificate of {call.address} was not accepted: {clean_line(cause.verify_message, 200)}; if it "
            "comes from your own authority, name the authority's certificate file in SSL_CERT_FILE"
        )
    reason = clean_line(getattr(cause, "reason", None) or type(cause).__name__, 120)
    return f"TLS with {call.address} failed ({reason}){_http_hint(call)}"


def socks_error(proxy: Proxy) -> ProviderConnectionError:
    """The error for a proxy that aiohttp cannot use."""
    return ProviderConnectionError(
        f"the SOCKS proxy {proxy.place} is not supported; use an HTTP proxy, or NO_PROXY to go without"
    )


def proxy_denied_error(proxy: Proxy, call: Call, headers: Mapping[str, str] | None) -> ProviderConnectionError:
    """The error for a proxy that answered 407 with these headers, in which a name may occur several times."""
    offered = [value for name, value in (headers or {}).items() if name.lower() == "proxy-authenticate"]
    schemes = [scheme for header in offered if (scheme := clean_line(header.strip().partition(" ")[0], 20))]
    if schemes and "basic" not in map(str.lower, schemes):
        advice = f"asks for {' or '.join(dict.fromkeys(schemes))}, which is not supported; only Basic is"
    elif proxy.authorization:
        advice = f"rejected its user name or password; correct them in {proxy.variable}"
    else:
        advice = f"asks for a user name and password; set {proxy.variable} to http://USER:PASSWORD@{proxy.place}"
    return ProviderConnectionError(f"the proxy {proxy.place} answered 407: it {advice}", origin=call.origin)


def dropped_error(call: Call, via: str = "") -> ProviderConnectionError:
    """The error for a connection that ended before the answer began."""
    return ProviderConnectionError(
        f"{call.address} dropped the connection{via} before answering{_http_hint(call)}",
        origin=call.origin,
        attempts=1,
    )


def _http_hint(call: Call) -> str:
    return "; should the address start with http://?" if call.url.startswith("https:") else ""


def first_data_error(call: Call, policy: Policy) -> ProviderTimeoutError:
    """The error for a server that took too long to answer."""
    return ProviderTimeoutError(
        f"{call.origin} sent no data within {policy.first_data:g} s; to wait longer, use --timeout SECONDS",
        origin=call.origin,
        attempts=1,
    )


def silence_error(call: Call, seconds: float, began: bool) -> ProviderTimeoutError:
    """The error for a connection that brought no more bytes."""
    return _end_error(call, f"went silent: nothing for {_time_text(seconds)}", f"{_incomplete(began)} (idle)")


def keep_alive_error(call: Call, seconds: float, began: bool) -> ProviderTimeoutError:
    """The error for a connection that was kept alive but brought no more data."""
    return _end_error(call, f"sent no data for {_time_text(seconds)}, only keep-alives", _incomplete(began))


def _end_error(call: Call, what: str, state: str) -> ProviderTimeoutError:
    text = f"{call.origin} {what}; {state}; to wait longer, use --timeout SECONDS"
    return ProviderTimeoutError(text, origin=call.origin, attempts=1)


def _incomplete(began: bool) -> str:
    return "the reply is incomplete" if began else "no reply came"


def _time_text(seconds: float) -> str:
    whole = seconds > 120 and not seconds % 60
    return f"{seconds // 60:g} min" if whole else f"{seconds:g} s"


def _not_http_error(error: Exception, call: Call) -> ResponseError:
    # After the colon aiohttp quotes headers.
    text = getattr(error, "message", None)
    detail = text.partition(":")[0] if isinstance(text, str) and text else type(error).__name__
    return ResponseError(
        f"{call.origin} sent a malformed HTTP response ({clean_line(call.shown(detail), 100)})",
        origin=call.origin,
        attempts=1,
    )


def body_error(error: Exception, call: Call, began: bool) -> JmuzError:
    """The error for an exception that aiohttp raised while a body was read."""
    import aiohttp
    from aiohttp.http_exceptions import ContentEncodingError

    garbled = isinstance(error.__cause__, ContentEncodingError) or not isinstance(
        error, (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError)
    )
    if garbled and not began:
        return _not_http_error(error.__cause__ if isinstance(error.__cause__, Exception) else error, call)
    return broken_error(call)


def broken_error(call: Call) -> StreamError:
    """The error for a connection that ended in mid-body."""
    text = f"the connection to {call.origin} broke off before the reply was complete"
    return StreamError(text, origin=call.origin, attempts=1)


def size_text(limit: int) -> str:
    """A limit in readable form."""
    return f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit} bytes"
