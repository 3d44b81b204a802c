"""The dialect of `chat/completions`, which nearly every service speaks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jmuz_magic.messages import Messages
from jmuz_magic.providers.dialects.chat.body import build_body
from jmuz_magic.providers.dialects.dialect import Service
from jmuz_magic.providers.http.members import Members

if TYPE_CHECKING:
    from jmuz_magic.providers.dialects.reading import ReplyReading
    from jmuz_magic.providers.endpoint.endpoint import Endpoint
    from jmuz_magic.providers.http.call import Call
    from jmuz_magic.providers.http.policy import Policy
    from jmuz_magic.secret import Secret

__all__ = ["Chat"]


class Chat:
    """See `Dialect`."""

    name = "chat"
    label = "chat/completions"
    path = "chat/completions"
    options: Members = MappingProxyType({})

    def only_chat(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        return ()

    def headers(self, endpoint: Endpoint) -> Mapping[str, str | Secret | None]:
        return {}

    def body(
        self, service: Service, model: str, messages: Messages, stream: bool = True, **options: Any
    ) -> dict[str, Any]:
        return build_body(service, model, messages, stream, **options)

    def reading(self, service: Service, call: Call, policy: Policy) -> ReplyReading:
        # Not at load: it brings msgspec along.
        from jmuz_magic.providers.dialects.chat.reader import ReplyReader
        from jmuz_magic.providers.dialects.reading import ReplyReading

        reader = ReplyReader(call.origin, call.shown, service.reasoning_tags, service.may_begin_in_thought)
        return ReplyReading(reader, call, policy)
