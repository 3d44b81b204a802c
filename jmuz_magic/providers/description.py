"""What a configuration says of an endpoint, checked member by member; no message repeats what may be a key."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.dialects.table import check_dialect
from jmuz_magic.providers.endpoint.address import normalise_api_base
from jmuz_magic.providers.endpoint.headers import is_secret_header, is_secret_variable, names_variable, read_headers
from jmuz_magic.secret import Secret, looks_like_key, model_looks_like_key

__all__ = ["Description", "masked", "read_description"]

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)


@dataclass(frozen=True)
class Description:
    """An endpoint by configuration; `OpenaiTemplate` says what its attributes of these names mean.

    Attributes:
        name: what `%jmuz_use` and `-p` call it, in lower case.
        api_base: its address.
        key_env: the environment variable that holds the key; "" if it needs none.
        models: what is offered; the first is the default. Empty to ask the service.
        headers: values by name.
        header_env: names of environment variables by name.
        dialect: the wire protocol; "" for chat completions.
        says: what to say of it.
        allow_http: whether the key may cross a network over plain http.
        system: a system message that comes first in every request.
        options: what every request has besides its own options.
        administered: whether an administrator wrote it.
    """

    name: str
    api_base: str
    key_env: str = ""
    models: tuple[str, ...] = ()
    headers: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    header_env: Mapping[str, str] = field(default_factory=dict)
    dialect: str = ""
    says: str = ""
    allow_http: bool = False
    system: str = ""
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    administered: bool = False


MEMBERS = tuple(each.name for each in fields(Description) if each.name not in ("name", "administered"))


def masked(value: Any) -> Any:
    """The same description with secret values of headers wrapped, so that showing it shows none."""
    if not isinstance(value, Mapping) or not isinstance(headers := value.get("headers"), Mapping):
        return value
    return {**value, "headers": {name: _masked_value(name, each) for name, each in headers.items()}}


def _masked_value(name: Any, value: Any) -> Any:
    return Secret(value) if isinstance(value, str) and is_secret_header(str(name), value) else value


def read_description(name: Any, value: Any, *, administered: bool) -> Description:
    """A description as a configuration has it.

    Args:
        name: what the endpoint is to be called.
        value: a dict with some of `MEMBERS`.
        administered: whether an administrator wrote it.

    Raises:
        JmuzError: something is wrong with it.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or looks_like_key(name):
        shown = ascii(name) if isinstance(name, str) and not looks_like_key(name) else "something else"
        raise JmuzError(f"expected a name such as campus (letters, digits, _ . -), got {shown}")
    return _within(name, lambda: _read(name.lower(), value, administered))


def _within(place: str, read: Callable[[], T]) -> T:
    """What `read` returns; its errors say where."""
    try:
        return read()
    except JmuzError as error:
        problem = f"{place}: {error}"
    raise JmuzError(problem)


def _read(name: str, value: Any, administered: bool) -> Description:
    if not isinstance(value, Mapping):
        raise JmuzError(f"expected a dict such as {{'api_base': 'https://host/v1'}}, got {_kind(value)}")
    for member in value:
        if member not in MEMBERS:
            raise JmuzError(_unknown(member))
    if "api_base" not in value:
        raise JmuzError("api_base is missing, such as 'https://host/v1'")
    given = {member: _within(member, lambda: _READ[member](value[member])) for member in value}  # noqa: B023  # called at once
    description = Description(name, administered=administered, **given)
    _within("headers", lambda: _check_headers(description))
    return description


def _kind(value: Any) -> str:
    # Never the value: it may be a key in the wrong place.
    kinds = {"str": "a text", "dict": "a dict", "int": "a number", "bool": "True or False", "NoneType": "None"}
    return kinds.get(type(value).__name__, f"a {type(value).__name__}")


def _unknown(member: Any) -> str:
    import difflib  # for errors only

    if not isinstance(member, str) or looks_like_key(member):
        return f"unknown member; expected {', '.join(MEMBERS)}"
    if member.lower() in ("api_key", "key", "token"):
        return f"unknown member {member!a}: no key belongs here; key_env names the environment variable that holds it"
    near = difflib.get_close_matches(member.lower(), MEMBERS, n=1)
    return f"unknown member {member!a}; " + (f"did you mean {near[0]}?" if near else f"expected {', '.join(MEMBERS)}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise JmuzError(f"expected a text, got {_kind(value)}")
    return value


def _address(value: Any) -> str:
    return normalise_api_base(_text(value))


def _variable(value: Any) -> str:
    text = _text(value)
    if looks_like_key(text) or model_looks_like_key(text):
        raise JmuzError(
            "expected the name of an environment variable, such as CAMPUS_KEY, got what looks like a key, which does "
            "not belong in a configuration: put it into a variable and name that"
        )
    if not text.isidentifier():
        raise JmuzError("expected the name of an environment variable, such as CAMPUS_KEY, got another text")
    return text


def _models(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) and each.strip() for each in value):
        raise JmuzError(f"expected a list of ids, such as ['qwen3-32b'], got {_kind(value)}")
    if any(map(model_looks_like_key, value)):
        raise JmuzError("expected ids of models, got what looks like a key")
    return tuple(dict.fromkeys(value))


def _headers(value: Any) -> dict[str, Secret]:
    if not isinstance(value, Mapping):
        raise JmuzError(f"expected a dict such as {{'X-Tenant': 'physics'}}, got {_kind(value)}")
    for name, text in value.items():
        if not isinstance(name, str) or not isinstance(text, str | Secret):
            raise JmuzError(f"expected texts as names and values, got {_kind(text)}")
    return {name: text if isinstance(text, Secret) else Secret(text) for name, text in value.items()}


def _header_env(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise JmuzError(f"expected a dict such as {{'X-Gateway-Key': 'GATEWAY_KEY'}}, got {_kind(value)}")
    return {_text(name): _variable(variable) for name, variable in value.items()}


def _dialect(value: Any) -> str:
    check_dialect(name := _text(value))
    return name


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise JmuzError(f"expected True or False, got {_kind(value)}")
    return value


def _options(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise JmuzError(f"expected a dict such as {{'temperature': 0.2}}, got {_kind(value)}")
    return dict(value)


_READ: dict[str, Callable[[Any], Any]] = {
    "api_base": _address,
    "key_env": _variable,
    "models": _models,
    "headers": _headers,
    "header_env": _header_env,
    "dialect": _dialect,
    "says": _text,
    "allow_http": _flag,
    "system": _text,
    "options": _options,
}


def _check_headers(described: Description) -> None:
    administered = described.administered
    for header in read_headers(described.headers, described.header_env, administered=administered):
        for variable in filter(is_secret_variable, header.variables):
            raise JmuzError(
                f"{header.name} names {variable}, which looks like a secret's and is not expanded; use header_env, "
                f"such as {{'{header.name}': '{variable}'}}"
            )
    if not administered and (
        names := [name for name, value in described.headers.items() if names_variable(value.reveal())]
    ):
        raise JmuzError(
            f"only an administrator's configuration expands variables, as {names[0]} asks for; "
            "header_env names the variable that holds a value"
        )
