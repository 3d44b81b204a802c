"""One `ClientSession` for each event loop, closed with it.

A new client for each request would cost 90 to 130 ms before the first delta, so sessions are kept. A weak mapping
from loop to session would never let go, since a session holds its loop. So an asynchronous generator that runs on
the loop owns the session, and `loop.shutdown_asyncgens()`, which `asyncio.run` and the bridge call, closes it.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import ssl
from collections.abc import AsyncGenerator, Coroutine
from typing import TYPE_CHECKING, Any

from jmuz_magic.providers.http.certificates import authority_setting, checking_context

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

__all__ = ["LoopSession", "acquire"]


class LoopSession:
    """The session of one loop, with everything that must end before it.

    Attributes:
        client: aiohttp's session.
        open: responses being read.
    """

    def __init__(self, client: ClientSession) -> None:
        self.client = client
        self.open: set[ClientResponse] = set()
        self.pid = os.getpid()
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._context: tuple[tuple[str | None, ...], ssl.SSLContext] | None = None
        self.owner: AsyncGenerator[None, None] = self._own()

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run the coroutine in the background, at most until the session is closed."""
        task = asyncio.get_running_loop().create_task(coroutine)
        # Where the program closes its loop before the task has ended, asyncio would say so on stderr.
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def ssl_context(self) -> ssl.SSLContext:
        """A context that checks certificates, by the authorities of `certificates.py`; renewed when they change.

        Raises:
            ProviderConnectionError: a variable names no file of certificates.
        """
        setting = authority_setting()
        if self._context is None or self._context[0] != setting:
            self._context = setting, checking_context()
        return self._context[1]

    async def close(self) -> None:
        """End the tasks, close the responses, then the connections."""
        for task in tuple(self._tasks):
            task.cancel()
        self.abandon_responses()
        await self.client.close()

    def abandon_responses(self) -> None:
        """Close the responses that are still being read."""
        for response in tuple(self.open):
            response.close()
        self.open.clear()

    def let_go(self) -> None:
        """Forget the connections without involving the loop, which is closed or belongs to another process."""
        connector = self.client.connector
        self.client.detach()
        if connector is not None and self._loop.is_closed():
            with contextlib.suppress(StopIteration, RuntimeError):
                next(connector.close().__await__())  # marks it closed; on a closed loop nothing is left to wait for

    async def _own(self) -> AsyncGenerator[None, None]:
        loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            _sessions.pop(loop, None)
            await self.close()


_sessions: dict[asyncio.AbstractEventLoop, LoopSession] = {}


async def acquire() -> LoopSession:
    """The running loop's session, created on first use."""
    loop = asyncio.get_running_loop()
    session = _sessions.get(loop)
    if session is None or session.client.closed:
        _purge()
        session = LoopSession(_make_client())
        await anext(session.owner)  # now the loop knows the generator and will close it
        _sessions[loop] = session
    return session


def _make_client() -> ClientSession:
    import aiohttp

    # aiohttp's default limit of 100 connections, or any limit per host, would stall wide fan-out.
    connector = aiohttp.TCPConnector(limit=0, resolver=aiohttp.ThreadedResolver())
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        # Reading .netrc would add a second Authorization header to ours; `proxies.py` finds proxies.
        trust_env=False,
    )


def _purge() -> None:
    """Drop sessions whose loops were closed without shutting down their generators."""
    for loop in [loop for loop in tuple(_sessions) if loop.is_closed()]:
        session = _sessions.pop(loop, None)
        if session is not None:
            session.let_go()


@atexit.register
def _close_all() -> None:
    # The session of a loop that was never closed, such as the one behind a notebook's own `await`, must be closed
    # here, or aiohttp complains on stderr.
    for loop, session in tuple(_sessions.items()):
        if session.pid != os.getpid() or loop.is_closed():
            session.let_go()  # a parent's connections are not a fork's to close
        elif loop.is_running():
            continue  # it belongs to another thread, such as the bridge's, whose own hook closes it later
        else:
            with contextlib.suppress(Exception):
                loop.run_until_complete(session.owner.aclose())
