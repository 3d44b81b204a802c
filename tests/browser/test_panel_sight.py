"""What a panel sees of the notebook: typed expressions become values; what is pasted or dropped stays as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from jmuz_magic.demo import DemoServer
from tests.browser.jupyter import JupyterServer
from tests.browser.panel_page import WAIT, PanelPage, open_panel, requested
from tests.templates import TEMPLATES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

CLIPBOARD = ["clipboard-read", "clipboard-write"]
COUNTED = """
class Counted:
    def __init__(self):
        self.__dict__["reads"] = []
    def __getattr__(self, name):
        if not name.startswith("_"):
            self.reads.append(f".{name}")
        raise AttributeError(name)
    def __getitem__(self, key):
        self.reads.append(f"[{key!r}]")
        return [1, 2, 3]
df = cfg = d = user = items = config = x = a = b = Counted()
"""


@pytest.fixture
def endpoint() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=4000, keep_requests=1000) as server:
        yield server


def paste(page: Page, text: str) -> None:
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.keyboard.press("Control+V")


DROP = """
(root, files) => {
  const dataTransfer = new DataTransfer();
  for (const { name, type, text } of files) dataTransfer.items.add(new File([text], name, { type }));
  const fire = (type) =>
    root.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
  fire("dragover");
  const shown = getComputedStyle(root.querySelector(".jmuz-composer")).borderTopStyle;
  fire("drop");
  return shown;
}
"""
DROP_TEXT = """
field => {
  field.focus();
  field.dispatchEvent(new DragEvent("dragover", { bubbles: true, cancelable: true, dataTransfer: new DataTransfer() }));
  return document.execCommand("insertText", false, "{{df}}");
}
"""


def chips(panel: PanelPage) -> list[str]:
    return panel.root.locator(".jmuz-chips .jmuz-chip").all_inner_texts()


def test_typed_becomes_a_chip_and_a_value_pasted_stays_text(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, endpoint, COUNTED, "print(d.reads)", permissions=CLIPBOARD) as (notebook, panel):
        notebook.run(2)
        panel.choose_model("demo-echo")
        panel.field.click()
        values = panel.root.get_by_role("group", name="Values to send")
        panel.page.keyboard.type("Typed {{d['a']}} and {{d}}, pasted ")
        expect(panel.root.locator(".jmuz-chips .jmuz-chip")).to_have_count(2, timeout=WAIT)
        expect(values).to_contain_text("list, 3 elements", timeout=WAIT)
        expect(panel.root.locator(".jmuz-chips .jmuz-chip").nth(1)).to_contain_text("Counted", timeout=WAIT)
        panel.button("Send {{d}} as text").click()
        expect(panel.root.locator(".jmuz-chips .jmuz-chip")).to_have_count(1)
        expect(panel.field).to_be_focused()
        paste(panel.page, "{{d['a']}}")
        expect(panel.root.locator(".jmuz-chips .jmuz-chip")).to_have_count(1)
        panel.page.keyboard.press("Enter")
        panel.wait_for_end(1)
        assert requested(endpoint) == [["Typed [1, 2, 3] and {{d}}, pasted {{d['a']}}"]]
        said = panel.turn(0).locator(".jmuz-said")
        expect(said).to_contain_text("Typed {{d['a']}} and {{d}}, pasted {{d['a']}}")
        said.get_by_text("What was sent").click()
        expect(said.get_by_role("region", name="What was sent")).to_have_text(requested(endpoint)[0][0])
        notebook.run(3)
        expect(notebook.outputs(3)).to_contain_text(
            "[\"['a']\", \"['a']\", \"['a']\"]"
        )  # looked at, again at focus, sent

        # an edited turn keeps what was sent
        panel.turn(0).get_by_role("button", name="Edit and send again").click()
        expect(panel.field).to_have_value(requested(endpoint)[0][0])
        assert chips(panel) == []


def test_forty_pasted_templates_arrive_as_they_are_and_read_nothing(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, endpoint, COUNTED, "print(d.reads)", permissions=CLIPBOARD) as (notebook, panel):
        notebook.run(2)
        panel.choose_model("demo-echo")
        panel.field.click()
        for number, template in enumerate(TEMPLATES, 1):
            paste(panel.page, template)
            expect(panel.field).to_have_value(template)
            assert chips(panel) == []
            panel.page.keyboard.press("Enter")
            panel.wait_for_end(number)
        assert [messages[-1] for messages in requested(endpoint)] == list(TEMPLATES)
        notebook.run(3)
        expect(notebook.outputs(3)).to_have_text("[]")
        assert len(TEMPLATES) == 40


def test_files_are_dropped_and_a_cell_is_added_by_the_keyboard(
    browser: Browser, lab: JupyterServer, endpoint: DemoServer
) -> None:
    with open_panel(browser, lab, endpoint, "6 * 7", "df = 'a value'") as (notebook, panel):
        notebook.run(2)
        notebook.run(3)
        panel.choose_model("demo-echo")
        dropped = [
            {"name": "data.csv", "type": "text/csv", "text": "a,b\n1,{{df}}\n"},
            {"name": "b.zip", "type": "application/zip", "text": "PK\x03\x04"},
        ]
        assert panel.root.evaluate(DROP, dropped) == "dashed"
        expect(panel.root.locator(".jmuz-file")).to_have_text("data.csv13 bytes")
        expect(panel.status).to_have_text("b.zip: expected an image, a text or a PDF, got application/zip")
        expect(panel.field).to_be_focused()
        panel.page.keyboard.type("Why? ")

        # the cell, and a variable, by the keyboard
        panel.page.keyboard.press("Tab")
        expect(panel.button("Add a variable or a cell")).to_be_focused()
        panel.page.keyboard.press("Enter")
        expect(panel.root.get_by_role("menuitem").first).to_be_focused(timeout=WAIT)
        panel.page.keyboard.press("c")
        panel.page.keyboard.press("c")
        panel.page.keyboard.press("Enter")
        expect(panel.root.get_by_role("group", name="Cells to send")).to_contain_text("6 * 7")
        expect(panel.field).to_be_focused()
        panel.button("Add a variable or a cell").click()
        panel.root.get_by_role("menuitem", name="df str").click()
        expect(panel.field).to_have_value("Why? {{df}}")
        expect(panel.root.get_by_role("group", name="Values to send")).to_contain_text(
            "str, 7 characters", timeout=WAIT
        )
        panel.page.keyboard.press("Enter")
        panel.wait_for_end(1)
        (sent,) = requested(endpoint)[-1]
        assert sent.endswith("Why? a value\n\nFile data.csv:\n```text\na,b\n1,{{df}}\n\n```")
        assert "In [3]:\n```python\n6 * 7\n```\nOutput of [3]:\n```text\n42\n```" in sent
        expect(panel.turn(0).locator(".jmuz-said .jmuz-chip")).to_have_text("data.csv, 13 bytes")
        assert panel.status.inner_text() == ""

        # text that is dropped or put in by a script is not expanded
        panel.field.evaluate(DROP_TEXT)
        expect(panel.field).to_have_value("{{df}}")
        panel.field.press("Enter")
        panel.wait_for_end(2)
        assert requested(endpoint)[-1][-1] == "{{df}}"
