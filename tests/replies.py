"""An endpoint whose replies are given by the test, and a server that must not be asked for anything."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

__all__ = ["beacon", "reply_endpoint"]


class _Quiet(BaseHTTPRequestHandler):
    def log_message(self, *_: Any) -> None: ...


@contextmanager
def _serving(handler: type[_Quiet]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def beacon() -> Iterator[tuple[str, list[str]]]:
    """An address, and the paths that anyone asked for there."""
    heard: list[str] = []

    class Beacon(_Quiet):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_HEAD = do_OPTIONS = do_GET  # noqa: N815  # http.server's names

    with _serving(Beacon) as address:
        yield address, heard


@contextmanager
def reply_endpoint(
    replies: Mapping[str, str],
    *,
    deltas_per_second: float = 0,
    delta_chars: int = 4,
    refusal: str = "no such model",
    released: threading.Event | None = None,
) -> Iterator[str]:
    """The `api_base` of an endpoint that answers as the model of that name in `replies`.

    Args:
        deltas_per_second: 0 streams without a pause.
        delta_chars: size of a delta.
        refusal: what the endpoint says when it is asked for another model.
        released: the second half of a reply waits for it.
    """

    class Endpoint(_Quiet):
        texts: ClassVar = dict(replies)

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if request["model"] not in self.texts:
                self.answer(400, {"error": {"message": refusal}})
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            text, start = self.texts[request["model"]], time.monotonic()
            for index, offset in enumerate(range(0, len(text), delta_chars)):
                if released and offset > len(text) // 2:
                    released.wait(60)
                self.event({"delta": {"content": text[offset : offset + delta_chars]}})
                if deltas_per_second:
                    time.sleep(max(0.0, start + index / deltas_per_second - time.monotonic()))
            self.event({"delta": {}, "finish_reason": "stop"})
            self.wfile.write(b"data: [DONE]\n\n")

        def do_GET(self) -> None:
            self.answer(200, {"object": "list", "data": [{"id": name} for name in self.texts]})

        def answer(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def event(self, choice: dict[str, Any]) -> None:
            chunk = {"choices": [{"index": 0, **choice}]}
            self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")

    with _serving(Endpoint) as address:
        yield f"{address}/v1"
