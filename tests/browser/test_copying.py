"""The Copy button of a code block: what a click puts on the clipboard, and where there must be no button."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.jupyter import JupyterServer, NotebookPage, open_notebook
from tests.browser.pictures import distrust, only_files
from tests.replies import reply_endpoint
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

FIRST = '\n\tif a < b & c:  \n\t\tpass\n\n    x = "&lt;é"'
SECOND = "pip install pandas"
REPLY = f"Text **before**.\n\n```python\n{FIRST}\n```\n\n1. In a list:\n\n   ```sh\n   {SECOND}\n   ```\n\n$x$ after.\n"
IN_A_WIDGET = """\
import ipywidgets
out = ipywidgets.Output()
with out:
    get_ipython().run_line_magic("jmuz", "go")
out"""
ALLOWED: dict[str, Any] = {"permissions": ["clipboard-read", "clipboard-write"]}


@pytest.fixture(scope="module")
def cells() -> Iterator[list[str]]:
    with reply_endpoint({"code": REPLY}) as api_base:
        use = f"%load_ext jmuz_magic\n%jmuz_use --api-base {api_base} --model code"
        yield [use, "%%jmuz\nfirst words", "%%jmuz\nsecond words", IN_A_WIDGET]


def buttons(cell: Locator) -> Locator:
    return cell.locator(".jp-OutputArea-output .jmuz-copy")


def copied(notebook: NotebookPage) -> str:
    """What is on the clipboard, once something new is."""
    found: list[str] = []

    def look() -> bool:
        found[:] = [notebook.page.evaluate("() => navigator.clipboard.readText()")]
        return found != ["nothing new"]

    wait_until(look, "something is copied")
    notebook.page.evaluate("() => navigator.clipboard.writeText('nothing new')")
    return found[0]


def forget(notebook: NotebookPage) -> None:
    notebook.page.evaluate("() => navigator.clipboard.writeText('nothing new')")


def expect_both_copied(notebook: NotebookPage, cell: int) -> None:
    forget(notebook)
    buttons(notebook.cell(cell)).first.click()
    assert copied(notebook) == FIRST
    buttons(notebook.cell(cell)).last.click()
    assert copied(notebook) == SECOND


@pytest.mark.parametrize("app", ["lab", "notebook7"])
def test_a_click_copies_its_block_and_nothing_else(
    app: str, cells: list[str], browser: Browser, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server: JupyterServer = request.getfixturevalue(app)
    server.write("copy.ipynb", *cells)
    with open_notebook(browser, server, "copy.ipynb", **ALLOWED) as notebook:
        page = notebook.page
        for index in range(len(cells)):
            notebook.run(index)
        expect(buttons(notebook.cell(1))).to_have_count(2)
        expect_both_copied(notebook, 2)  # another cell was active
        expect_both_copied(notebook, 1)
        expect(buttons(notebook.cell(3)).first).to_be_hidden()  # in a widget it would copy the wrong thing

        # What is selected in the cell that was asked, or in another output, is neither copied nor lost.
        notebook.cell(1).locator(".cm-content").click()
        page.keyboard.press("Control+a")
        expect_both_copied(notebook, 1)
        notebook.cell(2).locator(".jmuz-reply strong").dblclick()
        expect_both_copied(notebook, 1)
        assert page.evaluate("() => String(getSelection()).trim()") == "before"

        notebook.cell(2).locator(".cm-content").click()
        page.keyboard.press("Escape")
        buttons(notebook.cell(1)).last.focus()
        page.keyboard.press("Enter")
        assert copied(notebook) == SECOND

        # Text can be selected again with the mouse, although the button had the focus.
        notebook.cell(1).locator(".jmuz-reply strong").dblclick()
        assert page.evaluate("() => String(getSelection()).trim()") == "before"

        notebook.save()
        notebook.reload()
        expect_both_copied(notebook, 1)
        assert notebook.strangers == []
    with open_notebook(browser, server, "copy.ipynb", wait=False, **ALLOWED) as notebook:
        expect_both_copied(notebook, 2)

    expect_none_in_an_untrusted_notebook(browser, server)
    expect_none_in_html(browser, server.root / "copy.ipynb", tmp_path / "copy.html")


def expect_none_in_an_untrusted_notebook(browser: Browser, server: JupyterServer) -> None:
    """JupyterLab keeps the attribute of a button there, and asks at a click whether to trust the notebook."""
    distrust(server.root / "copy.ipynb")
    with open_notebook(browser, server, "copy.ipynb", **ALLOWED) as notebook:
        expect(buttons(notebook.cell(1))).to_have_count(2)
        expect(buttons(notebook.cell(1)).first).to_be_hidden()
        notebook.run(0)
        notebook.run(2)  # a reply of now is trusted, and its style sheet is the page's
        expect_both_copied(notebook, 2)
        expect(buttons(notebook.cell(1)).first).to_be_hidden()
        assert "Copy" not in notebook.cell(1).locator(".jmuz-reply").inner_text()


def expect_none_in_html(browser: Browser, notebook: Path, html: Path) -> None:
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--output", str(html), str(notebook)]
    subprocess.run(command, check=True, capture_output=True)
    page = browser.new_page()
    page.route("**/*", only_files)
    page.goto(html.as_uri())
    assert page.locator(".jmuz-copy").count() >= 2
    assert not any(button.is_visible() for button in page.locator(".jmuz-copy").all())
    page.close()


def test_there_is_none_in_a_view_of_the_output(cells: list[str], lab: JupyterServer, browser: Browser) -> None:
    """There the command would copy the output of whichever cell is active."""
    lab.write("view.ipynb", *cells[:2])
    with open_notebook(browser, lab, "view.ipynb") as notebook:
        notebook.run(0)
        notebook.run(1)
        expect(buttons(notebook.cell(1)).first).to_be_visible()
        notebook.cell(1).locator(".jmuz-reply strong").click(button="right")
        notebook.page.get_by_text("Create New View for Cell Output").click()
        view = notebook.page.locator(".jp-LinkedOutputView")
        expect(view.locator(".jmuz-copy")).to_have_count(2)
        expect(view.locator(".jmuz-copy").first).to_be_hidden()


def test_the_command_is_the_front_ends_own(lab: JupyterServer, browser: Browser) -> None:
    """Its entry in the menu of an output, which README names for whole replies, copies all of it."""
    text = json.dumps({"text/html": "<p>all of it</p>"})
    lab.write("menu.ipynb", f"display({text}, raw=True)")
    with open_notebook(browser, lab, "menu.ipynb", **ALLOWED) as notebook:
        notebook.run(0)
        forget(notebook)
        notebook.cell(0).get_by_text("all of it").last.click(button="right")
        notebook.page.get_by_text("Copy Output to Clipboard").click()
        assert copied(notebook) == "all of it"
