"""Hostile replies and prompts in the chat panel and in its static transcript: nothing runs, nobody is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.jupyter import JupyterServer, NotebookPage, open_notebook
from tests.browser.panel_page import WAIT
from tests.hostile import hostile_replies
from tests.replies import beacon, reply_endpoint

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600), pytest.mark.threat(1, 3, 4, 5, 7)]

TEX = [
    "$$" + "{" * 5000 + "}" * 5000 + "$$",
    "$$" + r"\sqrt{" * 150 + "x" + "}" * 150 + "$$",
    "$$\n" + "x" * 100_000 + "\n$$",
    "$" + r"\frac" * 20_000 + "$",
    r"$\text{<img src=x onerror=window.jmuzRan=1>}$",
    "$$" + "x^" * 190 + "x$$",
    "$$" + r"\left(" * 3000 + "$$",
]
SHOW = """
from jmuz_magic import ChatPanel, Conversation
conversation = Conversation(name="attack", max_messages=20)
ChatPanel(conversation)
"""
ASK = """
for model, prompt in {asked!r}:
    conversation.ask(prompt, model=model)
"""
# What no reply brings in; the panel's own buttons hold the only drawings.
PLACED = "script, iframe, object, embed, img, video, audio, link, style, form, input, svg:not(.jmuz-code-tools svg)"
ATTRIBUTES = """
root => {
  const wrong = /^(on.*|src.*|data-.*|id|name|action|background)$/;
  const names = [...root.querySelectorAll(".jmuz-markdown *")].flatMap((node) => node.getAttributeNames());
  return [...new Set(names.filter((name) => wrong.test(name)))];
}
"""


@dataclass
class Attack:
    """A notebook whose panel gets every hostile reply, asked for with a hostile prompt."""

    name: str
    heard: list[str]
    count: int


@pytest.fixture(scope="module")
def attack(lab: JupyterServer) -> Iterator[Attack]:
    with beacon() as (address, heard):
        texts = [*hostile_replies(address).values(), *TEX]
        with reply_endpoint({f"h{index}": text for index, text in enumerate(texts)}, delta_chars=40) as api_base:
            asked = [(f"h{index}", text[:500]) for index, text in enumerate(texts)]
            setup = f"%load_ext jmuz_magic\n%jmuz_use --api-base {api_base}"
            lab.write("panel-attack.ipynb", setup, SHOW, ASK.format(asked=asked))
            yield Attack("panel-attack.ipynb", heard, len(asked))


def assert_nothing_ran(page: Page, attack: Attack) -> None:
    page.wait_for_load_state("networkidle")
    assert page.evaluate("() => window.jmuzRan") is None
    assert attack.heard == []


def assert_only_the_allowed(place: Locator) -> None:
    assert place.locator(f".jmuz-markdown :is({PLACED})").count() == 0
    assert place.evaluate(ATTRIBUTES) == []


def assert_all_is_shown_and_nothing_ran(notebook: NotebookPage, attack: Attack) -> None:
    panel = notebook.page.locator(".jmuz-panel")
    expect(panel.locator(".jmuz-foot:visible")).to_have_count(attack.count, timeout=WAIT)
    assert_only_the_allowed(panel)
    assert_nothing_ran(notebook.page, attack)
    assert notebook.strangers == []


def test_live_then_reloaded(attack: Attack, lab: JupyterServer, browser: Browser) -> None:
    with open_notebook(browser, lab, attack.name) as notebook:
        for index in range(3):
            notebook.run(index)
        assert_all_is_shown_and_nothing_ran(notebook, attack)
        notebook.save()
        notebook.reload()
        assert_all_is_shown_and_nothing_ran(notebook, attack)
        notebook.save()


def test_static_reopened_without_its_kernel_and_converted(
    attack: Attack, lab: JupyterServer, browser: Browser, tmp_path: Path
) -> None:
    saved = nbformat.read(lab.root / attack.name, as_version=4)
    assert "jmuz-transcript" in str(saved.cells[1].outputs), "the test before this one saves the notebook"
    saved.cells[0].source += "  # not the text that was signed"
    saved.metadata.pop("widgets", None)
    copy = lab.root / "panel-received.ipynb"
    nbformat.write(saved, copy)
    with open_notebook(browser, lab, copy.name) as notebook:
        transcript = notebook.page.locator(".jmuz-transcript")
        expect(transcript.first).to_be_visible(timeout=WAIT)
        expect(transcript.locator(".jmuz-prompt")).to_have_count(attack.count)
        assert_nothing_ran(notebook.page, attack)
        assert notebook.strangers == []
    converted = tmp_path / "page.html"
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--output", str(converted), str(copy)]
    subprocess.run(command, check=True, capture_output=True)
    page = browser.new_page()
    page.route("**/*", lambda route: route.continue_() if "127.0.0.1" in route.request.url else route.abort())
    page.set_content(converted.read_text(encoding="utf-8"))
    expect(page.locator(".jmuz-transcript").first).to_be_visible()
    assert_nothing_ran(page, attack)
    page.close()
