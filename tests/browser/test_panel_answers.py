"""Buttons that are clicked twice, and answers of the kernel that are lost on their way to the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from jmuz_magic.demo import DemoServer
from tests.browser.jupyter import JupyterServer
from tests.browser.panel_page import WAIT, open_panel

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

CHAT = """
from jmuz_magic import ChatPanel, Conversation
panel = ChatPanel(Conversation(name="main"), model="demo-markdown")
panel
"""
# A front end may lose messages; here the first answer that holds a file is one of them.
LOSE = """
send, lost = panel.send, []
def lossy(content, buffers=None):
    if not lost and isinstance(content, dict) and "file" in content:
        lost.append(content)
    else:
        send(content, buffers)
panel.send = lossy
"""


@pytest.fixture
def endpoint() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=0) as server:
        yield server


@pytest.mark.finding("B29")
def test_copy_clicked_twice_offers_itself_again(lab: JupyterServer, browser: Browser, endpoint: DemoServer) -> None:
    with open_panel(browser, lab, endpoint, chat=CHAT, permissions=["clipboard-read", "clipboard-write"]) as (_, panel):
        panel.ask("Sort a list", 1)
        for label in ("Copy the reply", "Copy code"):
            copy = panel.turn(0).get_by_role("button", name=label, exact=True).first
            drawing = copy.inner_html()
            copy.click()
            done = panel.turn(0).get_by_role("button", name="Copied", exact=True)
            expect(done).to_be_visible()
            done.click()
            expect(done).to_have_count(0, timeout=WAIT)
            expect(copy).to_be_visible()
            assert copy.inner_html() == drawing


@pytest.mark.finding("B29")
def test_an_export_whose_answer_was_lost_comes_after_all(
    lab: JupyterServer, browser: Browser, endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, endpoint, LOSE, chat=CHAT) as (notebook, panel):
        panel.ask("Sort a list", 1)
        notebook.run(2)
        with notebook.page.expect_download(timeout=WAIT) as download:
            panel.menu("Export as Markdown")
        assert "Sort a list" in Path(download.value.path()).read_text(encoding="utf-8")
        expect(panel.status).to_have_text("Exported chat-main.md")
        assert notebook.errors == []
