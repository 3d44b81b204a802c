"""Hostile replies, prompts, file names and edited notebooks in the panel and in its transcript: nothing runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from jmuz_magic.demo import DemoServer
from tests.browser.jupyter import JupyterServer, NotebookPage, open_notebook
from tests.browser.panel_page import WAIT, open_panel
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
NAMES = [
    "<img src=x onerror=window.jmuzRan=1>.txt",
    '"><script>window.jmuzRan=1</script>.csv',
    "![x](BEACON).txt",
    "javascript:window.jmuzRan=1.txt",
    "bill\u202egnp.txt",
    r"$\href{javascript:window.jmuzRan=1}{x}$.txt",
]
STATE = """
import json, pathlib
from ipywidgets import Widget
pathlib.Path("state.json").write_text(json.dumps(Widget.get_manager_state()))
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
    saved.metadata.pop("widgets", None)
    copy = lab.root / "panel-received.ipynb"
    nbformat.write(saved, copy)
    distrust(copy)
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


def test_names_and_texts_of_files(lab: JupyterServer, browser: Browser, tmp_path: Path) -> None:
    with beacon() as (address, heard), DemoServer(deltas_per_second=0) as endpoint:
        attack = Attack("", heard, 1)
        names = [name.replace("BEACON", address) for name in NAMES]
        texts = list(hostile_replies(address).values())[: len(names)]
        with open_panel(browser, lab, endpoint, chat="%jmuz_chat -m demo-echo") as (notebook, panel):
            files = [
                FilePayload(name=name, mimeType="text/plain", buffer=text.encode())
                for name, text in zip(names, texts, strict=True)
            ]
            panel.root.locator("input[type=file]").set_input_files(files)
            expect(panel.root.get_by_role("group", name="Files to send").get_by_role("button")).to_have_count(
                len(names)
            )
            assert_nothing_ran(notebook.page, attack)
            panel.ask("What is in them?", 1)
            expect(panel.turn(0).locator(".jmuz-said")).to_contain_text("onerror=window.jmuzRan=1>.txt")
            assert_only_the_allowed(panel.root)
            assert_nothing_ran(notebook.page, attack)
            # it comes a moment after the panel has shown the turn
            kept = notebook.page.locator(".jmuz-transcript", has_text="onerror=window.jmuzRan=1")
            expect(kept).to_have_count(1, timeout=WAIT)
            saved = notebook.save()
        assert "onerror=window.jmuzRan=1" in str(saved["cells"][1]["outputs"])
        for name in ("names-signed.ipynb", "names-edited.ipynb"):
            shutil.copy(lab.root / notebook.name, lab.root / name)
            if "edited" in name:
                distrust(lab.root / name)
            with open_notebook(browser, lab, name, wait=False) as reopened:
                expect(reopened.page.locator(".jmuz-prompt")).to_contain_text(
                    "onerror=window.jmuzRan=1>.txt", timeout=WAIT
                )
                assert_nothing_ran(reopened.page, attack)
                assert reopened.strangers == []


def test_a_panel_that_somebody_edited_in_the_saved_notebook(lab: JupyterServer, browser: Browser) -> None:
    """What a front end saves of a widget is shown again without a kernel, once its reader trusts the notebook."""
    with beacon() as (address, heard), DemoServer(deltas_per_second=0) as endpoint:
        with open_panel(browser, lab, endpoint, STATE, chat="%jmuz_chat -m demo-echo") as (notebook, panel):
            panel.ask("Hello", 1)
            notebook.run(2)
            notebook.save()
        payloads = list(hostile_replies(address).values())
        state = json.loads((lab.root / "state.json").read_text(encoding="utf-8"))
        poison(state["state"], payloads)
        edited = nbformat.read(lab.root / notebook.name, as_version=4)
        edited.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": state}
        nbformat.write(edited, lab.root / "poisoned.ipynb")
        trust(lab, "poisoned.ipynb")
        with open_notebook(browser, lab, "poisoned.ipynb", wait=False) as reopened:
            attack = Attack("poisoned.ipynb", heard, len(payloads))
            assert_all_is_shown_and_nothing_ran(reopened, attack)
            reopened.page.locator(".jmuz-panel").get_by_role("button", name="Settings").click()
            assert_nothing_ran(reopened.page, attack)


def poison(models: dict[str, Any], payloads: list[str]) -> None:
    """Put a payload wherever a panel's state holds text, each into a turn of its own."""
    (panel,) = (model["state"] for model in models.values() if "transcript" in model["state"])
    whole = "".join(payloads)
    panel["about"]["name"] = whole
    panel["settings"].update(model=whole, model_label=whole, endpoint=whole, hint=whole, system=whole)
    (turn,) = panel["transcript"]["turns"]
    panel["transcript"]["turns"] = [
        {
            **turn,
            "id": f"turn-{number}",
            "prompt": payload,
            "images": [{"label": payload, "data": payload}],
            "parts": [["reasoning", payload], ["text", payload]],
            "error": payload,
            "source": payload,
            "facts": [payload],
        }
        for number, payload in enumerate(payloads)
    ]
    panel["transcript"]["order"] = [each["id"] for each in panel["transcript"]["turns"]]


def distrust(path: Path) -> None:
    """Change a notebook as somebody else would."""
    saved = nbformat.read(path, as_version=4)
    saved.cells[0].source += "  # not the text that was signed"
    nbformat.write(saved, path)


def trust(lab: JupyterServer, name: str) -> None:
    """Sign a notebook as the server's user."""
    notary = NotebookNotary(data_dir=str(lab.root.parent / "data"))
    notary.sign(nbformat.read(lab.root / name, as_version=4))
    notary.store.close()
