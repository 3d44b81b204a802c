"""What a line says of an endpoint besides its address: headers and the dialect."""

from __future__ import annotations

from collections.abc import Sequence

from IPython.core.error import UsageError

from jmuz_magic.magics.line.values import variable_name
from jmuz_magic.magics.session import usage_errors
from jmuz_magic.providers.endpoint.headers import Header, is_secret_header, names_variable, read_headers
from jmuz_magic.secret import Secret, looks_like_key
from jmuz_magic.text import clean_line

__all__ = ["dialect_name", "typed_headers"]

SHOWN = 60  # characters shown of a header's name
KEY_IN_HEADER = (
    "the header {0} carries a key: keys are not accepted on the line, and this one is already in the notebook and in "
    "IPython's history: revoke it where you got it, then use --header-env {0} VARIABLE, or --key-env VARIABLE"
)


def dialect_name(text: str) -> str:
    """The name of a dialect.

    Raises:
        UsageError: there is no such dialect.
    """
    from jmuz_magic.providers.dialects.table import check_dialect

    with usage_errors():
        check_dialect(text)
    return text


def typed_headers(values: Sequence[tuple[str, str]], variables: Sequence[tuple[str, str]]) -> tuple[Header, ...]:
    """Headers from `--header NAME VALUE` and `--header-env NAME VARIABLE`.

    Raises:
        UsageError: a value carries a key or names a variable, or a header cannot be sent.
    """
    for name, value in (*values, *((name, "") for name, _ in variables)):
        _check_typed(name, value)
    names = [name.lower() for name, _ in (*values, *variables)]
    if len(set(names)) < len(names):
        raise UsageError("each header is given once; for another value leave the first one out")
    named = {name: _variable(variable) for name, variable in variables}
    with usage_errors():
        return read_headers({name: Secret(value) for name, value in values}, named)


def _check_typed(name: str, value: str) -> None:
    shown = clean_line(name, SHOWN)
    if looks_like_key(name):
        raise UsageError(KEY_IN_HEADER.format("NAME"))
    if value and is_secret_header(name, value):
        raise UsageError(KEY_IN_HEADER.format(shown))
    if names_variable(value):
        raise UsageError(
            f"--header sends {shown} as typed, without the values of variables; use --header-env {shown} VARIABLE"
        )


def _variable(text: str) -> str:
    try:
        return variable_name(text)
    except ValueError as error:
        problem = f"--header-env: {error}"
    raise UsageError(problem)
