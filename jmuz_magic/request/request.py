"""What is asked, of whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jmuz_magic.messages import (
    EarlierReasoning,
    Message,
)

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["Request"]


@dataclass(frozen=True)
class Request:
    """What is asked, of whom; made once, before anything is sent.

    Attributes:
        endpoint: whom; None only where a recording answers.
        model: as asked: an alias stays one, "" means the endpoint's default or one picked from its list when sent.
        messages: as asked, the system message first.
        options: arguments of `create_async_generator` besides, such as `temperature` or `timeout`.
        stream: whether the reply is asked for as a stream.
        conversation: its name; None for a turn that stands alone.
        alias: the user's name for `model` and the `implied` options, if they asked by one: recordings know the
            request by it.
        implied: names of the options that the alias stands for.
        typed: options that the user named for this very request, and how: `{"temperature": "-t"}`. A service that
            refuses one of them ends the turn; it is never left out.
        earlier_reasoning: by message, what a model thought with it.
    """

    endpoint: Endpoint | None
    model: str
    messages: tuple[Message, ...] = field(hash=False)
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    stream: bool = True
    conversation: str | None = None
    alias: str | None = None
    implied: frozenset[str] = frozenset()
    typed: Mapping[str, str] = field(default_factory=dict, hash=False)
    earlier_reasoning: tuple[EarlierReasoning | None, ...] = ()

    @property
    def resolved_model(self) -> str:
        """The id that is sent: aliases and the default resolved; "" where one is picked from the list when sent."""
        return self.endpoint.provider.get_model(self.model) if self.endpoint else self.model

    @property
    def recalled(self) -> dict[str, Any]:
        """What the provider is given besides the options: reasoning that the endpoint wants back and produced itself.

        No part of what is asked: recordings know nothing of it.
        """
        endpoint = self.endpoint
        if endpoint is None or not getattr(endpoint.provider, "reasoning_field", ""):
            return {}
        earlier = [each if each and each.origin == endpoint.origin else None for each in self.earlier_reasoning]
        return {"earlier_reasoning": earlier} if any(earlier) else {}
