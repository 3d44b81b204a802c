"""A raw server on the loopback interface that breaks HTTP on purpose.

Not aiohttp.web: half of the fault table needs answers that a proper server cannot give. A *script* is a list of
steps; which one runs is chosen by the path, `/v1/<scenario>/…`, so that a plain `api_base` selects it, from a
kernel too. What happened is recorded in `events` with a monotonic time: the number of requests proves how often
was tried, the time of `client_eof` how promptly a connection was closed.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from tests.waiting import wait_until

__all__ = [
    "DONE",
    "FaultServer",
    "Happening",
    "HttpRequest",
    "Script",
    "Step",
    "chunked",
    "closed_port",
    "cut",
    "delta",
    "event",
    "finish",
    "head",
    "json_answer",
    "reply",
    "stream",
]

LONGEST_CONNECTION = 30.0  # seconds
MOST_SENDS = 300  # for each request

Step = tuple[Any, ...]
"""("send", bytes), ("sleep", seconds), ("eof",), ("rst",), ("wait_client_close", seconds), ("accept_only",), and
("wait_requests", count): until that many requests have come, on whichever connection."""
Script = Sequence[Step]
Kind = Literal["accept", "request", "first_byte_out", "client_eof", "client_reset"]
Cut = Literal["whole", "bytes"] | int
"""Where to cut a payload: nowhere, at every byte, or at places that a random seed chooses."""

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came; header names in small letters."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Happening:
    """Something that the server saw, on which connection (counted from 0), when (`time.monotonic`)."""

    kind: Kind
    at: float
    connection: int
    request: HttpRequest | None = None


@dataclass
class FaultServer:
    """Serves scripts from a thread of its own; use it in `with`.

    Attributes:
        host: address to listen at.
        tls: makes it speak TLS.
        backlog: of the listening socket.
    """

    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    port: int = 0
    events: list[Happening] = field(default_factory=list)
    _scripts: dict[str, list[Script]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._transports: set[asyncio.Transport] = set()
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        self.port = listener.getsockname()[1]
        self._server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Connection(self), sock=listener, ssl=self.tls, backlog=1024)
        )
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-server", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def api_base(self, scenario: str) -> str:
        """What a provider is pointed at to get the scripts of `scenario`."""
        return f"{self.origin}/v1/{scenario}"

    def add(self, scenario: str, *scripts: Script) -> str:
        """Answer the requests of `scenario` by these scripts in turn, the last one for ever; returns its api_base."""
        self._scripts[scenario] = list(scripts)
        return self.api_base(scenario)

    @property
    def requests(self) -> list[HttpRequest]:
        return [happening.request for happening in tuple(self.events) if happening.request is not None]

    def count(self, kind: Kind) -> int:
        return sum(happening.kind == kind for happening in tuple(self.events))

    def closes(self) -> int:
        """How many connections the client has ended, politely or not."""
        ended = {happening.connection for happening in tuple(self.events) if happening.kind.startswith("client_")}
        return len(ended)

    def wait_for_close(self, count: int = 1) -> float:
        """Wait until the client ended `count` connections; returns when it ended the last."""
        wait_until(lambda: self.closes() >= count, f"the client closed {count} connection(s)", 10)
        return max(happening.at for happening in tuple(self.events) if happening.kind.startswith("client_"))

    def wait_for(self, kind: Kind, count: int = 1) -> None:
        wait_until(lambda: self.count(kind) >= count, f"the server saw {count} × {kind}", 10)

    async def _stop(self) -> None:
        # asyncio loses a connection that was accepted, but has no transport yet, when its server closes.
        while accepted := asyncio.all_tasks() - self._tasks - {asyncio.current_task()}:
            await asyncio.gather(*accepted, return_exceptions=True)
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # A task that was cancelled before its first step closes nothing, and a client may connect while we stop.
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)
        while self._transports:
            for transport in tuple(self._transports):
                transport.abort()
            await asyncio.sleep(0)

    def _next_script(self, target: str) -> Script:
        found = re.search(r"/v1/([^/]+)/", target)
        scripts = self._scripts.get(found[1] if found else "", [])
        if not scripts:
            return [("send", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")]
        return scripts.pop(0) if len(scripts) > 1 else scripts[0]


class _Connection(asyncio.StreamReaderProtocol):
    """One accepted connection."""

    def __init__(self, server: FaultServer) -> None:
        super().__init__(asyncio.StreamReader(limit=2**24), self._start)
        self.server = server
        self.number = -1
        self.sent = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.number = self.server.count("accept")
        self.note("accept")
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server._transports.add(transport)
        super().connection_made(transport)

    def eof_received(self) -> bool | None:
        self.note("client_eof")
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(exc, ConnectionError):
            self.note("client_reset")
        self.server._transports.discard(self.transport)
        super().connection_lost(exc)

    def note(self, kind: Kind, request: HttpRequest | None = None) -> None:
        self.server.events.append(Happening(kind, time.monotonic(), self.number, request))

    def _start(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self.server._tasks.add(task)
        task.add_done_callback(self.server._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(LONGEST_CONNECTION):
                while (request := await _read_request(reader)) is not None:
                    self.note("request", request)
                    if not await self._play(self.server._next_script(request.target), reader, writer):
                        return
        except (OSError, TimeoutError):
            pass
        finally:
            writer.close()

    async def _play(self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Run the steps; False if the connection ended with them."""
        self.sent = 0
        for name, *arguments in script:
            match name:
                case "send":
                    await self._send(writer, arguments[0])
                case "sleep":
                    await asyncio.sleep(arguments[0])
                case "wait_client_close":
                    async with asyncio.timeout(arguments[0]):
                        await _until_closed(reader)
                case "accept_only":
                    await _until_closed(reader)
                case "wait_requests":
                    while self.server.count("request") < arguments[0]:
                        await asyncio.sleep(0.01)
                case "eof":
                    return False
                case "rst":
                    linger = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    writer.transport.abort()
                    return False
                case _:
                    raise AssertionError(f"no step is called {name}")
        return True

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        self.sent += 1
        assert self.sent <= MOST_SENDS, "a script sends too much"
        if self.sent == 1:
            self.note("first_byte_out")
        writer.write(data)
        await writer.drain()


