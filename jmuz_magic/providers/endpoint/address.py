"""The address of an endpoint: checked, normalised, and what it says about where it leads."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable
from typing import NoReturn, TypeVar
from urllib.parse import SplitResult, urlsplit, urlunsplit

from jmuz_magic.errors import JmuzError

__all__ = ["DEFAULT_PORTS", "is_azure", "is_loopback", "is_plain", "normalise_api_base", "origin_of"]


T = TypeVar("T")
R = TypeVar("R")

DEFAULT_PORTS = {"http": 80, "https": 443}
NO_VERSION = (
    "has Azure's classic form without the version of the API; add it (…/deployments/NAME?api-version=2024-10-21), "
    "or use https://RESOURCE.openai.azure.com/openai/v1, with the deployment's name as the model (-m NAME)"
)
_PATHS = ("/chat/completions", "/responses")  # what a pasted address may end in
_VERSION = re.compile(r"api-version=([\w.-]{1,40})", re.IGNORECASE)

# IDNA 2003 and 2008 map these to different hosts; only the user knows which one is meant.
AMBIGUOUS_IN_HOSTS = "ßς\u200c\u200d"


def origin_of(address: str) -> str:
    """Scheme, host and port of an address that `normalise_api_base` returned."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


@functools.lru_cache(maxsize=64)  # each request normalises the same few several times
def normalise_api_base(address: str) -> str:
    """The address in the form that requests are built from: no final slash or `/chat/completions`, an ASCII host.

    It has no query, except `?api-version=…` of Azure's classic form.

    Raises:
        JmuzError: it is not the address of a chat endpoint; credentials in it are never repeated.
    """
    address = address.strip()
    if not address:
        _refuse("is empty")
    if any(character <= " " or character in "\\\x7f" for character in address):
        _refuse("contains a space, a backslash or a control character")
    parts = _split(address)
    host = _ascii_host(parts)
    port = _port(parts)
    if port is not None and port != DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    path = parts.path.rstrip("/")
    for ending in _PATHS:
        path = path.removesuffix(ending).rstrip("/")
    version = _VERSION.fullmatch(parts.query)
    return urlunsplit((parts.scheme, host, path, f"api-version={version[1]}" if version else "", ""))


def _split(address: str) -> SplitResult:
    parts = _or_none(urlsplit, address)
    if parts is None:  # an unfinished [IPv6] host
        _refuse("has a malformed host")
    if "@" in parts.netloc:
        _refuse("contains a user name or password; keys belong in an environment variable")
    if "/deployments/" in parts.path.lower() and is_azure(address) and not parts.query:
        _refuse(NO_VERSION)
    if parts.fragment or (parts.query and not _VERSION.fullmatch(parts.query)):
        _refuse("contains a query or a fragment; give the part before the ? or # (only api-version=… may stay)")
    if parts.scheme not in DEFAULT_PORTS or not address.lower().startswith(f"{parts.scheme}://"):
        _refuse_scheme(address, parts)
    return parts


def is_azure(address: str) -> bool:
    """Whether the host is one of Azure's."""
    host = (urlsplit(address).hostname or "").lower()
    return host.endswith((".azure.com", ".azure.us", ".azure.cn"))


def _refuse_scheme(address: str, parts: SplitResult) -> NoReturn:
    if "://" in address:
        _refuse(f"starts with {parts.scheme}://")
    if "@" in address:
        _refuse("contains a user name or password; keys belong in an environment variable")
    host = urlsplit(f"//{address}").hostname or ""
    _refuse(f"has no http:// or https://; did you mean {'http' if is_loopback(host) else 'https'}://{address}?")


def _ascii_host(parts: SplitResult) -> str:
    host = parts.hostname
    if not host:
        _refuse("has no host")
    if ":" in host:
        return f"[{host}]"
    if any(character in AMBIGUOUS_IN_HOSTS for character in host):
        _refuse("has a host that two standards read differently; give its xn-- form")
    encoded = _or_none(lambda name: name.encode("idna"), host)
    if encoded is None:
        _refuse("has an invalid host name")
    return encoded.decode("ascii")


def _port(parts: SplitResult) -> int | None:
    if _or_none(lambda split: (split.port,), parts) is None:
        _refuse("has a port outside 0 to 65535")
    return parts.port


def _or_none(function: Callable[[T], R], value: T) -> R | None:
    # The caller refuses after this handler has ended, so that no error that holds the address becomes the context.
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


def is_plain(address: str) -> bool:
    """Whether requests to this address cross a network in plain http."""
    parts = urlsplit(address)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")
