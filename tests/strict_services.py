"""Loopback stand-ins that refuse options as hosted services do; the words are theirs, as users have reported them.

A rule looks at the body of a request and says how it is refused, or None. `strict_service` asks its rules in turn and
answers a request that all of them pass by a short reply.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

__all__ = [
    "Refusal",
    "Rule",
    "StrictService",
    "forbids_extras",
    "refuses_deprecated",
    "refuses_old_limit",
    "refuses_values",
    "strict_service",
    "takes_one_of",
]

Refusal: TypeAlias = tuple[int, Any]
"""The status and the JSON body of an error."""
Rule: TypeAlias = Callable[[dict[str, Any]], Refusal | None]


@dataclass
class StrictService:
    """A running stand-in.

    Attributes:
        api_base: its address.
        requests: the bodies that it got, refused ones among them.
    """

    api_base: str
    requests: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def strict_service(*rules: Rule, text: str = "fine", models: Iterable[Any] = ()) -> Iterator[StrictService]:
    """A stand-in on the loopback interface.

    Args:
        rules: in the order in which they are asked.
        text: of every reply.
        models: what it lists: ids, or whole entries.
    """
    entries = [{"id": model} if isinstance(model, str) else model for model in models]

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            self.answer(200, "application/json", json.dumps({"object": "list", "data": entries}))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.requests.append(body)
            refusal = next(filter(None, (rule(body) for rule in rules)), None)
            if refusal:
                self.answer(refusal[0], "application/json", json.dumps(refusal[1]))
            elif body.get("stream"):
                self.answer(200, "text/event-stream", _events(body, text))
            else:
                message = {"role": "assistant", "content": text}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                self.answer(200, "application/json", json.dumps({"model": body["model"], "choices": [choice]}))

        def answer(self, status: int, kind: str, content: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content.encode())))
            self.end_headers()
            self.wfile.write(content.encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service = StrictService(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _events(body: dict[str, Any], text: str) -> str:
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None},
        {"index": 0, "delta": {"content": text}, "finish_reason": None},
        {"index": 0, "delta": {}, "finish_reason": "stop"},
    ]
    chunks = [{"model": body["model"], "choices": [choice]} for choice in choices]
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


def refuses_values(*names: str) -> Rule:
    """As OpenAI's models that reason by default: options but for their default value, named in `param`."""

    def rule(body: dict[str, Any]) -> Refusal | None:
        for name in names:
            if name in body and body[name] != 1:
                said = (
                    f"Unsupported value: '{name}' does not support {body[name]} with this model. "
                    "Only the default (1) value is supported."
                )
                return 400, _openai_error(said, name, "unsupported_value")
        return None

    return rule


def refuses_old_limit(body: dict[str, Any]) -> Refusal | None:
    """As OpenAI's models that reason by default: `max_tokens` by its old name."""
    if "max_tokens" not in body:
        return None
    said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    return 400, _openai_error(said, "max_tokens", "unsupported_parameter")


def refuses_deprecated(*names: str) -> Rule:
    """As Anthropic's newest models, which name options in backticks only."""

    def rule(body: dict[str, Any]) -> Refusal | None:
        for name in names:
            if name in body:
                return 400, _anthropic_error(f"`{name}` is deprecated for this model.")
        return None

    return rule


def takes_one_of(one: str, other: str) -> Rule:
    """As Anthropic's Sonnet 4.6: one of two options, not both."""

    def rule(body: dict[str, Any]) -> Refusal | None:
        if one not in body or other not in body:
            return None
        return 400, _anthropic_error(f"`{one}` and `{other}` cannot both be specified for this model.")

    return rule


def forbids_extras(*allowed: str) -> Rule:
    """As Mistral and other services on pydantic: 422 for each member that they do not know, with its place."""
    known = {"model", "messages", "stream", *allowed}

    def rule(body: dict[str, Any]) -> Refusal | None:
        detail = [
            {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted", "input": value}
            for name, value in body.items()
            if name not in known
        ]
        message = {"object": "error", "message": {"detail": detail}, "type": "invalid_request_error", "param": None}
        return (422, message) if detail else None

    return rule


def _openai_error(said: str, param: str, code: str) -> dict[str, Any]:
    return {"error": {"message": said, "type": "invalid_request_error", "param": param, "code": code}}


def _anthropic_error(said: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": "invalid_request_error", "message": said}}
