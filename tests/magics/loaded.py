"""A shell with the extension loaded, and what a user sees of it."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from jmuz_magic.conversation.selection import get_selection
from jmuz_magic.log.log import exchange_log
from jmuz_magic.magics import alias_store, session
from jmuz_magic.magics.extension import load, unload
from jmuz_magic.providers.endpoint import keys
from tests.limits import forget_limits

__all__ = ["Ran", "UserShell", "forget_all", "loaded_shell", "made_shell"]


@dataclass(frozen=True)
class Ran:
    """What a cell printed, on both streams, and whether it succeeded."""

    text: str
    ok: bool


class UserShell:
    """Runs cells of a real shell as a user does."""

    def __init__(self, shell: Any, capture: pytest.CaptureFixture[str]) -> None:
        self.shell = shell
        self._capture = capture

    def run(self, cell: str) -> Ran:
        self._capture.readouterr()
        result = self.shell.run_cell(cell)
        captured = self._capture.readouterr()
        return Ran((captured.out + captured.err).strip(), bool(result.success))

    def line(self, cell: str) -> str:
        """What a cell that must succeed printed."""
        ran = self.run(cell)
        assert ran.ok, ran.text
        return ran.text

    def refusal(self, cell: str) -> str:
        """The one line that refuses a cell."""
        ran = self.run(cell)
        assert "Traceback" not in ran.text
        last = ran.text.rpartition("\n")[2]
        assert last.startswith("UsageError: "), ran.text
        return last.removeprefix("UsageError: ")


@contextmanager
def made_shell(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A real shell without a terminal, whose history is kept in memory; `make` is its class, or `instance` of that."""
    for name in ("displayhook", "excepthook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    made = make(config=Config({"HistoryManager": {"hist_file": ":memory:", "enabled": True}}))
    yield made
    made.atexit_operations()
    atexit.unregister(made.atexit_operations)
    made.restore_sys_module_state()
    type(made).clear_instance()


@contextmanager
def loaded_shell(
    shell: Any, capture: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[UserShell]:
    """The extension loaded, with a configuration directory and keys of the test's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    forget_all(monkeypatch)
    shell.colors = "nocolor"
    load(shell)
    try:
        yield UserShell(shell, capture)
    finally:
        unload(shell)
        forget_all(monkeypatch)


def forget_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process was told: as in a new one."""
    get_selection().set(choice=None, model=None, options={})
    exchange_log.configure()
    for name in ("_given", "_answers", "_expected"):
        monkeypatch.setattr(keys, name, type(getattr(keys, name))())
    monkeypatch.setattr(alias_store, "_of_process", {})
    forget_limits()
    getattr(session, "_conversations", {}).clear()  # an older version keeps none
    if remarks := sys.modules.get("jmuz_magic.conversation.remarks"):  # an older version has none
        remarks._said.clear()
