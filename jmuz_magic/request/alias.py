"""The user's name for a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jmuz_magic.providers.endpoint.headers import Header

__all__ = ["Alias"]


@dataclass(frozen=True)
class Alias:
    """A name for a model, with its endpoint and options.

    Attributes:
        name: what to give to `-m`.
        model: the id, or an alias of the provider's.
        provider: a provider's name, or that of a class in the user's namespace; None for the endpoint in use.
        api_base: an address instead of the provider's; without a provider, any OpenAI-compatible endpoint.
        key_env: the environment variable with the key for that address.
        allow_http: whether the key may travel over plain http.
        headers: what that address wants besides the usual ones.
        dialect: the name of the dialect to use there; "" for the provider's.
        options: sent with every request under this name; a cell's own options take precedence.
    """

    name: str
    model: str
    provider: str | None = None
    api_base: str | None = None
    key_env: str | None = None
    allow_http: bool = False
    headers: tuple[Header, ...] = ()
    dialect: str = ""
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        place = self.provider or ("" if self.api_base else "the endpoint in use")
        where = " at ".join(filter(None, (place, self.api_base)))
        key = f", key: env {self.key_env}" if self.key_env else ""
        headers = "".join(f", header {header}" for header in self.headers)
        dialect = f", dialect {self.dialect}" if self.dialect else ""
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"{self.name}: {self.model} of {where}{key}{headers}{dialect}{options}"
