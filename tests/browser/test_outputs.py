"""Replies inside `ipywidgets.Output`, where JupyterLab does not apply updates of what was displayed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from jmuz_magic.demo import DemoServer
from tests.browser.jupyter import JupyterServer, open_notebook

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ASK = """
import ipywidgets as w
out = w.Output()
def ask(*ignored, **named):
    get_ipython().run_line_magic("jmuz", "-m demo-markdown show me")
"""


@pytest.fixture(scope="module")
def slow_demo() -> Iterator[str]:
    """A demo endpoint that takes about a second for a reply."""
    with DemoServer(deltas_per_second=400) as server:
        yield f"%load_ext jmuz_magic\n%jmuz_use --api-base {server.api_base}\n{ASK}"


@pytest.mark.finding("A1")
@pytest.mark.parametrize(
    "cell",
    [
        "with out: ask()\nout",
        "w.interact(ask, value=1);",
        "with out: job = get_ipython().run_line_magic('jmuz', '--background -m demo-markdown show me')\nout",
        "button = w.Button(description='Ask')\nbutton.on_click(out.capture()(ask))\nw.VBox([button, out])",
    ],
)
def test_a_reply_in_an_output_widget_is_seen_whole(
    browser: Browser, lab: JupyterServer, slow_demo: str, cell: str
) -> None:
    lab.write("out.ipynb", slow_demo, cell)
    with open_notebook(browser, lab, "out.ipynb") as notebook:
        notebook.run(0)
        shown = notebook.run(1)
        if "button" in cell:
            shown.get_by_role("button", name="Ask").click()
        expect(shown.locator(".jupyter-widgets p", has_text="The end.")).to_have_count(1, timeout=60_000)
        expect(shown.locator(".jupyter-widgets h3")).to_have_count(1)
        assert notebook.errors == []
