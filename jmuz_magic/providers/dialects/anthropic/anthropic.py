"""The dialect of Anthropic's Messages API, which several other services and gateways speak as well."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jmuz_magic.messages import MODEL_LIMIT, Messages
from jmuz_magic.providers.dialects.anthropic.body import build_body
from jmuz_magic.providers.dialects.anthropic.options import OPTIONS, only_chat
from jmuz_magic.providers.dialects.anthropic.places import NAME
from jmuz_magic.providers.dialects.dialect import Service
from jmuz_magic.secret import Secret

if TYPE_CHECKING:
    from jmuz_magic.providers.dialects.reading import ReplyReading
    from jmuz_magic.providers.endpoint.endpoint import Endpoint
    from jmuz_magic.providers.http.call import Call
    from jmuz_magic.providers.http.policy import Policy

__all__ = ["Anthropic"]

# The last version that takes temperature, top_p and top_k (platform.claude.com/docs/en/api/versioning, 2026-11-28).
VERSION = "2023-06-01"


class Anthropic:
    """See `Dialect`."""

    name = NAME
    label = "Messages"
    path = "messages"
    options = OPTIONS

    def only_chat(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        return only_chat(options)

    def headers(self, endpoint: Endpoint) -> Mapping[str, str | Secret | None]:
        """The version and the key; the bearer token beside it stays for gateways, of which many want only that."""
        headers: dict[str, str | Secret | None] = {"Anthropic-Version": VERSION}
        if endpoint.key:
            headers["X-Api-Key"] = endpoint.key
        if endpoint.own_origin and not endpoint.provider.takes_bearer:
            headers["Authorization"] = None
        return headers

    def body(
        self, service: Service, model: str, messages: Messages, stream: bool = True, **options: Any
    ) -> dict[str, Any]:
        return build_body(service, model, messages, stream, **options)

    def reading(self, service: Service, call: Call, policy: Policy) -> ReplyReading:
        # Not at load: it brings msgspec along.
        from jmuz_magic.providers.dialects.anthropic.reader import MessageReader
        from jmuz_magic.providers.dialects.reading import ReplyReading

        reader = MessageReader(call.origin, call.shown, lambda: _limit_words(service, call))
        return ReplyReading(reader, call, policy)


def _limit_words(service: Service, call: Call) -> str:
    """Which limit cut a reply, if it is one that `build_body` set of itself; "" if somebody chose another."""
    body = json.loads(call.body or b"{}")
    limit, stated = body.get("max_tokens"), service.stated_max_tokens(str(body.get("model")))
    if limit and limit == stated:
        return f"{MODEL_LIMIT} of {limit:,} tokens"
    return f"the default limit of {limit:,} tokens" if limit == service.default_max_tokens else ""
