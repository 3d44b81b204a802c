"""Servers on this machine, and what to type to choose one; nothing is chosen here."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.allowed import allowed_names, refusal
from jmuz_magic.providers.endpoint.address import origin_of
from jmuz_magic.recordings.replaying import asks_nobody
from jmuz_magic.request.cell import is_watched
from jmuz_magic.text import clean_id, counted

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.listed import Listed
    from jmuz_magic.providers.local import LocalServer

__all__ = ["look_around", "servers_here"]

SHOWN = 5  # models of a server
LONGEST_ID = 120  # characters; a longer one would not be typed


def servers_here() -> list[str]:
    """A line for each server that answers or is another user's; none where nothing may be looked for."""
    return [] if _reason_not_to() else [line for server in _find() if (line := _line(server))]


def look_around() -> list[str]:
    """The same for a user who asked for it: if there is nothing, a line says where was looked, or why not."""
    if reason := _reason_not_to():
        return [f"servers on this machine were not looked for: {reason}"]
    servers = _find()
    places = ", ".join(f"{server.provider.label} at {origin_of(server.api_base)}" for server in servers)
    nothing = f"no server answers on this machine ({places}); for another address: %jmuz_use --api-base URL"
    return [line for server in servers if (line := _line(server))] or [nothing]


def _reason_not_to() -> str:
    if not is_watched():
        return "nobody may be watching this notebook"
    if allowed_names() is not None:
        return str(refusal())
    try:
        return "only the recording may answer (the replay mode is only)" if asks_nobody() else ""
    except JmuzError as error:
        return str(error)


def _find() -> list[LocalServer]:
    from jmuz_magic.providers.local import find_servers, local_servers
    from jmuz_magic.providers.registry import known_providers
    from jmuz_magic.streaming.bridge import get_bridge

    return get_bridge().run(find_servers(local_servers(known_providers().values())))


def _line(server: LocalServer) -> str:
    """What a server offers and what to type for it; "" if none answers."""
    place = f"{server.provider.label} at {origin_of(server.api_base)}"
    if server.owner:
        return f"{place}: the user {server.owner} listens there, not you; not suggested, since prompts would go there"
    return "" if server.models is None else f"{place}: {_suggestion(server.provider.spoken_name, server.models)}"


def _suggestion(provider: str, models: tuple[Listed, ...]) -> str:
    ranked = sorted(models, key=lambda model: (not model.chats, not model.loaded))
    # Ids are the server's words: one that is not what it looks like is not suggested.
    ids = [model.id for model in ranked if clean_id(model.id) == model.id and len(model.id) <= LONGEST_ID]
    if not ids:
        return f"%jmuz_use {provider}:MODEL (it lists {counted(len(models), 'model') if models else 'no models'})"
    first, *others = ids[:SHOWN]
    more = [*others, *([f"{len(models) - len(ids[:SHOWN])} more"] if len(models) > len(ids[:SHOWN]) else [])]
    return f"%jmuz_use {shlex.quote(f'{provider}:{first}')}" + (f" (also {', '.join(more)})" if more else "")
