"""The model selector in JupyterLab: choosing, mirroring, many models, hostile ids, a failing refresh."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, ClassVar

import pytest
from playwright.sync_api import Browser, Locator, expect

from jmuz_magic.demo import DemoServer
from jmuz_magic.demo.scripts import SCRIPTS
from tests.browser.jupyter import JupyterServer, NotebookPage, open_notebook
from tests.browser.panel_page import WAIT, PanelPage
from tests.hostile import hostile_replies
from tests.replies import beacon

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


class ModelList:
    """An endpoint that lists `models`, or fails while they are None; it answers while `answers` is set."""

    models: ClassVar[list[str] | None] = []
    answers: ClassVar[Event] = Event()


@pytest.fixture
def listing() -> Iterator[tuple[str, type[ModelList]]]:
    class Endpoint(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ModelList.answers.wait(WAIT / 1000)
            models = ModelList.models
            body = json.dumps({"data": [{"id": model} for model in models or []]}).encode()
            self.send_response(200 if models is not None else 500)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        ModelList.answers.set()
        yield f"http://127.0.0.1:{server.server_port}/v1", ModelList
        server.shutdown()
        thread.join()


def selector(notebook: NotebookPage) -> Locator:
    found = notebook.page.locator(".jmuz-selector")
    expect(found).to_be_visible(timeout=WAIT)
    return found


def models(widget: Locator, name: str | None = None) -> Locator:
    """The rows of the list; those of that name."""
    return widget.locator("[role=listbox]").get_by_role(
        "option", name=name and re.compile(rf"^{re.escape(name)}\b(?!-)")
    )


def test_choosing_here_chooses_for_cells_and_panel(browser: Browser, lab: JupyterServer) -> None:
    with DemoServer(deltas_per_second=0, keep_requests=100) as endpoint:
        use = f"%load_ext jmuz_magic\n%jmuz_use demo --api-base {endpoint.api_base}"
        lab.write("select.ipynb", use, "%jmuz_models", "%jmuz_chat", "%%jmuz\nHello", "%jmuz_models demo-")
        with open_notebook(browser, lab, "select.ipynb") as notebook:
            notebook.run(0)
            notebook.run(1)
            widget = selector(notebook)
            expect(models(widget)).to_have_count(len(SCRIPTS))
            expect(models(widget, "demo-chat")).to_contain_text("default")
            expect(models(widget, "gemini-pro")).to_contain_text("alias gemini-1.5-pro")
            expect(notebook.page.locator(".jmuz-list")).to_be_hidden()
            notebook.run(2)
            panel = PanelPage(notebook.page)
            expect(panel.root.locator(".jmuz-model-button")).to_have_text("demo-chat", timeout=WAIT)

            # by mouse
            button = widget.get_by_role("button", name="Use in this notebook")
            expect(button).to_be_disabled()
            widget.get_by_role("combobox").nth(1).fill("echo")
            models(widget, "demo-echo").click()
            button.click()
            expect(widget).to_contain_text("In use in this notebook: demo-echo", timeout=WAIT)
            expect(panel.root.locator(".jmuz-model-button")).to_have_text("demo-echo", timeout=WAIT)
            expect(notebook.run(3)).to_contain_text("Hello")
            assert endpoint.requests[-1].body["model"] == "demo-echo"

            # the panel's choice shows here, and the keyboard does it, too
            panel.choose_model("demo-markdown")
            expect(widget).to_contain_text("In use in this notebook: demo-markdown", timeout=WAIT)
            field = widget.get_by_role("combobox").nth(1)
            field.fill("some model that is not listed")
            for key in ("Enter", "ArrowDown", "Enter", "Tab", "Enter"):
                field.press(key)
            expect(widget).to_contain_text("In use in this notebook: demo-markdown")
            field.press("Control+Enter")
            expect(widget).to_contain_text("In use in this notebook: some model that is not listed", timeout=WAIT)

            # a pattern is where the search begins
            notebook.run(4)
            other = notebook.page.locator(".jmuz-selector").nth(1)
            expect(other.get_by_role("combobox").nth(1)).to_have_value("demo-")
            assert notebook.strangers == []


def test_ten_thousand_models_and_a_refresh_that_fails(
    browser: Browser, lab: JupyterServer, listing: tuple[str, type[ModelList]]
) -> None:
    address, endpoint = listing
    endpoint.models = [f"vendor-{number % 7}/model-{number}" for number in range(10_000)]
    lab.write("many.ipynb", f"%load_ext jmuz_magic\n%jmuz_use --api-base {address}", "%jmuz_models")
    with open_notebook(browser, lab, "many.ipynb") as notebook:
        notebook.run(0)
        notebook.run(1)
        widget = selector(notebook)
        expect(widget).to_contain_text("100 of 10,000 models shown, type to narrow")
        expect(models(widget)).to_have_count(100)
        field = widget.get_by_role("combobox").nth(1)
        took = field.evaluate(
            """field => { const start = performance.now(); field.value = "vendor-3 999";
                 field.dispatchEvent(new Event("input")); return performance.now() - start; }"""
        )
        assert took < 1000
        expect(models(widget).first).to_contain_text("999")
        expect(widget).to_contain_text("models")
        endpoint.models = None
        shown = models(widget).all_inner_texts()
        widget.get_by_role("button", name="Refresh").click()
        expect(widget.get_by_role("alert")).to_contain_text("500", timeout=WAIT)
        assert models(widget).all_inner_texts() == shown


@pytest.mark.finding("C15")
def test_it_says_what_to_do_and_whom_it_asks(
    browser: Browser, lab: JupyterServer, listing: tuple[str, type[ModelList]]
) -> None:
    address, endpoint = listing
    endpoint.models = ["gpt-vision-11", "gpt-vision-90", "llama"]
    env = f"import os; os.environ.pop('OPENAI_API_KEY', None); os.environ['OLLAMA_HOST'] = {address!r}"
    show = "from jmuz_magic import ModelSelector\nModelSelector(pattern='vision 11')"
    lab.write("advice.ipynb", f"%load_ext jmuz_magic\n{env}", show)
    with open_notebook(browser, lab, "advice.ipynb") as notebook:
        notebook.run(0)
        notebook.run(1)
        widget = selector(notebook)
        expect(widget).to_contain_text("Choose a provider; until then nothing is asked.")
        names = widget.get_by_label("Provider").locator("option").all_inner_texts()
        assert (names[0], names[-1]) == ("Choose a provider", "Jmuz")
        widget.get_by_label("Provider").select_option(label="OpenAI")
        expect(widget).to_contain_text("OpenAI needs a key: set OPENAI_API_KEY, or use %jmuz_key openai", timeout=WAIT)
        widget.get_by_label("Provider").select_option(label="Ollama")
        expect(widget).to_contain_text("This list has not been fetched yet: press Refresh", timeout=WAIT)

        endpoint.answers.clear()
        widget.get_by_role("button", name="Refresh").click()
        expect(widget).to_contain_text(
            re.compile(r"Asking http://127\.0\.0\.1:\d+ for its models… [1-9]\d* s"), timeout=WAIT
        )
        expect(widget).not_to_contain_text("Kernel busy")
        endpoint.answers.set()
        expect(models(widget)).to_have_count(1, timeout=WAIT)
        expect(models(widget)).to_contain_text("gpt-vision-11")
        expect(widget).not_to_contain_text("Asking")
        widget.get_by_role("combobox", name="Model").press("Enter")
        expect(widget).to_contain_text("In use in this notebook: gpt-vision-11, Ollama", timeout=WAIT)


@pytest.mark.threat(25)
def test_hostile_ids_are_text(browser: Browser, lab: JupyterServer, listing: tuple[str, type[ModelList]]) -> None:
    address, endpoint = listing
    with beacon() as (beacon_address, heard):
        ids = list(hostile_replies(beacon_address).values())[:90]
        endpoint.models = [*ids, "two\nlines", "evil\u202etxt.exe"]
        lab.write("ids.ipynb", f"%load_ext jmuz_magic\n%jmuz_use --api-base {address}", "%jmuz_models", "%jmuz_chat")
        with open_notebook(browser, lab, "ids.ipynb") as notebook:
            for index in range(3):
                notebook.run(index)
            widget = selector(notebook)
            options = models(widget)
            expect(options.filter(has_text="two␊lines")).to_have_count(1)
            expect(options.filter(has_text="evil<U+202E>txt.exe")).to_have_count(1)
            options.filter(has_text="<img src=x onerror=").first.dblclick()
            expect(widget).to_contain_text("In use in this notebook: <img", timeout=WAIT)
            panel = PanelPage(notebook.page)
            expect(panel.root.locator(".jmuz-model-button")).to_contain_text("<img", timeout=WAIT)
            panel.button("Settings").click()
            panel.root.get_by_role("combobox", name="Model").fill("script")
            expect(models(panel.root).first).to_contain_text("script")
            notebook.page.wait_for_load_state("networkidle")
            for place in (widget, panel.root):
                assert place.locator("script, iframe, img, video, style, link").count() == 0
            assert notebook.page.evaluate("() => window.jmuzRan") is None
            assert heard == []
            assert notebook.strangers == []
