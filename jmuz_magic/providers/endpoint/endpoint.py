"""An endpoint is a provider with its address and key; here both are found, checked and kept together.

A key belongs to the origin that it was configured for, and goes to no other unless the user says so.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from jmuz_magic.errors import JmuzError, MissingAuthError
from jmuz_magic.messages import Chunk, Messages
from jmuz_magic.providers.advice import advice
from jmuz_magic.providers.allowed import allow_at, allowed_names, check_address, check_class, has_address
from jmuz_magic.providers.base import UNNAMED
from jmuz_magic.providers.endpoint.address import is_plain, normalise_api_base, origin_of
from jmuz_magic.providers.endpoint.azure import deployment_of
from jmuz_magic.providers.endpoint.headers import Header, headers_at, secrets_in
from jmuz_magic.providers.endpoint.keys import given_key, saved_key
from jmuz_magic.providers.endpoint.promise import identity_of, promise_of
from jmuz_magic.secret import Secret
from jmuz_magic.text import clean_line

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.listed import Listed

__all__ = [
    "Endpoint",
    "Provider",
    "check_endpoint",
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
    def dialect(self) -> Any: ...
    @property
    def own_dialect(self) -> str: ...
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
    def takes_bearer(self) -> bool: ...
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
    @property
    def may_pick(self) -> bool: ...

    def today(self) -> date: ...
    def environment_api_base(self) -> str | None: ...
    def list_url(self, api_base: str) -> str: ...
    def environment_key(self) -> tuple[str, Secret] | None: ...
    def own_origin(self) -> str | None: ...
    def key_origin(self) -> str | None: ...
    def request_url(self, api_base: str, dialect: Any, model: str) -> str: ...
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
        api_base: without a final slash, host in ASCII, no credentials.
        key: None if none is sent.
        key_source: where the key comes from, such as `env OPENAI_API_KEY`, `argument`, `%jmuz_key`,
            `keyring`, `public`; `none` without one.
        allow_http: whether the user allowed the key to travel over plain http.
        dialect: the name of the dialect to use instead of the provider's; "" for that.
        headers: what it wants besides the usual ones.
    """

    provider: Provider
    api_base: str
    key: Secret | None = None
    key_source: str = "none"
    allow_http: bool = False
    dialect: str = ""
    headers: tuple[Header, ...] = ()

    @property
    def origin(self) -> str:
        """Scheme, host and port, such as `https://api.openai.com`."""
        return origin_of(self.api_base)

    @property
    def label(self) -> str:
        """Who is asked, for people: `OpenAI at https://api.openai.com`."""
        return f"{self.provider.label} at {self.origin}"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What no prompt may contain."""
        key = (self.key,) if self.key and self.key_source != "public" else ()
        return (*key, *secrets_in(self.headers))

    @property
    def provider_name(self) -> str:
        """What log and replies call the provider: the name of its class."""
        return _class_name(self.provider)

    @property
    def own_origin(self) -> bool:
        """Whether this is the provider's own service, not another address that speaks its protocol."""
        return self.origin == self.provider.own_origin()

    @property
    def default_model(self) -> str:
        """The model for a request that names none: the deployment in the address, else the provider's; or ""."""
        return deployment_of(self.api_base) or self.provider.default_model

    @property
    def key_advice(self) -> str:
        """How to set a key for this address, for when the service asks for one."""
        names = self.provider.api_key_env
        if names and self.origin == self.provider.key_origin():
            return f"set {names[0]}, or {advice(f'use %jmuz_key {self.provider.spoken_name}', 'pass api_key=')}"
        name = self.provider.spoken_name
        named = "" if name == UNNAMED else f"{name} "
        use = f"%jmuz_use {named}--api-base {self.api_base} --key-env NAME"
        other = first_variable(names)
        kept = (
            f"; {other[0]} is only sent to {self.provider.key_origin()}" if other and self.provider.key_origin() else ""
        )
        magics = f"use %jmuz_key, or name the environment variable that holds it: {use}"
        return f"{advice(magics, 'pass api_key=')}{kept}"

    @property
    def notice(self) -> str | None:
        """What to say once before the first prompt: who reads it, what is promised of it, who the user is for it."""
        return "; ".join(filter(None, (self.third_party, self.promise, self.identity))) or None

    @property
    def third_party(self) -> str:
        """That a third party reads prompts; "" if none does."""
        return (self.own_origin and self.provider.third_party_notice) or ""

    @property
    def promise(self) -> str:
        """What whoever described the endpoint says of it, and who that is; "" if they say nothing."""
        says = promise_of(self.provider) if self.own_origin else ""
        return f"{clean_line(self.provider.label)}: {says}" if says else ""

    @property
    def identity(self) -> str:
        """Which variables of the user's environment each request takes along, as its administrator wants it."""
        return identity_of(self.headers)

    @property
    def unencrypted(self) -> bool:
        """Whether prompts cross a network over plain http."""
        return is_plain(self.api_base)


