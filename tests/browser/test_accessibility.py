"""What axe-core finds in the widgets and in a reply: in light, dark and high contrast, and in a narrow page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from jmuz_magic.demo import DemoServer
from tests.browser.jupyter import JupyterServer, open_notebook
from tests.browser.panel_page import WAIT, open_panel
from tests.browser.pictures import REPLY as EVERYTHING
from tests.replies import reply_endpoint

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

THEMES = ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"]


@pytest.fixture
def endpoint() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=0) as server:
        yield server


@pytest.fixture(scope="module")
def axe(node_module: Callable[[str], Path]) -> Path:
    return node_module("axe-core") / "axe.min.js"


def violations(page: Page, axe: Path, place: str) -> list[str]:
    """What is seriously wrong in the elements that `place` selects, a line each."""
    page.add_script_tag(path=axe)
    page.wait_for_timeout(300)  # transitions end: half-faded text has another contrast
    result: dict[str, Any] = page.evaluate("place => axe.run(place)", place)
    assert len(result["passes"]) > 10
    return [
        f"{found['id']}: {node['html'][:200]} {node['any'][:1]}"
        for found in result["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("theme", THEMES)
def test_no_serious_violation(
    theme: str, browser: Browser, lab: JupyterServer, endpoint: DemoServer, axe: Path
) -> None:
    lab.configure("apputils-extension/themes", theme=theme)
    with open_panel(browser, lab, endpoint, "%jmuz_models") as (notebook, panel):
        page = notebook.page
        expect(page.locator(f"body[data-jp-theme-name='{theme}']")).to_have_count(1)
        assert violations(page, axe, ".jmuz-panel") == []
        panel.choose_model("demo-markdown")
        panel.ask("All", 1)
        panel.choose_model("demo-reasoning")
        panel.ask("Think", 2)
        panel.choose_model("no-such-model")
        panel.send("Fail")
        expect(panel.button("Retry")).to_be_visible(timeout=WAIT)
        assert violations(page, axe, ".jmuz-panel") == []
        panel.button("Settings").click()
        panel.root.get_by_role("combobox", name="Model").fill("d")
        assert violations(page, axe, ".jmuz-panel") == []
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        panel.button("Conversation").click()
        assert violations(page, axe, ".jmuz-panel") == []
        page.keyboard.press("Escape")
        notebook.run(2)
        widget = page.locator(".jmuz-selector")
        expect(widget).to_be_visible(timeout=WAIT)
        assert violations(page, axe, ".jmuz-selector") == []
        widget.get_by_label("Provider").select_option(label="OpenAI")
        widget.get_by_role("combobox", name="Model").fill("gpt")
        expect(widget).to_contain_text("OpenAI needs a key", timeout=WAIT)
        assert violations(page, axe, ".jmuz-selector") == []


VALUES = "import pandas\ndf = pandas.DataFrame({'town': ['Oslo', 'Bergen'] * 200, 'people': range(400)})\nrate = 0.1"


@pytest.mark.parametrize("theme", THEMES)
def test_what_goes_with_a_prompt_has_no_serious_violation(
    theme: str, browser: Browser, lab: JupyterServer, endpoint: DemoServer, axe: Path
) -> None:
    lab.configure("apputils-extension/themes", theme=theme)
    with open_panel(browser, lab, endpoint, VALUES) as (notebook, panel):
        notebook.run(2)
        files = [FilePayload(name=name, mimeType="", buffer=b"%PDF-1.7") for name in ("paper.pdf", "other.pdf")]
        panel.root.locator("input[type=file]").set_input_files(files)
        panel.field.click()
        panel.page.keyboard.type("What is in {{df}}, and {{gone}}?")
        chips = panel.root.get_by_role("group", name="Values to send")
        expect(chips).to_contain_text("400 rows × 2 columns", timeout=WAIT)
        expect(chips).to_contain_text("there is no variable 'gone'; sent as text", timeout=WAIT)
        panel.button("Add a variable or a cell").click()
        cell = panel.root.get_by_role("menuitem", name="Cell [3]")
        expect(cell).to_be_visible(timeout=WAIT)
        assert violations(notebook.page, axe, ".jmuz-panel") == []
        cell.click()
        panel.button("Remove paper.pdf").click()
        panel.button("Remove other.pdf").click()
        assert violations(notebook.page, axe, ".jmuz-panel") == []
        panel.page.keyboard.press("Enter")
        panel.wait_for_end(1)
        panel.turn(0).get_by_text("What was sent").click()
        assert violations(notebook.page, axe, ".jmuz-panel") == []


@pytest.mark.parametrize("theme", THEMES)
def test_a_reply_in_a_cell_has_no_serious_violation(
    theme: str, browser: Browser, lab: JupyterServer, axe: Path
) -> None:
    lab.configure("apputils-extension/themes", theme=theme)
    with reply_endpoint({"all": EVERYTHING}) as api_base:
        lab.write("cell.ipynb", f"%load_ext jmuz_magic\n%jmuz_use --api-base {api_base}", "%%jmuz -m all\nShow it")
        with open_notebook(browser, lab, "cell.ipynb", viewport={"width": 600, "height": 900}) as notebook:
            notebook.run(0)
            cell = notebook.run(1)
            cell.locator("summary").click()
            expect(notebook.page.locator(f"body[data-jp-theme-name='{theme}']")).to_have_count(1)
            expect(cell.locator("mjx-container")).to_have_count(2, timeout=30_000)
            assert violations(notebook.page, axe, ".jp-OutputArea-output .jmuz-reply") == []
