"""An endpoint in a process of its own, so that its CPU time is nobody's: it sends bytes that were made before.

The path says what: `/v1/<payload>/<count>/<pace>/chat/completions` streams `count` events with this payload.
`pace` is events per second, or `events` for one after another without a pause; both write each event alone, as an HTTP
chunk. `pieces` writes all that the socket takes, in HTTP chunks of 16 KiB.
"""

from __future__ import annotations

import asyncio
import functools
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.shapes import SHAPES

__all__ = ["DELTA", "PAYLOADS", "body_of", "running_endpoint"]

DELTA = "abc "
"""The text of each event, 4 characters."""
PIECE = 16 * 1024
BLOCKING = 200
"""Events per second from which a timer of the loop is too coarse; then there must be one stream only."""
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
ESCAPED = r"\"é\n"
PAYLOADS = {"plain": DELTA, "escaped": ESCAPED, "obfuscation": DELTA}
END = b"data: [DONE]\n\n"


def event(payload: str, number: int) -> bytes:
    """One event in the words of OpenAI's service, about 250 bytes."""
    choice = {"index": 0, "delta": {"content": "@"}, "logprobs": None, "finish_reason": None}
    fields: dict[str, object] = {
        "id": "chatcmpl-Bz0000000000000000000000000",
        "object": "chat.completion.chunk",
        "created": 1735689600,
        "model": "gpt-4o-2024-08-06",
        "service_tier": "default",
        "system_fingerprint": "fp_0000000000",
        "choices": [choice],
    }
    if payload == "obfuscation":
        fields |= {"usage": None, "obfuscation": "xK3v9QmZ2p"[: number % 10]}
    text = json.dumps(fields, separators=(",", ":")).replace("@", PAYLOADS[payload])
    return b"data: %s\n\n" % text.encode("ascii", "backslashreplace").replace(b"\\xe9", b"\\u00e9")


@functools.cache
def events(payload: str, count: int) -> tuple[bytes, ...]:
    """The events of one reply; only those of other dialects than chat have `event: ` lines."""
    if payload in SHAPES:
        begin, delta, end = SHAPES[payload]
        return (*begin, *[delta.replace(b"@", DELTA.encode())] * count, *end)
    ten = [event(payload, number) for number in range(10)]
    return (*(ten[number % 10] for number in range(count)), END)


@functools.cache
def body_of(payload: str, count: int) -> bytes:
    return b"".join(events(payload, count))


def http_chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@functools.cache
def chunks(payload: str, count: int) -> tuple[bytes, ...]:
    return tuple(map(http_chunk, events(payload, count)))


@functools.cache
def pieces(payload: str, count: int) -> tuple[bytes, ...]:
    body = body_of(payload, count)
    return tuple(http_chunk(body[start : start + PIECE]) for start in range(0, len(body), PIECE))


class Connection(asyncio.Protocol):
    """Answers one request after another."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""
        self._writable = asyncio.Event()
        self._writable.set()
        self._task: asyncio.Task[None] | None = None

    def connection_lost(self, error: Exception | None) -> None:
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        lengths = [
            line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        ]
        if len(body) < int(lengths[0]):
            return
        self._received = b""
        _, _, payload, count, pace, *_ = head.split(b" ")[1].decode().split("/")
        self._task = asyncio.get_running_loop().create_task(self._answer(payload, int(count), pace))

    async def _answer(self, payload: str, count: int, pace: str) -> None:
        if not pace.isdigit():
            await self._send((pieces if pace == "pieces" else chunks)(payload, count))
        elif int(pace) < BLOCKING:
            await self._send_in_time(events(payload, count), 1 / int(pace))
        else:
            self._send_blocking(events(payload, count), 1 / int(pace))
        self._transport.write(b"0\r\n\r\n")

    async def _send(self, pieces: tuple[bytes, ...]) -> None:
        self._transport.write(HEAD)
        for piece in pieces:
            await self._writable.wait()
            if self._transport.is_closing():
                return
            self._transport.write(piece)

    async def _send_in_time(self, pieces: tuple[bytes, ...], pause: float) -> None:
        due = time.monotonic()
        head = HEAD
        for piece in pieces:
            if self._transport.is_closing():
                return
            self._transport.write(head + http_chunk(piece))
            head = b""
            due += pause
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _send_blocking(self, pieces: tuple[bytes, ...], pause: float) -> None:
        due = time.monotonic()
        self._transport.write(HEAD)
        for piece in pieces:
            self._transport.write(http_chunk(piece))
            due = max(due + pause, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))


async def serve() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # ends with the process that started this one


@contextmanager
def running_endpoint() -> Iterator[str]:
    """Its address, to which `/<payload>/<count>/<pace>` is to be added."""
    command = [sys.executable, "-m", "benchmarks.endpoint"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        process.stdin.close()


if __name__ == "__main__":
    asyncio.run(serve())
