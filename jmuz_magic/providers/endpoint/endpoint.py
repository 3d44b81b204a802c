"""An endpoint is a provider with its address and its key; here both are found, checked and kept together.

A key belongs to the origin that it was configured for and goes to no other by itself.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, cast, runtime_checkable

from jmuz_magic.errors import JmuzError, MissingAuthError
from jmuz_magic.messages import Chunk, Messages
from jmuz_magic.providers.base import UNNAMED
from jmuz_magic.providers.endpoint.address import _is_plain, normalise_api_base, origin_of
from jmuz_magic.providers.endpoint.keys import given_key, saved_key
from jmuz_magic.providers.endpoint.listed import Listed
from jmuz_magic.secret import Secret

__all__ = [
    "Endpoint",
    "Provider",
    "check_key",
    "find_address",
    "first_variable",
    "resolve_endpoint",
]


ALLOW_HTTP_HINT = "use https, or allow it with `%jmuz_use … --allow-http` (in Python: allow_http=True)"


@runtime_checkable
class Provider(Protocol):
    """What the package uses of a provider, which is a class: `OpenaiTemplate` and its subclasses are such.

    `OpenaiTemplate` says what each member means.
    """

    spoken_name: str

    @property
    def label(self) -> str: ...
    @property
    def api_base(self) -> str: ...
    @property
    def api_key(self) -> str | None: ...
    @property
    def api_key_env(self) -> tuple[str, ...]: ...
    @property
    def address_hint(self) -> str: ...
    @property
    def needs_auth(self) -> bool: ...
    @property
    def allow_http(self) -> bool: ...
    @property
    def third_party_notice(self) -> str | None: ...
    @property
    def default_model(self) -> str: ...
    @property
    def model_aliases(self) -> Mapping[str, str]: ...
    @property
    def model_families(self) -> tuple[str, ...]: ...

    def today(self) -> date: ...
    def environment_api_base(self) -> str | None: ...
    def own_origin(self) -> str | None: ...
    def key_origin(self) -> str | None: ...
    def get_model(self, model: str) -> str: ...
    def get_models(self, *, endpoint: Endpoint | None = None, refresh: bool = False) -> list[str]: ...
    def cached_models(self, endpoint: Endpoint | None = None) -> list[str]: ...
    def listed_models(self, endpoint: Endpoint | None = None) -> tuple[Listed, ...]: ...
    def build_request(self, model: str, messages: Messages, stream: bool = True, **options: Any) -> dict[str, Any]: ...
    def create_async_generator(
        self, model: str, messages: Messages, stream: bool = True, **options: Any
    ) -> AsyncGenerator[Chunk, None]: ...


@dataclass(frozen=True)
class Endpoint:
    """A provider with its address and key.

    Attributes:
        provider: the class.
        api_base: without a slash at its end, host in ASCII, no credentials.
        key: None where none is sent.
        key_source: where the key comes from, such as `env OPENAI_API_KEY`, `argument`, `%jmuz_key`,
            `keyring`, `public`; `none` without one.
        allow_http: the user said that plain http is good enough for the key.
    """

    provider: Provider
    api_base: str
    key: Secret | None = None
    key_source: str = "none"
    allow_http: bool = False

    @property
    def origin(self) -> str:
        """Scheme, host and port, such as `https://api.openai.com`."""
        return origin_of(self.api_base)

    @property
    def provider_name(self) -> str:
        """What log and replies call the provider: the name of its class."""
        return _class_name(self.provider)

    @property
    def own_origin(self) -> bool:
        """Whether this is the provider's own service, not another address that speaks like it."""
        return self.origin == self.provider.own_origin()

    @property
    def key_advice(self) -> str:
        """How a key is given for this address, where the service asks for one."""
        names = self.provider.api_key_env
        if names and self.origin == self.provider.key_origin():
            return f"set {names[0]}, or use %jmuz_key"
        name = self.provider.spoken_name
        named = "" if name == UNNAMED else f"{name} "
        use = f"%jmuz_use {named}--api-base {self.api_base} --key-env NAME"
        other = first_variable(names)
        kept = f"; {other[0]} is for {self.provider.key_origin()} only" if other and self.provider.key_origin() else ""
        return f"%jmuz_key asks for one, or name the environment variable that holds it: {use}{kept}"

    @property
    def notice(self) -> str | None:
        """What to say once before the first prompt: where prompts go, if a third party reads them."""
        return self.provider.third_party_notice if self.own_origin else None

    @property
    def unencrypted(self) -> bool:
        """Whether prompts cross a network in plain http."""
        return _is_plain(self.api_base)


