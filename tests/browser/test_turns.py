"""Turns in the panel, in real front ends: versions, deletion, undo, Esc, and prompts that wait for a reply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from jmuz_magic.demo import DemoServer
from tests.browser.jupyter import JupyterServer
from tests.browser.panel_page import WAIT, PanelPage, open_panel, requested
from tests.browser.test_accessibility import THEMES, violations
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]


@pytest.fixture
def endpoint() -> Iterator[DemoServer]:
    """Slow enough to stop a reply, and to queue prompts meanwhile."""
    with DemoServer(deltas_per_second=100, keep_requests=1000) as server:
        yield server
        wait_until(lambda: server.open_streams == 0, "no stream of the demo endpoint is open any more")


@pytest.fixture(scope="module")
def axe(node_module: Callable[[str], Path]) -> Path:
    return node_module("axe-core") / "axe.min.js"


def ask_all(panel: PanelPage, *prompts: str) -> None:
    panel.choose_model("demo-echo")
    for number, prompt in enumerate(prompts, 1):
        panel.ask(prompt, number)


def tool(panel: PanelPage, turn: int, name: str) -> Locator:
    return panel.turn(turn).get_by_role("button", name=name)


def edit(panel: PanelPage, turn: int, text: str) -> None:
    panel.turn(turn).hover()
    tool(panel, turn, "Edit and send again").click()
    panel.send(text)


@pytest.mark.parametrize("app", ["lab", "notebook7"])
def test_the_second_of_five_turns_is_edited_and_comes_back(
    app: str, request: pytest.FixtureRequest, browser: Browser, endpoint: DemoServer
) -> None:
    server: JupyterServer = request.getfixturevalue(app)
    with open_panel(browser, server, endpoint) as (notebook, panel):
        ask_all(panel, "1", "2", "3", "4", "5")
        panel.turn(1).hover()
        tool(panel, 1, "Edit and send again").click()
        expect(panel.root).to_contain_text("Editing prompt 2 of 5")
        expect(panel.field).to_have_value("2")
        panel.send("two")
        expect(panel.reply(1)).to_have_text("two", timeout=WAIT)
        expect(panel.turns).to_have_count(2)
        assert requested(endpoint)[-1] == ["1", "1", "two"]
        expect(panel.turn(1).get_by_role("group", name="Version 2 of 2")).to_be_visible()
        panel.ask("three", 3)

        # back, by the keyboard: all four turns return, and the focus stays on the switcher
        tool(panel, 1, "Previous version").press("Enter")
        expect(panel.turns).to_have_count(5, timeout=WAIT)
        expect(panel.status).to_have_text("version 1 of 2")
        expect(panel.turn(1).get_by_role("group", name="Version 1 of 2")).to_be_visible()
        expect(tool(panel, 1, "Next version")).to_be_focused()
        expect(panel.reply(4)).to_have_text("5")
        panel.ask("6", 6)
        assert requested(endpoint)[-1][::2] == ["1", "2", "3", "4", "5", "6"]

        # and forth, as it was
        tool(panel, 1, "Next version").press("Enter")
        expect(panel.turns).to_have_count(3, timeout=WAIT)
        expect(panel.reply(2)).to_have_text("three")

        # a page that is reloaded knows the versions, and only the shown one is exported
        assert app == "notebook7" or notebook.errors == []  # which has errors of its own
        notebook.save()
        notebook.reload()
        expect(panel.turn(1).get_by_role("group", name="Version 2 of 2")).to_be_visible(timeout=WAIT)
        with notebook.page.expect_download() as download:
            panel.menu("Export as Markdown")
        text = Path(download.value.path()).read_text(encoding="utf-8")
        assert ["three" in text, "5" in text] == [True, False]


def test_turns_are_deleted_and_every_change_is_undone(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, endpoint) as (_, panel):
        ask_all(panel, "1", "2", "3")
        panel.turn(1).hover()
        tool(panel, 1, "Delete the turn").click()
        expect(panel.turns).to_have_count(2, timeout=WAIT)
        expect(panel.status).to_have_text("deleted; Undo in the menu brings it back")
        expect(panel.field).to_be_focused()
        panel.ask("4", 3)
        assert requested(endpoint)[-1][::2] == ["1", "3", "4"]
        panel.menu("Undo")
        expect(panel.turns).to_have_count(2, timeout=WAIT)
        expect(panel.field).to_have_value("4")
        panel.menu("Undo")
        expect(panel.turns).to_have_count(3, timeout=WAIT)
        expect(panel.status).to_have_text("the turn is back")

        # regenerate
        panel.turn(0).hover()
        tool(panel, 0, "Regenerate the reply").click()
        expect(panel.turn(0).get_by_role("group", name="Version 2 of 2")).to_be_visible(timeout=WAIT)
        expect(panel.turns).to_have_count(1)
        panel.menu("Undo")
        expect(panel.turns).to_have_count(3, timeout=WAIT)

        # clear
        panel.menu("Clear…")
        panel.button("Clear").click()
        expect(panel.turns).to_have_count(0, timeout=WAIT)
        panel.menu("Undo")
        expect(panel.turns).to_have_count(3, timeout=WAIT)
        expect(panel.status).to_have_text("3 turns are back")


@pytest.mark.parametrize("app", ["lab", "notebook7"])
def test_escape_stops_a_reply_and_prompts_wait_for_its_end(
    app: str, request: pytest.FixtureRequest, browser: Browser, endpoint: DemoServer
) -> None:
    server: JupyterServer = request.getfixturevalue(app)
    with open_panel(browser, server, endpoint) as (notebook, panel):
        panel.choose_model("demo-long")
        panel.send("one")
        expect(panel.reply(0)).not_to_be_empty(timeout=WAIT)
        expect(panel.root).to_contain_text("Enter to queue, Esc to stop the reply")
        panel.send("two")
        panel.send("three")
        expect(panel.turns).to_have_count(3, timeout=WAIT)
        expect(panel.turn(1)).to_contain_text("Queued: sent when the reply before it has ended.")
        tool(panel, 1, "Remove from the queue").click()
        expect(panel.turns).to_have_count(2, timeout=WAIT)
        panel.field.press("Escape")
        expect(panel.turn(0).locator(".jmuz-facts")).to_contain_text("interrupted", timeout=WAIT)
        expect(panel.status).to_have_text("stopped; the queued prompt is next")
        expect(panel.reply(1)).not_to_be_empty(timeout=WAIT)
        panel.log.press("Escape")
        expect(panel.turn(1).locator(".jmuz-facts")).to_contain_text("interrupted", timeout=WAIT)
        assert [asked[-1] for asked in requested(endpoint)] == ["one", "three"]
        expect(notebook.cell(1)).to_be_visible()


@pytest.mark.parametrize("theme", THEMES)
def test_branches_and_queued_prompts_have_no_serious_violation(
    theme: str, browser: Browser, lab: JupyterServer, endpoint: DemoServer, axe: Path
) -> None:
    lab.configure("apputils-extension/themes", theme=theme)
    with open_panel(browser, lab, endpoint) as (notebook, panel):
        expect(notebook.page.locator(f"body[data-jp-theme-name='{theme}']")).to_have_count(1)
        ask_all(panel, "1", "2")
        edit(panel, 0, "one")
        expect(panel.turn(0).get_by_role("group", name="Version 2 of 2")).to_be_visible(timeout=WAIT)
        panel.choose_model("demo-long")
        panel.send("long")
        panel.send("queued")
        expect(panel.turns).to_have_count(3, timeout=WAIT)
        assert violations(notebook.page, axe, ".jmuz-panel") == []
        tool(panel, 2, "Remove from the queue").click()
        panel.button("Stop").click()
        expect(panel.turn(1).locator(".jmuz-facts")).to_contain_text("interrupted", timeout=WAIT)
        panel.turn(0).hover()
        assert violations(notebook.page, axe, ".jmuz-panel") == []


def test_all_of_a_turn_is_reached_by_tab(browser: Browser, lab: JupyterServer, endpoint: DemoServer) -> None:
    with open_panel(browser, lab, endpoint) as (_, panel):
        ask_all(panel, "1", "2")
        edit(panel, 0, "one")
        expect(panel.turn(0).get_by_role("group", name="Version 2 of 2")).to_be_visible(timeout=WAIT)
        panel.log.focus()
        reached = []
        for _ in range(8):
            panel.page.keyboard.press("Tab")
            reached.append(panel.page.evaluate("document.activeElement.ariaLabel"))
        assert reached[:6] == [
            "Previous version",
            "Copy the reply",
            "Regenerate the reply",
            "Edit and send again",
            "Delete the turn",
            "Message",
        ]
