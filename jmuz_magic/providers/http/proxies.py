"""The proxy that a request goes through."""

from __future__ import annotations

import functools
import ipaddress
import re
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from jmuz_magic.providers.endpoint.address import DEFAULT_PORTS, is_loopback

__all__ = ["find_proxy"]

_PORT = re.compile(r"(.*[^:]|\[.*\]):(\d+)")  # not the last group of a bare IPv6 address


def find_proxy(url: str) -> str | None:
    """The proxy that the environment (on macOS also the system) names for `url`; None for loopback and NO_PROXY."""
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
    return proxy if "://" in proxy else f"http://{proxy}"


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
