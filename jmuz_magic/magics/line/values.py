"""The values of options: names and numbers, checked before anything is sent."""

from __future__ import annotations

from contextlib import suppress

from IPython.core.error import UsageError

from jmuz_magic.secret import looks_like_key, model_looks_like_key

__all__ = [
    "KEY_ON_LINE", "cell_count", "model_name", "provider_name", "seconds", "variable_name", "whole_number",
]  # fmt: skip

ALL_CELLS = 10**9
KEY_ON_LINE = (
    "keys are not accepted on the line, and this one is already in the notebook and in IPython's history: "
    "revoke it where you got it, then use the provider's environment variable, %jmuz_key, or %jmuz_use … --key-env NAME"
)


def provider_name(text: str) -> str:
    """A provider, possibly with a model: `openai:MODEL`.

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
        ValueError: it is not a name.
    """
    if not _unless_key(text, looks_like_key(text)).isidentifier():
        raise ValueError("expected the name of an environment variable, such as OPENAI_API_KEY")
    return text


def _unless_key(text: str, is_key: bool) -> str:
    if is_key:
        raise UsageError(KEY_ON_LINE)
    return text


def cell_count(text: str) -> int:
    """The number of earlier cells that `prev`, `all` or a number means.

    Raises:
        ValueError: it is none of these.
    """
    if text in ("prev", "all"):
        return 1 if text == "prev" else ALL_CELLS
    if text.isdecimal() and int(text) > 0:
        return min(int(text), ALL_CELLS)
    raise ValueError(f"expected prev, all or a number of at least 1, got {text!r}")


def whole_number(text: str) -> int:
    """A number such as 3.

    Raises:
        ValueError: it is not one.
    """
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"expected a whole number, got {text!r}") from None


def seconds(text: str) -> float:
    """A time to wait, which may be `inf`.

    Raises:
        ValueError: it is not one.
    """
    with suppress(ValueError):
        if (number := float(text)) > 0:
            return number
    raise ValueError(f"expected a number of seconds above 0, such as 60, got {text!r}")
