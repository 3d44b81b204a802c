"""The chat panel in real front ends: every step in the page, and in the requests that the endpoint got."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect

from jmuz_magic.demo import DemoServer
from tests.browser.jupyter import JupyterServer
from tests.browser.panel_page import WAIT, PanelPage, open_panel, requested
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

PNG = Path(__file__).parent / "pixel.png"
CLIPBOARD = ["clipboard-read", "clipboard-write"]


@pytest.fixture
def endpoint() -> Iterator[DemoServer]:
    """Slow enough to watch and to stop."""
    with DemoServer(deltas_per_second=100, keep_requests=1000) as server:
        yield server
        wait_until(lambda: server.open_streams == 0, "no stream of the demo endpoint is open any more")


def clipboard(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


@pytest.mark.threat(9)
def test_a_conversation_from_the_first_prompt_to_the_export(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, endpoint, permissions=CLIPBOARD) as (notebook, panel):
        expect(panel.log).to_contain_text("Ask something")

        # send, and watch it grow
        panel.record_growth()
        panel.send("First?")
        panel.wait_for_growth(6)
        panel.wait_for_end(1)
        expect(panel.button("Send")).to_be_visible()
        expect(panel.turn(0).locator(".jmuz-facts")).to_contain_text("demo-chat · ")
        assert requested(endpoint) == [["First?"]]

        # stop
        panel.choose_model("demo-markdown")
        panel.send("Second?")
        expect(panel.reply(1)).to_contain_text("A tour of Markdown", timeout=WAIT)
        expect(panel.button("Send")).to_have_count(0)
        panel.button("Stop").click()
        expect(panel.turn(1).locator(".jmuz-facts")).to_contain_text("interrupted", timeout=WAIT)
        wait_until(lambda: endpoint.requests[-1].state == "closed", "the endpoint has seen the connection close")
        assert requested(endpoint)[1][0::2] == ["First?", "Second?"]

        # regenerate
        panel.turn(1).get_by_role("button", name="Regenerate the reply").click()
        expect(panel.turn(1).locator(".jmuz-facts")).not_to_contain_text("interrupted", timeout=WAIT)
        reply = panel.wait_for_end(2)
        expect(reply).to_contain_text("The end.")
        assert requested(endpoint)[2] == requested(endpoint)[1]
        expect(reply.locator("h1")).to_have_text("A tour of Markdown")
        expect(reply.locator("table td").first).to_have_text("Python")
        expect(reply.locator("math")).to_have_count(4)
        expect(reply.locator("pre .k").first).to_have_text("def")
        expect(reply.locator("img")).to_have_count(0)

        # copy code and reply
        frame = reply.locator(".jmuz-code-frame").first
        frame.get_by_role("button", name="Copy code").click()
        wait_until(lambda: clipboard(notebook.page).startswith("def fibonacci(n: int)"), "the code is copied")
        assert clipboard(notebook.page).endswith("return numbers[:n]")
        panel.turn(1).get_by_role("button", name="Copy the reply").click()
        wait_until(lambda: clipboard(notebook.page).startswith("# A tour of Markdown"), "the source is copied")

        # insert as cell: below the panel, not run, without a question
        cells = notebook.page.locator(".jp-Notebook .jp-Cell")
        before = cells.count()
        frame.get_by_role("button", name="Insert as cell").click()
        expect(cells).to_have_count(before + 1, timeout=WAIT)
        expect(panel.status).to_have_text("Inserted below as a new cell; it was not run.", timeout=WAIT)
        inserted = notebook.cell(2)
        expect(inserted.locator(".cm-content")).to_contain_text("def fibonacci(n: int)")
        expect(inserted.locator(".jp-InputArea-prompt")).to_have_text("[ ]:")
        expect(notebook.page.locator(".jp-Dialog")).to_have_count(0)

        # edit and resend
        panel.choose_model("demo-echo")
        panel.turn(1).get_by_role("button", name="Edit and send again").click()
        expect(panel.field).to_have_value("Second?")
        expect(panel.root).to_contain_text("Editing the last prompt")
        panel.send("Second, edited")
        expect(panel.reply(1)).to_have_text("Second, edited", timeout=WAIT)
        expect(panel.turns).to_have_count(2)
        assert requested(endpoint)[-1][0::2] == ["First?", "Second, edited"]
        assert endpoint.requests[-1].body["model"] == "demo-echo"

        # the model is the notebook's
        assert panel.ask("Third", 3).inner_text() == "Third"

        # undo
        panel.menu("Undo")
        expect(panel.turns).to_have_count(2, timeout=WAIT)

        # export
        for item, ending in (("Markdown", "md"), ("notebook", "ipynb"), ("JSON", "json")):
            with notebook.page.expect_download() as download:
                panel.menu(f"Export as {item}")
            assert download.value.suggested_filename == f"chat-main.{ending}"
            text = Path(download.value.path()).read_text(encoding="utf-8")
            assert "Second, edited" in text
            assert ending == "md" or json.loads(text)

        # clear asks first
        panel.menu("Clear…")
        panel.button("Keep").click()
        expect(panel.turns).to_have_count(2)
        panel.menu("Clear…")
        panel.button("Clear").click()
        expect(panel.turns).to_have_count(0, timeout=WAIT)
        expect(panel.log).to_contain_text("Ask something")
        panel.ask("Afresh", 1)
        assert requested(endpoint)[-1] == ["Afresh"]
        assert notebook.errors == []


def test_notebook_7_sends_stops_and_inserts(browser: Browser, notebook7: JupyterServer, endpoint: DemoServer) -> None:
    with open_panel(browser, notebook7, endpoint) as (notebook, panel):
        panel.choose_model("demo-markdown")
        panel.field.click()
        panel.page.keyboard.type("one")
        panel.page.keyboard.press("Shift+Enter")
        panel.page.keyboard.type("dd two")
        expect(panel.field).to_have_value("one\ndd two")
        panel.page.keyboard.press("Enter")
        expect(panel.reply(0)).to_contain_text("A tour of Markdown", timeout=WAIT)
        panel.button("Stop").click()
        expect(panel.turn(0).locator(".jmuz-facts")).to_contain_text("interrupted", timeout=WAIT)
        panel.button("Regenerate the reply").click()
        expect(panel.reply(0)).to_contain_text("The end.", timeout=WAIT)
        panel.reply(0).get_by_role("button", name="Insert as cell").first.click()
        expect(notebook.cell(2).locator(".cm-content")).to_contain_text("def fibonacci", timeout=WAIT)
        assert requested(endpoint) == [["one\ndd two"]] * 2


def test_a_refused_setting_goes_back_to_what_is_in_force(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, endpoint) as (_, panel):
        panel.button("Settings").click()
        tokens = panel.root.get_by_role("spinbutton", name="Max tokens")
        tokens.fill("50")
        tokens.press("Enter")
        tokens.fill("1e2")
        tokens.press("Tab")
        expect(panel.root.locator(".jmuz-problem:not(:empty)")).to_contain_text("Max tokens: expected a whole number")
        panel.root.get_by_role("spinbutton", name="Temperature").fill("0.3")
        panel.page.keyboard.press("Tab")
        expect(tokens).to_have_value("50")
        panel.page.keyboard.press("Escape")
        panel.ask("Hello", 1)
        assert endpoint.requests[-1].body["max_tokens"] == 50


def test_long_numbers_of_lists_are_not_cut_off(browser: Browser, lab: JupyterServer, endpoint: DemoServer) -> None:
    with open_panel(browser, lab, endpoint) as (_, panel):
        panel.choose_model("demo-echo")
        panel.ask("88888. was a good year\n\nafter", 1)
        place = panel.reply(0).locator("ol").bounding_box()
        assert place
        digit = panel.page.screenshot(
            clip={"x": place["x"] - 24, "y": place["y"], "width": 12, "height": place["height"]}
        )
        assert len(Image.open(BytesIO(digit)).convert("RGB").getcolors() or ()) > 1, "there is nothing but background"


@pytest.mark.parametrize("app", ["lab", "notebook7"])
def test_the_static_transcript_is_hidden_beside_a_live_panel_only(
    app: str, request: pytest.FixtureRequest, browser: Browser, endpoint: DemoServer
) -> None:
    server: JupyterServer = request.getfixturevalue(app)
    with open_panel(browser, server, endpoint) as (notebook, panel):
        static = notebook.page.locator(".jmuz-transcript").filter(has_text="one")
        panel.choose_model("demo-echo")
        panel.ask("one", 1)
        expect(static).to_contain_text("one")
        expect(static).to_be_hidden()
        notebook.run(1)  # the cell's new panel stands where the old one was
        expect(static).to_contain_text("one", timeout=WAIT)
        expect(panel.root).to_have_count(1)
        expect(panel.root).to_be_visible()
        expect(static).to_be_hidden()


def test_the_keyboard_belongs_to_the_composer(browser: Browser, lab: JupyterServer, endpoint: DemoServer) -> None:
    with open_panel(browser, lab, endpoint) as (notebook, panel):
        panel.choose_model("demo-echo")
        panel.ask("one", 1)
        panel.ask("two", 2)
        keyboard = panel.page.keyboard
        panel.field.click()

        # Up in an empty composer recalls, again and again; Down goes back
        keyboard.press("ArrowUp")
        expect(panel.field).to_have_value("two")
        keyboard.press("ArrowUp")
        expect(panel.field).to_have_value("one")
        keyboard.press("ArrowDown")
        keyboard.press("ArrowDown")
        expect(panel.field).to_have_value("")

        # Shift+Enter breaks the line, Ctrl+Z undoes typing, letters are no commands of the front end
        keyboard.type("a")
        keyboard.press("Shift+Enter")
        keyboard.type("ddx")
        expect(panel.field).to_have_value("a\nddx")
        keyboard.press("Control+z")
        assert panel.field.input_value() != "a\nddx"
        expect(notebook.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(2)

        # Ctrl+S saves the notebook
        saved_at = (lab.root / notebook.name).stat().st_mtime_ns
        keyboard.press("Control+s")
        wait_until(lambda: (lab.root / notebook.name).stat().st_mtime_ns != saved_at, "the notebook is saved")

        # the Enter that ends a composition does not send
        panel.field.fill("composed")
        panel.field.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
        panel.field.dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "bubbles": True})
        expect(panel.field).to_have_value("composed")
        assert len(requested(endpoint)) == 2


def test_the_transcript_follows_until_the_reader_scrolls_up(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, endpoint) as (_, panel):
        panel.choose_model("demo-markdown")
        distance = "log => log.scrollHeight - log.scrollTop - log.clientHeight"
        panel.send("Long")
        expect(panel.reply(0)).to_contain_text("Code in three languages", timeout=WAIT)
        assert panel.log.evaluate(distance) < 60
        expect(panel.button("Jump to latest")).to_be_hidden()
        panel.log.hover()
        panel.page.mouse.wheel(0, -30)
        expect(panel.button("Jump to latest")).to_be_visible()
        place = panel.log.evaluate("log => log.scrollTop")
        panel.wait_for_end(1)
        assert panel.log.evaluate("log => log.scrollTop") == place
        panel.button("Jump to latest").click()
        wait_until(lambda: panel.log.evaluate(distance) < 2, "the latest is shown")
        expect(panel.button("Jump to latest")).to_be_hidden()


@pytest.mark.fault(45)
def test_a_reply_grows_while_a_cell_runs_and_clicks_are_shown_as_queued(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer, tmp_path: Path
) -> None:
    let_go = tmp_path / "let_go"
    cell = f"import pathlib, time\nwhile not pathlib.Path({str(let_go)!r}).exists(): time.sleep(0.05)"
    with open_panel(browser, lab, endpoint, cell) as (notebook, panel):
        panel.choose_model("demo-long")
        panel.send("Long")
        expect(panel.reply(0)).not_to_be_empty(timeout=WAIT)
        busy = notebook.start(2).locator(".jp-InputArea-prompt")
        panel.record_growth()
        panel.wait_for_growth(10)
        expect(busy).to_have_text("[*]:")
        panel.button("Stop").click()
        expect(panel.status).to_contain_text("Kernel busy. Queued: Stop.", timeout=WAIT)
        expect(busy).to_have_text("[*]:")
        let_go.touch()
        expect(panel.turn(0).locator(".jmuz-facts")).to_contain_text("interrupted", timeout=WAIT)
        expect(panel.status).to_have_text("")


def test_a_page_reloaded_in_mid_stream_shows_all(browser: Browser, lab: JupyterServer, endpoint: DemoServer) -> None:
    with open_panel(browser, lab, endpoint) as (notebook, panel):
        panel.choose_model("demo-markdown")
        panel.send("Again")
        expect(panel.reply(0)).to_contain_text("A tour", timeout=WAIT)
        notebook.cell(0).locator(".cm-content").click()  # in the panel, the Escape of `save` would stop the reply
        notebook.save()
        notebook.reload()
        # the locators look anew
        expect(panel.reply(0)).to_contain_text("The end.", timeout=WAIT)
        expect(panel.reply(0).locator("h1")).to_have_text("A tour of Markdown")
        expect(panel.turns).to_have_count(1)
        assert endpoint.requests[-1].state == "complete"
        panel.choose_model("demo-echo")
        assert panel.ask("Still here?", 2).inner_text() == "Still here?"


TWO_VIEWS = """
from jmuz_magic import ChatPanel, Conversation
from jmuz_magic.magics import session
conversation = session._conversations[get_ipython()].setdefault("main", Conversation(name="main"))
panel = ChatPanel(conversation)
display(panel); display(panel); display(ChatPanel(conversation))
"""
LOSSY = """
import random
rng, send, held = random.Random(1), panel.send, []
def lossy(message, buffers=None):
    if message["type"] != "part": return send(message, buffers)
    luck = rng.random()
    if luck < 0.3: return
    if luck < 0.5: return held.append(message)
    send(message, buffers)
    if luck > 0.8: send(message, buffers)
    while held: send(held.pop(), buffers)