def resolve_endpoint(
    provider: Provider,
    *,
    api_base: str | None = None,
    api_key: Secret | str | None = None,
    key_env: str | None = None,
    allow_http: bool = False,
    key_source: str = "argument",
    dialect: str = "",
    headers: Sequence[Header] = (),
) -> Endpoint:
    """The endpoint that these settings and the current environment describe.

    The address comes from the argument, else the provider's variable, else its class. The key comes from `api_key`,
    else the variable `key_env` (naming it is consent to send the key to this address), else `%jmuz_key` for this
    origin, else the provider's own variables if their key belongs to this origin, else the system keyring, else
    the class if this is its origin.

    Args:
        provider: the class.
        api_base: another address.
        api_key: a key for this address.
        key_env: the name of an environment variable with a key for this address.
        allow_http: send the key even over plain http.
        key_source: what to call the source of `api_key`.
        dialect: see `Endpoint`.
        headers: for this address, besides those of the class.

    Raises:
        MissingAuthError: the variable `key_env` holds no key, or a key cannot be sent.
        JmuzError: the address is invalid or missing, or the key would cross a network over plain http.
    """
    address = find_address(provider, api_base)
    key, source = _pick_key(provider, address, api_key, key_env, key_source)
    allow_http = allow_http or provider.allow_http
    further = headers_at(origin_of(address), provider, headers)
    secret = "the key" if key else next((f"the header {each.name}" for each in further if each.is_secret), "")
    if secret and is_plain(address) and not allow_http:
        raise JmuzError(
            f"plain http would send {secret} to {origin_of(address)} unencrypted: {ALLOW_HTTP_HINT}",
            origin=origin_of(address),
        )
    return Endpoint(provider, address, key, source, allow_http, dialect, further)


def find_address(provider: Provider, api_base: str | None = None) -> str:
    """The address that an endpoint with these settings has now, whatever its key.

    Raises:
        JmuzError: it is invalid or may not be asked, or the provider has no default address.
    """
    check_class(provider)
    address = normalise_api_base(_pick_address(provider, api_base))
    check_endpoint(provider, address)
    return address


def check_endpoint(provider: Provider, address: str) -> None:
    """Refuse an endpoint that may not be asked; see `allowed.py`.

    Args:
        provider: the class.
        address: as `normalise_api_base` returned it.

    Raises:
        JmuzError: it may not.
    """
    if allowed_names() is None:
        return
    check_class(provider)
    if not has_address(provider) and (own := provider.environment_api_base() or provider.api_base):
        home = normalise_api_base(own)
        allow_at(provider, home, provider.list_url(home))
    check_address(provider, address)


def first_variable(names: Sequence[str]) -> tuple[str, str] | None:
    """Name and value of the first environment variable that is set and not blank."""
    return next(((name, value) for name in names if (value := os.environ.get(name, "").strip())), None)


def _pick_address(provider: Provider, api_base: str | None) -> str:
    if api_base is not None:
        return api_base
    address = provider.environment_api_base() or provider.api_base
    if not address:
        raise JmuzError(f"{_class_name(provider)} has no default address: {provider.address_hint}")
    return address


def _pick_key(
    provider: Provider, address: str, api_key: Secret | str | None, key_env: str | None, key_source: str
) -> tuple[Secret | None, str]:
    if api_key:
        return check_key(api_key, key_source), key_source
    if key_env:
        named = first_variable([key_env])
        if named is None:
            raise MissingAuthError(f"expected a key in the environment variable {key_env}, but it is unset or empty")
        return check_key(named[1], f"env {key_env}"), f"env {key_env}"
    origin = origin_of(address)
    if given := given_key(origin):
        return given, "%jmuz_key"
    if origin == provider.key_origin() and (found := provider.environment_key()):
        source, key = found
        return check_key(key, source), source
    needed = provider.needs_auth and not provider.api_key and origin == provider.own_origin()
    if saved := saved_key(origin, needed=needed):
        return check_key(saved, "keyring"), "keyring"
    if provider.api_key and origin == provider.own_origin():
        # The key that a class of this package holds for a free third party is public.
        source = "public" if provider.third_party_notice else f"class {_class_name(provider)}"
        return check_key(provider.api_key, source), source
    return None, "none"


def _class_name(provider: Provider) -> str:
    return cast("type", provider).__name__  # no protocol can say that classes have one


def check_key(key: Secret | str, source: str) -> Secret | None:
    """The key without the blanks and quotes that were copied with it; None if nothing is left.

    Raises:
        MissingAuthError: it cannot be sent in a header; the message does not repeat it.
    """
    value = (key.reveal() if isinstance(key, Secret) else key).strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip()
    if all("!" <= character <= "~" for character in value):
        return Secret(value) if value else None
    value = key = ""  # tracebacks with local variables must not show it
    raise MissingAuthError(
        f"the key from {source} cannot be sent: it contains spaces, line breaks or non-ASCII characters"
    )
