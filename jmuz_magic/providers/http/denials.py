"""Why a service denies a request that it understood (401, 402, 403, 451): not always because of the key.

What is told here was reported by users of these services; the words of others lead to no claim at all.
"""

from __future__ import annotations

import re
from typing import TypeAlias

__all__ = ["DENYING_STATUSES", "Denial", "denial"]

DENYING_STATUSES = frozenset({401, 402, 403, 451})

Denial: TypeAlias = str
"""`key` (it was refused), `right` (it lacks one), `unknown`, or what else it was, as a hint for the user."""

_REGION = "the service is not offered where the request comes from; the key is not the reason"
_SWITCHED_OFF = "the API has to be switched on for the project first; the key is not the reason"
_MODERATION = "the service refuses what the request says; the key is not the reason"
_CREDIT = "the account's credit or plan does not cover this: see its billing page"
_MODEL = "the account may not use this model; the key is not the reason"
_PAGE = "a page came in place of the service's answer: a firewall, proxy or VPN may have refused"

_REASONS = {
    _REGION: r"countr(?:y|ies)\b|country_|\bregions?\b|regionerror|territor|geo-?(?:block|fenc|graph|restrict)"
             r"|location is not supported|legal reasons",
    _SWITCHED_OFF: r"has not been used in project|service_disabled|accessnotconfigured"
                   r"|\bapi\b(?! key)[^.]{0,80}\b(?:disabled|not (?:been )?enabled)",
    _MODERATION: r"moderat|flagged|content[ _-]?(?:policy|filter|violation)|usage polic|policy violation|prohibited",
    _CREDIT: r"insufficient.{0,20}(?:balance|credit|fund|quota)|\bcredits?\b|\bbilling\b|payment|\bbalance\b|subscri"
             r"|\bupgrade\b|\bplan\b|arrear|overdue|spend(?:ing)? limit",
    _MODEL: r"access to (?:the |this )?model|\bmodel\b.{0,60}\b(?:access|gated|restricted|entitled|permission)",
    "right": r"missing scope|insufficient.{0,20}(?:scope|role|privilege)|permission|ip[ _]not[ _]authorized"
             r"|\bip\b.{0,60}\bnot (?:allowed|authorized)|not (?:allowed|authorized) to",
    "key": r"\bkeys?\b|api_key|\btoken\b|credential|authenti|unauthori[sz]ed|bearer|log ?in\b|sign ?in\b",
}  # fmt: skip
"""What words speak of, the more particular first."""


def denial(status: int, words: str, *, is_page: bool = False) -> Denial:
    """What a denial is about.

    Args:
        status: one of `DENYING_STATUSES`.
        words: what the service says, its message and codes.
        is_page: the answer is an HTML page.
    """
    if status == 402:
        return _CREDIT
    found = next((reason for reason, pattern in _REASONS.items() if re.search(pattern, words, re.IGNORECASE)), "")
    if status == 401:
        return found if found == "right" else "key"
    if status == 451:
        return _MODERATION if found == _MODERATION else _REGION
    if is_page and found in ("", "key", "right"):
        return _PAGE
    return found or ("unknown" if words.strip() else "key")
