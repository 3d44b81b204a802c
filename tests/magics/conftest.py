"""A shell of a test's own."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A real shell without a terminal, whose history is kept in memory."""
    for name in ("displayhook", "excepthook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    kind: Any = InteractiveShell  # IPython leaves its methods unannotated
    made = kind(config=Config({"HistoryManager": {"hist_file": ":memory:", "enabled": True}}))
    yield made
    made.atexit_operations()
    atexit.unregister(made.atexit_operations)
    made.restore_sys_module_state()
    kind.clear_instance()
