"""The address that `make demo` prints, in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.notebooks.making import running_demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.mark.finding("C6")
def test_the_address_opens_the_quickstart_whose_cells_run(browser: Browser, tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        page = browser.new_page()
        page.goto(demo.address())
        cell = page.locator(".jp-Notebook .jp-CodeCell").first
        expect(cell).to_contain_text("%load_ext jmuz_magic", timeout=90_000)
        expect(page.get_by_role("heading", name="jmuz_magic in five minutes")).to_be_visible()
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(state="attached", timeout=90_000)
        page.get_by_role("menuitem", name="Edit", exact=True).click()
        page.get_by_text("Clear Outputs of All Cells", exact=True).click()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        last = page.locator(".jp-Notebook .jp-CodeCell", has_text="print(Local.get_model").last
        expect(last.locator(".jp-OutputArea-output")).to_have_text("my-model", timeout=90_000)
        expect(page.locator(".jp-Notebook [data-mime-type='application/vnd.jupyter.stderr']")).to_have_count(0)
        page.close()
