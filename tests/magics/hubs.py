"""A hub in this process: the image of docs/hub.md, and users who log in one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from IPython.core import application
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config.loader import PyFileConfigLoader

from jmuz_magic.demo.server import DemoServer, LoggedRequest
from jmuz_magic.magics.extension import load, unload
from tests.fault_server import FaultServer, reply
from tests.hubs import image
from tests.magics.loaded import UserShell, forget_all, made_shell

__all__ = ["KEY", "Hub", "running_hub"]

KEY = "campus-key-0123456789"


@dataclass
class Hub:
    """A hub.

    Attributes:
        campus: the endpoint that may be asked.
        elsewhere: an address at which nothing may arrive.
        folder: of the image's configuration.
        log_in: returns a user's shell with the extension loaded: name, and what stands in their own profile.
    """

    campus: DemoServer
    elsewhere: str
    folder: Path
    log_in: Callable[..., UserShell]

    @property
    def asked(self) -> list[LoggedRequest]:
        """The prompts that arrived at the campus."""
        return [each for each in self.campus.requests if each.method == "POST"]

    def change(self, before: str, after: str) -> None:
        """Change the image's configuration, for who logs in from now on."""
        path = self.folder / "ipython_config.py"
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1
        path.write_text(text.replace(before, after), encoding="utf-8")


@contextmanager
def running_hub(
    campus: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Hub]:
    """A hub; when it ends, nothing has arrived anywhere but at the campus."""
    folder = image(tmp_path / "etc" / "ipython", campus.api_base, models='"demo-chat", "demo-echo"')
    monkeypatch.setattr(application, "SYSTEM_CONFIG_DIRS", [str(folder)])
    monkeypatch.setenv("CAMPUS_KEY", KEY)
    with FaultServer(host="127.0.0.2") as stranger, ExitStack() as sessions:

        def log_in(name: str = "ada", profile: str = "") -> UserShell:
            sessions.close()  # the kernel of who was there before
            home = tmp_path / name
            home.mkdir(exist_ok=True)
            (home / "ipython_config.py").write_text(f"c = get_config()\n{profile}\n", encoding="utf-8")
            monkeypatch.setenv("JUPYTERHUB_USER", name)
            monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
            forget_all(monkeypatch)
            sessions.callback(forget_all, monkeypatch)
            shell = sessions.enter_context(made_shell(InteractiveShell, monkeypatch))
            shell.colors = "nocolor"
            for each in (folder, home):  # as IPython merges them
                shell.config.merge(PyFileConfigLoader("ipython_config.py", path=str(each)).load_config())
            sessions.callback(unload, shell)
            load(shell)
            return UserShell(shell, capsys)

        yield Hub(campus, stranger.add("elsewhere", reply("stolen")), folder, log_in)
        assert stranger.count("accept") == 0
