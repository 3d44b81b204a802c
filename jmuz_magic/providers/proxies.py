"""Which proxy a request goes through."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from jmuz_magic.providers.endpoint import is_loopback

__all__ = ["find_proxy"]


def find_proxy(url: str) -> str | None:
    """The proxy that the environment (on macOS also the system) names for `url`; None for loopback and NO_PROXY."""
    parts = urlsplit(url)
    if is_loopback(parts.hostname or ""):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
