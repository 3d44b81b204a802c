"""The shell of the magics' tests."""

from __future__ import annotations

from tests.magics.conftest import shell, user

__all__ = ["shell", "user"]
