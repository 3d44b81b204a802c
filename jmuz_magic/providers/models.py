"""Which models an endpoint lists: asked once, then kept for each class, address and key."""

from __future__ import annotations

import json
from typing import Any

from jmuz_magic.errors import JmuzError, ResponseError
from jmuz_magic.messages import Secret
from jmuz_magic.providers.base import AsyncGeneratorProvider
from jmuz_magic.providers.call import Call
from jmuz_magic.providers.endpoint import Endpoint
from jmuz_magic.providers.failures import error_message
from jmuz_magic.providers.policy import Policy
from jmuz_magic.providers.reading import read_body
from jmuz_magic.providers.transport import open_response

__all__ = ["cached_list", "fetch_list", "parse_list"]

_lists: dict[tuple[type[AsyncGeneratorProvider], str, Secret | None], tuple[str, ...]] = {}


def cached_list(endpoint: Endpoint) -> list[str]:
    """The list as it was last asked for; empty before."""
    return list(_lists.get((endpoint.provider, endpoint.api_base, endpoint.key), ()))


async def fetch_list(endpoint: Endpoint, call: Call, policy: Policy) -> list[str]:
    """Ask, and keep the answer.

    Raises:
        JmuzError: there was no list; one that was kept before stays.
    """
    with await open_response(call, policy) as response:
        body = await read_body(response, policy, call)
    ids = parse_list(body, call)
    _lists[endpoint.provider, endpoint.api_base, endpoint.key] = tuple(ids)
    return ids


def parse_list(body: bytes, call: Call) -> list[str]:
    """The ids in a body such as `{"data": [{"id": …}]}`, each once, in order.

    Knows bare lists, lists of strings, `{"models": …}`, and `{"data": null}` of servers that have none yet.

    Raises:
        ResponseError: it is something else.
    """
    payload = _loads(body)
    entries = payload
    if isinstance(payload, dict):
        entries = payload.get("data", payload.get("models", payload))
        if entries is None:
            return []
    if not isinstance(entries, list):
        raise _no_list(payload, body, call)
    return list(dict.fromkeys(id_ for entry in entries if (id_ := _id(entry))))


def _no_list(payload: Any, body: bytes, call: Call) -> JmuzError:
    said = call.shown(error_message(payload) or body.decode("utf-8", "replace"), 200)
    return ResponseError(f"expected a list of models from {call.origin}, got {said!a}", origin=call.origin, attempts=1)


def _id(entry: Any) -> str:
    if isinstance(entry, dict):
        entry = next((entry[name] for name in ("id", "name", "model") if isinstance(entry.get(name), str)), "")
    # Ids go to files and sockets: neither a NUL nor half a surrogate passes them.
    return entry.replace("\0", "").encode("utf-8", "replace").decode() if isinstance(entry, str) else ""


def _loads(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None
