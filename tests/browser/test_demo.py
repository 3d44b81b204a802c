"""The address that `make demo` prints, in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.tools.making import running_demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.mark.finding("C6")
def test_the_address_opens_the_quickstart_whose_cells_run(browser: Browser, tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        page = browser.new_page()
        page.goto(demo.address())
        cell = page.locator(".jp-Notebook .jp-CodeCell").first
        expect(cell).to_contain_text("%load_ext jmuz_magic", timeout=90_000)
        expect(page.locator(".jp-Notebook h1")).to_contain_text("jmuz_magic in five minutes")
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(state="attached", timeout=90_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        last = page.locator(".jp-Notebook .jp-CodeCell", has_text="print(Local.get_model").last
        expect(last.locator(".jp-InputArea-prompt")).to_have_text(re.compile(r"\[\d+\]"), timeout=90_000)
        expect(page.locator(".jp-Notebook [data-mime-type='application/vnd.jupyter.stderr']")).to_have_count(0)
        page.close()
