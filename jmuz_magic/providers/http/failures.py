"""Which failure a status other than 2xx is, told in one line: bounded, redacted, and with advice."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

from jmuz_magic.errors import (
    JmuzError,
    MissingAuthError,
    ModelNotFoundError,
    RateLimitError,
    ResponseStatusError,
)
from jmuz_magic.providers.advice import list_advice
from jmuz_magic.providers.endpoint.address import is_azure, normalise_api_base, origin_of
from jmuz_magic.providers.http.budgets import BUDGET_HINT, is_budget
from jmuz_magic.providers.http.call import Call
from jmuz_magic.providers.http.connection_errors import Failure
from jmuz_magic.providers.http.denials import DENYING_STATUSES, Denial, denial
from jmuz_magic.providers.http.error_text import describe, load_json

__all__ = ["redirect_error", "status_error"]

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


def status_error(
    status: int, reason: str, body: bytes, call: Call, asked: float | None, refused: tuple[str, ...] = ()
) -> Failure:
    """The error for a status other than 2xx and 3xx.

    Args:
        status: the HTTP status.
        reason: its reason phrase.
        body: the answer's body.
        call: what was sent.
        asked: seconds that the service asks to wait.
        refused: options of the request that the message names; if any, it is not about a missing model.
    """
    payload, said, origin = load_json(body), call.shown(describe(body)), call.origin
    head = f"{origin} answered {status} {call.shown(reason, 80)}".rstrip() + (f": {said}" if said else "")
    if status < 500 and is_budget(status, _codes(payload), said):
        return _over_budget(status, head, origin, asked)
    if status in DENYING_STATUSES and _codes(payload).isdisjoint(MODEL_CODES):
        words = " ".join([said, *_codes(payload)]) if said else ""
        return Failure(_denied(status, head, denial(status, words, is_page=body.lstrip().startswith(b"<")), call))
    if status < 500 and status != 429 and not refused and _misses_model(status, payload, said):
        return Failure(ModelNotFoundError(f"{head} ({list_advice()} lists its models)", origin=origin))
    if status == 429:
        return _rate_limit(head, payload, origin, asked)
    hint = _address_hint(origin) if status == 405 or (status == 404 and _names_no_reason(said)) else ""
    error = ResponseStatusError(head + hint, status=status, origin=origin, refused=refused)
    loading = status == 503 and bool(_LOADING.search(said))
    return Failure(error, status in RETRIED_STATUSES or status >= 500, asked, loading)


def redirect_error(status: int, target: str, call: Call) -> Failure:
    """The error for a redirect, which is never followed: it would take key and prompt along.

    The message names only the target's origin, or for the same origin the right `api_base`: the rest may hold secrets.
    """
    origin = call.origin
    head = f"{origin} answered {status}, a redirect"
    try:
        address = normalise_api_base(urljoin(call.url, call.redact(target)).partition("?")[0])
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


def _rate_limit(head: str, payload: Any, origin: str, asked: float | None) -> Failure:
    exhausted = "insufficient_quota" in _codes(payload)
    wait = f" (it asks to wait {_duration(asked)})" if asked else ""
    hint = " (the account has no quota left: see its billing page)" if exhausted else wait
    return Failure(RateLimitError(head + hint, retry_after=asked, origin=origin), not exhausted, asked)


def _over_budget(status: int, head: str, origin: str, asked: float | None) -> Failure:
    """The failure for a budget that is used up; it is not tried again."""
    text = f"{head} ({BUDGET_HINT}{f'; it asks to wait {_duration(asked)}' if asked else ''})"
    if status == 429:
        return Failure(RateLimitError(text, retry_after=asked, origin=origin))
    return Failure(ResponseStatusError(text, status=status, origin=origin))


def _denied(status: int, text: str, reason: Denial, call: Call) -> JmuzError:
    """The error for a denied request; it mentions the key only if that may be the problem."""
    origin, key_source = call.origin, call.key_source
    if reason in ("key", "right", "unknown") and key_source == "none":
        return MissingAuthError(f"{text} (no key was sent: {call.key_advice() or 'use %jmuz_key'})", origin=origin)
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
    holders = [each for each in (payload, error) if isinstance(each, dict)]
    return {str(holder.get(name)) for holder in holders for name in ("code", "type")}


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
