"""What is said of an endpoint before it reads a prompt: what is promised of it, and what it learns of the user."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from jmuz_magic.providers.endpoint.headers import Header
from jmuz_magic.text import clean_line

__all__ = ["identity_of", "promise_of"]

LONGEST_PROMISE = 200  # characters
_PERSON = re.compile(r"USER|LOGNAME|LOGIN|EMAIL", re.IGNORECASE)  # in names of variables


def promise_of(provider: Any) -> str:
    """What a provider's description says of it, and who says it; "" if it says nothing."""
    says = clean_line(str(getattr(provider, "says", "")), LONGEST_PROMISE)
    who = "its administrator" if getattr(provider, "administered", False) else "its description"
    return f"{says} (says {who})" if says else ""


def identity_of(headers: Iterable[Header]) -> str:
    """Which variables of the user's environment go along in headers, as an administrator wants it; "" for none."""
    sent = [(header.name, variable) for header in headers for variable in header.variables]
    return "; ".join(
        f"{'each request says who you are: ' if _PERSON.search(variable) else ''}{name} sends {variable}"
        for name, variable in sent
    )
