"""The helper itself: that a cell runs, streams, is saved and survives a reload, in both front ends."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.jupyter import JupyterServer, open_notebook

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

UPDATED = """
handle = display({"text/html": "<b>old</b>", "text/plain": "old"}, raw=True, display_id=True)
handle.update({"text/html": "<b>new</b>", "text/plain": "new"}, raw=True)
"""


@pytest.mark.parametrize("app", ["lab", "notebook7"])
def test_a_cell_runs_is_saved_and_survives_a_reload(app: str, browser: Browser, request: pytest.FixtureRequest) -> None:
    server: JupyterServer = request.getfixturevalue(app)
    server.write("a.ipynb", UPDATED, "1 / 0")
    with open_notebook(browser, server, "a.ipynb") as notebook:
        expect(notebook.run(0).locator("b")).to_have_text("new")
        expect(notebook.run(1)).to_contain_text("ZeroDivisionError")
        expect(notebook.outputs(0)).to_have_count(1)
        saved = notebook.save()
        assert saved["cells"][0]["outputs"][0]["data"]["text/plain"] == ["new"]
        notebook.reload()
        expect(notebook.cell(0).locator("b")).to_have_text("new")
        assert notebook.strangers == []
        assert app == "notebook7" or notebook.errors == []  # Notebook 7 throws two of its own


def test_a_request_to_elsewhere_is_noted(browser: Browser, lab: JupyterServer) -> None:
    lab.write("b.ipynb", "display({'text/html': '<img src=\"http://127.0.0.2:9/pixel.png\">'}, raw=True)")
    with open_notebook(browser, lab, "b.ipynb") as notebook:
        notebook.run(0)
        expect(notebook.cell(0).locator("img")).to_have_count(1)
        assert set(notebook.strangers) == {"http://127.0.0.2:9/pixel.png"}  # a busy browser may draw it twice
