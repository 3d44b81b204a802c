"""How a request travels: its endpoint, and what was chosen for the way there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from jmuz_magic.messages import OnNotice
from jmuz_magic.providers.endpoint.endpoint import Endpoint, Provider, check_endpoint, resolve_endpoint
from jmuz_magic.providers.endpoint.headers import checked_value
from jmuz_magic.secret import Secret

__all__ = ["Connection", "named_options"]


@dataclass(frozen=True)
class Connection:
    """How a request travels and is authorised; none of it is part of what is asked.

    Its members are arguments of `create_async_generator`. They occur in no recording's key, no log and no body.

    Attributes:
        endpoint: a resolved address and key; takes precedence over `api_base`, `api_key`, `allow_http` and the
            environment.
        api_base: an address instead of the provider's.
        api_key: a key for that address.
        headers: additional headers; one with the name of a standard header replaces it.
        timeout: seconds until the first data, and between data; None for the policy's.
        allow_http: whether a key may cross a network over plain http.
        on_notice: is told what happens on the way.
        typed: options that the user named for this request, and how: `{"temperature": "-t"}`. They are never left
            out; a service that refuses one ends the turn.
        dialect: the name of the dialect to use instead of the endpoint's; "" for that.
    """

    endpoint: Endpoint | None = None
    api_base: str | None = field(default=None, repr=False)  # refused if it contains a password, but until then it may
    api_key: str | Secret | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    timeout: float | None = None
    allow_http: bool = False
    on_notice: OnNotice | None = None
    typed: Mapping[str, str] = field(default_factory=dict, hash=False)
    dialect: str = ""

    def __post_init__(self) -> None:
        """Wrap the key, so that no traceback with local variables shows it; an endpoint speaks the given dialect."""
        if isinstance(self.api_key, str):
            object.__setattr__(self, "api_key", Secret(self.api_key))
        if self.dialect and isinstance(self.endpoint, Endpoint):
            object.__setattr__(self, "endpoint", replace(self.endpoint, dialect=self.dialect))

    @classmethod
    def of(cls, arguments: Mapping[str, Any], **known: Any) -> tuple[Connection, dict[str, Any]]:
        """Split a request's named arguments into how it travels and what is asked.

        Args:
            arguments: the arguments by name.
            known: members known from elsewhere, which take precedence.
        """
        members = {each.name for each in fields(cls)}
        way = {name: value for name, value in arguments.items() if name in members}
        return cls(**{**way, **known}), {name: value for name, value in arguments.items() if name not in members}

    @property
    def arguments(self) -> dict[str, Any]:
        """The members that were chosen, as arguments of `create_async_generator`."""
        plain = Connection()
        names = (each.name for each in fields(self))
        return {name: value for name in names if (value := getattr(self, name)) != getattr(plain, name)}

    def endpoint_of(self, provider: Provider, *, takes_key: bool = True) -> Endpoint:
        """The endpoint; unless resolved already, with its current address and key.

        Raises:
            JmuzError: the address is invalid or may not be asked, or the key must not go there.
        """
        if self.endpoint is not None:
            check_endpoint(self.endpoint.provider, self.endpoint.api_base)
            return self.endpoint
        key = self.api_key if takes_key else None
        return resolve_endpoint(
            provider, api_base=self.api_base, api_key=key, allow_http=self.allow_http, dialect=self.dialect
        )

    def checked_headers(self) -> dict[str, str | Secret]:
        """The additional headers, with potentially secret values wrapped.

        Raises:
            JmuzError: one cannot be sent; the message does not repeat its value.
        """
        wrapped = {name: Secret(value) for name, value in self.headers.items()}
        return {name: checked_value(name, value) for name, value in wrapped.items()}


def named_options(options: Mapping[str, Any]) -> dict[str, str]:
    """Options given in Python, which count as typed, with how each was written."""
    named = {name: f"{name}=" for name, value in options.items() if value is not None}
    extra = options.get("extra_body")
    return named | {name: f"extra_body[{name!r}]" for name in (extra if isinstance(extra, Mapping) else ())}
