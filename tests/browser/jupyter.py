"""A real JupyterLab or Notebook 7 and its notebooks, seen through a headless Chromium.

with running_jupyter(folder) as server:
    server.write("a.ipynb", "%load_ext jmuz_magic", "%%jmuz\nHello")
    with open_notebook(browser, server, "a.ipynb") as notebook:
        notebook.run(0)
        cell = notebook.run(1)
        expect(cell.locator(".jp-OutputArea")).to_contain_text("Hello")
        notebook.save()
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import nbformat
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.executing import ipc_directory
from tests.waiting import wait_until

__all__ = ["JupyterServer", "NotebookPage", "open_notebook", "running_jupyter"]

App: TypeAlias = Literal["lab", "notebook"]
MODULES = {"lab": "jupyterlab", "notebook": "notebook"}

START_SECONDS = 90.0
PAINT_MS = 30_000
RUN_MS = 90_000


@dataclass(frozen=True)
class JupyterServer:
    """A running server with a throw-away home.

    Attributes:
        root: the folder that it shows.
        runtime: where its kernels' connection files are.
    """

    app: App
    url: str
    token: str
    root: Path
    runtime: Path

    def write(self, name: str, *sources: str) -> Path:
        """Make a notebook of code cells."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = self.root / name
        nbformat.write(notebook, path)
        return path

    def configure(self, plugin: str, **settings: Any) -> None:
        """Settings of a plugin, such as `apputils-extension/themes`, for pages opened from now on."""
        path = self.root.parent / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings), encoding="utf-8")

    def get(self, path: str, *, method: str = "GET") -> Any:
        """The JSON of a resource of the server's REST API, such as `/api/sessions`."""
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.url}{path}", method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def answers(self) -> bool:
        with contextlib.suppress(OSError):
            self.get("/api/status")
            return True
        return False

    def address(self, name: str) -> str:
        # A workspace of its own keeps JupyterLab from restoring the tabs of another test.
        place = f"lab/workspaces/{secrets.token_hex(4)}/tree" if self.app == "lab" else "notebooks"
        return f"{self.url}/{place}/{name}?token={self.token}"

    def kernel_is_ready(self, name: str) -> bool:
        # The page's own indicator says "idle" before the session starts, and a cell run then is silently dropped.
        kernels = [session["kernel"] for session in self.get("/api/sessions") if session["path"] == name]
        return any(kernel["connections"] and kernel["execution_state"] == "idle" for kernel in kernels)