panel.send = lossy
"""


def test_two_panels_two_views_and_a_cell_show_the_same(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer
) -> None:
    cells = ["%%jmuz --chat=main -m demo-markdown\nFrom a cell", LOSSY]
    with open_panel(browser, lab, endpoint, *cells, chat=TWO_VIEWS) as (notebook, _):
        panels = [PanelPage(notebook.page, number) for number in range(3)]
        panels[0].choose_model("demo-markdown")
        panels[1].ask("From a view", 1)
        notebook.run(2)
        for panel in panels:
            panel.wait_for_end(2)
        first, *others = [panel.transcript() for panel in panels]
        assert "From a view" in first
        assert "From a cell" in first
        assert others == [first, first]
        cell_text = notebook.outputs(2).all_inner_texts()
        assert "The end." in cell_text[-1]

        # the first panel's messages are lost, doubled and reordered from here on
        notebook.run(3)
        panels[2].ask("With losses", 3)
        for panel in panels:
            panel.wait_for_end(3)
            expect(panel.reply(2)).to_contain_text("The end.", timeout=WAIT)
        first, *others = [panel.log.locator(".jmuz-turns").inner_html() for panel in panels]
        assert [without_ids(other) for other in others] == [without_ids(first)] * 2


def without_ids(html: str) -> str:
    return html.replace(' style=""', "").replace(' aria-busy="false"', "")


def test_errors_stand_in_the_transcript_and_can_be_retried(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, endpoint) as (_, panel):
        panel.choose_model("no-such-model")
        panel.send("Precious words")
        expect(panel.turn(0)).to_contain_text("no-such-model", timeout=WAIT)
        expect(panel.turn(0).locator(".jmuz-said")).to_contain_text("Precious words")
        panel.choose_model("demo-echo")
        panel.button("Retry").click()
        expect(panel.reply(0)).to_have_text("Precious words", timeout=WAIT)
        expect(panel.turns).to_have_count(1)
        assert requested(endpoint)[-1] == ["Precious words"]


def test_images_come_by_file_or_paste_and_can_be_removed(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, endpoint) as (_, panel):
        panel.choose_model("demo-echo")
        attach = panel.root.get_by_role("button", name="Attach files")
        expect(attach).to_have_attribute("title", "Attach files (up to 10, 5 MB each)")
        chooser = panel.root.locator("input[type=file]")
        chooser.set_input_files([PNG])
        expect(panel.root.locator(".jmuz-preview")).to_have_count(1)
        panel.field.evaluate(PASTE)
        expect(panel.root.locator(".jmuz-preview")).to_have_count(2)
        panel.button("Remove pixel.png").click()
        expect(panel.root.locator(".jmuz-preview")).to_have_count(1)
        chooser.set_input_files(FilePayload(name="large.png", mimeType="image/png", buffer=bytes(6 * 2**20)))
        expect(panel.status).to_have_text("large.png: 6 MB, more than the 5 MB that a file may have")
        chooser.set_input_files([PNG])
        panel.ask("Which?", 1)
        (request,) = (request for request in endpoint.requests if request.path.endswith("/completions"))
        (message,) = request.body["messages"]
        assert [part["type"] for part in message["content"]] == ["text", "image_url", "image_url"]
        expect(panel.turn(0).locator(".jmuz-said img")).to_have_count(2)
        expect(panel.root.locator(".jmuz-preview")).to_have_count(0)


PASTE = """
field => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 4, height: 4 });
  const bytes = Uint8Array.from(atob(canvas.toDataURL("image/png").split(",")[1]), c => c.charCodeAt(0));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}
