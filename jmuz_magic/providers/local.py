"""Servers of the user's own on this machine, looked for on loopback addresses alone, without a key."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.endpoint.address import DEFAULT_PORTS, is_loopback
from jmuz_magic.providers.endpoint.endpoint import Provider, find_address
from jmuz_magic.providers.endpoint.listed import Listed
from jmuz_magic.providers.http.call import Call
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.providers.http.sessions import acquire
from jmuz_magic.providers.http.transport import open_response
from jmuz_magic.providers.listing import read_page

__all__ = ["LocalServer", "find_servers", "local_servers", "other_users"]

PATIENCE = 0.2  # seconds, for all servers together
LARGEST_LIST = 256 * 1024  # bytes; Ollama's list has some 100 for each model
TABLES = Path("/proc/net")
LISTENING = "0A"  # TCP_LISTEN, include/net/tcp_states.h


@dataclass(frozen=True)
class LocalServer:
    """Where a provider's server would be on this machine, and what is there.

    Attributes:
        provider: the class that speaks to it.
        api_base: its address, on loopback.
        owner: the other user who listens there; "" for our own user, or if the system does not say. Such a server is
            not asked.
        models: what it lists; None if it was not asked, or no list of models came in time.
    """

    provider: Provider
    api_base: str
    owner: str = ""
    models: tuple[Listed, ...] | None = None


def local_servers(providers: Iterable[Provider]) -> list[LocalServer]:
    """Those whose address, by default or by the environment, is on loopback; each address once."""
    found: dict[str, LocalServer] = {}
    strangers = other_users()
    for provider in providers:
        with suppress(JmuzError):  # without an address, or with one that `%jmuz_use PROVIDER` will refuse
            address = find_address(provider)
            parts = urlsplit(address)
            if is_loopback(parts.hostname or ""):
                owner = strangers.get(parts.port or DEFAULT_PORTS[parts.scheme], "")
                found.setdefault(address, LocalServer(provider, address, owner))
    return list(found.values())


async def find_servers(servers: Iterable[LocalServer], patience: float = PATIENCE) -> list[LocalServer]:
    """The same servers with the models that they list: one request each, all at once.

    Args:
        servers: where to look.
        patience: seconds for all together; whatever has not answered by then counts as absent.
    """
    await acquire()  # aiohttp is imported here, and not in the time that servers have
    asked = [(server, asyncio.create_task(_models(server, patience))) for server in servers]
    if not asked:
        return []
    try:
        await asyncio.wait([task for _, task in asked], timeout=patience)
    finally:
        for _, task in asked:
            task.cancel()
        await asyncio.gather(*(task for _, task in asked), return_exceptions=True)
    return [replace(server, models=None if task.cancelled() else task.result()) for server, task in asked]


async def _models(server: LocalServer, patience: float) -> tuple[Listed, ...] | None:
    """The first page of its list; None if it is another user's, or answers with anything else."""
    if server.owner:
        return None
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "jmuz_magic"}
    policy = replace(Policy().waiting(patience), retries=0, largest_event=LARGEST_LIST)
    try:
        with await open_response(Call("GET", server.provider.list_url(server.api_base), headers), policy) as response:
            page = read_page(await response.read_all())
    except JmuzError:
        return None
    return page.models if page else None


def other_users(tables: Path = TABLES) -> dict[int, str]:
    """The ports of this machine at which another user listens, with that user's name.

    A server of the user's own may listen there too, at another address: `localhost` leads to either.

    Args:
        tables: the directory of `tcp` and `tcp6`; on systems other than Linux there is none, and nothing is known.
    """
    found: dict[int, str] = {}
    for name in ("tcp", "tcp6"):
        with suppress(OSError, ValueError), (tables / name).open(encoding="ascii") as table:
            found |= {port: _user_name(uid) for port, uid in _listeners(table) if uid != os.geteuid()}
    return found


def _listeners(table: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Port and user id of whoever listens where connections from this machine arrive.

    The table first lists all listening sockets (docs.kernel.org/networking/proc_net_tcp.html), so that those of
    thousands of connections need not be read.
    """
    lines = iter(table)
    next(lines, None)  # the names of the columns
    for line in lines:
        _, local, _, state, _, _, _, uid, *_ = line.split()
        if state != LISTENING:
            return
        address, _, port = local.partition(":")
        if _is_here(address):
            yield int(port, 16), int(uid)


def _is_here(address: str) -> bool:
    """Whether an address, in words of four bytes as the processor orders them, takes connections from loopback."""
    data = bytes.fromhex(address)
    words = [data[start : start + 4] for start in range(0, len(data), 4)]
    found = ipaddress.ip_address(b"".join(word[::-1] if sys.byteorder == "little" else word for word in words))
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_loopback or found.is_unspecified


def _user_name(uid: int) -> str:
    """The user's name by the file of this machine; asking a directory service for it may take seconds."""
    with suppress(OSError):
        for line in Path("/etc/passwd").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, number, *_ = [*line.split(":"), "", ""]
            if number == str(uid):
                return name
    return f"with the id {uid}"
