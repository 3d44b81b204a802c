"""What is asked, of whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from jmuz_magic.messages import EarlierReasoning, Message
from jmuz_magic.providers.endpoint.connection import Connection
from jmuz_magic.providers.fixed import check_typed, with_fixed

if TYPE_CHECKING:
    from jmuz_magic.providers.concessions import Terms
    from jmuz_magic.providers.dialects.choosing import Chosen
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["Request", "State"]


@dataclass(frozen=True)
class Request:
    """What is asked, of whom; created once, before anything is sent.

    Attributes:
        connection: how it travels, with the endpoint resolved; that is None only if a recording answers.
        model: as asked for: aliases unresolved; "" means the endpoint's default, or one picked from its list when sent.
        messages: as asked, the system message first.
        options: what else is asked, such as `temperature`.
        stream: whether to ask for a stream.
        conversation: its name; None for a turn outside of one.
        conversation_id: its id in the log.
        alias: the user's name for `model` and the `implied` options, if they asked by one: recordings know the
            request by it.
        implied: names of the options that the alias stands for.
        earlier_reasoning: by message, what a model thought with it.
        sent_in_part: see `Reply`.
    """

    connection: Connection
    model: str
    messages: tuple[Message, ...] = field(hash=False)
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    stream: bool = True
    conversation: str | None = None
    conversation_id: str | None = None
    alias: str | None = None
    implied: frozenset[str] = frozenset()
    earlier_reasoning: tuple[EarlierReasoning | None, ...] = ()
    sent_in_part: tuple[str, ...] = ()

    @property
    def endpoint(self) -> Endpoint | None:
        """Whom to ask; None only if a recording answers."""
        return self.connection.endpoint

    @property
    def resolved_model(self) -> str:
        """The id to send, with aliases and the default resolved; "" if one is picked from the list when sent."""
        endpoint = self.endpoint
        return endpoint.provider.get_model(self.model or endpoint.default_model) if endpoint else self.model

    @property
    def arguments(self) -> dict[str, Any]:
        """What the provider is given: the options, and reasoning that the endpoint produced and may want back.

        The latter is not part of what is asked: recordings do not see it.
        """
        endpoint = self.endpoint
        if endpoint is None:
            return dict(self.options)
        earlier = [each if each and each.origin == endpoint.origin else None for each in self.earlier_reasoning]
        if any(each and each.items for each in earlier):
            from jmuz_magic.providers.dialects.sealed import readable  # most services seal nothing

            earlier = readable(earlier)
        if not getattr(endpoint.provider, "reasoning_field", ""):
            earlier = [each if each and each.items else None for each in earlier]
        return {**self.options, **({"earlier_reasoning": earlier} if any(earlier) else {})}

    @property
    def chosen(self) -> Chosen:
        """The dialect in which the request is sent.

        Raises:
            JmuzError: there is no dialect of the chosen name.
        """
        from jmuz_magic.providers.dialects.choosing import choose  # not at load

        assert self.endpoint is not None  # a request without one is not sent
        return choose(self.endpoint, with_fixed(self.endpoint.provider, self.messages, self.options)[1])

    def terms(self, model: str | None = None) -> Terms:
        """The body as the provider would send it now, and what is left out of it.

        Args:
            model: the picked one; None for the one asked for.

        Raises:
            JmuzError: a message or an option cannot be sent.
        """
        from jmuz_magic.providers.concessions import Terms  # not at load

        endpoint = self.endpoint
        assert endpoint is not None  # a request without one is not sent
        check_typed(endpoint.provider, self.connection.typed)
        model = (self.model if model is None else model) or endpoint.default_model
        chosen = self.chosen
        messages, options = with_fixed(endpoint.provider, self.messages, self.arguments)
        options = {**chosen.options, **options}
        body = endpoint.provider.build_request(model, list(messages), self.stream, **options)
        return Terms(endpoint.origin, chosen.dialect, body, self.connection.typed)


State: TypeAlias = Literal["waiting", "streaming", "complete", "truncated", "interrupted", "failed"]
