"""An endpoint's list of models: fetched once for each class, address and key, then kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeAlias
from urllib.parse import quote

from jmuz_magic.errors import ResponseError
from jmuz_magic.providers.endpoint.endpoint import Endpoint, Provider
from jmuz_magic.providers.endpoint.headers import Header
from jmuz_magic.providers.endpoint.listed import Listed
from jmuz_magic.providers.http.call import Call
from jmuz_magic.providers.http.error_text import error_message, load_json
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.providers.http.transport import open_response
from jmuz_magic.secret import Secret

__all__ = ["cached_list", "fetch_list", "is_part", "parse_page", "stated_max_tokens"]

MOST_TOKENS = 10**9  # anything above is not a limit
MORE = ("next", "next_cursor", "next_page", "nextPageToken", "next_page_token")  # where a next page has a name
TOTAL = ("total", "total_count")
MOST_PAGES = 100  # so that a server that always claims to have more is not asked forever

_Place: TypeAlias = tuple[Provider, str, Secret | None, tuple[Header, ...]]
_lists: dict[_Place, tuple[Listed, ...]] = {}
_parts: set[_Place] = set()


def cached_list(endpoint: Endpoint) -> tuple[Listed, ...]:
    """The list as last fetched; empty before."""
    return _lists.get(_place(endpoint), ())


def is_part(endpoint: Endpoint) -> bool:
    """Whether the list as last fetched is only a part of what the endpoint has, as far as it says so."""
    return _place(endpoint) in _parts


def _place(endpoint: Endpoint) -> _Place:
    return endpoint.provider, endpoint.api_base, endpoint.key, endpoint.headers


def stated_max_tokens(provider: Provider, model: str) -> int | None:
    """The longest reply of a model, in tokens, as a fetched list of this provider states it; None if none does."""
    lists = (listed for key, listed in _lists.items() if key[0] is provider)
    return next((each.max_tokens for listed in lists for each in listed if each.id == model and each.max_tokens), None)


async def fetch_list(endpoint: Endpoint, call: Call, policy: Policy, page_parameter: str) -> tuple[Listed, ...]:
    """Fetch the list, page by page if it has pages, and keep it.

    Raises:
        JmuzError: there is no list, or a page of it is missing; an earlier list is kept.
    """
    models: dict[str, Listed] = {}
    after, has_more = "", False
    for _ in range(MOST_PAGES):
        page = await _fetch_page(_page_call(call, page_parameter, after), policy)
        known = len(models)
        for model in page.models:
            models.setdefault(model.id, model)
        after, has_more = page.after, page.has_more or page.total > len(models)
        if not after or len(models) == known:
            break
    place = _place(endpoint)
    _lists[place] = listed = tuple(models.values())
    (_parts.add if has_more else _parts.discard)(place)
    return listed


async def _fetch_page(call: Call, policy: Policy) -> Page:
    with await open_response(call, policy) as response:
        body = await response.read_all()
    return parse_page(body, call)


def _page_call(call: Call, parameter: str, after: str) -> Call:
    if not after:
        return call
    further = "&" if "?" in call.url else "?"
    return replace(call, url=f"{call.url}{further}{parameter}={quote(after, safe='')}")


def parse_page(body: bytes, call: Call) -> Page:
    """A page of the list.

    Raises:
        ResponseError: the body is not a list of models.
    """
    page = read_page(body)
    if page is None:
        said = call.shown(error_message(load_json(body)) or body.decode("utf-8", "replace"), 200)
        text = f"expected a list of models from {call.origin}, got {said!a}"
        raise ResponseError(text, origin=call.origin, attempts=1)
    return page


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list.

    Attributes:
        models: each model once, in the endpoint's order.
        after: the id after which the next page begins; "" on the last page, or if it is not said.
        has_more: whether the endpoint says that there is more.
        total: how many models it says that it has; 0 if it does not.
    """

    models: tuple[Listed, ...]
    after: str = ""
    has_more: bool = False
    total: int = 0


def read_page(body: bytes) -> Page | None:
    """The models in a body such as `{"data": [{"id": …}]}`; None if it is something else.

    Also reads bare lists, lists of strings, `{"models": …}`, `{"data": null}` of servers without models, and the
    endpoints of a Databricks workspace that chat.
    `{"has_more": true, "last_id": …}` means that there are more (Anthropic and OpenAI, 2026-11). Other ways to page
    are not followed; that there is a next page (`MORE`) or a higher number of models (`TOTAL`) is noticed.
    """
    payload = load_json(body)
    entries = payload
    if isinstance(payload, dict):
        entries = payload.get("data", payload.get("models", _served(payload)))
        if entries is None:
            return Page(())
    if not isinstance(entries, list):
        return None
    models = {model.id: model for entry in entries if (model := _listed(entry)).id}
    return Page(tuple(models.values()), _after(payload, list(models)), _has_more(payload), _total(payload))


def _served(payload: dict[str, Any]) -> Any:
    """The chatting ones of `{"endpoints": [{"name": …, "task": "llm/v1/chat"}]}`, else the payload itself.

    See docs.databricks.com/api/workspace/servingendpoints/list, 2026-11; a workspace without any sends `{}`.
    """
    endpoints = payload.get("endpoints")
    if not isinstance(endpoints, list):
        return payload
    return [each for each in endpoints if isinstance(each, dict) and "chat" in str(each.get("task"))]


def _after(payload: Any, ids: list[str]) -> str:
    if not isinstance(payload, dict) or payload.get("has_more") is not True or not ids:
        return ""
    last = payload.get("last_id")
    return last if isinstance(last, str) and last else ids[-1]


def _has_more(payload: Any) -> bool:
    if not isinstance(payload, dict):
        return False
    return payload.get("has_more") is True or any(isinstance(payload.get(name), str) and payload[name] for name in MORE)


def _total(payload: Any) -> int:
    given = (payload.get(name) for name in TOTAL) if isinstance(payload, dict) else ()
    return max((count for count in given if type(count) is int), default=0)


def _listed(entry: Any) -> Listed:
    if not isinstance(entry, dict):
        return Listed(_id(entry))
    id_ = next((entry[name] for name in ("id", "name", "model") if isinstance(entry.get(name), str)), "")
    status = entry.get("status")
    loaded = isinstance(status, dict) and status.get("value") == "loaded"
    adapter, root = bool(entry.get("parent")), _id(entry.get("root"))
    shutdown = _date(entry.get("shutdown_date") or entry.get("retires_at"))
    return Listed(_id(id_), shutdown, adapter, loaded, "" if root == id_ else root, _count(entry.get("max_tokens")))


def _id(value: Any) -> str:
    # Ids go to files and sockets, which accept neither NUL nor lone surrogates.
    return value.replace("\0", "").encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 < value < MOST_TOKENS else None


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
