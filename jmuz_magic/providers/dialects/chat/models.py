"""Which models an endpoint lists: asked once, then kept for each class, address and key."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from jmuz_magic.errors import ResponseError
from jmuz_magic.providers.base import AsyncGeneratorProvider
from jmuz_magic.providers.dialects.chat.listed import Listed, Page, load_json, read_page
from jmuz_magic.providers.dialects.chat.reading import read_body
from jmuz_magic.providers.endpoint.endpoint import Endpoint
from jmuz_magic.providers.http.call import Call
from jmuz_magic.providers.http.failures import error_message
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.providers.http.transport import open_response
from jmuz_magic.secret import Secret

__all__ = ["cached_list", "fetch_list", "parse_page"]

MOST_PAGES = 100  # a server that always says that there is more is not asked for ever

_lists: dict[tuple[type[AsyncGeneratorProvider], str, Secret | None], tuple[Listed, ...]] = {}


def cached_list(endpoint: Endpoint) -> tuple[Listed, ...]:
    """The list as it was last asked for; empty before."""
    return _lists.get((endpoint.provider, endpoint.api_base, endpoint.key), ())


async def fetch_list(endpoint: Endpoint, call: Call, policy: Policy) -> tuple[Listed, ...]:
    """Ask, page by page where the list comes in pages, and keep the answer.

    Raises:
        JmuzError: there was no list, or a page of it is missing; one that was kept before stays.
    """
    models: dict[str, Listed] = {}
    after = ""
    for _ in range(MOST_PAGES):
        page = await _fetch_page(_page_call(call, endpoint.provider.page_parameter, after), policy)
        known = len(models)
        for model in page.models:
            models.setdefault(model.id, model)
        after = page.after
        if not after or len(models) == known:
            break
    _lists[endpoint.provider, endpoint.api_base, endpoint.key] = listed = tuple(models.values())
    return listed


async def _fetch_page(call: Call, policy: Policy) -> Page:
    with await open_response(call, policy) as response:
        body = await read_body(response, policy, call)
    return parse_page(body, call)


def _page_call(call: Call, parameter: str, after: str) -> Call:
    return replace(call, url=f"{call.url}?{parameter}={quote(after, safe='')}") if after else call


def parse_page(body: bytes, call: Call) -> Page:
    """A page of the list.

    Raises:
        ResponseError: the body is something else.
    """
    page = read_page(body)
    if page is None:
        said = call.shown(error_message(load_json(body)) or body.decode("utf-8", "replace"), 200)
        text = f"expected a list of models from {call.origin}, got {said!a}"
        raise ResponseError(text, origin=call.origin, attempts=1)
    return page
