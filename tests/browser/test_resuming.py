"""A kernel restarts; the panel's cell runs again, and its conversation goes on by a click."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from jmuz_magic.demo import DemoServer
from tests.browser.jupyter import JupyterServer, NotebookPage, open_notebook
from tests.browser.panel_page import WAIT, PanelPage, requested, restart, shown
from tests.browser.test_accessibility import axe, violations  # noqa: F401  # a fixture
from tests.hostile import hostile_replies
from tests.replies import beacon, reply_endpoint

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

SETUP = "%load_ext jmuz_magic\n%config JmuzMagics.log = {log!r}\n%jmuz_use --api-base {address} -m demo-echo"


@pytest.fixture
def endpoint() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=0, keep_requests=100) as server:
        yield server


@pytest.fixture
def other() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=0, keep_requests=100) as server:
        yield server


Opened = Callable[..., contextlib.AbstractContextManager[tuple[NotebookPage, PanelPage]]]


@pytest.fixture
def opened(browser: Browser, lab: JupyterServer, tmp_path: Path) -> Opened:
    """Open a notebook with a panel; later cells choose another endpoint."""

    @contextlib.contextmanager
    def open_(name: str, address: str, *later: str) -> Iterator[tuple[NotebookPage, PanelPage]]:
        log = str(tmp_path / "log.sqlite3")
        (lab.root / name).parent.mkdir(exist_ok=True)
        use = [SETUP.format(log=log, address=each) for each in (address, *later)]
        lab.write(name, use[0], "%jmuz_chat", *use[1:])
        with open_notebook(browser, lab, name) as notebook:
            notebook.run(0)
            yield notebook, shown(notebook)
            assert notebook.strangers == []
            assert notebook.errors == []

    return open_


def test_the_model_gets_the_turns_that_were_shown(opened: Opened, endpoint: DemoServer) -> None:
    with opened("resumed.ipynb", endpoint.api_base) as (notebook, before):
        for number, prompt in enumerate(("one", "two", "three"), 1):
            before.ask(prompt, number)
        before.button("Conversation").click()
        before.root.get_by_role("menuitem").first.click()  # undo
        expect(before.turns).to_have_count(2, timeout=WAIT)

        panel = restart(notebook)
        expect(panel.turns).to_have_count(0)
        offer = panel.root.get_by_role("button", name="Resume 2 turns of 20")
        expect(panel.log).to_contain_text("The next prompt sends them to")
        expect(panel.log).to_contain_text(endpoint.api_base.removesuffix("/v1"))
        offer.focus()
        notebook.page.keyboard.press("Enter")
        expect(panel.turns).to_have_count(2, timeout=WAIT)
        expect(panel.status).to_contain_text("Resumed 2 turns of 20")
        assert len(requested(endpoint)) == 3
        panel.ask("four", 3)
        assert requested(endpoint)[-1] == ["one", "one", "two", "two", "four"]


def test_two_notebooks_of_one_name_do_not_mix(opened: Opened, endpoint: DemoServer) -> None:
    with opened("first/Untitled.ipynb", endpoint.api_base) as (notebook, before):
        before.ask("in the first", 1)
        with opened("second/Untitled.ipynb", endpoint.api_base) as (_, second):
            expect(second.log).to_contain_text("Ask something")
            expect(second.root.get_by_role("button", name="Resume")).to_have_count(0)
            second.ask("in the second", 1)
        panel = restart(notebook)
        panel.root.get_by_role("button", name="Resume 1 turn of").click()
        expect(panel.turn(0)).to_contain_text("in the first", timeout=WAIT)


def test_another_origin_is_asked_about(
    opened: Opened,
    endpoint: DemoServer,
    other: DemoServer,
    axe: Path,  # noqa: F811
) -> None:
    with opened("elsewhere.ipynb", endpoint.api_base, other.api_base) as (notebook, before):
        before.ask("one", 1)
        panel = restart(notebook, setup=2)
        resume = panel.root.get_by_role("button", name="Resume 1 turn of")
        question = panel.root.get_by_role("alertdialog")
        resume.click()
        expect(question).to_contain_text(endpoint.api_base.removesuffix("/v1"), timeout=WAIT)
        expect(question).to_contain_text(other.api_base.removesuffix("/v1"))
        assert violations(notebook.page, axe, ".jmuz-panel") == []
        notebook.page.keyboard.press("Escape")
        expect(question).to_be_hidden()
        expect(panel.turns).to_have_count(0)
        resume.click()
        panel.button("Send them there").click()
        expect(panel.turns).to_have_count(1, timeout=WAIT)
        assert requested(other) == []
        panel.ask("two", 2)
        assert requested(other) == [["one", "one", "two"]]


@pytest.mark.threat(1, 3, 4, 5, 7)
def test_hostile_turns_are_harmless_when_they_come_back(browser: Browser, lab: JupyterServer, tmp_path: Path) -> None:
    with beacon() as (address, heard):
        texts = dict(enumerate(hostile_replies(address).values()))
        with reply_endpoint({f"h{index}": text for index, text in texts.items()}, delta_chars=400) as api_base:
            asked = [(f"h{index}", text[:500]) for index, text in texts.items()]
            ask = (
                "from jmuz_magic import Conversation\nconversation = Conversation(name='main', max_messages=2)\n"
                f"for model, prompt in {asked!r}:\n    conversation.ask(prompt, model=model);"
            )
            setup = SETUP.format(log=str(tmp_path / "log.sqlite3"), address=api_base)
            lab.write("hostile.ipynb", f"{setup}\n{ask}", "%jmuz_chat", setup)
            with open_notebook(browser, lab, "hostile.ipynb") as notebook:
                notebook.run(0)
                panel = restart(notebook, setup=2)
                panel.root.get_by_role("button", name=f"Resume {len(asked)} turns of").click()
                expect(panel.turns).to_have_count(len(asked), timeout=WAIT)
                notebook.page.wait_for_timeout(500)
                assert notebook.page.evaluate("window.jmuzRan") is None
                assert notebook.strangers == []
                assert heard == []
