"""The endpoints that a configuration describes: the administrator's, and the user's beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from IPython.core.error import UsageError

from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.request_options import check_option_names
from jmuz_magic.providers.configured import make_provider
from jmuz_magic.providers.description import masked, read_description
from jmuz_magic.providers.endpoint.endpoint import Provider
from jmuz_magic.secret import Secret

__all__ = ["Described", "read_descriptions"]


@dataclass
class Described:
    """What was read.

    Attributes:
        shown: the valid descriptions by name, with secrets masked.
        providers: their classes.
        problems: what is wrong with the others, a line each.
    """

    shown: dict[str, Any] = field(default_factory=dict)
    providers: list[Provider] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_descriptions(given: Mapping[Any, Any], administrators: Any, *, typed: bool) -> Described:
    """The endpoints of the configuration.

    Args:
        given: as IPython merged it: the administrator's, unless the user's file replaces them, and the user's.
        administrators: as the system-wide files have it; these stay whatever the user's say.
        typed: whether the user typed this into a cell, where no secret belongs.
    """
    found = Described()
    if not isinstance(administrators, Mapping):
        found.problems.append("the administrator's endpoints are not a dict and do not count")
        administrators = {}
    fixed = {str(name).lower(): masked(value) for name, value in administrators.items()}
    for name, value in administrators.items():
        _add(found, name, masked(value), administered=True)
    for name, value in given.items():
        if (lower := str(name).lower()) not in fixed:
            _add(found, name, masked(value), administered=False, typed=typed)
        elif masked(value) != fixed[lower]:
            found.problems.append(f"{lower} is described by this machine's administrator, and stays as it is")
    return found


def _add(found: Described, name: Any, value: Any, *, administered: bool, typed: bool = False) -> None:
    try:
        description = read_description(name, value, administered=administered)
        if description.name in map(str.lower, found.shown):
            raise JmuzError(f"{description.name} is described twice")
        if typed and (secret := [each for each in value.get("headers", {}).items() if isinstance(each[1], Secret)]):
            raise JmuzError(
                f"{description.name}: headers: {secret[0][0]} carries a key, which is now in the notebook and in "
                "IPython's history: revoke it where you got it, then name its variable in header_env"
            )
        check_option_names(description.options)
        found.providers.append(make_provider(description))
        found.shown[name] = value
    except (JmuzError, UsageError) as error:
        found.problems.append(str(error))
