"""Virtual environments beside the one that runs the tests: for what would not get along with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from notebooks.tools.environments import NoIndexError, made

__all__ = ["environment"]


def environment(name: str, requirements: Sequence[str], *, dependencies: bool = True) -> Path:
    """As `made`; skips the test where pip reaches no package index."""
    try:
        return made(name, requirements, dependencies=dependencies)
    except NoIndexError as error:
        pytest.skip(str(error))
