"""Recognises that a budget is used up, which gateways tell with various statuses, and which no retry changes.

What gateways send (2026-11-28): LiteLLM 429, before 2026 400, with the type `budget_exceeded` and "Budget has been
exceeded! Current cost: …, Max budget: …", "ExceededBudget: … over budget", "crossed budget: …" or "Max budget limit
reached." (BerriAI/litellm#14144, #31300, #37000; docs.litellm.ai/docs/proxy/error_reference); others 402 with
`budget_exceeded` or 429 with `key_budget_exceeded`; OpenRouter 403 "Key limit exceeded (total limit)"
(RooCodeInc/Roo-Code#515).
"""

from __future__ import annotations

import re
from collections.abc import Set

__all__ = ["BUDGET_HINT", "is_budget"]

BUDGET_HINT = "a budget is used up; whoever runs this endpoint can say when it is renewed"

_STATUSES = frozenset({402, 403, 429})
_CODE = re.compile(r"(?:\w+_)?budget_(?:exceeded|exhausted|reached)", re.IGNORECASE)
_LITELLM = re.compile(r"budget has been exceeded!|exceededbudget:", re.IGNORECASE)
_WORDS = re.compile(
    r"\bbudget\b.{0,60}\b(?:exceed\w*|exhausted|reached|spent|used up)|\b(?:crossed|exceed\w*|over)\b.{0,30}\bbudget\b"
    r"|\bkey limit exceeded|\bspend(?:ing)? limit\b.{0,40}\b(?:exceed\w*|hit|reached)",
    re.IGNORECASE | re.DOTALL,
)


def is_budget(status: int, codes: Set[str], said: str) -> bool:
    """Whether an error is about a budget.

    Args:
        status: the HTTP status; of other errors than denials and rate limits only codes and LiteLLM's words count.
        codes: codes and types in the error.
        said: its message.
    """
    if any(_CODE.fullmatch(code) for code in codes) or _LITELLM.search(said):
        return True
    return status in _STATUSES and bool(_WORDS.search(said))
