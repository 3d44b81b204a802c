"""Services of platforms on the loopback interface, built from what their documentation says.

Unlike the fault server's, their paths are whole and exact, query included, and they refuse what the service refuses:
another path, another header, a missing key.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.fault_server import DONE, HttpRequest, delta, event, finish

__all__ = ["FILTERS", "StandIn", "listed", "streamed"]


@dataclass
class StandIn:
    """A service; use it in `with`.

    Attributes:
        routes: what it answers, by method and target, such as `{"GET /v1/models": b"…"}`.
        wanted: headers, in small letters, without which it answers 401.
        refused: headers that the service takes for something else: with one of them it answers 401 too.
        requests: what came.
    """

    routes: Mapping[str, bytes]
    wanted: Mapping[str, str] = field(default_factory=dict)
    refused: Sequence[str] = ()
    requests: list[HttpRequest] = field(default_factory=list)

    def __enter__(self) -> Self:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = HttpRequest(self.command, self.path, headers, body)
                stand_in.requests.append(request)
                status, content_type, said = stand_in.answer(request)
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = _answer  # noqa: N815 - the names of http.server

            def log_message(self, *arguments: Any) -> None:
                """Nothing on stderr."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, request: HttpRequest) -> tuple[int, str, bytes]:
        """Status, type and body for this request."""
        said = self.routes.get(f"{request.method} {request.target}")
        if any(request.headers.get(name) != value for name, value in self.wanted.items()):
            return 401, "application/json", _error("Access denied due to invalid subscription key.")
        if any(name in request.headers for name in self.refused):
            return 401, "application/json", _error("Access denied: two credentials were given.")
        if said is None:
            return 404, "application/json", _error("Resource not found")
        return 200, "text/event-stream" if said.startswith((b"data:", b"event:")) else "application/json", said


def streamed(*texts: str, before: bytes = b"") -> bytes:
    """A stream of these deltas."""
    return b"".join([before, *map(delta, texts), finish(), DONE])


def listed(*ids: str) -> bytes:
    """A list of models."""
    return json.dumps({"object": "list", "data": [{"id": id_, "object": "model"} for id_ in ids]}).encode()


def _error(message: str) -> bytes:
    return json.dumps({"error": {"code": "401", "message": message}}).encode()


FILTERS = event({"choices": [], "model": "", "prompt_filter_results": [{"prompt_index": 0}]})
"""Azure's first event (row 22 of the table of shapes)."""
