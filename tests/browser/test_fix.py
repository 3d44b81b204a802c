"""`%jmuz_fix` behind a real front end: the cell that it is in becomes the corrected one."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.jupyter import JupyterServer, open_notebook
from tests.replies import reply_endpoint

pytestmark = [pytest.mark.browser, pytest.mark.finding("C19")]

CORRECTED = "ran = ['corrected']\nlen(ran)"


def test_replace_leaves_the_corrected_cell_which_was_not_run(lab: JupyterServer, browser: Browser) -> None:
    with reply_endpoint({"fix": f"Because.\n\n```python\n{CORRECTED}\n```\n"}) as api_base:
        cells = [
            f"%load_ext jmuz_magic\n%jmuz_use --api-base {api_base} --model fix",
            "ran = []\n1 / len(ran)",
            "%jmuz_fix --replace",
            "print('ran is', ran)",
        ]
        lab.write("fix.ipynb", *cells)
        with open_notebook(browser, lab, "fix.ipynb") as notebook:
            notebook.run(0)
            notebook.run(1)
            shown = notebook.run(2)
            expect(shown.locator(".jmuz-diff")).to_contain_text("+len(ran)")
            colours = shown.locator(".jmuz-diff span").evaluate_all(
                "all => all.map(each => each.style.backgroundColor)"
            )
            assert len([colour for colour in colours if re.match("rgba", colour)]) == 4
            expect(notebook.run(3)).to_contain_text("ran is []")
            saved = notebook.save()
    sources = ["".join(cell["source"]) for cell in saved["cells"]]
    assert sources == [*cells[:2], CORRECTED, cells[3]]