def resolve_endpoint(
    provider: Provider,
    *,
    api_base: str | None = None,
    api_key: Secret | str | None = None,
    key_env: str | None = None,
    allow_http: bool = False,
    key_source: str = "argument",
) -> Endpoint:
    """The endpoint that these settings and the environment describe, now.

    Address: argument, then the provider's variable, then its class. Key: `api_key`, then the variable
    `key_env` (naming it is consent to send it to this address), then what `%jmuz_key` was given for this origin,
    then the provider's own variables if their key belongs to this origin, then the system keyring (for this
    process the environment is the nearer word), then the class's key if this is its origin.

    Args:
        provider: its class.
        api_base: another address for it.
        api_key: a key for this address.
        key_env: the name of a variable with a key for this address.
        allow_http: send the key over plain http, too.
        key_source: how to call the origin of `api_key` when asked.

    Raises:
        MissingAuthError: `key_env` names no key, or a key is no header value.
        JmuzError: the address is none, or the key would cross a network in plain http.
    """
    address = find_address(provider, api_base)
    key, source = _pick_key(provider, address, api_key, key_env, key_source)
    allow_http = allow_http or provider.allow_http
    if key and _is_plain(address) and not allow_http:
        raise JmuzError(
            f"plain http would send the key readable by anybody on the way to {origin_of(address)}: {ALLOW_HTTP_HINT}",
            origin=origin_of(address),
        )
    return Endpoint(provider, address, key, source, allow_http)


def find_address(provider: Provider, api_base: str | None = None) -> str:
    """The address that an endpoint of these settings has now, whatever its key.

    Raises:
        JmuzError: it is none, or the provider has none of its own.
    """
    return normalise_api_base(_pick_address(provider, api_base))


def first_variable(names: Sequence[str]) -> tuple[str, str] | None:
    """Name and value of the first environment variable that is set and not blank."""
    return next(((name, value) for name in names if (value := os.environ.get(name, "").strip())), None)


def _pick_address(provider: Provider, api_base: str | None) -> str:
    if api_base is not None:
        return api_base
    address = provider.environment_api_base() or provider.api_base
    if not address:
        raise JmuzError(f"{_class_name(provider)} has no address of its own: {provider.address_hint}")
    return address


def _pick_key(
    provider: Provider, address: str, api_key: Secret | str | None, key_env: str | None, key_source: str
) -> tuple[Secret | None, str]:
    if api_key:
        return check_key(api_key, key_source), key_source
    if key_env:
        found = first_variable([key_env])
        if found is None:
            raise MissingAuthError(f"expected a key in the environment variable {key_env}, but it is not set or empty")
        return check_key(found[1], f"env {key_env}"), f"env {key_env}"
    origin = origin_of(address)
    if given := given_key(origin):
        return given, "%jmuz_key"
    found = first_variable(provider.api_key_env)
    if found and origin == provider.key_origin():
        return check_key(found[1], f"env {found[0]}"), f"env {found[0]}"
    needed = provider.needs_auth and not provider.api_key and origin == provider.own_origin()
    if saved := saved_key(origin, needed=needed):
        return check_key(saved, "keyring"), "keyring"
    if provider.api_key and origin == provider.own_origin():
        # What a class of this package holds for a free third party is known to everybody.
        source = "public" if provider.third_party_notice else f"class {_class_name(provider)}"
        return check_key(provider.api_key, source), source
    return None, "none"


def _class_name(provider: Provider) -> str:
    return cast("type", provider).__name__  # no protocol can say that classes have one


def check_key(key: Secret | str, source: str) -> Secret | None:
    """The key without the blanks and quotes that came along when it was copied; None if nothing is left.

    Raises:
        MissingAuthError: what is left is no header value; the key is not repeated.
    """
    value = (key.reveal() if isinstance(key, Secret) else key).strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip()
    if all("!" <= character <= "~" for character in value):
        return Secret(value) if value else None
    value = key = ""  # tracebacks with local variables must not show it
    raise MissingAuthError(
        f"the key from {source} is not a header value: it holds blanks, line breaks or characters beyond ASCII"
    )
