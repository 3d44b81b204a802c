"""Loopback stand-ins that want their reasoning back, byte for byte, as OpenAI's and Anthropic's own services do.

Each keeps what it replied and refuses a request whose earlier replies differ from that in a single byte: 400, with the
place. What a turn consists of varies, so that reasoning stands before, between and after texts.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Messages", "RememberingService", "Responses", "remembering"]


class RememberingService:
    """One conversation as a service knows it.

    Attributes:
        api_base: its address.
        prompts: what the user asked, in order.
        bodies: the requests that were answered, as bytes.
        refused: why requests were not.
    """

    def __init__(self) -> None:
        self.api_base = ""
        self.bodies: list[bytes] = []
        self.refused: list[str] = []
        self.replies: list[list[dict[str, Any]]] = []
        self.prompts: list[str] = []

    def answer(self, raw: bytes) -> tuple[int, str, bytes]:
        """Status, type and body of the answer to a request."""
        body = json.loads(raw)
        prompt, problem = self.check(body)
        if problem:
            self.refused.append(problem)
            error = {"type": "error", "error": {"type": "invalid_request_error", "message": problem}}
            return 400, "application/json", json.dumps(error).encode()
        self.bodies.append(raw)
        self.prompts.append(prompt)
        self.replies.append(self.reply(len(self.replies)))
        events = self.events(self.replies[-1])
        text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
        return 200, "text/event-stream", text.encode()

    def check(self, body: dict[str, Any]) -> tuple[str, str]:
        """The new prompt, and what is wrong with the rest; "" if nothing is."""
        raise NotImplementedError

    def reply(self, turn: int) -> list[dict[str, Any]]:
        """What is replied in this turn, from 0, as it must come back."""
        raise NotImplementedError

    def events(self, reply: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The same as a stream."""
        raise NotImplementedError

    def earlier(self, user: str) -> list[Any]:
        """All that must come before the new prompt."""
        return [
            each
            for prompt, reply in zip(self.prompts, self.replies, strict=True)
            for each in ({"role": user, "content": prompt}, *reply)
        ]


def difference(sent: list[Any], known: list[Any]) -> str:
    """Where two lists differ in a byte of their JSON; "" if nowhere."""
    for number, (one, other) in enumerate(zip(sent, known, strict=False)):
        if _bytes(one) != _bytes(other):
            return f"item {number} differs: {_bytes(one).decode()} instead of {_bytes(other).decode()}"
    return "" if len(sent) == len(known) else f"{len(sent)} items instead of {len(known)}"


