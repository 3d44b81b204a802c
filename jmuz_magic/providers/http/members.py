"""Members of a JSON body by their place, such as `reasoning.effort`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Members", "members_at", "without_member"]

Members = Mapping[str, tuple[str, ...]]
"""By option of a request, as the user writes it, the places in the body that it fills; see `Dialect.options`."""


def members_at(body: Mapping[str, Any], places: tuple[str, ...]) -> dict[str, Any]:
    """What stands at these places, by place; those that the body does not have are left out."""
    return {place: value for place in places for value in _values(body, place)}


def without_member(body: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The body without what stands there, and without an object that would be empty then."""
    name, _, inner = place.partition(".")
    value = body.get(name)
    rest = {member: each for member, each in body.items() if member != name}
    if not inner or not isinstance(value, Mapping):
        return dict(body) if inner else rest
    left = without_member(value, inner)
    return {member: left if member == name else each for member, each in body.items()} if left else rest


def _values(body: Mapping[str, Any], place: str) -> Iterator[Any]:
    name, _, inner = place.partition(".")
    if inner:
        yield from _values(value, inner) if isinstance(value := body.get(name), Mapping) else ()
    elif name in body:
        yield body[name]
