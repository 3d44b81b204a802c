"""The dialect of `responses`, in which OpenAI's current models think and call tools at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jmuz_magic.messages import Messages
from jmuz_magic.providers.dialects.dialect import Service
from jmuz_magic.providers.dialects.responses.body import build_body
from jmuz_magic.providers.dialects.responses.options import OPTIONS
from jmuz_magic.providers.http.members import Members

if TYPE_CHECKING:
    from jmuz_magic.providers.dialects.reading import ReplyReading
    from jmuz_magic.providers.endpoint.endpoint import Endpoint
    from jmuz_magic.providers.http.call import Call
    from jmuz_magic.providers.http.policy import Policy
    from jmuz_magic.secret import Secret

__all__ = ["Responses"]


class Responses:
    """See `Dialect`."""

    name = "responses"
    label = "Responses"
    path = "responses"
    options: Members = OPTIONS

    def only_chat(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(name for name in options if name not in OPTIONS)

    def headers(self, endpoint: Endpoint) -> Mapping[str, str | Secret | None]:
        return {}

    def body(
        self, service: Service, model: str, messages: Messages, stream: bool = True, **options: Any
    ) -> dict[str, Any]:
        return build_body(service, model, messages, stream, **options)

    def reading(self, service: Service, call: Call, policy: Policy) -> ReplyReading:
        from jmuz_magic.providers.dialects.reading import ReplyReading
        from jmuz_magic.providers.dialects.responses.reader import ResponsesReader  # as for chat

        return ReplyReading(ResponsesReader(call.origin, call.shown), call, policy)
