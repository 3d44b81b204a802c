"""The proxy that a request goes through, and the credentials that go to it alone."""

from __future__ import annotations

import base64
import functools
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from jmuz_magic.errors import ProviderConnectionError
from jmuz_magic.providers.endpoint.address import DEFAULT_PORTS, is_loopback
from jmuz_magic.secret import Secret

__all__ = ["Proxy", "find_proxy", "proxy_secrets"]

_PORT = re.compile(r"(.*[^:]|\[.*\]):(\d+)")  # not the last group of a bare IPv6 address


@dataclass(frozen=True)
class Proxy:
    """A proxy; neither its repr nor its address shows credentials.

    Attributes:
        address: scheme, host and port.
        place: host and port, for messages.
        variable: the environment variable that usually names it, for messages.
        authorization: the value of `Proxy-Authorization`; None without credentials.
        secrets: what no text may repeat.
    """

    address: str
    place: str
    variable: str
    authorization: Secret | None = None
    secrets: tuple[Secret, ...] = ()


def find_proxy(url: str) -> Proxy | None:
    """The proxy that the environment (on macOS also the system) names for `url`; None for loopback and NO_PROXY.

    Raises:
        ProviderConnectionError: it is not an address; the message does not repeat it.
    """
    from urllib.request import getproxies, proxy_bypass  # a hub, which configures endpoints, pays for no import at load

    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return None
    if _is_excepted(host, parts.port or DEFAULT_PORTS[parts.scheme], proxies.get("no", "")):
        return None
    variable = f"{parts.scheme if proxies.get(parts.scheme) else 'all'}_proxy".upper()
    found = _read(proxy if "://" in proxy else f"http://{proxy}", variable)
    if found is None:
        del proxy, proxies  # a traceback with local variables must not show the password
        raise ProviderConnectionError(
            f"expected a proxy such as http://host:3128 or http://user:password@host:3128 in {variable}, but the "
            "address is malformed; in a password write %40 for @, %2F for /, %3F for ?, %23 for #"
        )
    return found


def proxy_secrets(url: str) -> tuple[Secret, ...]:
    """What no text about a request to `url` may repeat: the credentials of its proxy, in each of their spellings."""
    try:
        proxy = find_proxy(url)
    except ProviderConnectionError:
        return ()
    return proxy.secrets if proxy else ()


def _read(address: str, variable: str) -> Proxy | None:
    """The proxy at this address; None if it is malformed."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:  # its message repeats parts of a password that contains a /
        return None
    if not host or parts.path.strip("/") or parts.query or parts.fragment:
        return None
    shown = f"[{host}]" if ":" in host else host
    place = f"{shown}:{port or DEFAULT_PORTS.get(parts.scheme, 1080)}"
    if parts.username is None:
        return Proxy(f"{parts.scheme}://{place}", place, variable)
    password = unquote(parts.password or "")
    encoded = base64.b64encode(f"{unquote(parts.username)}:{password}".encode()).decode()
    secrets = (Secret(encoded), Secret(password), Secret(parts.password or ""))
    return Proxy(f"{parts.scheme}://{place}", place, variable, Secret(f"Basic {encoded}"), secrets)


@functools.lru_cache(maxsize=64)
def _is_excepted(host: str, port: int, no_proxy: str) -> bool:
    """Whether NO_PROXY names the host, read as curl, requests and Go do; urllib supports neither networks nor `*.`.

    Entries are separated by commas or blanks: `*`; a host, which includes its subdomains; `*.host` for subdomains
    only; an address; a network such as `10.0.0.0/8` or `fd00::/8`. All but networks may have a port.
    """
    return any(_names(entry, host.rstrip("."), port) for entry in re.split(r"[\s,]+", no_proxy.lower()))


def _names(entry: str, host: str, port: int) -> bool:
    entry, wanted = found.groups() if (found := _PORT.fullmatch(entry)) and not _network(entry) else (entry, "")
    if not entry or (wanted and int(wanted) != port):
        return False
    if network := _network(entry.strip("[]")):
        address = _address(host)
        return address is not None and address in network
    if entry.startswith("*."):
        return host.endswith(entry[1:])
    name = _ascii(entry.strip("."))
    return entry == "*" or host == name or host.endswith(f".{name}")


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network, or single address, that an entry stands for; None for a name."""
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _ascii(name: str) -> str:
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name
