"""What of a request may be written to a file, and what never is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jmuz_magic.providers.endpoint.connection import Connection
from jmuz_magic.secret import Secret, redact

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["without_key", "written_options"]

# What people give to servers that want some key is not secret, and redacting it would spoil every text.
_PLACEHOLDERS = frozenset({"llamacpp", "lm-studio", "lmstudio", "no-key", "not-needed", "ollama", "sk-no-key-required"})


def written_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that say what is asked, without those that say how it travels: headers, keys, addresses."""
    return Connection.of(options)[1]


def without_key(value: Any, endpoint: Endpoint | None) -> Any:
    """The same JSON-like value with `***` for the endpoint's secrets, wherever they occur, and for any `Secret`."""
    secrets = endpoint.secrets if endpoint else ()
    return _redacted(value, [each for each in secrets if each.reveal().lower() not in _PLACEHOLDERS])


def _redacted(value: Any, secrets: Sequence[Secret]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = redact(value, secret)
        return value
    if isinstance(value, Secret):
        return "***"
    if isinstance(value, Mapping):
        return {_redacted(name, secrets): _redacted(item, secrets) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item, secrets) for item in value]
    return value
