"""Options that go into the request by name: from `-o KEY VALUE`, an alias, or `JmuzMagics.options`."""

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
    "a key is not an option: use the provider's environment variable, %jmuz_key, or %jmuz_use … --key-env NAME; a key "
    "typed into a cell is now in the notebook and in IPython's history: revoke it where you got it"
)
HEADERS_ARE_NO_OPTION = (
    "headers cannot be set here: %jmuz_use … --header NAME VALUE sends one, --header-env NAME VARIABLE one with a key, "
    "and Conversation(options={'headers': {…}}) one in Python; if you typed a key, it is now in the notebook and in "
    "IPython's history: revoke it where you got it"
)


def check_option_names(names: Iterable[str]) -> None:
    """Refuse names that are not options of a request.

    Raises:
        UsageError: a name is used for something else, or refers to a key.
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
    """Names that a request takes from elsewhere: how it travels, and the parameters of the functions that ask."""
    from jmuz_magic.conversation.conversation import Conversation
    from jmuz_magic.providers.openai_template import OpenaiTemplate

    functions = (Conversation.turn, OpenaiTemplate.create_async_generator)
    parameters = (each for function in functions for each in inspect.signature(function).parameters.values())
    named = {each.name for each in parameters if each.kind is not each.VAR_KEYWORD}
    return frozenset(named - {"timeout"} | {"extra_body"})


def read_option_values(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Options by name; a value is JSON if it parses, else text.

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
