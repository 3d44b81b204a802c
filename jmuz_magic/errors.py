"""The errors that this package raises on purpose.

JmuzError                      anything below, and nothing else, is expected to go wrong
├── ModelNotFoundError         the endpoint does not know the model
├── MissingAuthError           a key is needed and none was found
├── ProviderConnectionError    the endpoint could not be reached
│   └── ProviderTimeoutError   it was reached but did not answer in time
├── ResponseError              it answered with something that is no reply
│   └── ResponseStatusError    … with an HTTP status other than 2xx
│       └── RateLimitError     … with status 429
└── StreamError                the reply began and broke off
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
    """What was expected, what came and what to do, in one line that no screen obeys.

    Attributes:
        origin: scheme, host and port that were asked, such as `https://api.openai.com`; None where no
            endpoint was involved.
        attempts: requests sent before giving up; 0 where none was sent.

    No error holds a request, a header or a key, and none keeps another library's exception
    (aiohttp's `repr` contains the Authorization header): they are raised `from None`.
    """

    def __init__(self, message: str, *, origin: str | None = None, attempts: int = 0) -> None:
        super().__init__(clean_line(message))  # it may quote a server; front ends store and print it
        self.origin = origin
        self.attempts = attempts


class ModelNotFoundError(JmuzError):
    """The endpoint says that it has no such model."""


class MissingAuthError(JmuzError):
    """The endpoint needs a key and none was configured for its origin, or the one sent was refused."""


class ProviderConnectionError(JmuzError):
    """The endpoint could not be reached: name, refusal, TLS, proxy, or a connection dropped before any answer."""


class ProviderTimeoutError(ProviderConnectionError):
    """A timer ran out: connect, first data, or the silence between two data events."""


class ResponseError(JmuzError):
    """The endpoint answered with something that is no reply: an error object, HTML, broken HTTP."""


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
        retry_after: seconds that the endpoint asked to wait; None where it did not say.
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
    """A reply began and broke off; the chunks yielded before stay valid."""
