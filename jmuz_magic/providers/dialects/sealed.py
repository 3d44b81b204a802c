"""Reasoning that goes back and is refused: sealed for another account, or bound to messages that have changed.

A recording from somebody else has such reasoning, and so has a conversation whose system prompt has changed, or whose
oldest turns are no longer sent. A request that is refused for it goes without.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from jmuz_magic.errors import ResponseStatusError
from jmuz_magic.messages import EarlierReasoning

__all__ = ["readable", "without_unreadable"]

# As OpenAI and Anthropic say it (openai/codex#8145, 2025-12; anthropics/claude-code#10627, 2025-10; that newer models
# bind it to what came before: platform.claude.com/docs/en/build-with-claude/preserved-thinking, 2026-11-28).
_UNREADABLE = re.compile(r"encrypted[ _]content|\bsignature\b", re.IGNORECASE)

_unreadable: set[str] = set()  # digests of items that were refused in this session


def readable(earlier: Sequence[EarlierReasoning | None]) -> list[EarlierReasoning | None]:
    """The same without items that a service has refused in this session."""
    return [_plain(each) if each and each.items and _digest(each) in _unreadable else each for each in earlier]


def without_unreadable(
    error: ResponseStatusError, options: Mapping[str, Any], model: object, dialect: str
) -> dict[str, Any] | None:
    """The options for asking again after this error, and from now on without these items; None if it is another one.

    Services do not say which of the items they mean, so all that were sent are left out.

    Args:
        error: what the service answered.
        options: those of the request.
        model: the id that was sent.
        dialect: the name of the dialect.
    """
    earlier: Sequence[EarlierReasoning | None] = options.get("earlier_reasoning") or ()
    sealed = [each for each in earlier if each and each.items and (each.model, each.dialect) == (model, dialect)]
    if error.status != 400 or not sealed or not _UNREADABLE.search(str(error)):
        return None
    _unreadable.update(map(_digest, sealed))
    return {**options, "earlier_reasoning": readable(earlier)}


def _plain(earlier: EarlierReasoning) -> EarlierReasoning:
    return replace(earlier, items=(), dialect="")


def _digest(earlier: EarlierReasoning) -> str:
    return hashlib.sha256(json.dumps(earlier.items, sort_keys=True).encode()).hexdigest()
