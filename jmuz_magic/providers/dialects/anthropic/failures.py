"""Errors that the Messages API reports in the body, after the head said that all is well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jmuz_magic.errors import JmuzError, RateLimitError, ResponseError, ResponseStatusError
from jmuz_magic.providers.http.error_text import error_message

__all__ = ["stated_failure"]

# platform.claude.com/docs/en/api/errors, 2026-11-28: an error after the head has the type of the status it would have.
_STATUSES = {
    "api_error": 500,
    "authentication_error": 401,
    "billing_error": 402,
    "invalid_request_error": 400,
    "not_found_error": 404,
    "overloaded_error": 529,
    "permission_error": 403,
    "rate_limit_error": 429,
    "request_too_large": 413,
    "timeout_error": 504,
}


def stated_failure(payload: dict[str, Any], origin: str, shown: Callable[[str], str]) -> JmuzError:
    """The error in a payload, with the status that it would have had before the reply began.

    Args:
        payload: such as `{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}`.
        origin: the endpoint's.
        shown: makes a server's text fit to show.
    """
    error = payload.get("error")
    kind = str(error.get("type") or "") if isinstance(error, dict) else ""
    text = f"{origin} reported an error: {shown(error_message(payload) or kind or 'without a message')}"
    status = _STATUSES.get(kind)
    if status is None:
        return ResponseError(text, origin=origin, attempts=1)
    text += f" ({kind}, as status {status})"
    if status == 429:
        return RateLimitError(text, origin=origin, attempts=1)
    return ResponseStatusError(text, status=status, origin=origin, attempts=1)
