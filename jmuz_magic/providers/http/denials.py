"""Why a service denies a request that it understood (401, 402, 403, 451): the key is not always the problem.

The patterns match what users of these services have reported; other words lead to no claim.
"""

from __future__ import annotations

import re
from typing import TypeAlias

__all__ = ["DENYING_STATUSES", "Denial", "denial"]

DENYING_STATUSES = frozenset({401, 402, 403, 451})

Denial: TypeAlias = str
"""`key` (it was rejected), `right` (it lacks permission), `unknown`, or a hint for the user."""

_REGION = "the service is not available where the request comes from; the key is not the problem"
_SWITCHED_OFF = "the API must first be enabled for the project; the key is not the problem"
_MODERATION = "the service refuses the content of the request; the key is not the problem"
_CREDIT = "the account's credit or plan does not cover this: see its billing page"
_MODEL = "the account may not use this model; the key is not the problem"
_PAGE = "a web page came instead of the service's answer: a firewall, proxy or VPN may have blocked the request"

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
"""What each reason's words look like, the more specific first."""


def denial(status: int, words: str, *, is_page: bool = False) -> Denial:
    """What a denial is about.

    Args:
        status: one of `DENYING_STATUSES`.
        words: what the service says: its message and codes.
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
