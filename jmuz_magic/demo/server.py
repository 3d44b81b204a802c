"""The demo endpoint's HTTP side: an aiohttp application on a loopback port, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from aiohttp import web

from jmuz_magic.demo.dialect import Dialect
from jmuz_magic.demo.handlers import (
    Handler,
    dialect_of,
    encode,
    find_script,
    list_models,
    read_json,
    refuse,
    show_model,
)
from jmuz_magic.demo.reply import Reply
from jmuz_magic.demo.request_error import RequestError

__all__ = ["DELTAS_PER_SECOND", "DemoServer", "LoggedRequest"]

DELTAS_PER_SECOND = 100.0
"""A brisk real model: some 400 characters a second."""

MAX_BODY = 64 * 2**20
STOP_SECONDS = 5.0
GRACE_SECONDS = 0.05
"""What open streams get at a stop before they are cut off; to aiohttp 0 would mean forever."""


@dataclass
class LoggedRequest:
    """A request as received, for tests and for inspection.

    Attributes:
        headers: names in any case; they hold the key, so they are left out of the repr.
        body: the decoded JSON; bytes if it is not JSON; None without a body.
        state: `open` while it is answered, `closed` if the client left before the end.
        ended: `time.monotonic()` of that end; None while open.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: Any = None
    state: Literal["open", "complete", "closed"] = "open"
    ended: float | None = None


class DemoServer:
    """The demo endpoint: `with DemoServer() as server:` runs it, `server.api_base` is its address.

    Args:
        port: on 127.0.0.1; 0 picks a free one.
        deltas_per_second: how fast replies stream; 0 means no pauses.
        api_key: the key that requests must bring; None accepts every request.
        keep_requests: how many of the latest requests `requests` keeps; they contain prompts and keys.

    Attributes:
        api_base: the address for clients, such as `http://127.0.0.1:8808/v1`; "" while stopped.
        requests: the latest requests, oldest first; written by the server's thread.
        open_streams: the number of replies now streaming.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        deltas_per_second: float = DELTAS_PER_SECOND,
        api_key: str | None = None,
        keep_requests: int = 0,
    ) -> None:
        self.api_base = ""
        self.requests: deque[LoggedRequest] = deque(maxlen=keep_requests)
        self.open_streams = 0
        self._port = port
        self._pause = 1 / deltas_per_second if deltas_per_second else 0.0
        self._api_key = api_key
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    def start(self) -> str:
        """Start listening and return `api_base`; a server that is running keeps running.

        Raises:
            OSError: the port is taken.
        """
        if self._thread is None or not self._thread.is_alive():
            started: Future[str] = Future()
            self._thread = threading.Thread(target=self._run, args=(started,), name="jmuz-demo", daemon=True)
            self._thread.start()
            self.api_base = started.result()
        return self.api_base

    def stop(self) -> None:
        """Close every connection and end the thread; does nothing to a stopped server."""
        if self._thread is not None and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(STOP_SECONDS)
        self._thread = None
        self.api_base = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _run(self, started: Future[str]) -> None:
        try:
            asyncio.run(self._serve(started))
        except BaseException as error:  # whatever it is, start() waits for it
            if started.done():
                raise
            started.set_exception(error)

    async def _serve(self, started: Future[str]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        # With cancellation a handler ends when its client leaves, not only at its next write.
        runner = web.AppRunner(
            self._application(), handler_cancellation=True, access_log=None, shutdown_timeout=GRACE_SECONDS
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
            started.set_result(f"http://127.0.0.1:{runner.addresses[0][1]}/v1")
            await self._stop.wait()
        finally:
            server = runner.server
            left = _transports(server)
            await runner.cleanup()
            await asyncio.sleep(0)  # a client that connects during the stop gets its transport in this step
            for transport in [*left, *_transports(server)]:
                transport.abort()  # one whose client does not read would never close
            await asyncio.sleep(0)

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY, middlewares=[refuse, self._log, self._check_key])
        app.router.add_get("/v1/models", list_models)
        app.router.add_get("/v1/models/{model}", show_model)
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages"):
            app.router.add_post(path, self._reply)
        return app

    @web.middleware
    async def _log(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        body = read_json(await request.read())
        logged = LoggedRequest(request.method, request.path, request.headers.copy(), body)
        self.requests.append(logged)
        ending: Literal["complete", "closed"] = "complete"
        try:
            return await handler(request)
        except (asyncio.CancelledError, ConnectionError):
            ending = "closed"
            raise
        finally:
            logged.ended = time.monotonic()
            logged.state = ending

    @web.middleware
    async def _check_key(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        dialect = dialect_of(request)
        given = dialect.key_of(request.headers)
        if self._api_key is not None and not hmac.compare_digest(given.encode(), self._api_key.encode()):
            reason = "incorrect API key provided" if given else "you didn't provide an API key"
            raise RequestError(f"{reason}; {dialect.key_hint}", status=401, code="invalid_api_key")
        return await handler(request)

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        dialect = dialect_of(request)
        asked = dialect.read(read_json(await request.read()), request.headers)
        reply = Reply(asked, find_script(asked.model)(asked))
        if asked.stream:
            return await self._stream(request, dialect(reply))
        if reply.error:
            raise RequestError(reply.error, status=503)
        return web.json_response(dialect(reply).as_json())

    async def _stream(self, request: web.Request, reply: Dialect) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        self.open_streams += 1
        try:
            await response.prepare(request)
            due = time.monotonic()
            for event in reply.events():
                await response.write(encode(event))
                due += self._pause
                await asyncio.sleep(due - time.monotonic())
            await response.write(reply.end)
            await response.write_eof()
        finally:
            self.open_streams -= 1
        return response


def _transports(server: web.Server | None) -> list[asyncio.Transport]:
    handlers = server.connections if server else ()
    return [handler.transport for handler in handlers if handler.transport is not None]
