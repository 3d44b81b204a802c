"""The values of options.

Some go into the request as they are: `-o KEY VALUE`, those of an alias, those of `JmuzMagics.options`. Names and
numbers are checked before a cell asks anybody.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from IPython.core.error import UsageError

from jmuz_magic.secret import looks_like_key, model_looks_like_key

__all__ = [
    "KEY_ON_LINE", "cell_count", "check_option_names", "model_name", "provider_name", "read_option_values", "seconds",
    "variable_name", "whole_number",
]  # fmt: skip

ALL_CELLS = 10**9
KEY_ON_LINE = (
    "keys are not taken on the line, and this one is already in the notebook and in IPython's history: "
    "revoke it where you got it, then use the provider's environment variable, %jmuz_key, or %jmuz_use … --key-env NAME"
)

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


def provider_name(text: str) -> str:
    """A provider, which may bring a model along: `openai:gpt-4o`.

    Raises:
        UsageError: it seems to be a key.
    """
    provider, _, model = text.partition(":")
    return _unless_key(text, looks_like_key(provider) or model_looks_like_key(model))


def model_name(text: str) -> str:
    """A model's id or alias.

    Raises:
        UsageError: it seems to be a key.
    """
    return _unless_key(text, model_looks_like_key(text))


def variable_name(text: str) -> str:
    """The name of an environment variable.

    Raises:
        UsageError: it seems to be a key.
        ValueError: it is no name.
    """
    if not _unless_key(text, looks_like_key(text)).isidentifier():
        raise ValueError("expected the name of an environment variable, such as OPENAI_API_KEY")
    return text


def _unless_key(text: str, is_key: bool) -> str:
    if is_key:
        raise UsageError(KEY_ON_LINE)
    return text


def cell_count(text: str) -> int:
    """How many earlier cells `prev`, `all` or a number means.

    Raises:
        ValueError: it is none of them.
    """
    if text in ("prev", "all"):
        return 1 if text == "prev" else ALL_CELLS
    if text.isdecimal() and int(text) > 0:
        return min(int(text), ALL_CELLS)
    raise ValueError(f"expected prev, all or a number from 1 on, got {text!r}")


def whole_number(text: str) -> int:
    """A number such as 3.

    Raises:
        ValueError: it is none.
    """
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"expected a whole number, got {text!r}") from None


def seconds(text: str) -> float:
    """A time to wait, which may be `inf`.

    Raises:
        ValueError: it is none.
    """
    with suppress(ValueError):
        if (number := float(text)) > 0:
            return number
    raise ValueError(f"expected a number of seconds, more than 0, such as 60, got {text!r}")
