"""`%%jmuz --chat` cells that are run again in real front ends, beside a panel of the same conversation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from jmuz_magic.demo import DemoServer
from tests.browser.jupyter import JupyterServer
from tests.browser.panel_page import WAIT, open_panel, requested
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

CELLS = ("%%jmuz --chat -m demo-echo\nFirst cell", "%%jmuz --chat -m demo-echo\nSecond cell")


@pytest.fixture
def endpoint() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=0, keep_requests=1000) as server:
        yield server
        wait_until(lambda: server.open_streams == 0, "no stream of the demo endpoint is open any more")


@pytest.mark.parametrize("front_end", ["lab", "notebook7"])
def test_cells_run_again_take_their_places_in_the_panel(
    browser: Browser, front_end: str, endpoint: DemoServer, request: pytest.FixtureRequest
) -> None:
    server: JupyterServer = request.getfixturevalue(front_end)
    with open_panel(browser, server, endpoint, *CELLS) as (notebook, panel):
        notebook.run(2)
        panel.wait_for_end(1)
        panel.choose_model("demo-echo")
        panel.ask("From the panel", 2)
        notebook.run(3)
        panel.wait_for_end(3)
        for cell in (2, 3):
            notebook.run(cell)
        wait_until(lambda: len(requested(endpoint)) == 5, "both cells have asked again")
        assert requested(endpoint)[3] == ["First cell"]
        expected = ["First cell", "First cell", "From the panel", "From the panel", "Second cell"]
        assert requested(endpoint)[4] == expected
        expect(panel.turns).to_have_count(3, timeout=WAIT)
        for number, prompt in enumerate(("First cell", "From the panel", "Second cell")):
            expect(panel.turn(number)).to_contain_text(prompt)
        panel.menu("Undo")  # which brings the reply of the first run back
        expect(panel.turns).to_have_count(3)