"""


def test_a_restarted_kernel_leaves_a_readable_panel_and_no_request(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, endpoint) as (notebook, panel):
        panel.choose_model("demo-long")
        panel.send("Long")
        expect(panel.reply(0)).not_to_be_empty(timeout=WAIT)
        notebook.page.get_by_role("menuitem", name="Kernel").click()
        notebook.page.get_by_role("menuitem", name="Restart Kernel…").click()
        notebook.page.get_by_role("button", name="Confirm Kernel Restart").click()
        wait_until(lambda: endpoint.open_streams == 0, "no request is open any more")
        expect(panel.status).to_contain_text("The kernel is gone", timeout=WAIT)
        expect(panel.field).to_be_disabled()
        expect(panel.reply(0)).not_to_be_empty()


def test_a_kernel_that_dies_leaves_a_readable_panel(browser: Browser, lab: JupyterServer, endpoint: DemoServer) -> None:
    with open_panel(browser, lab, endpoint, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)") as opened:
        notebook, panel = opened
        panel.choose_model("demo-long")
        panel.send("Long")
        expect(panel.reply(0)).not_to_be_empty(timeout=WAIT)
        notebook.start(2)
        expect(panel.status).to_contain_text("The kernel is gone", timeout=WAIT)
        expect(panel.field).to_be_disabled()
        expect(panel.reply(0)).not_to_be_empty()


def test_a_kernel_that_somebody_else_restarts_leaves_no_click_waiting(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, endpoint) as (notebook, panel):
        panel.choose_model("demo-echo")
        panel.ask("Hello", 1)
        (kernel,) = (each["kernel"]["id"] for each in lab.get("/api/sessions") if each["path"] == notebook.name)
        lab.get(f"/api/kernels/{kernel}/restart", method="POST")
        expect(panel.status).to_contain_text("The kernel is gone", timeout=WAIT)
        expect(panel.field).to_be_disabled()


@pytest.mark.fault(63)
def test_a_closed_panel_leaves_its_transcript(browser: Browser, lab: JupyterServer, endpoint: DemoServer) -> None:
    close = "from jmuz_magic.widgets.panel import close_panels\nclose_panels()"
    with open_panel(browser, lab, endpoint, close) as (notebook, panel):
        panel.choose_model("demo-echo")
        panel.ask("Remember $5 and <b>this</b>", 1)
        static = notebook.page.locator(".jmuz-transcript").filter(has_text="Remember")
        expect(static).to_be_hidden()
        notebook.run(2)
        expect(panel.root).to_have_count(0, timeout=WAIT)
        expect(static).to_be_visible()
        expect(static).to_contain_text("Remember $5 and <b>this</b>")
