"""Which dialect a request is sent in, decided in one place for the wire, the log and `--dry-run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jmuz_magic.providers.dialects.dialect import Dialect
from jmuz_magic.providers.dialects.table import find_dialect
from jmuz_magic.providers.endpoint.azure import is_classic, is_v1

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["Chosen", "choose", "instead_of", "missing_line", "remember_missing", "usual_dialect"]

_missing: set[tuple[str, str]] = set()  # addresses that have no such path in this session, and the dialect's name

OURS = frozenset({"dialect", "earlier_reasoning", "extra_body", "images"})  # no members of a body


@dataclass(frozen=True)
class Chosen:
    """The dialect of one request.

    Attributes:
        dialect: it.
        reason: why it is not the one that the endpoint speaks otherwise; "" if it is.
        options: what `build_request` is given beside the request's own options.
    """

    dialect: Dialect
    reason: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def usual_dialect(endpoint: Endpoint) -> Dialect:
    """The dialect of this endpoint if the options of a request do not matter: the chosen one, else the provider's.

    Raises:
        JmuzError: no dialect has the name that was chosen.
    """
    address = endpoint.api_base
    at_home = is_v1(address) or (endpoint.own_origin and not is_classic(address))
    own = endpoint.provider.own_dialect if at_home else ""
    return find_dialect(endpoint.dialect or own or endpoint.provider.dialect)


def choose(endpoint: Endpoint, options: Mapping[str, Any]) -> Chosen:
    """The dialect for a request to this endpoint: its usual one; chat if only that will do.

    Args:
        endpoint: whom to ask.
        options: as for `build_request`.

    Raises:
        JmuzError: no dialect has the name that was chosen.
    """
    usual = usual_dialect(endpoint)
    if (endpoint.api_base, usual.name) in _missing and (instead := instead_of(endpoint, usual)):
        return instead
    unknown = usual.only_chat(_given(options))
    dialect = find_dialect("chat") if unknown else usual
    return _chosen(endpoint, dialect, _reason(unknown, usual))


def instead_of(endpoint: Endpoint, missing: Dialect) -> Chosen | None:
    """What to ask in if the address has no path of this dialect; None if somebody chose it, or its class names none."""
    name = getattr(endpoint.provider, "fallback_dialect", "")
    if name in ("", missing.name) or endpoint.own_origin or endpoint.dialect:
        return None
    dialect = find_dialect(name)
    return _chosen(endpoint, dialect, f"{dialect.label}, since {endpoint.origin} has no {missing.label}")


def remember_missing(endpoint: Endpoint, missing: Dialect) -> None:
    """For the rest of the session, ask this address at once in what takes the place of this dialect."""
    _missing.add((endpoint.api_base, missing.name))


def missing_line(endpoint: Endpoint) -> str:
    """In what this address is asked because it has no path of its usual dialect; "" if it has, as far as is known."""
    usual = usual_dialect(endpoint)
    instead = instead_of(endpoint, usual) if (endpoint.api_base, usual.name) in _missing else None
    return f"asking by {instead.reason}" if instead else ""


def _chosen(endpoint: Endpoint, dialect: Dialect, reason: str) -> Chosen:
    is_usual = dialect.name == find_dialect(endpoint.provider.dialect).name
    return Chosen(dialect, reason, {} if is_usual else {"dialect": dialect.name})


def _reason(unknown: Sequence[str], usual: Dialect) -> str:
    if not unknown:
        return ""
    return (
        f"chat/completions, since {', '.join(unknown)} {'is' if len(unknown) == 1 else 'are'} unknown to {usual.label}"
    )


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that become members of the body, those of `extra_body` among them."""
    given = {name: value for name, value in options.items() if value is not None and name not in OURS}
    return given | dict(options.get("extra_body") or {})
