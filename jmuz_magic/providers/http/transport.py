"""The one file that opens connections; every error in doing so becomes a `JmuzError`.

aiohttp is imported on first use: the import costs about 200 ms of CPU, which loading the extension must not pay.
Every error is raised after the handler of aiohttp's exception has ended, so neither `__cause__` nor `__context__`
nor a local variable of the traceback keeps an object whose `repr` contains the Authorization header.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import OnNotice, Retry
from jmuz_magic.providers.allowed import check_url
from jmuz_magic.providers.http.call import Call
from jmuz_magic.providers.http.connection_errors import (
    Failure,
    connection_failure,
    first_data_error,
    proxy_denied_error,
    socks_error,
)
from jmuz_magic.providers.http.policy import Policy, Waits, asked_delay
from jmuz_magic.providers.http.proxies import Proxy, find_proxy
from jmuz_magic.providers.http.response import Response
from jmuz_magic.providers.http.sessions import LoopSession, acquire
from jmuz_magic.secret import Secret

if TYPE_CHECKING:
    from ssl import SSLContext

    from aiohttp import ClientResponse

__all__ = ["open_response"]

LARGEST_ERROR = 64 * 1024  # bytes read of an error's body


async def open_response(call: Call, policy: Policy, on_notice: OnNotice | None = None) -> Response:
    """Send the request until a 2xx answer has brought its first bytes or trying again makes no sense.

    Args:
        call: what to send.
        policy: timers, limits and retries.
        on_notice: is told of each wait between attempts.

    Raises:
        JmuzError: no attempt succeeded; it holds their number. Or nothing at this address may be asked.
    """
    check_url(call.url)
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
    error.args = (f"{error} (still loading after {policy.first_data:g} s; to wait longer, use --timeout SECONDS)",)
    return error


async def _attempt(call: Call, policy: Policy) -> Response | Failure:
    proxy = find_proxy(call.url)
    if proxy and proxy.address.startswith("socks"):
        return Failure(socks_error(proxy))
    session = await acquire()
    secure = call.url.startswith("https:") or (proxy is not None and proxy.address.startswith("https:"))
    context = session.ssl_context() if secure else True
    started = asyncio.get_running_loop().time()
    timer = asyncio.timeout_at(started + policy.first_data)
    try:
        async with timer:
            raw = await _send(session, call, policy, proxy, context)
            if raw.status == 407 and proxy:
                raw.close()
                return Failure(proxy_denied_error(proxy, call, raw.headers))
            if not 200 <= raw.status < 300:
                return await _refusal(raw, call, policy)
    except Exception as error:  # noqa: BLE001 - whatever aiohttp raises becomes one of our errors, here
        if timer.expired():
            return Failure(first_data_error(call, policy))
        return connection_failure(error, call, policy, proxy)
    response = Response(raw, session, call, policy, started)
    return await response.prefetch() or response


async def _send(
    session: LoopSession, call: Call, policy: Policy, proxy: Proxy | None, context: SSLContext | bool
) -> ClientResponse:
    from aiohttp import ClientTimeout

    for_proxy = {"Proxy-Authorization": proxy.authorization} if proxy and proxy.authorization else {}
    tunnel = call.url.startswith("https:")  # through which no header for the proxy must go
    return await session.client.request(
        call.method,
        call.url,
        data=_payload(call.body),
        headers=_revealed(call.headers if tunnel else {**call.headers, **for_proxy}),
        timeout=ClientTimeout(total=None, connect=policy.connect),
        allow_redirects=False,  # 307 and 308 would resend the prompt, and headers such as X-Api-Key, elsewhere
        proxy=proxy.address if proxy else None,
        proxy_headers=_revealed(for_proxy) if tunnel and for_proxy else None,
        ssl=context,
    )


def _revealed(headers: Mapping[str, str | Secret]) -> dict[str, str]:
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in headers.items()}


def _payload(body: bytes | None) -> bytes | BytesIO | None:
    """The body as aiohttp wants it: it warns about raw bytes of more than a megabyte, which it writes in one go."""
    return BytesIO(body) if body and len(body) > 2**20 else body


async def _refusal(raw: ClientResponse, call: Call, policy: Policy) -> Failure:
    """The failure for a status other than 2xx."""
    from jmuz_magic.providers.http.failures import redirect_error, status_error  # most sessions need neither
    from jmuz_magic.providers.http.refusals import refused_by

    try:
        if 300 <= raw.status < 400:
            return redirect_error(raw.status, raw.headers.get("Location", ""), call)
        body = b""
        with contextlib.suppress(Exception):  # a broken body must not hide the status
            while len(body) < LARGEST_ERROR and (data := await raw.content.readany()):
                body += data
        asked, refused = asked_delay(raw.headers, policy.wall()), refused_by(raw.status, body, call.body, call.members)
        return status_error(raw.status, raw.reason or "", body, call, asked, refused)
    finally:
        raw.close()
