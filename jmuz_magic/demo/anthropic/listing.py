"""The list of models as Anthropic's API gives it: page by page.

After https://platform.claude.com/docs/en/api/models-list (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jmuz_magic.demo.request_error import RequestError

__all__ = ["model_object", "page"]

USUAL, MOST = 20, 1_000
"""Models on a page: without `limit`, and at most."""

CREATED_AT = "2025-01-01T00:00:00Z"
MAX_TOKENS, MAX_INPUT_TOKENS = 32_000, 200_000
"""What a real model might state; nothing here holds to it."""


def page(models: Sequence[str], query: Mapping[str, str]) -> dict[str, Any]:
    """The page after `after_id`, or before `before_id`, of at most `limit` models.

    Raises:
        RequestError: the limit is not a number from 1 to 1,000, or there is no such model.
    """
    limit = _limit(query.get("limit", str(USUAL)))
    if "before_id" in query:
        end = _index(models, query["before_id"], "before_id")
        start, has_more = max(0, end - limit), end > limit
    else:
        start = _index(models, query["after_id"], "after_id") + 1 if "after_id" in query else 0
        end = start + limit
        has_more = end < len(models)
    found = models[start:end]
    first, last = (found[0], found[-1]) if found else (None, None)
    data = [model_object(model) for model in found]
    return {"data": data, "has_more": has_more, "first_id": first, "last_id": last}


def model_object(model: str) -> dict[str, Any]:
    """One model, with the limits of tokens that clients look for."""
    limits = {"max_input_tokens": MAX_INPUT_TOKENS, "max_tokens": MAX_TOKENS}
    named = {"type": "model", "id": model, "display_name": model, "lifecycle": "active"}
    return {**named, "created_at": CREATED_AT, **limits}


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise RequestError(f"expected an integer from 1 to {MOST}, got {text!r}", param="limit")
    return int(text)


def _index(models: Sequence[str], model: str, param: str) -> int:
    try:
        return models.index(model)
    except ValueError:
        raise RequestError(f"there is no model {model!r}", param=param) from None
