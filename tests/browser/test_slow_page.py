"""The chat panel in a page that is slow, whether for the browser's sake or for its kernel's."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from jmuz_magic.demo import DemoServer
from tests.browser.jupyter import JupyterServer
from tests.browser.panel_page import WAIT, open_panel

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

# JupyterLab's widget manager waits 4 s for the state of all widgets, anywidget 2 s for the code of one.
SLOW = """
{
  const { setTimeout } = window;
  window.setTimeout = (run, ms, ...rest) => setTimeout(run, ms === 4000 ? 0 : ms, ...rest);
  const { createObjectURL } = URL;
  const late = (code) => new Blob(["await new Promise((go) => setTimeout(go, 2500));", code], { type: code.type });
  URL.createObjectURL = (blob) => createObjectURL.call(URL, blob.type === "text/javascript" ? late(blob) : blob);
}
"""


def test_a_slow_page_misses_nothing_before_and_after_a_reload(
    browser: Browser, lab: JupyterServer, demo_endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, demo_endpoint, script=SLOW) as (notebook, panel):
        panel.choose_model("demo-echo")
        assert panel.ask("Hello", 1).inner_text() == "Hello"
        notebook.save()
        notebook.reload()
        expect(panel.turns).to_have_count(1, timeout=WAIT)
        assert panel.ask("Still here?", 2).inner_text() == "Still here?"
        assert any("Failed to initialize model" in error for error in notebook.errors), "anywidget waits longer now"
