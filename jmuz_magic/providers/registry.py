"""Providers by name: those of the configuration, the catalog, and other packages' entry points.

Entry points, of the group `jmuz_magic.providers`, are consulted only for a name that none of the others has: neither
loading the extension nor Tab imports or searches for packages. No package can take a name of the catalog.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeGuard

from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.allowed import (
    allow_at,
    allowed_names,
    has_address,
    introduce,
    is_allowed,
    note_missing,
    refusal,
)
from jmuz_magic.providers.base import UNNAMED, may_search
from jmuz_magic.providers.catalog import CATALOG
from jmuz_magic.providers.endpoint.endpoint import Provider, find_address
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.secret import looks_like_key
from jmuz_magic.text import clean_line

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "configure_providers",
    "configured_provider",
    "find_provider",
    "is_provider",
    "is_registered",
    "known_names",
    "known_providers",
    "only_provider",
    "settle",
    "source_of",
]

GROUP = "jmuz_magic.providers"
SHOWN = 200  # characters shown of what a broken package raises

_configured: dict[str, Provider] = {}
_loaded: dict[str, Provider] = {}
_sources: dict[Provider, str] = {}
_found: list[str] = []  # the group's names at the last search


def configure_providers(providers: Iterable[Provider]) -> None:
    """Let these, and no others, be the providers of the configuration; none has a name of the catalog.

    While only some may be asked, a user's own description is none of them.
    """
    _configured.clear()
    for provider in providers:
        name = provider.spoken_name
        if introduce(name, provider, administered=getattr(provider, "administered", False)):
            _configured[name] = provider


def configured_provider(name: str) -> Provider | None:
    """The provider that the configuration describes under this name, in any case."""
    return _configured.get(name.strip().lower())


def settle() -> None:
    """Settle what the names mean that may be asked, and where, before a user changes the environment.

    What has no address now gets none later, except the demo endpoint, which gets one when it starts.
    """
    for name in allowed_names() or ():
        with contextlib.suppress(JmuzError):  # whoever asks is told
            provider = find_provider(name)
            with contextlib.suppress(JmuzError):
                find_address(provider)
            if not has_address(provider):
                allow_at(provider)


def only_provider() -> Provider | None:
    """The endpoint that is asked if nothing is chosen: the one that may be asked, if it is the only one.

    Raises:
        JmuzError: there is no endpoint of that name.
    """
    allowed = allowed_names()
    return find_provider(allowed[0]) if allowed and len(allowed) == 1 else None


def known_providers() -> Mapping[str, Provider]:
    """Those of the configuration, the catalog, and other packages that this session has used, as far as allowed."""
    return {name: provider for name, provider in _all_known().items() if _is_listed(name)}


def known_names() -> list[str]:
    """The names of the configuration, the catalog, and other packages that a search has found, as far as allowed."""
    return [name for name in dict.fromkeys([*_configured, *CATALOG, *_found]) if _is_listed(name)]


def _all_known() -> Mapping[str, Provider]:
    return {**_configured, **CATALOG, **{name: each for name, each in _loaded.items() if name not in _configured}}


def _is_listed(name: str) -> bool:
    allowed = allowed_names()
    return allowed is None or name in allowed


def is_provider(value: object) -> TypeGuard[Provider]:
    """Whether this is a provider class."""
    return isinstance(value, type) and isinstance(value, Provider)


def is_registered(provider: Provider) -> bool:
    """Whether a later session would find this provider by its name."""
    return known_providers().get(provider.spoken_name) is provider


def source_of(provider: Provider) -> str:
    """Name and version of the package that the provider comes from; "" for ours and the user's own."""
    return _sources.get(provider, "")


def find_provider(name: str) -> Provider:
    """The provider with this name in any case: from the configuration or the catalog, else from an installed package.

    Raises:
        JmuzError: there is no such provider (the message suggests the closest name), it may not be asked, or its
            package is broken.
    """
    if name == UNNAMED:
        return OpenaiTemplate
    wanted = name.strip().lower()
    if not is_allowed(wanted):
        raise refusal()
    provider = _all_known().get(wanted)
    if provider is not None:
        return provider
    entries = [entry for entry in _entry_points() if entry.name.lower() == wanted] if may_search.get() else []
    if entries:
        return _load(wanted, entries)
    raise _unknown(name, wanted)


def _unknown(name: str, wanted: str) -> JmuzError:
    import difflib  # for errors only

    if wanted in (allowed_names() or ()):
        if may_search.get():
            note_missing(wanted)
        return refusal()
    near = difflib.get_close_matches(wanted, known_names(), n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    called = "of that name (it looks like a key, which does not belong here)" if looks_like_key(name) else ascii(name)
    return JmuzError(f"there is no provider {called}; {hint}known providers: {', '.join(known_names())}")


def _entry_points() -> list[EntryPoint]:
    """What installed packages offer, even one installed a moment ago."""
    from importlib.metadata import distributions

    offered: dict[tuple[str, str], EntryPoint] = {}
    for distribution in distributions():  # a shadowed one further along sys.path comes later
        with contextlib.suppress(Exception):  # broken metadata must not hide the other packages
            for entry in distribution.entry_points.select(group=GROUP):
                offered.setdefault((distribution.name, entry.name), entry)
    _found[:] = sorted({entry.name.lower() for entry in offered.values()})
    return list(offered.values())


def _load(name: str, entries: list[EntryPoint]) -> Provider:
    sources = [f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value for entry in entries]
    if len(entries) > 1:
        raise JmuzError(f"several packages bring a provider called {name}: {', '.join(sources)}; uninstall all but one")
    provider = _import(entries[0])
    if not is_provider(provider):
        problem = clean_line(str(provider))[:SHOWN]
        raise JmuzError(f"the provider {name} of {sources[0]} cannot be used: {problem}")
    provider.spoken_name = name
    _loaded[name], _sources[provider] = provider, sources[0]
    introduce(name, provider)
    return provider


def _import(entry: EntryPoint) -> Provider | str:
    """The class, or a message about what is wrong."""
    try:
        value = entry.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001  # importing a package may raise anything, or call exit
        return f"{type(error).__name__}: {error}"
    if is_provider(value) and not value.__module__.startswith("jmuz_magic."):
        return value
    return f"expected a provider class, such as a subclass of OpenaiTemplate, got {value!r}"
