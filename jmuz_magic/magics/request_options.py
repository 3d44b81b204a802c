"""Options that go into the request by their names: of `-o KEY VALUE`, of an alias, of `JmuzMagics.options`."""

from __future__ import annotations

import functools
import inspect
import json
import re
from collections.abc import Iterable
from typing import Any

from IPython.core.error import UsageError

__all__ = ["check_option_names", "read_option_values"]

_KEY = re.compile(r"api[-_]?key|authorization", re.IGNORECASE)
_HEADERS = re.compile(r"(?:extra_|default_)?headers?", re.IGNORECASE)
KEY_IS_NO_OPTION = (
    "a key is no option: use the provider's environment variable, %jmuz_key, or %jmuz_use … --key-env NAME; one that "
    "was typed into a cell is in the notebook and in IPython's history now: revoke it where you got it"
)
HEADERS_ARE_NO_OPTION = (
    "headers cannot be set here yet; a provider class of your own sends them (a subclass of OpenaiTemplate whose "
    "auth_headers() returns them, chosen by %jmuz_use CLASS), and so does Conversation(options={'headers': {…}}) in "
    "Python; if a key was typed, it is in the notebook and in IPython's history now: revoke it where you got it"
)


def check_option_names(names: Iterable[str]) -> None:
    """Refuse what is no option of a request.

    Raises:
        UsageError: a name is taken by something else, or speaks of a key.
    """
    for name in names:
        if _KEY.fullmatch(name):
            raise UsageError(KEY_IS_NO_OPTION)
        if _HEADERS.fullmatch(name):
            raise UsageError(HEADERS_ARE_NO_OPTION)
        if name in _taken() or not name.strip():
            raise UsageError(f"{name!r} cannot be set as an option of the request; %%jmuz? shows every option")


@functools.cache
def _taken() -> frozenset[str]:
    """What a request takes from elsewhere: how it travels, and the parameters of what asks."""
    from jmuz_magic.conversation.conversation import Conversation
    from jmuz_magic.providers.openai_template import OpenaiTemplate

    functions = (Conversation.turn, OpenaiTemplate.create_async_generator)
    parameters = (each for function in functions for each in inspect.signature(function).parameters.values())
    named = {each.name for each in parameters if each.kind is not each.VAR_KEYWORD}
    return frozenset(named - {"timeout"} | {"extra_body"})


def read_option_values(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Options by name: a value is JSON if it parses, else text.

    Raises:
        UsageError: see `check_option_names`.
    """
    values = {name: _value(text) for name, text in pairs}
    check_option_names(values)
    return values


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
