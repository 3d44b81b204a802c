"""What the panel lets into the page: formulas whose converter slipped, and saved state that somebody edited."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from ipywidgets import Widget
from playwright.sync_api import Browser, Locator, Page, expect

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.display.html.markdown import render_html
from jmuz_magic.widgets.front_end import joined
from jmuz_magic.widgets.panel import ChatPanel
from tests.browser.jupyter import JupyterServer, open_notebook, throw_away_home
from tests.browser.panel_page import WAIT
from tests.formulas import formulas
from tests.replies import beacon, reply_endpoint

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.threat(1, 7)]

RUN = "window.jmuzRan=1"
SHOW = """
from jmuz_magic import ChatPanel, Conversation
conversation = Conversation(name="formulas")
ChatPanel(conversation)
"""
OPERATORS = {
    "matrix": r"$$\begin{matrix}x\operatorname{<iframe/onload=window.jmuzRan=1>}\end{matrix}$$",
    "image": r"$$\begin{matrix}x\operatorname{<img/src=//HOST/operator.png>}\end{matrix}$$",
    "cases": r"$$\begin{cases}\operatorname{<svg/onload=window.jmuzRan=1>}&1\end{cases}$$",
    "inline": r"so $\begin{pmatrix}\operatorname*{<video/src=//HOST/operator.webm>}\end{pmatrix}$ is",
    "align": "\\begin{align}\na&=\\operatorname{<embed/src=//HOST/embed>}\n\\end{align}",
}
NAMES = {
    "label": "\\begin{align}\nx\\label{jmuzNamed}\n\\end{align}",
    "two labels": "\\begin{align}\nx\\label{jmuzNamed}\\\\\ny\\label{location}\n\\end{align}",
    "reference": r"$\eqref{jmuzNamed}$",
    "reference in text": r"$$\begin{gather}\text{see }\eqref{x}\end{gather}$$",
}
PLACED = (
    ".jmuz-markdown :is(iframe, img, svg:not(.jmuz-code-tools svg), video, embed, script, style, a[href^='#'], [id])"
)


@contextlib.contextmanager
def panel_with(browser: Browser, lab: JupyterServer, replies: dict[str, str]) -> Iterator[tuple[Page, Locator]]:
    """A live panel that shows these replies; then once more after the page was loaded again."""
    models = {f"m{index}": text for index, text in enumerate(replies.values())}
    with reply_endpoint(models, delta_chars=400) as api_base:
        ask = f"for model in {list(models)!r}:\n    conversation.ask('x', model=model)"
        name = f"placing-{len(list(lab.root.iterdir()))}.ipynb"
        lab.write(name, f"%load_ext jmuz_magic\n%jmuz_use --api-base {api_base}", SHOW, ask)
        with open_notebook(browser, lab, name) as notebook:
            for index in range(3):
                notebook.run(index)
            panel = notebook.page.locator(".jmuz-panel")
            expect(panel.locator(".jmuz-foot:visible")).to_have_count(len(models), timeout=WAIT)
            yield notebook.page, panel
            assert notebook.strangers == []
            notebook.save()
            notebook.reload()
            expect(panel.locator(".jmuz-foot:visible")).to_have_count(len(models), timeout=WAIT)
            notebook.page.wait_for_load_state("networkidle")
            assert panel.locator(PLACED).count() == 0
            assert notebook.page.evaluate("() => window.jmuzRan") is None
            assert notebook.strangers == []


@pytest.mark.finding("D1")
def test_an_operator_that_is_a_tag_runs_nothing(lab: JupyterServer, browser: Browser) -> None:
    with beacon() as (address, heard):
        replies = {name: text.replace("HOST", address.partition("//")[2]) for name, text in OPERATORS.items()}
        with panel_with(browser, lab, replies) as (page, panel):
            page.wait_for_load_state("networkidle")
            assert page.evaluate("() => window.jmuzRan") is None
            assert panel.locator(PLACED).count() == 0
            expect(panel).to_contain_text("operatorname{<iframe/onload")
        assert heard == []


@pytest.mark.finding("D2")
def test_labels_and_references_name_and_link_nothing(lab: JupyterServer, browser: Browser) -> None:
    with panel_with(browser, lab, NAMES) as (page, panel):
        assert panel.locator("math").count() >= 2
        assert panel.locator(PLACED).count() == 0
        assert page.evaluate("() => typeof window.jmuzNamed") == "undefined"


def hostile_transcript(address: str) -> dict[str, Any]:
    """A saved transcript in which everything that is HTML or an address attacks."""
    host = address.partition("//")[2]
    drawing = base64.b64encode(f"<svg xmlns='http://www.w3.org/2000/svg' onload='{RUN}'/>".encode()).decode()
    parts = [
        f"<img src=x onerror={RUN}>",
        f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe><script>{RUN}</script><svg onload={RUN}></svg>",
        f"<p id=jmuzNamed onclick={RUN}>kept <b>text</b></p><form action=//{host}/form><button>go</button></form>",
        f"<a href='javascript:{RUN}' data-commandlinker-command='apputils:run-all-enabled'>link</a>",
        f"<math><mtext><a href='javascript:{RUN}'>x</a></mtext></math>",
        f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}></style></table></mtext></math>",
        f"<div class='jmuz-drawer jp-Dialog' style='position:fixed;background:url(//{host}/style)'>over all</div>",
        f"<style>body {{ background: url(//{host}/sheet) }}</style><link rel=stylesheet href=//{host}/link>",
        f"<details open ontoggle={RUN}><summary>x</summary></details><video src=//{host}/video autoplay></video>",
    ]
    images = [
        {"label": "elsewhere", "data": f"{address}/picture.png"},
        {"label": "drawing", "data": f"data:image/svg+xml;base64,{drawing}"},
        {"label": "page", "data": f"data:text/html,<script>{RUN}</script>"},
        {"label": "pixel", "data": "data:image/gif;base64,R0lGODlhAQABAAAAACw="},
    ]
    turn = {
        "id": "turn-1", "from": 0, "prompt": "question", "images": images, "state": "complete", "ended": True,
        "parts": [["text", part] for part in parts] + [["reasoning", parts[0]]],
        "open": {"reasoning": parts[0], "text": parts[1]},
        "note": "", "error": "", "source": "", "facts": ["fact"],
    }  # fmt: skip
    return {"type": "turns", "sequence": 7, "version": 1, "order": ["turn-1"], "versions": {}, "turns": [turn]}


def saved_widget(widget: Widget) -> dict[str, Any]:
    state = json.loads(json.dumps(widget.get_state()))
    model = {f"model_{key}": state[f"_model_{key}"] for key in ("name", "module", "module_version")}
    return {**model, "state": state}


def write_saved_panel(path: Path, transcript: dict[str, Any]) -> None:
    """A notebook as a front end saves it with the state of its widgets, the panel's transcript exchanged."""
    panel = ChatPanel(Conversation(name="saved"))
    state = {widget.model_id: saved_widget(widget) for widget in (panel, panel.layout)}
    state[panel.model_id]["state"]["transcript"] = transcript
    view = {"version_major": 2, "version_minor": 0, "model_id": panel.model_id}
    data = {"application/vnd.jupyter.widget-view+json": view, "text/plain": "panel"}
    panel.close()
    cell = nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("display_data", data)], execution_count=1)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    saved = {"version_major": 2, "version_minor": 0, "state": state}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": saved}
    nbformat.write(notebook, path)


