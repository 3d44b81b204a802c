"""Hostile replies in real front ends: nothing runs, and nobody is told that they were read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser.jupyter import JupyterServer, NotebookPage, open_notebook, throw_away_home
from tests.hostile import hostile_replies
from tests.replies import beacon, reply_endpoint
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600), pytest.mark.threat(1, 3, 4, 5, 7)]

RUN = "for model in {models!r}:\n    get_ipython().run_line_magic('jmuz', f'-m {{model}} go')"


@dataclass
class Attack:
    """A notebook that asks for every hostile reply.

    Attributes:
        heard: what reached the server that must not be asked.
        cells: how many cells there are.
    """

    name: str
    heard: list[str]
    cells: int
    replies: dict[str, str]


@pytest.fixture(scope="module")
def attack(lab: JupyterServer) -> Iterator[Attack]:
    with beacon() as (address, heard):
        replies = {f"h{index}": text for index, text in enumerate(hostile_replies(address).values())}
        with reply_endpoint(replies) as api_base:
            # Front ends hide what stands behind the 50th output of a cell.
            models = list(replies)
            cells = [RUN.format(models=models[start : start + 25]) for start in range(0, len(models), 25)]
            lab.write("hostile.ipynb", f"%load_ext jmuz_magic\n%jmuz_use --api-base {api_base}", *cells)
            yield Attack("hostile.ipynb", heard, len(cells), replies)


def assert_nothing_ran(page: Page, attack: Attack) -> None:
    page.wait_for_load_state("networkidle")
    assert page.evaluate("() => window.jmuzRan") is None
    assert attack.heard == []


def assert_all_is_shown(notebook: NotebookPage, attack: Attack) -> None:
    for index in range(1, attack.cells + 1):
        notebook.cell(index).scroll_into_view_if_needed()
        notebook.cell(index).locator(".jp-RenderedHTMLCommon").last.scroll_into_view_if_needed()
    outputs = notebook.page.locator(".jp-OutputArea-output.jp-RenderedHTMLCommon")
    assert outputs.count() == len(attack.replies)


def test_live_then_reloaded(attack: Attack, lab: JupyterServer, browser: Browser) -> None:
    with open_notebook(browser, lab, attack.name) as notebook:
        for index in range(attack.cells + 1):
            notebook.run(index)
        assert_all_is_shown(notebook, attack)
        assert_nothing_ran(notebook.page, attack)
        notebook.save()
        notebook.reload()
        assert_all_is_shown(notebook, attack)
        assert_nothing_ran(notebook.page, attack)
        assert notebook.strangers == []


def test_reopened_untrusted_then_trusted(attack: Attack, lab: JupyterServer, browser: Browser) -> None:
    saved = nbformat.read(lab.root / attack.name, as_version=4)
    assert saved.cells[1].outputs, "the test before this one saves the notebook"
    copy = lab.root / "received.ipynb"
    saved.cells[0].source += "  # not the text that was signed"
    nbformat.write(saved, copy)
    for trusted in (False, True):
        if trusted:
            home = throw_away_home(lab.root.parent)
            subprocess.run([sys.executable, "-m", "jupyter", "trust", str(copy)], check=True, env=home)
        with open_notebook(browser, lab, copy.name) as notebook:
            assert_all_is_shown(notebook, attack)
            assert_nothing_ran(notebook.page, attack)
            assert notebook.strangers == []


def test_converted_to_html(attack: Attack, lab: JupyterServer, browser: Browser, tmp_path: Path) -> None:
    page_file = tmp_path / "hostile.html"
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--output", str(page_file)]
    subprocess.run([*command, str(lab.root / attack.name)], check=True, capture_output=True)
    page = browser.new_page()

    def only_beacon_and_file(route: Route) -> None:
        """nbconvert's own page wants scripts from elsewhere; tests have no outside network."""
        if route.request.url.startswith(("file:", "data:", "http://127.0.0.1")):
            route.continue_()
        else:
            route.abort()

    page.route("**/*", only_beacon_and_file)
    page.goto(page_file.as_uri())
    assert page.locator(".jp-RenderedHTMLCommon").count() >= len(attack.replies)
    assert_nothing_ran(page, attack)
    page.close()


def test_the_beacon_would_hear(lab: JupyterServer, browser: Browser) -> None:
    """The other side of the tests above: the same reply shown as HTML is heard."""
    with beacon() as (address, heard):
        lab.write("heard.ipynb", f"display({{'text/html': '<img src=\"{address}/x.png\">'}}, raw=True)")
        with open_notebook(browser, lab, "heard.ipynb") as notebook:
            notebook.run(0)
            wait_until(lambda: set(heard) == {"/x.png"}, "the beacon has heard the image")
