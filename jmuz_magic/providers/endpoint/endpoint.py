"""An endpoint is a provider with its address and its key; here both are found, checked and kept together.

A key belongs to the origin that it was configured for and goes to no other by itself.
"""

from __future__ import annotations

import functools
import ipaddress
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeVar
from urllib.parse import SplitResult, urlsplit, urlunsplit

from jmuz_magic.errors import JmuzError, MissingAuthError
from jmuz_magic.messages import Secret
from jmuz_magic.providers.endpoint.keys import given_key, saved_key

if TYPE_CHECKING:
    from jmuz_magic.providers.openai_template import OpenaiTemplate

__all__ = [
    "Endpoint",
    "check_key",
    "find_address",
    "first_variable",
    "is_azure",
    "is_loopback",
    "normalise_api_base",
    "origin_of",
    "resolve_endpoint",
]

T = TypeVar("T")
R = TypeVar("R")

ALLOW_HTTP_HINT = "use https, or allow it with `%jmuz_use … --allow-http` (in Python: allow_http=True)"
DEFAULT_PORTS = {"http": 80, "https": 443}
CLASSIC_AZURE = (
    "is of Azure's older form (…/deployments/NAME/…?api-version=…), which is not supported yet; "
    "give https://RESOURCE.openai.azure.com/openai/v1 instead, and the deployment's name as the model (-m NAME)"
)
# IDNA 2003 and 2008 turn these into different hosts; which one is meant only the user knows.
AMBIGUOUS_IN_HOSTS = "ßς\u200c\u200d"


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

    provider: type[OpenaiTemplate]
    api_base: str
    key: Secret | None = None
    key_source: str = "none"
    allow_http: bool = False

    @property
    def origin(self) -> str:
        """Scheme, host and port, such as `https://api.openai.com`."""
        return origin_of(self.api_base)

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
        use = " ".join(["%jmuz_use", *self._spoken_name(), "--api-base", self.api_base, "--key-env", "NAME"])
        other = first_variable(names)
        kept = f"; {other[0]} is for {self.provider.key_origin()} only" if other and self.provider.key_origin() else ""
        return f"%jmuz_key asks for one, or name the environment variable that holds it: {use}{kept}"

    def _spoken_name(self) -> list[str]:
        """What `%jmuz_use` calls the provider; nothing for the template, which is meant where none is named."""
        from jmuz_magic.providers.catalog import CATALOG
        from jmuz_magic.providers.openai_template import OpenaiTemplate

        provider = self.provider
        if provider is OpenaiTemplate:
            return []
        return [provider.name if CATALOG.get(provider.name) is provider else provider.__name__]

    @property
    def notice(self) -> str | None:
        """What to say once before the first prompt: where prompts go, if a third party reads them."""
        return self.provider.third_party_notice if self.own_origin else None

    @property
    def unencrypted(self) -> bool:
        """Whether prompts cross a network in plain http."""
        return _is_plain(self.api_base)


def resolve_endpoint(
    provider: type[OpenaiTemplate],
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


def find_address(provider: type[OpenaiTemplate], api_base: str | None = None) -> str:
    """The address that an endpoint of these settings has now, whatever its key.

    Raises:
        JmuzError: it is none, or the provider has none of its own.
    """
    return normalise_api_base(_pick_address(provider, api_base))


def first_variable(names: Sequence[str]) -> tuple[str, str] | None:
    """Name and value of the first environment variable that is set and not blank."""
    return next(((name, value) for name in names if (value := os.environ.get(name, "").strip())), None)


def origin_of(address: str) -> str:
    """Scheme, host and port of an address that `normalise_api_base` returned."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


@functools.lru_cache(maxsize=64)  # each request asks several times for the same few
def normalise_api_base(address: str) -> str:
    """The address as requests are made from it: no slash at its end, no `/chat/completions`, an ASCII host.

    Raises:
        JmuzError: it is no address for a chat endpoint; credentials in it are never repeated.
    """
    address = address.strip()
    if not address:
        _refuse("is empty")
    if any(character <= " " or character in "\\\x7f" for character in address):
        _refuse("holds a blank, a backslash or a control character")
    parts = _split(address)
    host = _ascii_host(parts)
    port = _port(parts)
    if port is not None and port != DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
    return urlunsplit((parts.scheme, host, path, "", ""))


def _split(address: str) -> SplitResult:
    parts = _or_none(urlsplit, address)
    if parts is None:  # an unfinished [IPv6] host
        _refuse("has a malformed host")
    if "@" in parts.netloc:
        _refuse("holds a user name or password; keys belong in an environment variable")
    if _is_classic_azure(parts):
        _refuse(CLASSIC_AZURE)
    if parts.query or parts.fragment:
        _refuse("holds a query or a fragment; give the part before the ? or #")
    if parts.scheme not in DEFAULT_PORTS or not address.lower().startswith(f"{parts.scheme}://"):
        _refuse_scheme(address, parts)
    return parts


def _is_classic_azure(parts: SplitResult) -> bool:
    asks_version = "api-version=" in parts.query.lower()
    return asks_version or (is_azure(parts.geturl()) and "/deployments/" in parts.path.lower())


def is_azure(address: str) -> bool:
    """Whether the host is one of Azure's."""
    host = (urlsplit(address).hostname or "").lower()
    return host.endswith((".azure.com", ".azure.us", ".azure.cn"))


def _refuse_scheme(address: str, parts: SplitResult) -> NoReturn:
    if "://" in address:
        _refuse(f"starts with {parts.scheme}://")
    if "@" in address:
        _refuse("holds a user name or password; keys belong in an environment variable")
    host = urlsplit(f"//{address}").hostname or ""
    _refuse(f"names no scheme; did you mean {'http' if is_loopback(host) else 'https'}://{address} ?")


def _ascii_host(parts: SplitResult) -> str:
    host = parts.hostname
    if not host:
        _refuse("names no host")
    if ":" in host:
        return f"[{host}]"
    if any(character in AMBIGUOUS_IN_HOSTS for character in host):
        _refuse("has a host that two standards read differently; give its xn-- form")
    encoded = _or_none(lambda name: name.encode("idna"), host)
    if encoded is None:
        _refuse("has a host that is no host name")
    return encoded.decode("ascii")


def _port(parts: SplitResult) -> int | None:
    if _or_none(lambda split: (split.port,), parts) is None:
        _refuse("has a port that is no number from 0 to 65535")
    return parts.port


def _or_none(function: Callable[[T], R], value: T) -> R | None:
    # Refusing after the handler has ended, not in it, leaves no error with the address in it as context.
    try:
        return function(value)
    except ValueError:
        return None


def _refuse(problem: str) -> NoReturn:
    raise JmuzError(f"expected an address such as https://host/v1, but the api_base {problem}")


@functools.lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Whether the host, a name or an address without brackets, is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_plain(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def _pick_address(provider: type[OpenaiTemplate], api_base: str | None) -> str:
    if api_base is not None:
        return api_base
    address = provider.environment_api_base() or provider.api_base
    if not address:
        raise JmuzError(f"{provider.__name__} has no address of its own: {provider.address_hint}")
    return address


def _pick_key(
    provider: type[OpenaiTemplate], address: str, api_key: Secret | str | None, key_env: str | None, key_source: str
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
        source = "public" if provider.third_party_notice else f"class {provider.__name__}"
        return check_key(provider.api_key, source), source
    return None, "none"


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
