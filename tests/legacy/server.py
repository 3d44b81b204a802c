"""Endpoints for what 0.1 left behind: one that wants tools called, and one that gives prepared answers in order."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["answer_chunks", "calling_endpoint", "scripted_endpoint"]

Chunks = Sequence[Mapping[str, Any]]


def answer_chunks(reply: Mapping[str, Any], **head: Any) -> list[dict[str, Any]]:
    """The chunks of a stream that says what a recorded reply says; `head` stands in each of them."""
    calls = [
        {"index": index, "id": call["id"], "function": {"name": call["name"], "arguments": call["arguments"]}}
        for index, call in enumerate(reply.get("tool_calls", ()))
    ]
    deltas = [{"reasoning_content": reply.get("reasoning")}, {"content": reply["text"]}, {"tool_calls": calls}]
    choices: list[Any] = [[{"index": 0, "delta": delta}] for delta in deltas if any(delta.values())]
    choices += [[{"index": 0, "delta": {}, "finish_reason": reply.get("finish_reason")}]]
    chunks = [{**head, "choices": each} for each in choices]
    return [*chunks, {**head, "choices": [], "usage": reply["usage"]}] if reply.get("usage") else chunks


def _weather(request: Mapping[str, Any]) -> Chunks:
    """Calls `weather` for each city that the prompt names, where it was given tools; else some words."""
    prompt = request["messages"][-1]["content"]
    cities = [city for city in ("Paris", "Rome") if city in prompt and request.get("tools")]
    calls = [
        {"id": f"call_{city.lower()}", "name": "weather", "arguments": json.dumps({"city": city})} for city in cities
    ]
    reply = {
        "text": "" if calls else f"No tools are needed for “{prompt}”.",
        "tool_calls": calls,
        "finish_reason": "tool_calls" if calls else "stop",
        "usage": {"prompt_tokens": 31, "completion_tokens": 7, "total_tokens": 38},
    }
    return answer_chunks(reply, id="chatcmpl-legacy", model=request["model"])


@contextmanager
def _serving(answer: Callable[[Mapping[str, Any]], Chunks], port: int) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            models = {"object": "list", "data": [{"id": "gpt-4.1-mini"}, {"id": "gpt-4o"}, {"id": "caller"}]}
            self.answer("application/json", json.dumps(models).encode())

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            events = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in answer(request)]
            self.answer("text/event-stream", b"".join(events) + b"data: [DONE]\n\n")

        def answer(self, media_type: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def calling_endpoint(port: int = 0) -> AbstractContextManager[str]:
    """The `api_base` of an endpoint that wants the tool `weather` called."""
    return _serving(_weather, port)


def scripted_endpoint(answers: list[list[dict[str, Any]]]) -> AbstractContextManager[str]:
    """The `api_base` of an endpoint that takes the next of the answers for each request, whatever is asked."""
    return _serving(lambda request: answers.pop(0), 0)
