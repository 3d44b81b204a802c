"""A conversation with a service that wants its thoughts back: what differs by one byte is answered with 400."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from tests.magics.loaded import UserShell
from tests.providers.asking import FAKE_KEY

TURNS = 12


@dataclass
class Remembering:
    """A stand-in that knows each block that it sent, as Anthropic does by its signatures.

    Attributes:
        sent: the content of its replies, in order.
        elsewhere: what another model was told that it had said.
        refused: how many requests did not contain them unchanged.
        origin: its address.
    """

    sent: list[Any] = field(default_factory=list)
    elsewhere: list[Any] = field(default_factory=list)
    refused: int = 0
    origin: str = ""

    def accepts(self, body: dict[str, Any]) -> bool:
        came = [turn["content"] for turn in body["messages"] if turn["role"] == "assistant"]
        if body["model"] != "claude-x":
            self.elsewhere += came
            return True
        same = json.dumps(came) == json.dumps(self.sent)
        self.refused += not same
        return same

    def next(self) -> list[dict[str, Any]]:
        number = len(self.sent) + 1
        thought = {"type": "thinking", "thinking": f"Häh? {number}\n", "signature": f"sig+/={number}"}
        hidden = {"type": "redacted_thinking", "data": f"EqkE{number}=="}
        omitted = {"type": "thinking", "thinking": "", "signature": f"sig-{number}"}
        said, more = ({"type": "text", "text": text} for text in (f"Reply {number}, 😀 ", f"and more of {number}."))
        content = [[thought, said], [hidden, thought, said, omitted, more], [said, thought, more], [said]][number % 4]
        self.sent.append(content if len(content) > 1 else f"Reply {number}, 😀 ")
        return content


def deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, kind in (("thinking", "thinking_delta"), ("text", "text_delta"), ("signature", "signature_delta")):
        text = block.get(name, "")
        for start in range(0, len(text), 5):
            yield {"type": kind, name: text[start : start + 5]}


def events(content: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": {"model": "claude-x", "content": [], "usage": {"input_tokens": 1}}}
    for index, block in enumerate(content):
        empty = {name: value if name in ("type", "data") else "" for name, value in block.items()}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}
    yield {"type": "message_stop"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: ClassVar[Remembering]

    def log_message(self, *_: Any) -> None: ...

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.stand_in.accepts(body):
            said = "messages.1.content.0: Invalid `signature` in `thinking` block."
            self._send(400, json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": said}}))
            return
        lines = [f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events(self.stand_in.next())]
        self._send(200, "".join(lines), "text/event-stream")

    def _send(self, status: int, text: str, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Remembering]:
    running = Remembering()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Its", (Handler,), {"stand_in": running}))
    server.daemon_threads = True
    running.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setenv("ANTHROPIC_API_KEY", FAKE_KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", running.origin)
    yield running
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_twelve_turns_send_back_each_thought_unchanged_and_in_its_place(user: UserShell, stand_in: Remembering) -> None:
    for number in range(1, TURNS + 1):
        said = user.line(f"%jmuz -p anthropic -m claude-x --chat prompt {number}")
        assert f"Reply {number}, 😀" in said
    assert (len(stand_in.sent), stand_in.refused) == (TURNS, 0)


def test_another_model_gets_none_of_it(user: UserShell, stand_in: Remembering) -> None:
    user.line("%jmuz -p anthropic -m claude-x --chat hi")
    user.line("%jmuz -p anthropic -m claude-y --chat hi")
    assert stand_in.elsewhere == ["Reply 1, 😀 and more of 1."]
