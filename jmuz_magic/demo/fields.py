"""Members of a request, read by type; a wrong one is a `RequestError` that names the parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jmuz_magic.demo.request_error import RequestError

__all__ = ["boolean", "check_kind", "check_number", "integer", "member", "model_of", "object_of"]


def object_of(body: object) -> Mapping[str, Any]:
    """The body, which has to be an object."""
    if not isinstance(body, dict):
        raise RequestError("expected a JSON object as the body")
    return body


def model_of(body: Mapping[str, Any]) -> str:
    """The model, without which there is nothing to ask."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise RequestError("you must provide a model parameter", param="model")
    return model


def member(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object `name`; empty without it."""
    value = body.get(name) or {}
    if not isinstance(value, dict):
        raise RequestError(f"expected an object, got {type(value).__name__}", param=name)
    return value


def boolean(body: Mapping[str, Any], name: str) -> bool:
    """The member `name`; False without it."""
    value = body.get(name)
    if not (value is None or isinstance(value, bool)):
        raise RequestError(f"expected a boolean, got {type(value).__name__}", param=name)
    return bool(value)


def integer(body: Mapping[str, Any], name: str, maximum: int | None = None) -> int | None:
    """The member `name`, from 1 to `maximum`; None without it."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1 or (maximum and value > maximum):
        bound = f"from 1 to {maximum}" if maximum else "of at least 1"
        raise RequestError(f"expected an integer {bound}, got {value!r}", param=name)
    return value


def check_number(name: str, value: object, low: float, high: float) -> None:
    """Refuse what is not a number from `low` to `high`."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not low <= value <= high:
        raise RequestError(f"expected a number from {low} to {high}, got {value!r}", param=name)


def check_kind(name: str, value: object, kind: type, expected: str) -> None:
    """Refuse what is not of this type, which the message calls `expected`."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise RequestError(f"expected {expected}, got {value!r}", param=name)
