"""Headers that an endpoint wants besides the usual ones: where their values come from, and which are secret.

A header belongs to the origin that it was given for, and goes to no other.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from jmuz_magic.errors import JmuzError
from jmuz_magic.secret import Secret, looks_like_key, model_looks_like_key

__all__ = [
    "Header",
    "checked_value",
    "headers_at",
    "headers_of",
    "is_secret_header",
    "is_secret_variable",
    "names_variable",
    "read_headers",
    "secrets_in",
    "sent_headers",
    "written_headers",
]

# Texts, compiled by `re` at their first use: loading the extension needs none of them.
_HEADER_WITH_KEY = r"(?i)auth(?!ors?$)|key(?!word)|token(?!s$)|secret|cookie|pass(?:w|phrase|$)|credential|bearer|jwt"
_SCHEME = r"(?i)(?:bearer|basic|digest|token)\s+\S"
_VARIABLE_WITH_KEY = r"(?i)key|token|secret|pass|credential|auth|cookie|jwt|_(?:pwd|pat)$"
_VARIABLE = r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})"
_FIELD_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2

OURS = frozenset(
    ("accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host", "te",
     "trailer", "transfer-encoding", "upgrade")
)  # fmt: skip
"""What the connection says of itself; another value would break it."""


@dataclass(frozen=True)
class Header:
    """One header; its value is found when it is sent.

    Attributes:
        name: as it is sent.
        value: what to send; a `Secret` if it looks like one.
        variable: the environment variable that holds the value, which is then secret; "" for `value`.
        administered: whether an administrator described it: then `$NAME` and `${NAME}` in the value stand for
            environment variables, and nobody replaces it.
        origin: the only origin that it is sent to; "" if that is the only one there is.
    """

    name: str
    value: str | Secret = ""
    variable: str = ""
    administered: bool = False
    origin: str = ""

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that stand in the value."""
        if not self.administered:
            return ()
        return tuple(found[1] or found[2] for found in re.finditer(_VARIABLE, _wrapped(self.value).reveal()))

    @property
    def is_secret(self) -> bool:
        """Whether its value looks like a secret, which nothing may repeat."""
        return is_secret_header(self.name) or is_secret_variable(self.variable) or isinstance(self.value, Secret)

    def sent(self) -> str | Secret:
        """The value to send now.

        Raises:
            JmuzError: a variable is unset, or the value cannot be sent; the message does not repeat it.
        """
        if self.variable:
            value = Secret(_of_environment(self.name, self.variable).reveal().strip())
            return checked_value(self.name, value, secret=True)
        if not self.variables:
            return self.value
        expanded = Secret(re.sub(_VARIABLE, self._found, _wrapped(self.value).reveal()))
        return expanded if self.is_secret else expanded.reveal()

    def _found(self, found: re.Match[str]) -> str:
        return _encoded(_of_environment(self.name, found[1] or found[2]))

    def __str__(self) -> str:
        source = f"env {self.variable}" if self.variable else self.value
        return f"{self.name}: {source}"


def _wrapped(value: str | Secret) -> Secret:
    return value if isinstance(value, Secret) else Secret(str(value))


def _of_environment(header: str, variable: str) -> Secret:
    value = Secret(os.environ.get(variable, ""))
    if not value.reveal().strip():
        raise JmuzError(f"the header {header} needs the environment variable {variable}, which is unset or empty")
    return value


def _encoded(text: Secret) -> str:
    """The text with everything percent-encoded that a header cannot hold, such as the letters of a user's name."""
    signs = text.reveal().encode("utf-8", "replace").decode()
    return "".join(sign if " " <= sign <= "~" else quote(sign, safe="") for sign in signs)


def is_secret_header(name: str, value: str = "") -> bool:
    """Whether a header of this name and value seems to carry a key."""
    if re.search(_HEADER_WITH_KEY, name) or re.match(_SCHEME, value):
        return True
    return looks_like_key(value) or model_looks_like_key(value)


def is_secret_variable(name: str) -> bool:
    """Whether an environment variable of this name seems to hold a secret."""
    return re.search(_VARIABLE_WITH_KEY, name) is not None


def names_variable(value: str) -> bool:
    """Whether `$NAME` or `${NAME}` stands in a value, which only an administrator's configuration expands."""
    return re.search(_VARIABLE, value) is not None


