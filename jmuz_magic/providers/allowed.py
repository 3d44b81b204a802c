"""Which endpoints may be asked: all of them, unless an administrator named some.

The names are a value of the process, from `c.JmuzMagics.only` or `JMUZ_ONLY`. They can be narrowed, never widened. A
name means the class that the registry knew by it, at the address that this class had then: neither another class, nor
another address from an option, a variable or Python takes its place. This is checked where an endpoint is resolved, and
again, by address alone, where a connection is opened. It stops whoever uses the package, not whoever writes Python to
get round it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from jmuz_magic.errors import JmuzError

__all__ = [
    "ADMINISTRATOR",
    "VARIABLE",
    "administer",
    "allow_at",
    "allowed_names",
    "check_address",
    "check_class",
    "check_url",
    "checked_later",
    "has_address",
    "introduce",
    "is_allowed",
    "missing_names",
    "narrow",
    "note_missing",
    "refusal",
    "refuse_all",
]

VARIABLE = "JMUZ_ONLY"
ADMINISTRATOR = "its administrator"


@dataclass(frozen=True)
class _Limit:
    """What may be asked.

    Attributes:
        names: of endpoints.
        by: who narrowed it last, or why nothing may be asked.
        administered: whether an administrator set it at first, so that the names mean no description of a user.
    """

    names: tuple[str, ...]
    by: str
    administered: bool = False


@dataclass
class _State:
    """What this process was told.

    Attributes:
        limit: None if every endpoint may be asked.
        read: whether `JMUZ_ONLY` has been read.
        classes: what names mean.
        addresses: where each class may be asked.
        missing: names that no endpoint has.
    """

    limit: _Limit | None = None
    read: bool = False
    classes: dict[str, object] = field(default_factory=dict)
    addresses: dict[object, tuple[str, ...]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)


_state = _State()

_later: ContextVar[bool] = ContextVar("checked_later", default=False)


def allowed_names() -> tuple[str, ...] | None:
    """The names of the endpoints that may be asked; None for all."""
    limit = _limit()
    return limit.names if limit else None


def administer(names: Iterable[str]) -> None:
    """Ask only these, as the administrator says; what `JMUZ_ONLY` or the user narrowed before stays narrow."""
    wanted = _cleaned(names)
    limit = _limit()
    both = tuple(name for name in wanted if limit is None or name in limit.names)
    if limit is None or not limit.administered:
        _state.limit = _Limit(both or wanted, ADMINISTRATOR, administered=True)
    elif both:
        _state.limit = replace(limit, names=both)


def narrow(names: Iterable[str], by: str) -> None:
    """Ask only these from now on, until the process ends.

    Args:
        names: of endpoints.
        by: who says so.

    Raises:
        JmuzError: one of them may not be asked now, or none would be left; nothing has changed.
    """
    wanted = _cleaned(names)
    limit = _limit()
    if limit and (not wanted or not set(wanted) <= set(limit.names)):
        raise refusal()
    if wanted and (limit is None or len(wanted) < len(limit.names)):
        _state.limit = _Limit(wanted, by, administered=limit is not None and limit.administered)


def refuse_all(problem: str) -> None:
    """Ask nothing, since it is unknown what an administrator allows.

    Args:
        problem: why.
    """
    if _limit() is None:
        _state.limit = _Limit((), problem, administered=True)


def is_allowed(name: str) -> bool:
    """Whether the endpoint of this name may be asked."""
    limit = _limit()
    return limit is None or name in limit.names or _later.get()


def note_missing(name: str) -> None:
    """Remember that no endpoint has this name, so that refusals say so."""
    _state.missing.add(name)


def missing_names() -> tuple[str, ...]:
    """Those of the names that may be asked which no endpoint has."""
    return tuple(name for name in allowed_names() or () if name in _state.missing)


def introduce(name: str, provider: object, *, administered: bool = True) -> bool:
    """Say which class a name means; while only some may be asked, the first class of a name keeps it.

    Args:
        name: of the endpoint.
        provider: its class.
        administered: False for an endpoint that a user described, which no name of the administrator's means.

    Returns:
        Whether the name means this class.
    """
    limit = _limit()
    if limit and limit.administered and not administered:
        return False
    _state.missing.discard(name)
    if limit is None:
        _state.classes[name] = provider
    return _state.classes.setdefault(name, provider) is provider


def check_class(provider: object) -> None:
    """Refuse a class unless an allowed name means it.

    Raises:
        JmuzError: see above.
    """
    limit = _limit()
    if limit and not _later.get() and not any(each is provider for each in _classes(limit)):
        raise refusal()


def has_address(provider: object) -> bool:
    """Whether it is settled where this class may be asked."""
    return provider in _state.addresses


def allow_at(provider: object, *addresses: str) -> None:
    """Settle where this class may be asked: at these normalised addresses, and below them."""
    _state.addresses[provider] = addresses


def check_address(provider: object, address: str) -> None:
    """Refuse an address that is not the class's.

    Raises:
        JmuzError: see above.
    """
    if _limit() and not _later.get() and address not in _state.addresses.get(provider, ()):
        raise refusal()


def check_url(url: str) -> None:
    """Refuse to open a connection for this URL, unless it is below the address of an endpoint that may be asked.

    Raises:
        JmuzError: see above.
    """
    limit = _limit()
    if limit is None:
        return
    addresses = [address for provider in _classes(limit) for address in _state.addresses.get(provider, ())]
    if _climbs(url) or not any(_is_below(url, each) for each in addresses):
        raise refusal()


@contextmanager
def checked_later(later: bool = True) -> Iterator[None]:
    """Inside, if `later`, an endpoint is resolved that perhaps nobody asks, because a recording may answer."""
    token = _later.set(later)
    try:
        yield
    finally:
        _later.reset(token)


def refusal() -> JmuzError:
    """The one line that refuses whatever may not be asked."""
    limit = _limit()
    assert limit is not None
    if not limit.names:
        why = "its administrator names no endpoint" if limit.by == ADMINISTRATOR else limit.by
        return JmuzError(f"nothing is asked, since the administrator's settings cannot be read: {why}")
    names, missing = ", ".join(limit.names), ", ".join(missing_names())
    said = f"this hub asks only {names}" if limit.by == ADMINISTRATOR else f"only {names} may be asked"
    gap = f"; there is no endpoint called {missing}" if missing else ""
    nothing = ", so nothing is asked" if missing == names else ""
    return JmuzError(f"{said} (set by {limit.by}){gap}{nothing}")


def _limit() -> _Limit | None:
    """The limit; what `JMUZ_ONLY` says counts from the first look, whatever becomes of the variable later."""
    if not _state.read:
        _state.read = True
        names = _cleaned(os.environ.get(VARIABLE, "").split(","))
        _state.limit = _Limit(names, VARIABLE) if names else None
    return _state.limit


def _classes(limit: _Limit) -> list[object]:
    return [_state.classes[name] for name in limit.names if name in _state.classes]


def _cleaned(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip().lower() for name in names if name.strip()))


def _is_below(url: str, address: str) -> bool:
    path, base = url.partition("?")[0], address.partition("?")[0]
    return path == base or path.startswith(f"{base}/")


def _climbs(url: str) -> bool:
    """Whether its path leads up again: `/v1/../admin` begins like an address below `/v1`."""
    return not {".", ".."}.isdisjoint(unquote(urlsplit(url).path).split("/"))