def _bytes(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _blob(*seed: object) -> str:
    """Base64 as a service seals thoughts, of another length each time."""
    digest = hashlib.sha512(repr(seed).encode()).hexdigest()
    return f"gAAA{digest * (1 + len(repr(seed)) % 5)}+/_-=="


class Responses(RememberingService):
    """Thoughts are items; in some turns there are two, in some two messages, of which only the last is the answer."""

    def check(self, body: dict[str, Any]) -> tuple[str, str]:
        *earlier, last = body["input"]
        if body.get("store") is not False or "reasoning.encrypted_content" not in body.get("include", ()):
            return "", "what is not stored must be asked for"
        return last["content"], difference(earlier, [_sent_back(item) for item in self.earlier("user")])

    def reply(self, turn: int) -> list[dict[str, Any]]:
        items = [self._thought(turn, 0)]
        if turn % 3 == 1:
            items.append(self._thought(turn, 1))
        if turn % 3 == 2:
            items += [self._message("Let me see.", "commentary"), self._thought(turn, 2)]
        return [*items, self._message(f"Answer {turn}, “grün” \\ and\n\n- more.", "final_answer")]

    def _thought(self, turn: int, number: int) -> dict[str, Any]:
        summary = [{"type": "summary_text", "text": f"Thought {turn}.{number}"}] if number != 1 else []
        id_ = f"rs_{turn}_{number}"
        return {"type": "reasoning", "id": id_, "summary": summary, "encrypted_content": _blob(turn, number)}

    def _message(self, text: str, phase: str) -> dict[str, Any]:
        return {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": text}],
            "phase": phase,
        }

    def events(self, reply: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        response = {"id": "resp_1", "status": "in_progress", "model": "m", "output": []}
        yield {"type": "response.created", "response": response}
        for index, item in enumerate(reply):
            other = item | {"id": f"x_{index}"}
            empty = {"content": []} if item["type"] == "message" else {"summary": [], "encrypted_content": "early"}
            yield {"type": "response.output_item.added", "output_index": index, "item": other | empty}
            yield from self._deltas(index, item)
            yield {"type": "response.output_item.done", "output_index": index, "item": item}
        late = [item | ({"encrypted_content": "late"} if item["type"] == "reasoning" else {}) for item in reply]
        usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
        done = response | {"status": "completed", "output": late, "usage": usage}
        yield {"type": "response.completed", "response": done}

    def _deltas(self, index: int, item: dict[str, Any]) -> Iterator[dict[str, Any]]:
        at = {"output_index": index}
        if item["type"] == "message":
            for delta in _halves(item["content"][0]["text"]):
                yield {"type": "response.output_text.delta", "content_index": 0, "delta": delta, **at}
        for part in item.get("summary", ()):
            for delta in _halves(part["text"]):
                yield {"type": "response.reasoning_summary_text.delta", "summary_index": 0, "delta": delta, **at}


def _sent_back(item: dict[str, Any]) -> dict[str, Any]:
    """An item as it must come back: of a message its text, without the id that only a stored one has."""
    if item.get("type") != "message":
        return item
    return {"role": item["role"], "content": item["content"][0]["text"], "phase": item["phase"]}


class Messages(RememberingService):
    """Thoughts are signed, some of them redacted; in some turns a search of the service's own stands between texts."""

    def check(self, body: dict[str, Any]) -> tuple[str, str]:
        *earlier, last = body["messages"]
        return last["content"], difference(earlier, self.earlier("user"))

    def earlier(self, user: str) -> list[Any]:
        return [
            message
            for prompt, blocks in zip(self.prompts, self.replies, strict=True)
            for message in ({"role": user, "content": prompt}, {"role": "assistant", "content": blocks})
        ]

    def reply(self, turn: int) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = [
            {"type": "thinking", "thinking": f"Thought {turn}: “grün” \\", "signature": _blob(turn, 0)}
        ]
        if turn % 3 == 1:
            blocks.append({"type": "redacted_thinking", "data": _blob(turn, 1)})
        if turn % 3 == 2:
            blocks += self._search(turn)
        return [*blocks, {"type": "text", "text": f"Answer {turn}, “grün” \\ and\n\n- more."}]

    def _search(self, turn: int) -> list[dict[str, Any]]:
        id_ = f"srvtoolu_{turn}"
        found = [{"type": "web_search_result", "url": "https://example.org", "encrypted_content": _blob(turn, 3)}]
        return [
            {"type": "text", "text": "Let me see. "},
            {"type": "server_tool_use", "id": id_, "name": "web_search", "input": {"query": f"turn {turn}"}},
            {"type": "web_search_tool_result", "tool_use_id": id_, "content": found},
            {"type": "thinking", "thinking": "", "signature": _blob(turn, 2)},
        ]

    def events(self, reply: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        message = {"id": "msg_1", "role": "assistant", "model": "m", "content": [], "usage": {"input_tokens": 1}}
        yield {"type": "message_start", "message": message}
        for index, block in enumerate(reply):
            begun, deltas = self._parts(block)
            yield {"type": "content_block_start", "index": index, "content_block": begun}
            yield {"type": "ping"}
            yield from ({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
            yield {"type": "content_block_stop", "index": index}
        yield {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}
        yield {"type": "message_stop"}

    def _parts(self, block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """How a block begins, and its deltas."""
        match block["type"]:
            case "text":
                return block | {"text": ""}, [{"type": "text_delta", "text": half} for half in _halves(block["text"])]
            case "thinking":
                thought = [{"type": "thinking_delta", "thinking": half} for half in _halves(block["thinking"])]
                signature = {"type": "signature_delta", "signature": block["signature"]}
                return block | {"thinking": "", "signature": ""}, [*thought, signature]
            case "server_tool_use":
                halves = _halves(json.dumps(block["input"]))
                return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": half} for half in halves]
        return block, []


def _halves(text: str) -> list[str]:
    return [part for part in (text[: len(text) // 2], text[len(text) // 2 :]) if part]


@contextmanager
def remembering(service: RememberingService) -> Iterator[RememberingService]:
    """The service on the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_POST(self) -> None:
            status, kind, content = service.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.api_base = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
