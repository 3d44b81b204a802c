"""How a request travels: whom it reaches, and what of the way was chosen for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import OnNotice
from jmuz_magic.providers.endpoint.endpoint import Endpoint, Provider, resolve_endpoint
from jmuz_magic.secret import Secret

__all__ = ["Connection"]

SECRET_WORDS = ("auth", "key", "token", "secret", "cookie")  # in the names of headers with secret values


@dataclass(frozen=True)
class Connection:
    """How, and with which right, a request travels; nothing of it is part of what is asked.

    Its members are arguments of `create_async_generator`. They are in no recording's key, no log and no body.

    Attributes:
        endpoint: address and key, found before; overrides `api_base`, `api_key`, `allow_http` and the environment.
        api_base: another address than the provider's.
        api_key: a key for that address.
        headers: further headers; one with the name of a usual header replaces it.
        timeout: seconds until the first data, and from data to data; None for the policy's.
        allow_http: a key may cross a network in plain http.
        on_notice: is told of what happens on the way.
        typed: options that the user named for this very request, and how: `{"temperature": "-t"}`. A service that
            refuses one of them ends the turn; it is never left out.
    """

    endpoint: Endpoint | None = None
    api_base: str | None = field(default=None, repr=False)  # refused if it holds a password, but until then it may
    api_key: str | Secret | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    timeout: float | None = None
    allow_http: bool = False
    on_notice: OnNotice | None = None
    typed: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """A key is wrapped, so that no traceback with local variables shows it."""
        if isinstance(self.api_key, str):
            object.__setattr__(self, "api_key", Secret(self.api_key))

    @classmethod
    def of(cls, arguments: Mapping[str, Any], **known: Any) -> tuple[Connection, dict[str, Any]]:
        """Take apart what a request was given by name: how it travels, and the options that say what is asked.

        Args:
            arguments: by name.
            known: members that are known besides; they win.
        """
        members = {each.name for each in fields(cls)}
        way = {name: value for name, value in arguments.items() if name in members}
        return cls(**{**way, **known}), {name: value for name, value in arguments.items() if name not in members}

    @property
    def arguments(self) -> dict[str, Any]:
        """What was chosen, as arguments of `create_async_generator`."""
        plain = Connection()
        names = (each.name for each in fields(self))
        return {name: value for name in names if (value := getattr(self, name)) != getattr(plain, name)}

    def endpoint_of(self, provider: Provider, *, takes_key: bool = True) -> Endpoint:
        """The endpoint, with the address and the key of this moment where it was not found before.

        Raises:
            JmuzError: the address is none, or its key must not go there.
        """
        if self.endpoint is not None:
            return self.endpoint
        key = self.api_key if takes_key else None
        return resolve_endpoint(provider, api_base=self.api_base, api_key=key, allow_http=self.allow_http)

    def checked_headers(self) -> dict[str, str | Secret]:
        """The further headers, values that may be secret wrapped.

        Raises:
            JmuzError: one cannot be sent; its value is not repeated.
        """
        for name, value in self.headers.items():
            fits = value.isascii() and not any(sign in value for sign in "\r\n\0")
            del value
            if not (fits and name.isascii() and name.isprintable() and " " not in name):
                raise JmuzError(f"the header {name!a} cannot be sent: expected ASCII without line breaks or NUL")
        secret = {name for name in self.headers if any(word in name.lower() for word in SECRET_WORDS)}
        return {name: Secret(value) if name in secret else value for name, value in self.headers.items()}
