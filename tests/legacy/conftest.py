"""A shell whose home was left behind by 0.1."""

from __future__ import annotations

from tests.magics.conftest import shell, user

__all__ = ["shell", "user"]
