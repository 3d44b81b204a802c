"""What of a request may be written to a file, and what never is."""

from __future__ import annotations

from collections.abc import Mapping
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
    """The same JSON-like value with `***` for the endpoint's key, wherever it occurs, and for any `Secret`."""
    key = endpoint.key if endpoint and endpoint.key_source != "public" else None
    return _redacted(value, key if key and key.reveal().lower() not in _PLACEHOLDERS else None)


def _redacted(value: Any, key: Secret | None) -> Any:
    if isinstance(value, str):
        return redact(value, key) if key else value
    if isinstance(value, Secret):
        return "***"
    if isinstance(value, Mapping):
        return {_redacted(name, key): _redacted(item, key) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item, key) for item in value]
    return value
