"""What a provider is: a class that speaks to one service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

from jmuz_magic.errors import ModelNotFoundError
from jmuz_magic.messages import Chunk, Messages
from jmuz_magic.providers.advice import advice, list_advice

__all__ = [
    "UNNAMED",
    "AsyncGeneratorProvider",
    "Leaving",
    "ProviderModelMixin",
    "may_search",
    "only_known",
]

UNNAMED = "OpenaiTemplate"
"""The name of the provider to use for an address given without one."""


may_search: ContextVar[bool] = ContextVar("may_search", default=True)
"""Whether the keyring may be asked, and installed packages be searched for a provider."""


@contextmanager
def only_known() -> Iterator[None]:
    """Inside, use only what is known already: pressing Tab must neither open the keyring's dialogue nor import."""
    token = may_search.set(False)
    try:
        yield
    finally:
        may_search.reset(token)


class Leaving(asyncio.CancelledError):
    """Thrown into a reply's generator by a reader who leaves: it yields what it holds, then raises this again."""


class AsyncGeneratorProvider:
    """A class, never an instance, whose `create_async_generator` yields a reply.

    Attributes:
        name: what the registry calls it; by default the class's name in lower case.
        spoken_name: what `-p` and `%jmuz_use` call it: its `name` if the registry has it, else the class's name.
        label: its name for display.
        url: a page about the service; None if there is none.
        working: whether the service is known to answer.
        supports_system_message: False if a system message must be folded into the first user message.
    """

    name: ClassVar[str] = ""
    spoken_name: ClassVar[str] = ""
    label: ClassVar[str] = ""
    url: ClassVar[str | None] = None
    working: ClassVar[bool] = True
    supports_system_message: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = cls.__name__.lower()
        if "spoken_name" not in cls.__dict__:
            cls.spoken_name = cls.__name__
        if "label" not in cls.__dict__:
            cls.label = cls.__name__

    @classmethod
    def create_async_generator(
        cls, model: str, messages: Messages, stream: bool = True, **kwargs: Any
    ) -> AsyncGenerator[Chunk, None]:
        """Ask, and yield the reply in chunks."""
        raise NotImplementedError(f"{cls.__name__} does not implement create_async_generator")


class ProviderModelMixin:
    """What a provider knows about its models.

    Attributes:
        default_model: the id for a request that names none, or "". Only for names that the service keeps current:
            dated ones are switched off one day.
        models: the ids that the service listed; empty before the first `get_models()`.
        model_aliases: maps local names to the service's ids.
    """

    default_model: ClassVar[str] = ""
    models: ClassVar[list[str]] = []
    model_aliases: ClassVar[dict[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "models" not in cls.__dict__:
            cls.models = []  # its own: a subclass at another address must not show its parent's list

    @classmethod
    def get_models(cls) -> list[str]:
        """The ids that the service lists."""
        return list(cls.models)

    @classmethod
    def get_model(cls, model: str) -> str:
        """The id to send: the default for "", the target of an alias, anything else unchanged.

        There is no whitelist: services have models that they do not list.

        Raises:
            ModelNotFoundError: no model was named and there is no default.
        """
        model = model or cls.default_model
        if not model:
            raise ModelNotFoundError(
                f"{cls.__name__} has no default model: name one with "
                f"{advice('-m MODEL', 'model=')} ({list_advice()} lists them)"
            )
        return cls.model_aliases.get(model, model)
