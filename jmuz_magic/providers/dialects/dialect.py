"""What a dialect is: the translation between this package's types and a service's wire protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from jmuz_magic.messages import Chunk, Messages

if TYPE_CHECKING:
    from jmuz_magic.providers.http.call import Call
    from jmuz_magic.providers.http.policy import Policy
    from jmuz_magic.providers.http.response import Response

__all__ = ["Dialect", "Reading", "Service"]


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

    def get_model(self, model: str) -> str: ...


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
        path: where requests go, relative to the api_base.
    """

    path: str

    def body(
        self, service: Service, model: str, messages: Messages, stream: bool = True, **options: Any
    ) -> dict[str, Any]:
        """The JSON body of a request; see `OpenaiTemplate.build_request`."""

    def reading(self, service: Service, call: Call, policy: Policy) -> Reading:
        """A new reading of the reply to `call`."""
