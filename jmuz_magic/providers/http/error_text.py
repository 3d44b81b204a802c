"""What an answer that is not a reply says about an error, in the service's words; `Call.shown` makes it fit to show."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from jmuz_magic.text import clean_line

__all__ = ["describe", "error_message", "html_title", "load_json"]

LONGEST_TITLE = 80


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
    # pydantic: a rejected member of the body
    if isinstance(payload.get("msg"), str) and isinstance(payload.get("loc"), list):
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
    payload = load_json(raw) if isinstance(raw, str) else raw
    text = raw if isinstance(raw, str) else json.dumps(raw)
    said = (_message(payload) if isinstance(payload, (dict, list)) else "") or text
    message = str(error.get("message") or "").rstrip(".")
    if message and message != "Provider returned error":
        return message if said in message else f"{message}: {said}"
    provider = metadata.get("provider_name") if isinstance(metadata, dict) else None
    return f"{provider}: {said}" if isinstance(provider, str) and provider else said


def describe(body: bytes) -> str:
    """What a body says about an error: its message, its title if it is an HTML page, else its text."""
    text = body.decode("utf-8", "replace")
    payload = load_json(text)
    if payload is not None:
        return error_message(payload) or text
    if text.lstrip().startswith("<"):
        return html_title(text) or "an HTML page"
    return text


def load_json(data: str | bytes) -> Any:
    """The JSON in a body or text; None if it is something else."""
    try:
        return json.loads(data.decode("utf-8-sig", "replace") if isinstance(data, bytes) else data)
    except (ValueError, RecursionError):
        return None
