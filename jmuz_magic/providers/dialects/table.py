"""The dialects by name, each imported at its first use."""

from __future__ import annotations

import importlib

from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.dialects.dialect import Dialect
from jmuz_magic.secret import looks_like_key
from jmuz_magic.text import clean_line

__all__ = ["DIALECTS", "check_dialect", "find_dialect"]

DIALECTS = {
    "chat": "jmuz_magic.providers.dialects.chat.chat:Chat",
    "responses": "jmuz_magic.providers.dialects.responses.responses:Responses",
    "anthropic": "jmuz_magic.providers.dialects.anthropic.anthropic:Anthropic",
}
"""Module and class by name; chat, which every service speaks, comes first."""
SHOWN = 40  # characters shown of a name that is none of them


def check_dialect(name: str) -> None:
    """Refuse a name that is not a dialect's, without importing any.

    Raises:
        JmuzError: it is not.
    """
    if name not in DIALECTS:
        import difflib  # for errors only

        near = difflib.get_close_matches(name.lower(), DIALECTS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        shown = "of that name (it looks like a key)" if looks_like_key(name) else ascii(clean_line(name, SHOWN))
        raise JmuzError(f"there is no dialect {shown}; {hint}expected {', '.join(DIALECTS)}")


def find_dialect(dialect: str | Dialect) -> Dialect:
    """The dialect with this name, or the given one.

    Raises:
        JmuzError: there is none of that name.
    """
    if not isinstance(dialect, str):
        return dialect
    check_dialect(dialect)
    module, _, name = DIALECTS[dialect].partition(":")
    found: Dialect = getattr(importlib.import_module(module), name)()
    return found
