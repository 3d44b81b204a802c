"""The allow-list of a process, in tests: forgotten, or set as an administrator sets it."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["forget_limits", "only"]


def forget_limits() -> None:
    """As in a new process, which may ask everybody."""
    allowed: Any = sys.modules.get("jmuz_magic.providers.allowed")  # an older version has none
    if allowed is None:
        return
    catalog: Any = sys.modules.get("jmuz_magic.providers.catalog")
    allowed._state = allowed._State(classes=dict(catalog.CATALOG) if catalog else {})


def only(*names: str) -> None:
    """What `c.JmuzMagics.only` of an administrator does at load."""
    from jmuz_magic.providers.allowed import administer
    from jmuz_magic.providers.registry import settle

    administer(names)
    settle()