@contextlib.contextmanager
def running_jupyter(folder: Path, app: App = "lab", env: Mapping[str, str] | None = None) -> Iterator[JupyterServer]:
    """Serve `folder/notebooks`; `env` is for the server and its kernels."""
    root = folder / "notebooks"
    root.mkdir()
    token = secrets.token_hex(16)
    with ipc_directory() as runtime, (folder / "log").open("w") as log, subprocess.Popen(
        server_command(app, root, token),
        env={**os.environ, **throw_away_home(folder), "JUPYTER_RUNTIME_DIR": str(runtime), **(env or {})},
        cwd=root, stdout=log, stderr=log, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            url = listening_url(runtime, process, folder / "log")
            server = JupyterServer(app, url, token, root, runtime)
            wait_until(server.answers, "the Jupyter server answers", START_SECONDS)
            # Else a question about news covers the lower right corner of every page.
            server.configure("apputils-extension/notification", fetchNews="false")
            yield server
        finally:
            process.send_signal(signal.SIGTERM)  # lets it shut its kernels down
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


def server_command(app: App, root: Path, token: str) -> list[str]:
    options = {
        "KernelManager.transport": "ipc",
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": "0",
        "ServerApp.root_dir": str(root),
        "ServerApp.terminals_enabled": "False",
        "ServerApp.open_browser": "False",
        "ServerApp.allow_root": "True",
        "IdentityProvider.token": token,
        "LabApp.news_url": "None",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    return [sys.executable, "-m", MODULES[app], *(f"--{name}={value}" for name, value in options.items())]


def throw_away_home(folder: Path) -> dict[str, str]:
    names = {
        "HOME": "home",
        "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    return {name: str(folder / place) for name, place in names.items()}


def listening_url(runtime: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    """Address from the file that a server writes when it listens; no port is guessed beforehand."""
    found: list[str] = []

    def look() -> bool:
        assert process.poll() is None, f"the server ended: {log.read_text()[-2000:]}"
        for path in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(ValueError):  # half written
                found.append(f"http://127.0.0.1:{json.loads(path.read_text())['port']}")
        return bool(found)

    wait_until(look, "the Jupyter server listens", START_SECONDS)
    return found[-1]


@dataclass
class NotebookPage:
    """A notebook in the browser.

    Attributes:
        strangers: URLs that the page asked for beside those of its own server.
        errors: uncaught exceptions of the page.
    """

    page: Page
    server: JupyterServer
    name: str
    strangers: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def cell(self, index: int) -> Locator:
        """Code cell, counted from 0."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(index)

    def outputs(self, index: int) -> Locator:
        """The outputs of a cell."""
        return self.cell(index).locator(".jp-Cell-outputArea .jp-OutputArea-child")

    def start(self, index: int) -> Locator:
        """Run a cell without waiting for its end."""
        cell = self.cell(index)
        prompt = cell.locator(".jp-InputArea-prompt")
        before = prompt.inner_text()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        expect(prompt).not_to_have_text(before, timeout=PAINT_MS)
        return cell

    def run(self, index: int, timeout: float = RUN_MS) -> Locator:
        """Run a cell and wait for its number, whatever its status."""
        cell = self.start(index)
        expect(cell.locator(".jp-InputArea-prompt")).to_have_text(re.compile(r"\[\d+\]"), timeout=timeout)
        return cell

    def save(self) -> dict[str, Any]:
        """Save; return the notebook's JSON as it is on the disk then."""
        before = self._saved_at()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+s")
        wait_until(lambda: self._saved_at() != before and self._stored(), f"{self.name} is saved")
        return self._stored()

    def wait_until_ready(self) -> None:
        """Until cells can be run."""
        self.cell(0).wait_for(timeout=RUN_MS)
        wait_until(lambda: self.server.kernel_is_ready(self.name), "the kernel is ready", START_SECONDS)
        idle = self.page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
        idle.first.wait_for(state="attached", timeout=PAINT_MS)

    def reload(self) -> None:
        """Reload the page; the kernel goes on."""
        self.page.reload()
        self.wait_until_ready()

    def note_request(self, request: Request) -> None:
        own = (self.server.url, self.server.url.replace("http", "ws", 1), "data:", "blob:")
        if not request.url.startswith(own):
            self.strangers.append(request.url)

    def _stored(self) -> dict[str, Any]:
        """The file's JSON; empty while the server is still writing it."""
        with contextlib.suppress(ValueError):
            stored: dict[str, Any] = json.loads((self.server.root / self.name).read_text(encoding="utf-8"))
            return stored
        return {}

    def _saved_at(self) -> int:
        return (self.server.root / self.name).stat().st_mtime_ns


@contextlib.contextmanager
def open_notebook(
    browser: Browser, server: JupyterServer, name: str, *, wait: bool = True, script: str = "", **context_options: Any
) -> Iterator[NotebookPage]:
    """Open a notebook of the server in a browser context of its own.

    Args:
        wait: until its kernel is ready; without, only until its cells are there.
        script: runs in each page before any other.
        context_options: Playwright's, such as `color_scheme="dark"`.
    """
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context_options})
    try:
        context.add_init_script(script)
        page = context.new_page()
        notebook = NotebookPage(page, server, name)
        page.on("request", notebook.note_request)
        page.on("pageerror", lambda error: notebook.errors.append(str(error)))
        page.goto(server.address(name))
        if wait:
            notebook.wait_until_ready()
        else:
            notebook.cell(0).wait_for(timeout=RUN_MS)
        yield notebook
    finally:
        context.close()