def checked_value(name: str, value: Secret, *, secret: bool = False) -> str | Secret:
    """The value in the clear, unless it is known or seems to be secret.

    Raises:
        JmuzError: the header cannot be sent; the message does not repeat its value.
    """
    fits = value.reveal().isascii() and not any(sign in value.reveal() for sign in "\r\n\0")
    if not (fits and name.isascii() and name.isprintable() and name and " " not in name):
        raise JmuzError(f"the header {name!a} cannot be sent: expected ASCII without line breaks or NUL")
    return value if secret or is_secret_header(name, value.reveal()) else value.reveal()


def read_headers(
    values: Mapping[str, Secret], variables: Mapping[str, str], *, administered: bool = False, origin: str = ""
) -> tuple[Header, ...]:
    """Headers as they are described: by name their values, and by name the variables that hold their values.

    Args:
        values: wrapped, secret or not, so that no traceback with local variables shows one.
        variables: such as `{"X-Gateway-Key": "GATEWAY_KEY"}`.
        administered: whether an administrator describes them.
        origin: where they go.

    Raises:
        JmuzError: one cannot be sent, or is given twice; no message repeats a value.
    """
    for name in values.keys() | variables.keys():
        if not re.fullmatch(_FIELD_NAME, name) or looks_like_key(name):
            raise JmuzError("expected the name of a header, such as X-Tenant, without a colon or spaces")
        if name.lower() in OURS:
            raise JmuzError(f"the header {name} is the connection's own and cannot be set")
    lower = [name.lower() for name in (*values, *variables)]
    if twice := {name for name in lower if lower.count(name) > 1}:
        raise JmuzError(f"the header {twice.pop()} is given twice")
    return (
        *(Header(name, checked_value(name, value), "", administered, origin) for name, value in values.items()),
        *(Header(name, "", variable, administered, origin) for name, variable in variables.items()),
    )


def written_headers(headers: Iterable[Header]) -> dict[str, Any]:
    """The members `headers`, `header_env` and `header_origin` of a file, without those that do not matter.

    A secret value is never among them.
    """
    headers = tuple(headers)
    values = {each.name: each.value for each in headers if not each.variable and not each.is_secret}
    variables = {each.name: each.variable for each in headers if each.variable}
    origin = next((each.origin for each in headers), "")
    members = {"headers": values, "header_env": variables, "header_origin": origin}
    return {name: value for name, value in members.items() if value}


def headers_of(provider: Any) -> tuple[Header, ...]:
    """The headers that a provider's class describes, for its own origin.

    Raises:
        JmuzError: one cannot be sent.
    """
    values = {name: _wrapped(value) for name, value in getattr(provider, "headers", {}).items()}
    variables = getattr(provider, "header_env", {})
    if not values and not variables:
        return ()
    administered = getattr(provider, "administered", False)
    return read_headers(values, variables, administered=administered, origin=provider.own_origin() or "")


def headers_at(origin: str, provider: Any, given: Iterable[Header]) -> tuple[Header, ...]:
    """The headers for an endpoint: those given for it and, if this is the origin of its class, those of the class.

    Raises:
        JmuzError: the given ones belong to another origin, or the class has one of that name.
    """
    described = tuple(header for header in headers_of(provider) if header.origin == origin)
    names = {header.name.lower() for header in described}
    given = tuple(given)
    for header in given:
        if header.origin not in ("", origin):
            raise JmuzError(
                f"the header {header.name} was given for {header.origin}, but the address is now {origin}; "
                "choose again with %jmuz_use",
                origin=origin,
            )
        if header.name.lower() in names:
            raise JmuzError(f"{provider.label} sets the header {header.name} itself; leave it out", origin=origin)
    return (*described, *given)


def sent_headers(headers: Iterable[Header]) -> dict[str, str | Secret]:
    """Names and values to send now.

    Raises:
        JmuzError: a variable is unset, or a value cannot be sent.
    """
    return {header.name: header.sent() for header in headers}


def secrets_in(headers: Iterable[Header]) -> tuple[Secret, ...]:
    """The values that look like secrets, as far as they are known now; of `Bearer KEY` also the key alone."""
    found: list[Secret] = []
    for header in headers:
        if header.is_secret:
            with suppress(JmuzError):  # an unset variable has no value to protect
                value = _wrapped(header.sent())
                found += [value, *_without_scheme(value)]
    return tuple(found)


def _without_scheme(value: Secret) -> list[Secret]:
    text = value.reveal()
    return [Secret(text.partition(" ")[2].strip())] if re.match(_SCHEME, text) else []
