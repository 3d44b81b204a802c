"""Where a panel stands: an Output View, a notebook that takes code as cells, a notebook opened without its kernel."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from jmuz_magic.demo import DemoServer
from jmuz_magic.widgets.static import TURNS
from tests.browser.jupyter import JupyterServer, NotebookPage, open_notebook
from tests.browser.panel_page import WAIT, PanelPage, open_panel, output_view

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

CLIPBOARD = ["clipboard-read", "clipboard-write"]
APPS = pytest.mark.parametrize("app", ["lab", "notebook7"])
CODE = "```python\nvalue = 14\n```\n\n```sql\nSELECT 14\n```"


@pytest.fixture
def endpoint() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=0) as server:
        yield server


@pytest.fixture
def server(app: str, request: pytest.FixtureRequest) -> JupyterServer:
    running: JupyterServer = request.getfixturevalue(app)
    return running


def insert(panel: PanelPage) -> None:
    panel.reply(0).get_by_role("button", name="Insert as cell").click()


def kept(notebook: NotebookPage) -> Locator:
    """The outputs with the transcript, which may come a moment after the panel has shown a turn."""
    return notebook.page.locator(".jmuz-transcript")


def dialog(page: Page) -> Locator:
    return page.locator(".jp-Dialog")


def test_the_panel_fits_into_an_output_view_however_low_it_is(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, endpoint, chat="%jmuz_chat -m demo-markdown") as (notebook, inside):
        inside.ask("Long", 1)
        panel = output_view(notebook)
        for height in (900, 700):
            notebook.page.set_viewport_size({"width": 1280, "height": height})
            expect(panel.field).to_be_in_viewport(ratio=1)
            expect(panel.status).to_be_in_viewport(ratio=1)
            view, place = (each.bounding_box() for each in (panel.page.locator(".jp-LinkedOutputView"), panel.root))
            assert view
            assert place
            assert view["height"] - 10 < place["height"] <= view["height"]
        place = inside.root.bounding_box()
        assert place
        assert place["height"] > 400


def test_an_output_view_inserts_below_the_panel_of_the_notebook_without_a_question(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, endpoint, "'last'", chat="%jmuz_chat -m demo-echo") as (notebook, _):
        panel = output_view(notebook)
        panel.ask(CODE, 1)
        notebook.run(2)  # which makes it the active cell, and the notebook trusted
        insert(panel)
        expect(panel.status).to_have_text("Inserted below as a new cell; it was not run.", timeout=WAIT)
        expect(dialog(notebook.page)).to_have_count(0)
        expect(notebook.cell(2).locator(".cm-content")).to_have_text("value = 14")
        expect(notebook.cell(3).locator(".cm-content")).to_have_text("'last'")


@APPS
def test_where_the_notebook_is_not_trusted_one_question_is_asked_and_a_refusal_changes_nothing(
    app: str, server: JupyterServer, browser: Browser, endpoint: DemoServer
) -> None:
    opened = open_panel(browser, server, endpoint, "'unrun'", chat="%jmuz_chat -m demo-echo", permissions=CLIPBOARD)
    with opened as (notebook, panel):
        page = notebook.page
        panel.ask(CODE, 1)
        expect(panel.reply(0).get_by_role("button", name="Insert as cell")).to_have_count(1)  # none for SQL
        page.evaluate("navigator.clipboard.writeText('mine')")

        insert(panel)
        expect(dialog(page)).to_contain_text("Run Command?")
        dialog(page).get_by_role("button", name="Cancel").click()
        expect(panel.status).to_have_text("Nothing inserted.", timeout=WAIT)
        expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(3)
        assert page.evaluate("navigator.clipboard.readText()") == "mine"

        insert(panel)
        dialog(page).get_by_role("button", name="Run Once").click()
        expect(panel.status).to_have_text("Inserted below as a new cell; it was not run.", timeout=WAIT)
        expect(dialog(page)).to_have_count(0)
        expect(notebook.cell(2).locator(".cm-content")).to_have_text("value = 14")

        insert(panel)
        dialog(page).get_by_role("button", name="Trust").click()
        expect(dialog(page)).to_contain_text("Trust this notebook?")
        dialog(page).get_by_role("button", name="Trust").click()
        expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(5, timeout=WAIT)
        expect(notebook.cell(2).locator(".cm-content")).to_have_text("value = 14")
        assert page.evaluate("navigator.clipboard.readText()") == "mine"

        insert(panel)
        expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(6, timeout=WAIT)
        expect(dialog(page)).to_have_count(0)


@APPS
@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "not trusted"])
def test_a_reopened_notebook_shows_the_transcript_under_a_heading_and_no_error(
    trusted: bool, app: str, server: JupyterServer, browser: Browser, endpoint: DemoServer
) -> None:
    with open_panel(browser, server, endpoint, chat="%jmuz_chat -m demo-echo") as (notebook, panel):
        for number in range(TURNS + 2):
            panel.ask(f"prompt-{number}", number + 1)
        for number in (TURNS - 1, TURNS + 1):  # the ends of both outputs, which may come in any order
            expect(kept(notebook).filter(has_text=f"prompt-{number}")).to_have_count(1, timeout=WAIT)
        assert not any(output.is_visible() for output in notebook.outputs(1).all()[1:])
        saved = notebook.save()
    assert prompts(saved) == [f"prompt-{number}" for number in range(TURNS + 2)]
    name = f"reopened-{app}-{trusted}.ipynb"
    shutil.copy(server.root / notebook.name, server.root / name)
    if not trusted:
        edit(server, name)
    with open_notebook(browser, server, name, wait=False) as reopened:
        heading = reopened.page.get_by_role("heading", name="Conversation main")
        expect(heading).to_be_visible(timeout=WAIT)
        expect(reopened.page.locator(".jmuz-prompt:visible")).to_have_count(TURNS + 2)
        error = reopened.page.get_by_text("Error displaying widget")
        expect(error).to_have_count(1 if trusted else 0, timeout=WAIT)  # it is hidden only once it is there
        expect(error.locator("visible=true")).to_have_count(0)


@APPS
def test_a_page_that_is_reloaded_says_that_new_turns_are_not_kept_and_how_to_keep_them(
    app: str, server: JupyterServer, browser: Browser, endpoint: DemoServer
) -> None:
    late = re.compile("Run the cell again, or the notebook keeps no new turns")
    with open_panel(browser, server, endpoint, chat="%jmuz_chat -m demo-echo") as (notebook, panel):
        panel.ask("prompt-0", 1)
        assert panel.status.inner_text() == ""
        notebook.save()
        notebook.reload()
        expect(panel.status).to_have_text(late, timeout=WAIT)
        panel.ask("prompt-1", 2)
        assert prompts(notebook.save()) == ["prompt-0"]  # if not, the front end can do more than it could
        notebook.run(1)
        expect(panel.turns).to_have_count(2, timeout=WAIT)
        expect(panel.status).to_have_text("")
        panel.ask("prompt-2", 3)
        expect(kept(notebook).filter(has_text="prompt-2")).to_have_count(1, timeout=WAIT)
        assert prompts(notebook.save()) == ["prompt-0", "prompt-1", "prompt-2"]


def prompts(saved: dict[str, Any]) -> list[str]:
    """Those of the transcript in the notebook's second cell."""
    html = "".join("".join(output["data"].get("text/html", "")) for output in saved["cells"][1]["outputs"])
    return re.findall(r"<blockquote><p>(prompt-\d+)</p>", html)


def edit(server: JupyterServer, name: str) -> None:
    """Change a notebook as somebody else would, so that it is not trusted any more."""
    notebook = nbformat.read(server.root / name, as_version=4)
    notebook.cells[0].source += "  # edited"
    nbformat.write(notebook, server.root / name)
