"""What the demo endpoint's server answers without a reply of a script: models, and refusals."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from aiohttp import web

from jmuz_magic.demo.completion import Completion
from jmuz_magic.demo.dialect import Dialect
from jmuz_magic.demo.request_error import RequestError
from jmuz_magic.demo.scripts import SCRIPTS, Script

__all__ = ["Handler", "dialect_of", "encode", "find_script", "list_models", "read_json", "refuse", "show_model"]

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def dialect_of(request: web.Request) -> type[Dialect]:
    """The dialect of a request; those besides chat completions are imported for their first one."""
    if request.path == "/v1/messages" or "anthropic-version" in request.headers:
        from jmuz_magic.demo.anthropic.message import AnthropicMessage

        return AnthropicMessage
    if request.path == "/v1/responses":
        from jmuz_magic.demo.responses.response import Response

        return Response
    return Completion


async def list_models(request: web.Request) -> web.StreamResponse:
    """All models, in the shape that the client knows."""
    return web.json_response(dialect_of(request).listed(list(SCRIPTS), request.query))


async def show_model(request: web.Request) -> web.StreamResponse:
    """One model, in the shape that the client knows."""
    model = request.match_info["model"]
    find_script(model)
    return web.json_response(dialect_of(request).model(model))


def find_script(model: str) -> Script:
    """The script that answers for a model."""
    try:
        return SCRIPTS[model]
    except KeyError:
        known = ", ".join(SCRIPTS)
        message = f"the model {model!r} does not exist; this demo endpoint has {known}"
        raise RequestError(message, status=404, param="model", code="model_not_found") from None


def read_json(body: bytes) -> object:
    """The decoded body; bytes if it is not JSON; None if it is empty."""
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return body


def encode(event: Mapping[str, Any]) -> bytes:
    """An event with its name, if its dialect gives it one."""
    # Lone surrogates can arrive as JSON escapes, but cannot leave as UTF-8.
    data = json.dumps(event, ensure_ascii=False).encode(errors="replace")
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), data) if "type" in event else b"data: %s\n\n" % data


@web.middleware
async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give refusals, aiohttp's own included, the shape of the dialect's errors."""
    try:
        return await handler(request)
    except ConnectionError:
        return web.Response()  # the client has left; aiohttp would print a traceback
    except RequestError as error:
        refusal = error
    except web.HTTPException as error:
        paths = "/v1/models, /v1/chat/completions, /v1/responses and /v1/messages"
        message = f"{error.reason}: {request.method} {request.path}; there are {paths}"
        refusal = RequestError(message, status=error.status)
    status, body = dialect_of(request).refusal(refusal)
    return web.json_response(body, status=status)
