"""One `ClientSession` for each event loop, closed with it.

A new client for each request costs 90 to 130 ms before the first token, so sessions stay. A weak mapping from
loop to session would never let go, since a session holds its loop: instead an asynchronous generator that runs
on the loop owns the session, and `loop.shutdown_asyncgens()`, which `asyncio.run` and the bridge call, closes it.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import ssl
from collections.abc import AsyncGenerator, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

__all__ = ["LoopSession", "acquire"]


class LoopSession:
    """The session of one loop, with what has to end before it.

    Attributes:
        client: aiohttp's session.
        open: responses that are being read.
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
        """Run the coroutine beside everything else, at longest until the session is closed."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def ssl_context(self) -> ssl.SSLContext:
        """A default context, checking certificates; made anew when `SSL_CERT_FILE` or `SSL_CERT_DIR` change."""
        setting = (os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        if self._context is None or self._context[0] != setting:
            self._context = setting, ssl.create_default_context()
        return self._context[1]

    async def close(self) -> None:
        """End the tasks, close the responses, then the connections."""
        for task in tuple(self._tasks):
            task.cancel()
        self.abandon_responses()
        await self.client.close()

    def abandon_responses(self) -> None:
        """Close what is still being read."""
        for response in tuple(self.open):
            response.close()
        self.open.clear()

    def let_go(self) -> None:
        """Forget the connections, without a word to the loop, which is closed or another process's."""
        connector = self.client.connector
        self.client.detach()
        if connector is not None and self._loop.is_closed():
            with contextlib.suppress(StopIteration, RuntimeError):
                next(connector.close().__await__())  # marks it closed; on a closed loop there is nothing to wait for

    async def _own(self) -> AsyncGenerator[None, None]:
        loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            _sessions.pop(loop, None)
            await self.close()


_sessions: dict[asyncio.AbstractEventLoop, LoopSession] = {}


async def acquire() -> LoopSession:
    """The running loop's session, made on first use."""
    loop = asyncio.get_running_loop()
    session = _sessions.get(loop)
    if session is None or session.client.closed:
        _purge()
        session = LoopSession(_make_client())
        await anext(session.owner)  # from here on the loop knows the generator and closes it
        _sessions[loop] = session
    return session


def _make_client() -> ClientSession:
    import aiohttp

    # aiohttp's limit of 100 connections, and any limit for each host, stall wide fan-out.
    connector = aiohttp.TCPConnector(limit=0, resolver=aiohttp.ThreadedResolver())
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        # Reading .netrc would put a second Authorization header beside ours; proxies are looked up below.
        trust_env=False,
    )


def _purge() -> None:
    """Let go of sessions whose loops were closed without shutting down their generators."""
    for loop in [loop for loop in tuple(_sessions) if loop.is_closed()]:
        session = _sessions.pop(loop, None)
        if session is not None:
            session.let_go()


@atexit.register
def _close_all() -> None:
    # A loop that its program never closed, such as the one of a notebook's own `await`, still gets its session
    # closed, or aiohttp complains on stderr.
    for loop, session in tuple(_sessions.items()):
        if session.pid != os.getpid() or loop.is_closed():
            session.let_go()  # a parent's connections are not a fork's to close
        elif loop.is_running():
            continue  # another thread's, which closes it: the bridge does when its own hook runs, after this one
        else:
            with contextlib.suppress(Exception):
                loop.run_until_complete(session.owner.aclose())
