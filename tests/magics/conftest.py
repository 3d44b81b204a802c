"""A shell of a test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from jmuz_magic.demo.server import DemoServer
from jmuz_magic.magics.extension import load, unload
from tests.keyrings import keyring_of_tests
from tests.magics.hubs import Hub, running_hub
from tests.magics.loaded import UserShell, forget_all, loaded_shell, made_shell


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A real shell without a terminal, whose history is kept in memory."""
    with made_shell(InteractiveShell, monkeypatch) as made:
        yield made


@pytest.fixture
def user(
    shell: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[UserShell]:
    """Somebody at a shell with the extension loaded."""
    with loaded_shell(shell, capsys, tmp_path / "config", monkeypatch) as user:
        yield user


@pytest.fixture
def new_session(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What a restart of the kernel leaves: nothing in memory; files and the keyring are as they were."""

    def restart() -> None:
        unload(user.shell)
        forget_all(monkeypatch)
        load(user.shell)

    return restart


@pytest.fixture
def hub(
    demo_endpoint: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Hub]:
    """A hub as docs/hub.md describes it."""
    with running_hub(demo_endpoint, tmp_path, monkeypatch, capsys) as hub:
        yield hub


@pytest.fixture
def keyring_in_memory() -> Iterator[dict[tuple[str, str], str]]:
    """A system keyring; what it holds, by service and user name."""
    with keyring_of_tests() as stored:
        yield stored
