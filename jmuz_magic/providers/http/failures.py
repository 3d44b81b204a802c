"""What an answer that is not a reply says, in one line fit to show: bounded, redacted, and with advice."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from jmuz_magic.errors import (
    JmuzError,
    MissingAuthError,
    ModelNotFoundError,
    RateLimitError,
    ResponseStatusError,
)
from jmuz_magic.providers.endpoint.address import is_azure, normalise_api_base, origin_of
from jmuz_magic.providers.http.denials import DENYING_STATUSES, Denial, denial
from jmuz_magic.text import clean_line

__all__ = [
    "LONGEST_MESSAGE",
    "Failure",
    "describe",
    "error_message",
    "html_title",
    "redirect_error",
    "status_error",
]

LONGEST_MESSAGE = 500  # characters of a server's text that an error repeats
LONGEST_TITLE = 80
RETRIED_STATUSES = frozenset({408, 429})
MODEL_CODES = frozenset(
    {"DeploymentNotFound", "invalid_model", "model_decommissioned", "model_not_found", "model_not_supported"}
)
MODEL_MISSING = re.compile(
    r"\bmodels?\b.{0,200}\b(not found|not exist|unknown|not supported|no such)"
    r"|\b(invalid|unknown|no such|not a valid) model\b",
    re.I | re.S,
)
# llama.cpp's server while it starts; Hugging Face's while a model is fetched.
_LOADING = re.compile(
    r"\bloading (?:the )?model\b|\bmodel\b.{0,200}\b(?:is|still) (?:currently |being )?load(?:ing|ed)\b", re.I
)
_NOTHING_THERE = re.compile(
    r"\W*(?:404\b.*|(?:\w+ )?not found|an HTML page|cannot (?:get|post)\b.*|no (?:such )?(?:path|route)\b.*"
    r"|no \w+ match\w*\b.*"  # Kong's "no Route matched with those values"
    r"|(?:invalid|unknown) (?:request )?(?:path|route|url)\b.*)\W*",
    re.I | re.S,
)


@dataclass(frozen=True)
class Failure:
    """An attempt that failed.

    Attributes:
        error: why.
        retry: whether to try again.
        delay: seconds that the service asks to wait; None if it does not say.
        loading: whether the service is still loading its model and will answer later.
    """

    error: JmuzError
    retry: bool = False
    delay: float | None = None
    loading: bool = False


def html_title(page: str) -> str:
    """The title of an HTML page, at most 80 characters; "" without one."""
    found = re.search(r"<title[^>]*>([^<]{0,1000})", page, re.I)
    return clean_line(html.unescape(found[1]), LONGEST_TITLE) if found else ""


def error_message(payload: Any) -> str:
    """The message of the error in a decoded body or event; "" if it contains none.

    Knows `{"error": {"message": …}}`, `{"error": "…"}`, `{"detail": …}`, `{"message": …}`, `{"errors": […]}`,
    lists of these, and what a gateway passes on in `metadata.raw`.
    """
    try:
        return _message(payload)
    except RecursionError:  # no real message is nested that deep
        return ""


def _message(payload: Any) -> str:
    if isinstance(payload, str):
        return payload
    if isinstance(payload, list):
        return "; ".join(filter(None, map(_message, payload[:5])))
    if not isinstance(payload, dict):
        return ""
    if reason := _upstream_reason(payload):
        return reason
    if isinstance(payload.get("msg"), str) and isinstance(
        payload.get("loc"), list
    ):  # pydantic: a rejected member of the body
        return f"{'.'.join(map(str, payload['loc']))}: {payload['msg']}"
    for name in ("error", "message", "detail", "errors", "msg"):
        if said := _message(payload.get(name)):
            return said
    return ""


def _upstream_reason(error: Mapping[str, Any]) -> str:
    """What the service behind a gateway said: OpenRouter passes it on in `metadata.raw`, as JSON or plain text."""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if not raw or not isinstance(raw, (str, dict, list)):
        return ""
    payload = _json(raw) if isinstance(raw, str) else raw
    said = (_message(payload) if isinstance(payload, (dict, list)) else "") or _as_text(raw)
    message = str(error.get("message") or "").rstrip(".")
    if message and message != "Provider returned error":
        return message if said in message else f"{message}: {said}"
    provider = metadata.get("provider_name") if isinstance(metadata, dict) else None
    return f"{provider}: {said}" if isinstance(provider, str) and provider else said


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def describe(body: bytes) -> str:
    """What a body says about an error: its message, its title if it is an HTML page, else its text."""
    text = body.decode("utf-8", "replace")
    payload = _json(text)
    if payload is not None:
        return error_message(payload) or text
    if text.lstrip().startswith("<"):
        return html_title(text) or "an HTML page"
    return text


def status_error(
    status: int,
    reason: str,
    body: bytes,
    *,
    origin: str,
    key_source: str,
    asked: float | None,
    said: str,
    refused: tuple[str, ...] = (),
    key_advice: str = "",
) -> Failure:
    """The error for a status other than 2xx and 3xx.

    Args:
        status: the HTTP status.
        reason: its reason phrase.
        body: the answer's body.
        origin: the endpoint's origin.
        key_source: where the key that was sent came from.
        asked: seconds that the service asks to wait.
        said: the service's message, fit to show.
        key_advice: how to set a key for this address.
        refused: options of the request that the message names; if any, it is not about a missing model.
    """
    payload = _json(body.decode("utf-8", "replace"))
    head = f"{origin} answered {status} {reason}".rstrip()
    told = f": {said}" if said else ""
    if status in DENYING_STATUSES and _codes(payload).isdisjoint(MODEL_CODES):
        words = " ".join([said, *_codes(payload)]) if said else ""
        reason = denial(status, words, is_page=body.lstrip().startswith(b"<"))
        return Failure(_denied(status, head + told, reason, origin, key_source, key_advice))
    if status < 500 and status != 429 and not refused and _misses_model(status, payload, said):
        return Failure(ModelNotFoundError(f"{head}{told} (%jmuz_models lists its models)", origin=origin))
    if status == 429:
        return _rate_limit(head, told, payload, origin, asked)
    hint = _address_hint(origin) if status == 405 or (status == 404 and _names_no_reason(said)) else ""
    error = ResponseStatusError(head + told + hint, status=status, origin=origin, refused=refused)
    loading = status == 503 and bool(_LOADING.search(said))
    return Failure(error, status in RETRIED_STATUSES or status >= 500, asked, loading)


def redirect_error(status: int, target: str, *, origin: str, url: str) -> Failure:
    """The error for a redirect, which is never followed: it would take key and prompt along.

    The message names only the target's origin, or for the same origin the right `api_base`: the rest may hold secrets.
    """
    head = f"{origin} answered {status}, a redirect"
    try:
        address = normalise_api_base(urljoin(url, target).partition("?")[0])
        elsewhere = origin_of(address)
    except (JmuzError, ValueError):
        return Failure(ResponseStatusError(f"{head} without a valid target", status=status, origin=origin))
    if elsewhere == origin:
        advice = f"; redirects are not followed: set api_base to {address.removesuffix('/models')}"
    else:
        advice = (
            f" to {elsewhere}; redirects are not followed, so neither key nor prompt went there: set api_base to it"
        )
    return Failure(ResponseStatusError(head + advice, status=status, origin=origin))


def _rate_limit(head: str, told: str, payload: Any, origin: str, asked: float | None) -> Failure:
    exhausted = "insufficient_quota" in _codes(payload)
    wait = f" (it asks to wait {_duration(asked)})" if asked else ""
    hint = " (the account has no quota left: see its billing page)" if exhausted else wait
    return Failure(RateLimitError(head + told + hint, retry_after=asked, origin=origin), not exhausted, asked)


def _denied(status: int, text: str, reason: Denial, origin: str, key_source: str, key_advice: str) -> JmuzError:
    """The error for a denied request; it mentions the key only if that may be the problem."""
    if reason in ("key", "right", "unknown") and key_source == "none":
        return MissingAuthError(f"{text} (no key was sent: {key_advice or 'use %jmuz_key'})", origin=origin)
    if reason == "key":
        return MissingAuthError(f"{text} (key rejected; it came from {key_source})", origin=origin)
    if reason == "right":
        return MissingAuthError(f"{text} (the key from {key_source} lacks permission for this)", origin=origin)
    if reason == "unknown":
        reason = f"the service does not say why; the key came from {key_source}"
    return ResponseStatusError(f"{text} ({reason})", status=status, origin=origin)


def _address_hint(origin: str) -> str:
    end = "Azure's ends in /openai/v1" if is_azure(origin) else "it usually ends in /v1"
    return f" (is the api_base right? {end})"


def _names_no_reason(said: str) -> bool:
    """Whether a 404 is about the address: a service that says what was not found has understood the request."""
    return not said or bool(_NOTHING_THERE.fullmatch(said))


def _misses_model(status: int, payload: Any, said: str) -> bool:
    if not _codes(payload).isdisjoint(MODEL_CODES):
        return True
    return bool(MODEL_MISSING.search(said)) or (status == 404 and "model" in said.lower())


def _codes(payload: Any) -> set[str]:
    """The codes and types in the error."""
    error = payload.get("error") if isinstance(payload, dict) else None
    places: tuple[Any, ...] = (payload, error)
    return {str(place.get(name)) for place in places if isinstance(place, Mapping) for name in ("code", "type")}


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
