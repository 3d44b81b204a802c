"""Pictures of the chat panel, for looking at: each scene in a light and a dark theme.

A scene is a function in `SCENES` that brings a panel with two turns into the state to be shown.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from playwright.sync_api import Browser, expect

from jmuz_magic.demo import DemoServer
from tests.browser.jupyter import JupyterServer, NotebookPage
from tests.browser.panel_page import WAIT, PanelPage, open_panel, output_view, restart

__all__ = ["SCENES", "photograph_panels"]

Scene: TypeAlias = Callable[[NotebookPage, PanelPage], None]
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


def plain(_: NotebookPage, panel: PanelPage) -> None:
    panel.field.fill("A prompt that is being written")


def settings(_: NotebookPage, panel: PanelPage) -> None:
    panel.button("Settings").click()


def in_an_output_view(notebook: NotebookPage, _: PanelPage) -> None:
    output_view(notebook).field.fill("A prompt in the Output View")


def chips(notebook: NotebookPage, panel: PanelPage) -> None:
    notebook.run(2)
    panel.field.click()
    panel.page.keyboard.type("Which city of {{towns}} has {{most['city']}} as its name, and {{least}}?")
    expect(panel.root.locator(".jmuz-chips .jmuz-chip")).to_have_count(3, timeout=WAIT)
    expect(panel.root).to_contain_text("2 rows × 2 columns", timeout=WAIT)


def branch(_: NotebookPage, panel: PanelPage) -> None:
    panel.turn(1).hover()
    panel.turn(1).get_by_role("button", name="Regenerate the reply").click()
    expect(panel.turn(1).get_by_role("group", name="Version 2 of 2")).to_be_visible(timeout=WAIT)


def resumed(notebook: NotebookPage, _: PanelPage) -> None:
    restart(notebook)
    panel = PanelPage(notebook.page)
    panel.root.get_by_role("button", name="Resume 2 turns of").click(timeout=WAIT)
    expect(panel.turns).to_have_count(2, timeout=WAIT)


SCENES: dict[str, Scene] = {
    "plain": plain,
    "settings": settings,
    "output-view": in_an_output_view,
    "chips": chips,
    "branch": branch,
    "resumed": resumed,
}
TOWNS = """
import pandas as pd
towns = pd.DataFrame({"city": ["Oslo", "Bergen"], "people": [717_710, 291_940]})
most = towns.iloc[0].to_dict()
"""


def photograph_panels(browser: Browser, lab: JupyterServer, folder: Path) -> None:
    """Write SCENE-THEME.png for each."""
    with DemoServer(deltas_per_second=0) as endpoint:
        for theme, name in THEMES.items():
            lab.configure("apputils-extension/themes", theme=name)
            for scene, show in SCENES.items():
                photograph(browser, lab, endpoint, show, folder / f"{scene}-{theme}.png")


def photograph(browser: Browser, lab: JupyterServer, endpoint: DemoServer, show: Scene, path: Path) -> None:
    viewport = {"width": 1280, "height": 1000}
    with open_panel(browser, lab, endpoint, TOWNS, chat="%jmuz_chat -m demo-reasoning", viewport=viewport) as opened:
        notebook, panel = opened
        panel.ask("Which is larger, 9.11 or 9.9?", 1)
        panel.choose_model("demo-markdown")
        panel.ask("Show me a table, some code and a formula", 2)
        show(notebook, panel)
        notebook.page.wait_for_timeout(1000)  # until nothing moves any more
        notebook.page.screenshot(path=path)
