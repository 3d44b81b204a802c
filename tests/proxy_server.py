"""An HTTP proxy on the loopback interface that asks for a user name and a password.

It leads every host to one upstream on loopback, so that hosts need not exist: `CONNECT` opens a tunnel, any other
request is passed on in its own form. What each request brought is in `seen`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

__all__ = ["AskingProxy", "Passage"]


@dataclass(frozen=True)
class Passage:
    """A request as the proxy saw it: its first line, and the value of `Proxy-Authorization`."""

    line: str
    authorization: str


@dataclass
class AskingProxy:
    """A proxy; use it in `with`.

    Attributes:
        upstream: the port that every host leads to.
        user: who may pass.
        password: and with which password.
        scheme: how it wants to be asked, in its `Proxy-Authenticate`.
        seen: what came.
    """

    upstream: int
    user: str = "ann"
    password: str = "p@ss/wörd #1"
    scheme: str = 'Basic realm="proxy"'
    seen: list[Passage] = field(default_factory=list)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="asking-proxy", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)

    @property
    def expected(self) -> str:
        """The header that lets a request pass."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._kept(writer):
            await self._pass_on(reader, writer)

    @contextlib.asynccontextmanager
    async def _kept(self, writer: asyncio.StreamWriter) -> AsyncIterator[None]:
        """Close this end when done; an end that broke is done, too."""
        self._open.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            yield
        self._open.discard(writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:-2])}
        given = headers.get("proxy-authorization", "")
        self.seen.append(Passage(lines[0], given))
        if given != self.expected:
            await reader.readexactly(int(headers.get("content-length", 0)))
            writer.write(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: %d\r\nProxy-Authenticate: %s\r\n"
                b"Connection: close\r\n\r\n%s" % (len(given), self.scheme.encode(), given.encode())
            )
            await writer.drain()
            return
        their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        async with self._kept(their_writer):
            if lines[0].startswith("CONNECT "):
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                kept = [line for line in lines if not line.lower().startswith("proxy-")]
                their_writer.write("\r\n".join(kept).encode("latin-1"))
            await asyncio.gather(_copy(reader, their_writer), _copy(their_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
