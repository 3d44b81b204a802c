"""Requests to the demo endpoint, as raw HTTP over a real socket."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from jmuz_magic.demo import DemoServer

__all__ = ["VERSION", "fetch", "named_events", "post"]

VERSION = {"anthropic-version": "2023-06-01"}


def post(
    server: DemoServer, body: object, headers: dict[str, str] | None = None, path: str = "/chat/completions"
) -> tuple[int, bytes]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return fetch(server, path, data, headers)


def fetch(
    server: DemoServer, path: str, data: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    request = urllib.request.Request(f"{server.api_base}{path}", data=data, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def named_events(answer: bytes) -> list[dict[str, Any]]:
    """The data of events, each of which has its type as its name."""
    *blocks, rest = answer.decode().split("\n\n")
    assert rest == ""
    found = []
    for block in blocks:
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found
