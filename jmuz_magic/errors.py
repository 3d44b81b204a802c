"""The errors that this package raises on purpose.

JmuzError                      base of all errors that callers should expect
├── ModelNotFoundError         the endpoint does not know the model
├── MissingAuthError           a key is needed but none was found, or the key was rejected
├── ProviderConnectionError    the endpoint could not be reached
│   └── ProviderTimeoutError   it was reached but did not answer in time
├── ResponseError              it answered, but not with a reply
│   └── ResponseStatusError    … with an HTTP status other than 2xx
│       └── RateLimitError     … with status 429
└── StreamError                the reply began but broke off
"""

from __future__ import annotations

from jmuz_magic.text import clean_line

__all__ = [
    "JmuzError",
    "MissingAuthError",
    "ModelNotFoundError",
    "ProviderConnectionError",
    "ProviderTimeoutError",
    "RateLimitError",
    "ResponseError",
    "ResponseStatusError",
    "StreamError",
]


class JmuzError(Exception):
    """What was expected, what came and what to do, in one line without control characters.

    Attributes:
        origin: scheme, host and port of the endpoint, such as `https://api.openai.com`; None if no endpoint was
            involved.
        attempts: requests sent before giving up; 0 if none was sent.

    No error holds a request, a header or a key, nor another library's exception: the `repr` of aiohttp's contains
    the Authorization header.
    """

    def __init__(self, message: str, *, origin: str | None = None, attempts: int = 0) -> None:
        super().__init__(clean_line(message))  # it may quote a server; front ends store and print it
        self.origin = origin
        self.attempts = attempts


class ModelNotFoundError(JmuzError):
    """The endpoint says that it does not have the model."""


class MissingAuthError(JmuzError):
    """The endpoint needs a key and none is configured for its origin, or it rejected the key that was sent."""


class ProviderConnectionError(JmuzError):
    """The endpoint could not be reached: unknown host, connection refused or dropped, TLS or proxy failure."""


class ProviderTimeoutError(ProviderConnectionError):
    """A timer ran out: connecting, waiting for the first data, or silence in mid-reply."""


class ResponseError(JmuzError):
    """The endpoint answered, but not with a reply: an error object, an HTML page, broken HTTP."""


class ResponseStatusError(ResponseError):
    """The endpoint answered with an HTTP status other than 2xx.

    Attributes:
        status: the HTTP status.
        refused: options of the request that a 400 or 422 names, such as `("temperature",)`.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        origin: str | None = None,
        attempts: int = 0,
        refused: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, origin=origin, attempts=attempts)
        self.status = status
        self.refused = refused


class RateLimitError(ResponseStatusError):
    """Status 429.

    Attributes:
        retry_after: seconds that the endpoint asks to wait; None if it did not say.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 429,
        retry_after: float | None = None,
        origin: str | None = None,
        attempts: int = 0,
    ) -> None:
        super().__init__(message, status=status, origin=origin, attempts=attempts)
        self.retry_after = retry_after


class StreamError(JmuzError):
    """A reply began but broke off; the chunks yielded before remain valid."""
