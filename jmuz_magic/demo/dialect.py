"""What the server asks of a dialect: to read a request, and to write the reply, a refusal and the list of models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from jmuz_magic.demo.reply import CREATED, Reply
from jmuz_magic.demo.request import ChatRequest
from jmuz_magic.demo.request_error import RequestError
from jmuz_magic.demo.scripts import stands_for

__all__ = ["Dialect"]


class Dialect(ABC):
    """A reply in one dialect. Keys, refusals and the list of models are OpenAI's, unless a subclass has its own.

    Attributes:
        end: what follows the last event of a stream.
        key_hint: how a key is to be sent.
    """

    end: ClassVar[bytes] = b""
    key_hint: ClassVar[str] = "send it as a bearer token"

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    @classmethod
    @abstractmethod
    def read(cls, body: object, headers: Mapping[str, str]) -> ChatRequest:
        """Read a decoded JSON body.

        Raises:
            RequestError: the service whose dialect it is would not accept it; the message names the parameter.
        """

    @abstractmethod
    def as_json(self) -> dict[str, Any]: ...

    @abstractmethod
    def events(self) -> Iterator[dict[str, Any]]:
        """The `data` of each event; its `type`, if it has one, is also the event's name."""

    @classmethod
    def key_of(cls, headers: Mapping[str, str]) -> str:
        """The key that the request brings; "" without one."""
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        return token if scheme == "Bearer" else ""

    @classmethod
    def refusal(cls, error: RequestError) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        return error.status, error.as_json()

    @classmethod
    def listed(cls, models: Sequence[str], query: Mapping[str, str]) -> dict[str, Any]:
        """The list of models, or the page of it that is asked for."""
        return {"object": "list", "data": [cls.model(model) for model in models]}

    @classmethod
    def model(cls, model: str) -> dict[str, Any]:
        named = {"id": model, "root": stands_for(model)}  # as vLLM tells which model answers to another name
        return {**named, "object": "model", "created": CREATED, "owned_by": "jmuz_magic-demo"}