async def _read_request(reader: asyncio.StreamReader) -> HttpRequest | None:
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:-2])}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        return None  # closed, or no HTTP
    return HttpRequest(method, target, headers, body)


async def _until_closed(reader: asyncio.StreamReader) -> None:
    while not reader.at_eof():
        await reader.read(65536)


def head(status: str = "200 OK", content_type: str = "text/event-stream", **headers: str) -> bytes:
    """The head of an answer; `_` in a header's name stands for `-`."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def event(payload: Any) -> bytes:
    """One event with a JSON payload."""
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def delta(text: str | None = None, **members: Any) -> bytes:
    """An event with one delta of choice 0."""
    content = {} if text is None else {"content": text}
    return event({"id": "1", "choices": [{"index": 0, "delta": content | members, "finish_reason": None}]})


def finish(reason: str = "stop", **payload: Any) -> bytes:
    """An event with the finish reason of choice 0."""
    return event({"id": "1", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]} | payload)


def cut(payload: bytes, how: Cut = "whole") -> list[bytes]:
    """The payload in pieces."""
    if how == "whole":
        return [payload]
    if how == "bytes":
        return [payload[index : index + 1] for index in range(len(payload))]
    dice = random.Random(how)
    places = sorted({0, len(payload), *(dice.randrange(len(payload) + 1) for _ in range(20))})
    return [payload[start:end] for start, end in itertools.pairwise(places)]


def chunked(pieces: Iterable[bytes], *, ended: bool = True) -> bytes:
    """The pieces in chunked transfer encoding."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece)
    return body + b"0\r\n\r\n" if ended else body


def stream(*events: bytes, how: Cut = "whole", **headers: str) -> list[Step]:
    """A script: a proper chunked answer with these events, in separate sends."""
    pieces = cut(b"".join(events), how)
    steps: list[Step] = [("send", head(Transfer_Encoding="chunked", **headers))]
    size = -(-len(pieces) // (MOST_SENDS // 2))
    groups = [pieces[start : start + size] for start in range(0, len(pieces), size)]
    steps += [("send", chunked(group, ended=False)) for group in groups]
    return [*steps, ("send", b"0\r\n\r\n")]


def reply(*texts: str, reason: str = "stop", how: Cut = "whole") -> list[Step]:
    """A script: a proper stream of these deltas."""
    return stream(*map(delta, texts), finish(reason), DONE, how=how)


def json_answer(payload: Any, status: str = "200 OK", **headers: str) -> list[Step]:
    """A script: a proper JSON answer; bytes are taken as they are."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return [("send", head(status, "application/json", Content_Length=str(len(body)), **headers) + body)]


def closed_port(host: str = "127.0.0.1") -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port
