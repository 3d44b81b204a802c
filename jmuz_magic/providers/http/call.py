"""One request as it will be sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.endpoint.address import DEFAULT_PORTS, origin_of
from jmuz_magic.providers.http.members import Members
from jmuz_magic.providers.http.proxies import proxy_secrets
from jmuz_magic.secret import Secret, redact
from jmuz_magic.text import clean_line

__all__ = ["Call", "encode", "merged"]

LONGEST_MESSAGE = 500  # characters of a server's text that an error repeats


@dataclass(frozen=True)
class Call:
    """One request; its repr shows neither headers nor prompt.

    Attributes:
        headers: `Secret` values are revealed when the request is sent, and redacted in the answer.
        key_source: where the key came from, for the message that it was rejected.
        key_advice: returns how to set a key, for the message that one is missing.
        members: where the options of the request stand in its body.
    """

    method: str
    url: str
    headers: Mapping[str, str | Secret] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    key_source: str = "none"
    key_advice: Callable[[], str] = field(default=lambda: "", repr=False)
    members: Members = field(default_factory=dict, repr=False)

    def redact(self, text: str) -> str:
        """A server's text without our secrets and the proxy's; call it before cutting, or half of one would remain."""
        for value in self.headers.values():
            if isinstance(value, Secret):
                for secret in (value, Secret(value.reveal().rpartition(" ")[2])):  # "Bearer KEY", and KEY alone
                    text = redact(text, secret)
        for secret in proxy_secrets(self.url):
            text = redact(text, secret)
        return text

    def shown(self, text: str, longest: int = LONGEST_MESSAGE) -> str:
        """A server's text as an error may repeat it: without secrets, on one line, bounded."""
        return clean_line(self.redact(text), longest)

    @property
    def origin(self) -> str:
        """Scheme, host and port that it goes to."""
        return origin_of(self.url)

    @property
    def address(self) -> str:
        """Host and port."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{host}:{parts.port or DEFAULT_PORTS[parts.scheme]}"


def encode(body: Mapping[str, Any]) -> bytes:
    """The body as sent.

    Raises:
        JmuzError: an option or message is not a JSON value.
    """
    problem = ""
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        problem = str(error)
    raise JmuzError(f"expected messages and options that are JSON values: {problem}")


def merged(headers: Mapping[str, str | Secret], others: Mapping[str, str | Secret | None]) -> dict[str, str | Secret]:
    """The headers with the others, which replace those of the same name in any case; None only takes one away."""
    names = {name.lower() for name in others}
    kept = {name: value for name, value in headers.items() if name.lower() not in names}
    return kept | {name: value for name, value in others.items() if value is not None}
