"""A chat panel in the browser, with the endpoint that its kernel asks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from jmuz_magic.demo import DemoServer
from tests.browser.jupyter import JupyterServer, NotebookPage, open_notebook

__all__ = ["PanelPage", "open_panel", "output_view", "requested"]

WAIT = 30_000
SETUP = "%load_ext jmuz_magic\n%jmuz_use demo --api-base {address}"
CHAT = "%jmuz_chat"


class PanelPage:
    """One view of a panel: what a user sees and does."""

    def __init__(self, page: Page, number: int = 0) -> None:
        self.page = page
        self.root = page.locator(".jmuz-panel").nth(number)
        self.field = self.root.get_by_role("textbox", name="Message")
        self.log = self.root.get_by_role("log")
        self.turns = self.log.locator(".jmuz-turn:not(.jmuz-pending)")
        self.status = self.root.locator(".jmuz-status")

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name, exact=True)

    def turn(self, number: int = -1) -> Locator:
        return self.turns.nth(number)

    def reply(self, number: int = -1) -> Locator:
        return self.turn(number).locator(".jmuz-answer > .jmuz-markdown")

    def send(self, text: str) -> None:
        """Write a prompt and press Enter."""
        self.field.fill(text)
        self.field.press("Enter")

    def ask(self, text: str, turns: int) -> Locator:
        """Send and wait for the end of the reply, the transcript having `turns` then."""
        self.send(text)
        return self.wait_for_end(turns)

    def wait_for_end(self, turns: int) -> Locator:
        expect(self.turns).to_have_count(turns, timeout=WAIT)
        expect(self.turn(turns - 1).locator(".jmuz-foot")).to_be_visible(timeout=WAIT)
        return self.reply(turns - 1)

    def record_growth(self) -> None:
        """From now on note in the page every length that the transcript has."""
        self.log.evaluate(
            """log => {
                window.jmuzLengths = new Set();
                const note = () => window.jmuzLengths.add(log.textContent.length);
                new MutationObserver(note).observe(log, { childList: true, subtree: true, characterData: true });
            }"""
        )

    def wait_for_growth(self, steps: int) -> None:
        """Until the transcript has had that many lengths since `record_growth`."""
        self.page.wait_for_function("steps => window.jmuzLengths.size >= steps", arg=steps, timeout=WAIT)

    def menu(self, item: str) -> None:
        self.button("Conversation").click()
        self.root.get_by_role("menuitem", name=item).click()

    def choose_model(self, model: str) -> None:
        """Through the settings, by the keyboard."""
        self.button("Settings").click()
        field = self.root.get_by_role("combobox", name="Model")
        field.fill(model)
        field.press("Control+Enter")  # whether it is listed or not
        expect(self.root.locator(".jmuz-model-button")).to_have_text(model, timeout=WAIT)
        self.page.keyboard.press("Escape")
        expect(self.root.get_by_role("region", name="Settings")).to_be_hidden()

    def transcript(self) -> str:
        """The text of all turns."""
        return "\n".join(self.turns.all_inner_texts())


@contextlib.contextmanager
def open_panel(
    browser: Browser, server: JupyterServer, endpoint: DemoServer, *cells: str, chat: str = CHAT, **context: Any
) -> Iterator[tuple[NotebookPage, PanelPage]]:
    """A notebook whose cell 1 shows a panel; `cells` come after it, not yet run."""
    name = f"panel-{len(list(server.root.iterdir()))}.ipynb"
    server.write(name, SETUP.format(address=endpoint.api_base), chat, *cells)
    with open_notebook(browser, server, name, **context) as notebook:
        notebook.run(0)
        notebook.run(1)
        panel = PanelPage(notebook.page)
        expect(panel.root).to_be_visible(timeout=WAIT)
        yield notebook, panel
        assert notebook.strangers == []


def output_view(notebook: NotebookPage) -> PanelPage:
    """Open a view of the notebook's panel in a tab of its own, below the notebook."""
    notebook.page.locator(".jmuz-head").click(button="right")
    notebook.page.get_by_role("menuitem", name="Create New View for Cell Output").click()
    panel = PanelPage(notebook.page, 1)
    expect(panel.root).to_be_visible(timeout=WAIT)
    assert panel.root.evaluate("panel => Boolean(panel.closest('.jp-LinkedOutputView'))")
    return panel


def shown(notebook: NotebookPage) -> PanelPage:
    notebook.run(1)
    panel = PanelPage(notebook.page)
    expect(panel.field).to_be_visible(timeout=WAIT)
    return panel


def restart(notebook: NotebookPage, setup: int = 0) -> PanelPage:
    """Restart the kernel as its server does, load the extension, and run the panel's cell again."""
    server = notebook.server
    (kernel,) = (each["kernel"]["id"] for each in server.get("/api/sessions") if each["path"] == notebook.name)
    server.get(f"/api/kernels/{kernel}/restart", method="POST")
    notebook.wait_until_ready()
    notebook.run(setup)
    return shown(notebook)


def requested(endpoint: DemoServer) -> list[list[str]]:
    """The contents of the messages of every chat request that the endpoint got."""
    asked = [request.body for request in endpoint.requests if request.path.endswith("/completions")]
    return [[message["content"] for message in body["messages"]] for body in asked]
