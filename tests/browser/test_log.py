"""The log and recordings behind a real front end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.jupyter import JupyterServer, open_notebook
from tests.replies import reply_endpoint

pytestmark = pytest.mark.browser

LONG = "".join(f"\n## Part {number}\n\n{'A sentence of this part. ' * 10}\n" for number in range(1, 31))


@pytest.fixture(scope="module")
def replies() -> Iterator[str]:
    with reply_endpoint({"long": LONG, "short": "So it is."}, deltas_per_second=400) as api_base:
        yield api_base


def set_up(api_base: str, log: Path) -> str:
    return f"%load_ext jmuz_magic\n%jmuz_use --api-base {api_base}\n%config JmuzMagics.log = {str(log)!r}"


def test_the_log_shows_the_whole_reply_after_a_page_reload(
    replies: str, lab: JupyterServer, browser: Browser, tmp_path: Path
) -> None:
    cells = [
        set_up(replies, tmp_path / "log.sqlite3"),
        "%%jmuz -m long\nGo on",
        "_jmuz.text[-10:]",
        "%jmuz_log --show=last",
    ]
    lab.write("lost.ipynb", *cells)
    with open_notebook(browser, lab, "lost.ipynb") as notebook:
        notebook.run(0)
        cell = notebook.start(1)
        expect(cell.locator("h4").nth(1)).to_be_attached()
        notebook.page.reload()
        notebook.wait_until_ready()
        notebook.run(2)  # waits for the end of the reply
        shown = notebook.run(3)
        expect(shown.locator("h4")).to_have_count(30)
        expect(shown.locator("h4").last).to_have_text("Part 30")
        expect(shown.locator(".jmuz-footer")).not_to_contain_text(re.compile("incomplete|cut|stopped|interrupted"))


def test_a_cell_that_is_run_again_gets_the_recorded_reply(
    replies: str, lab: JupyterServer, browser: Browser, tmp_path: Path
) -> None:
    recording = tmp_path / "chat.jmuz.jsonl"
    cells = [set_up(replies, tmp_path / "log.sqlite3") + f"\n%jmuz_record {recording}"]
    cells += ["%%jmuz -m short\nIs it so?"] * 2
    lab.write("again.ipynb", *cells)
    with open_notebook(browser, lab, "again.ipynb") as notebook:
        notebook.run(0)
        for index in (1, 2, 1, 2, 2):
            expect(notebook.run(index)).to_contain_text("So it is.")
        saved = notebook.save()
    assert [cell["outputs"][-1]["metadata"]["jmuz"].get("replayed") for cell in saved["cells"][1:3]] == [True, True]
    assert len(recording.read_text().splitlines()) == 2