@pytest.mark.finding("D6")
def test_saved_state_that_was_edited_runs_nothing_in_a_trusted_notebook(lab: JupyterServer, browser: Browser) -> None:
    path = lab.root / "edited.ipynb"
    with beacon() as (address, heard):
        write_saved_panel(path, hostile_transcript(address))
        home = throw_away_home(lab.root.parent)
        subprocess.run([sys.executable, "-m", "jupyter", "trust", str(path)], check=True, env=home)
        with open_notebook(browser, lab, path.name) as notebook:
            panel = notebook.page.locator(".jmuz-panel")
            expect(panel.locator(".jmuz-markdown").last).to_contain_text("kept text", timeout=WAIT)
            notebook.page.wait_for_load_state("networkidle")
            assert notebook.page.evaluate("() => window.jmuzRan") is None
            assert panel.locator(PLACED).count() == 0
            assert (
                panel.locator(".jmuz-markdown :is(form, button:not(.jmuz-code-tools *), link, [onclick])").count() == 0
            )
            assert [image.get_attribute("alt") for image in panel.locator("img").all()] == ["pixel"]
            assert panel.locator(".jmuz-markdown [style*=fixed], .jmuz-markdown .jmuz-drawer").count() == 0
            assert notebook.strangers == []
        assert heard == []


IMPORT = """
async source => {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  window.widgets = await import(address);
}
"""


@pytest.fixture
def blank(browser: Browser) -> Iterator[Page]:
    """A page that has nothing but the module that places HTML, as `widgets`."""
    page = browser.new_page()
    page.evaluate(IMPORT, joined("safe_html")[0])
    yield page
    page.close()


ALL = """
## כותרת

שלום `a()` עולם

- אחד

  ```py
  x
  ```

> ציטוט

| א | b |
|---|:--|
| 1 | x<br>y |

# Heading with `code` and **bold**, *em*, ~~gone~~

1. one
2. two [link](https://a.example/x "title") <https://b.example> www

7. seven

> quote

| a | b | c |
|:--|:-:|--:|
| 1 | $x$ | `3` |

- [ ] task

```python
def f(x): return "y"  # z
```

***

$$\\begin{align}a&=b\\label{x}\\\\c&=d\\tag{2}\\end{align}$$ and $\\color{red}{\\text{a \\textbf{b} \\textsc{c}}}$
line\\
break ![image](https://c.example/i.png) mailto:x [m](mailto:a@b.example)
"""
SAME = """
htmls => htmls.filter(html => {
  const placed = widgets.place(document.createElement("div"), html);
  const whole = new DOMParser().parseFromString("<body><div>" + html + "</div>", "text/html").body.firstChild;
  return !placed.isEqualNode(whole);
})
"""


def test_the_browsers_list_holds_all_that_the_kernel_writes(blank: Page) -> None:
    some = [render_html(formula, "mathml") for formula in formulas(seed=3, count=2000)]
    htmls = [render_html(ALL, "mathml"), *(html for html in some if "<math" in html)]
    assert blank.evaluate(SAME, htmls) == []


def test_the_browser_lets_nothing_else_in(blank: Page) -> None:
    htmls = [part for _, part in hostile_transcript("http://a.example")["turns"][0]["parts"]]
    placed = blank.evaluate(
        "htmls => htmls.map(html => widgets.place(document.createElement('p'), html).innerHTML)", htmls
    )
    assert placed[0] == ""
    assert placed[2] == "<p>kept <b>text</b></p>go"
    assert placed[3] == '<a rel="noopener noreferrer nofollow">link</a>'
    assert placed[6] == "<div>over all</div>"
    assert blank.evaluate("() => window.jmuzRan") is None
