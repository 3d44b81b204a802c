"""Which dialect a request is sent in, decided in one place for the wire, the log and `--dry-run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jmuz_magic.providers.dialects.dialect import Dialect
from jmuz_magic.providers.dialects.table import find_dialect

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["Chosen", "choose", "usual_dialect"]

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
    own = endpoint.provider.own_dialect if endpoint.own_origin else ""
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
    unknown = usual.only_chat(_given(options))
    dialect = find_dialect("chat") if unknown else usual
    return Chosen(
        dialect,
        _reason(unknown, usual),
        {} if dialect.name == find_dialect(endpoint.provider.dialect).name else {"dialect": dialect.name},
    )


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
