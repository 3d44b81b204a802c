"""What a dialect is: the translation between this package's types and a service's wire protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from jmuz_magic.messages import Chunk, EarlierReasoning, Messages
from jmuz_magic.providers.http.members import Members
from jmuz_magic.secret import Secret

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Endpoint
    from jmuz_magic.providers.http.call import Call
    from jmuz_magic.providers.http.policy import Policy
    from jmuz_magic.providers.http.response import Response

__all__ = ["Dialect", "Reading", "Service", "items_by_message"]


class Service(Protocol):
    """What a dialect must know about a service; `OpenaiTemplate` explains each member."""

    @property
    def supports_system_message(self) -> bool: ...
    @property
    def max_tokens_field(self) -> str: ...
    @property
    def asks_stream_usage(self) -> bool: ...
    @property
    def reasoning_field(self) -> str: ...
    @property
    def reasoning_tags(self) -> Sequence[str]: ...
    @property
    def may_begin_in_thought(self) -> bool: ...
    @property
    def takes_pdf(self) -> bool: ...
    @property
    def dialect(self) -> Any: ...
    @property
    def default_max_tokens(self) -> int: ...

    def get_model(self, model: str) -> str: ...

    def stated_max_tokens(self, model: str) -> int | None: ...


class Reading(Protocol):
    """The reading of one reply."""

    async def chunks(self, response: Response) -> AsyncGenerator[list[Chunk], None]:
        """An iterator over the chunks of the reply, as lists: one for each read from the network.

        Raises:
            JmuzError: the body is not a reply, or broke off before its first visible byte.
        """

    def rest(self) -> list[Chunk]:
        """What is still held of a reply that broke off, and what is known about it."""


class Dialect(Protocol):
    """Builds the body of a request and reads its reply.

    Attributes:
        name: what `--dialect` calls it.
        label: its name for display.
        path: where requests go, relative to the api_base.
        options: by option of `OpenaiTemplate.build_request`, as the user writes it, the members of the body that exist
            because of it, such as `reasoning.effort`; empty if every option stands under its own name.
    """

    name: str
    label: str
    path: str

    @property
    def options(self) -> Members: ...

    def only_chat(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of those options that this dialect cannot express, so that the request goes by chat.

        Args:
            options: as in `OpenaiTemplate.build_request`, without those that are None; the members of `extra_body`
                stand among them.
        """

    def headers(self, endpoint: Endpoint) -> Mapping[str, str | Secret | None]:
        """Headers besides the provider's; None takes one of those away. Those that the user gives take precedence."""

    def body(
        self, service: Service, model: str, messages: Messages, stream: bool = True, **options: Any
    ) -> dict[str, Any]:
        """The JSON body of a request; see `OpenaiTemplate.build_request`."""

    def reading(self, service: Service, call: Call, policy: Policy) -> Reading:
        """A new reading of the reply to `call`."""


def items_by_message(
    messages: Messages, earlier: Sequence[EarlierReasoning | None], model: str, dialect: str
) -> list[tuple[Mapping[str, Any], ...]]:
    """By message, the items of `ReasoningItems` to send back with it: those of this dialect, for this model.

    Args:
        messages: the messages of the request.
        earlier: as `earlier_reasoning` of `OpenaiTemplate.build_request`; empty for none.
        model: the id to be sent.
        dialect: the name of the dialect.
    """
    pairs = zip(messages, earlier or [None] * len(messages), strict=True)
    return [_typed(each.items) if each and (each.model, each.dialect) == (model, dialect) else () for _, each in pairs]


def _typed(items: tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
    """The items that have a type: they may come from a recording that somebody else has written."""
    return tuple(item for item in items if isinstance(item.get("type"), str))
