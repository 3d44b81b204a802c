"""Endpoints by configuration, as provider classes like those of the catalog."""

from __future__ import annotations

from typing import Any

from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.base import UNNAMED
from jmuz_magic.providers.catalog import CATALOG
from jmuz_magic.providers.description import Description
from jmuz_magic.providers.openai_template import OpenaiTemplate

__all__ = ["make_provider"]

_made: dict[str, list[tuple[Description, type[OpenaiTemplate]]]] = {}


def make_provider(description: Description) -> type[OpenaiTemplate]:
    """The class for a description; for the same description the same class, so that a choice outlives a reload.

    Raises:
        JmuzError: a provider of the catalog has that name.
    """
    name = description.name
    if name in CATALOG or name == UNNAMED.lower():
        raise JmuzError(f"{name} is a built-in provider; give your endpoint another name")
    made = _made.setdefault(name, [])
    for known, provider in made:
        if known == description:
            return provider
    provider = type(name, (OpenaiTemplate,), _attributes(description))
    made.append((description, provider))
    return provider


def _attributes(description: Description) -> dict[str, Any]:
    further = ("dialect", "system", "options")  # of these the template's own value stands if nothing is said
    return {
        "__doc__": f"The endpoint {description.name}, by configuration.",
        "__module__": __name__,
        "api_base": description.api_base,
        "api_key_env": (description.key_env,) if description.key_env else (),
        "needs_auth": bool(description.key_env),
        "allow_http": description.allow_http,
        "models": list(description.models),
        "default_model": next(iter(description.models), ""),
        "headers": description.headers,
        "header_env": description.header_env,
        "says": description.says,
        "administered": description.administered,
        **{name: value for name in further if (value := getattr(description, name))},
    }
