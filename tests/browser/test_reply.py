"""A reply on the screen: it grows, ends typeset, stays the same when saved, and never moves what is being read."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Locator, expect

from jmuz_magic.demo.scripts import MARKDOWN, long_text
from tests.browser.jupyter import JupyterServer, NotebookPage, open_notebook
from tests.replies import reply_endpoint

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

LONG = long_text()[:16_000]
HTML = ".jp-OutputArea-output.jp-RenderedHTMLCommon"
LINE = 25  # pixels, more than a line of text and less than two

TRACE = """([cell, heading]) => {
    const area = document.querySelectorAll('.jp-CodeCell')[cell].querySelector('.jp-Cell-outputArea');
    window.jmuzTrace = {tops: [], heights: []};
    const look = () => {
        // Looked up each time: an update replaces the elements of the open group.
        window.jmuzTrace.tops.push(area.querySelectorAll('h4')[heading].getBoundingClientRect().top);
        window.jmuzTrace.heights.push(area.getBoundingClientRect().height);
        requestAnimationFrame(look);
    };
    // In one step: an update between finding the heading and going there would take it away.
    area.querySelectorAll('h4')[heading].scrollIntoView({block: 'start'});
    requestAnimationFrame(() => requestAnimationFrame(look));
}"""
"""Parks the reader at a heading of a cell and notes, for every frame that is painted, where it is and how high all
outputs of the cell are."""


@pytest.fixture(scope="module")
def slow_replies() -> Iterator[str]:
    """An endpoint at the speed of a brisk model."""
    with reply_endpoint({"long": LONG, "markdown": MARKDOWN}, deltas_per_second=250, delta_chars=6) as api_base:
        yield api_base


@pytest.fixture
def half_replies() -> Iterator[tuple[str, threading.Event]]:
    """An endpoint whose replies stay at their half until it is told to go on."""
    released = threading.Event()
    with reply_endpoint({"markdown": MARKDOWN}, deltas_per_second=250, released=released) as api_base:
        yield api_base, released
        released.set()


@pytest.fixture(scope="module")
def replies() -> Iterator[str]:
    with reply_endpoint({"long": LONG, "markdown": MARKDOWN}) as api_base:
        yield api_base


def set_up(api_base: str) -> str:
    return f"%load_ext jmuz_magic\n%jmuz_use --api-base {api_base}"


def text_of(cell: Locator) -> str:
    """What is read in the outputs; formulas typeset have no text of their own."""
    return "\n".join(cell.locator(HTML).all_inner_texts())


def expect_all_of_markdown(cell: Locator) -> None:
    expect(cell.locator("h3")).to_have_text("A tour of Markdown")
    expect(cell.locator("ol ul ul li")).to_have_text("and one below that")
    expect(cell.locator("s")).to_have_text("struck out")
    expect(cell).to_contain_text("☑ a task that is done")
    expect(cell.locator("td").nth(4)).to_have_css("text-align", "center")
    expect(cell.locator(".jmuz-label")).to_have_text(["python", "javascript", "sql"])
    expect(cell.locator("mjx-container")).to_have_count(4, timeout=30_000)
    expect(cell).to_contain_text("Coffee for $5 and cake for $10")
    expect(cell).to_contain_text('<script>alert("run")</script>')
    expect(cell.locator("img")).to_have_count(0)
    expect(cell.get_by_text("image: A picture")).to_have_attribute("href", "https://example.org/picture.png")
    plain, keyword = (cell.locator(place).first for place in (".highlight code", ".highlight .k"))
    assert colour(plain) != colour(keyword)


def colour(place: Locator) -> str:
    return str(place.evaluate("element => getComputedStyle(element).color"))


@pytest.mark.fault(63)
def test_a_reply_grows_and_reads_the_same_when_saved_and_reopened(
    half_replies: tuple[str, threading.Event], lab: JupyterServer, browser: Browser
) -> None:
    api_base, released = half_replies
    lab.write("grow.ipynb", set_up(api_base), "%%jmuz -m markdown\nShow me Markdown")
    with open_notebook(browser, lab, "grow.ipynb") as notebook:
        notebook.run(0)
        cell = notebook.start(1)
        expect(cell.locator("h3").first).to_have_text("A tour of Markdown")  # half the mark of an h4 is another one
        expect(cell.locator("h4").first).to_be_visible()
        expect(cell.locator(".jp-InputArea-prompt")).to_have_text("[*]:")
        assert "The end." not in text_of(cell)
        released.set()
        expect(cell).to_contain_text("The end.")
        expect(cell.locator(".jp-InputArea-prompt")).to_have_text(re.compile(r"\[\d+\]"))
        expect_all_of_markdown(cell)
        shown = text_of(cell)
        saved = notebook.save()
        (output,) = saved["cells"][1]["outputs"]
        assert set(output["data"]) == {"text/html", "text/latex", "text/plain"}
        assert "".join(output["data"]["text/plain"]) == MARKDOWN
        assert output["metadata"]["jmuz"]["finish_reason"] == "stop"
        notebook.reload()
        expect_all_of_markdown(notebook.cell(1))
        assert text_of(notebook.cell(1)) == shown
        assert notebook.strangers == []
        assert notebook.errors == []
    with open_notebook(browser, lab, "grow.ipynb", wait=False) as notebook:
        expect_all_of_markdown(notebook.cell(1))
        assert text_of(notebook.cell(1)) == shown


def test_notebook7_shows_the_same(replies: str, notebook7: JupyterServer, browser: Browser) -> None:
    notebook7.write("same.ipynb", set_up(replies), "%%jmuz -m markdown\nShow me Markdown")
    with open_notebook(browser, notebook7, "same.ipynb") as notebook:
        notebook.run(0)
        expect_all_of_markdown(notebook.run(1))
        notebook.save()
        notebook.reload()
        expect_all_of_markdown(notebook.cell(1))
        assert notebook.strangers == []


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_code_follows_the_theme(theme: str, replies: str, lab: JupyterServer, browser: Browser) -> None:
    lab.configure("apputils-extension/themes", theme=theme)
    try:
        lab.write("theme.ipynb", set_up(replies), "%%jmuz -m markdown\nShow me Markdown")
        with open_notebook(browser, lab, "theme.ipynb") as notebook:
            notebook.run(0)
            cell = notebook.run(1)
            wanted = notebook.page.evaluate(
                "() => { const probe = document.body.appendChild(document.createElement('i'));"
                " probe.style.color = 'var(--jp-mirror-editor-keyword-color)'; return getComputedStyle(probe).color; }"
            )
            assert colour(cell.locator(".highlight .k").first) == wanted
    finally:
        lab.configure("apputils-extension/themes", theme="JupyterLab Light")


def trace(notebook: NotebookPage) -> tuple[list[float], list[float]]:
    found = notebook.page.evaluate("() => window.jmuzTrace")
    return found["tops"], found["heights"]


def test_a_parked_reader_sees_no_jump_and_no_flicker(slow_replies: str, lab: JupyterServer, browser: Browser) -> None:
    lab.write("parked.ipynb", set_up(slow_replies), "%%jmuz -m long\nGo on", *["# below"] * 10)
    with open_notebook(browser, lab, "parked.ipynb") as notebook:
        notebook.run(0)
        cell = notebook.start(1)
        expect(cell.locator("h4").nth(8)).to_be_attached(timeout=60_000)
        notebook.page.evaluate(TRACE, [1, 5])
        expect(cell.locator(".jp-InputArea-prompt")).to_have_text(re.compile(r"\[\d+\]"), timeout=90_000)
        expect(cell).to_contain_text("Section 25")
        tops, heights = trace(notebook)
    assert len(tops) > 50
    assert max(tops) - min(tops) <= 1
    drops = [before - after for before, after in pairwise(heights)]
    assert max(drops) <= LINE
    assert heights[-1] > heights[0]


def test_page_reloaded_in_mid_stream(slow_replies: str, lab: JupyterServer, browser: Browser) -> None:
    length = "print(len(_jmuz.text))"
    lab.write("reloaded.ipynb", set_up(slow_replies), "%%jmuz -m long\nGo on", length, "display(_jmuz)")
    with open_notebook(browser, lab, "reloaded.ipynb") as notebook:
        notebook.run(0)
        cell = notebook.start(1)
        expect(cell.locator("h4").nth(1)).to_be_attached()
        notebook.save()
        notebook.reload()
        expect(notebook.cell(1)).to_contain_text("incomplete; the whole reply will be in _jmuz")
        expect(notebook.run(2)).to_contain_text(str(len(LONG)))
        expect(notebook.run(3).locator("h4")).to_have_count(LONG.count("\n## "))
