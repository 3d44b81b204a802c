"""The clients that are compared: each asks an endpoint and reads the text of its reply, from the socket to `str`.

Every client but the raw socket is asynchronous, lives on a loop of its own between calls, and keeps its connection.
Peers are imported when they are made, so that one that is not installed is known by its `ImportError`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncGenerator, Iterator
from typing import Any, ClassVar
from urllib.parse import urlsplit

__all__ = ["CLIENTS", "AsyncClient", "Client", "Socket", "available"]

MODEL = "any"
MESSAGES: list[Any] = [{"role": "user", "content": "hello"}]
REQUEST = json.dumps({"model": MODEL, "messages": MESSAGES, "stream": True}).encode()
HEADERS = {"Content-Type": "application/json", "Accept": "text/event-stream"}
KEY = "none"


class Client:
    """What is measured: how a reply is read to its end, and when its first text comes."""

    name: ClassVar[str]
    distribution: ClassVar[str | None] = None

    def read(self, base: str) -> int:
        """Read a whole reply; the number of characters."""
        raise NotImplementedError

    def first(self, base: str) -> float:
        """Ask, read all; seconds from the question to the first text."""
        raise NotImplementedError

    def close(self) -> None:
        """End connections."""


class Socket(Client):
    """The physical limit: what the socket brings is looked at for its end only."""

    name = "raw socket"

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def read(self, base: str) -> int:
        return self._ask(base)[0]

    def first(self, base: str) -> float:
        start = time.perf_counter()
        return self._ask(base)[1] - start

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, base: str) -> tuple[int, float]:
        parts = urlsplit(base)
        if self._socket is None:
            self._socket = socket.create_connection((parts.hostname or "", parts.port or 80))
        head = f"POST {parts.path}/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
        self._socket.sendall(f"{head}Content-Length: {len(REQUEST)}\r\n\r\n".encode() + REQUEST)
        size, at, tail = 0, 0.0, b""
        while not tail.endswith(b"0\r\n\r\n"):
            data = self._socket.recv(262144)
            if not at and b"content" in data:
                at = time.perf_counter()
            size += len(data)
            tail = (tail + data)[-5:]
        return size, at


class AsyncClient(Client):
    """A client with a loop; `stream` yields text."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def stream(self, base: str) -> AsyncGenerator[Any, None]:
        """The reply's chunks; text is `str`."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """End connections, on the loop."""

    def run(self, work: Any) -> Any:
        return self._runner.run(work)

    def read(self, base: str) -> int:
        return int(self.run(self.count(base)))

    def first(self, base: str) -> float:
        return float(self.run(self.time_first(base)))

    def close(self) -> None:
        self.run(self.aclose())
        self._runner.close()

    async def count(self, base: str) -> int:
        characters = 0
        async for chunk in self.stream(base):
            if isinstance(chunk, str):
                characters += len(chunk)
        return characters

    async def time_first(self, base: str) -> float:
        start, at = time.perf_counter(), 0.0
        async for chunk in self.stream(base):
            if chunk and not at:
                at = time.perf_counter()
        return at - start


class Bare(AsyncClient):
    """The least that one can write with aiohttp: no errors, no timers, no standard, no cleaner."""

    name = "aiohttp + json"
    distribution = "aiohttp"

    def __init__(self) -> None:
        super().__init__()
        self.session = self.run(self._make())

    async def _make(self) -> Any:
        import aiohttp

        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None))

    async def stream(self, base: str) -> AsyncGenerator[Any, None]:
        async with self.session.post(f"{base}/chat/completions", data=REQUEST, headers=HEADERS) as response:
            rest = b""
            async for data in response.content.iter_any():
                *events, rest = (rest + data).split(b"\n\n")
                for event in events:
                    payload = event[6:]
                    if payload != b"[DONE]":
                        yield json.loads(payload)["choices"][0]["delta"]["content"]

    async def aclose(self) -> None:
        await self.session.close()


class Unread(Bare):
    """aiohttp alone: what it costs that bytes reach a coroutine; no client on aiohttp can be below."""

    name = "aiohttp, nothing read"

    async def stream(self, base: str) -> AsyncGenerator[Any, None]:
        async with self.session.post(f"{base}/chat/completions", data=REQUEST, headers=HEADERS) as response:
            async for data in response.content.iter_any():
                yield data


class HttpxSse(AsyncClient):
    """httpx with the decoder for Server-Sent Events that its users take."""

    name = "httpx-sse + json"
    distribution = "httpx-sse"

    def __init__(self) -> None:
        import httpx
        import httpx_sse

        super().__init__()
        self._connect = httpx_sse.aconnect_sse
        # Its pool of 100 connections would make the others of 1000 wait, and its timeouts end them.
        self._client = httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None), trust_env=False)

    async def stream(self, base: str) -> AsyncGenerator[Any, None]:
        url = f"{base}/chat/completions"
        async with self._connect(self._client, "POST", url, content=REQUEST, headers=HEADERS) as source:
            async for event in source.aiter_sse():
                if event.data != "[DONE]":
                    yield json.loads(event.data)["choices"][0]["delta"]["content"]

    async def aclose(self) -> None:
        await self._client.aclose()


class Openai(AsyncClient):
    """openai-python, as its documentation shows it."""

    name = "openai-python"
    distribution = "openai"

    def __init__(self) -> None:
        import openai

        super().__init__()
        self._clients: dict[str, Any] = {}
        self._make = openai.AsyncOpenAI

    def client(self, base: str) -> Any:
        """The package's client for this address."""
        client = self._clients.get(base)
        if client is None:
            client = self._clients[base] = self._make(api_key=KEY, base_url=base, timeout=None, max_retries=0)
        return client

    async def stream(self, base: str) -> AsyncGenerator[Any, None]:
        chunks = await self.client(base).chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
        async for chunk in chunks:
            yield chunk.choices[0].delta.content

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.close()


class Ours(AsyncClient):
    """Through `Jmuz`, with the cleaner."""

    name = "jmuz_magic (Jmuz)"
    provider: ClassVar[str] = "Jmuz"

    def __init__(self) -> None:
        import jmuz_magic.providers

        super().__init__()
        self._provider = getattr(jmuz_magic.providers, self.provider)

    def stream(self, base: str) -> AsyncGenerator[Any, None]:
        chunks: AsyncGenerator[Any, None] = self._provider.create_async_generator(MODEL, MESSAGES, api_base=base)
        return chunks


class OursPlain(Ours):
    """Through `OpenaiTemplate`, which most providers are: no cleaner."""

    name = "jmuz_magic (OpenaiTemplate)"
    provider = "OpenaiTemplate"


CLIENTS: tuple[type[Client], ...] = (Socket, Unread, Bare, OursPlain, Ours, HttpxSse, Openai)


def available(*kinds: type[Client]) -> Iterator[Client]:
    """One of each kind that can be had; the others are said to be missing, where the table is, by their absence."""
    for kind in kinds:
        with contextlib.suppress(ImportError):
            yield kind()
