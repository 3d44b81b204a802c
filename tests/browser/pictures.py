"""Pictures for looking at: a reply with everything that can be in one, and the chat panel.

python -m tests.browser.pictures [FOLDER]

They go into `screenshots/`, which git ignores, if no folder is given. The reply is shown in each theme, narrow,
untrusted and converted; `panel_pictures.py` lists what is shown of the panel.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.browser.conftest import FLAGS
from tests.browser.jupyter import JupyterServer, open_notebook, running_jupyter
from tests.browser.panel_pictures import photograph_panels
from tests.replies import reply_endpoint

__all__ = ["REPLY"]

NAME = "reply.ipynb"
THEMES = {
    "light": "JupyterLab Light",
    "dark": "JupyterLab Dark",
    "high-contrast": "JupyterLab Dark High Contrast",
}
REPLY = r"""<think>The user wants to **see everything**.

```python
draft = True
```
</think># Sorting a frame

Call `sort_values`, then *look* at the [result](https://example.org/sorting):

```python
def ordered(frame):
    return frame.sort_values(["city", "year", "population"], ascending=[True, False, False], ignore_index=True)
```

## What comes out

| city | year | population | inhabitants_per_square_kilometre | share_of_the_whole_country_in_percent | note |
|:-----|-----:|-----------:|---------------------------------:|--------------------------------------:|------|
| Oslo | 2024 |    717,710 |                            1,580 |                                  12.9 | a_long_word_that_cannot_be_broken |
| Bergen | 2024 |  291,940 |                              655 |                                   5.2 | short |

1. A list with code

   ```sh
   pip install pandas
   ```
2. and $e^{i\pi} + 1 = 0$ in a line.

$$p(x_1, x_2, \dots, x_n) = \prod_{k=1}^{n} \frac{1}{\sqrt{2\pi\sigma_k^2}} \exp\left(-\frac{(x_k - \mu_k)^2}{2\sigma_k^2}\right) + \sum_{j=1}^{m} \alpha_j \beta_j \gamma_j + \int_0^\infty e^{-t} t^{z-1} \mathrm{d}t + \oint_C f(z)\,\mathrm{d}z$$

> A quotation.
"""  # noqa: E501  # wide on purpose


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
    replies, panels = folder / "reply", folder / "panel"
    for each in (replies, panels):
        each.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        sync_playwright() as playwright,
        running_jupyter(Path(home)) as lab,
        reply_endpoint({"a-model": REPLY}) as api_base,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        photograph_replies(browser, lab, api_base, replies)
        photograph_panels(browser, lab, panels)
    for path in sorted((*replies.iterdir(), *panels.iterdir())):
        sys.stdout.write(f"{path}\n")


def photograph_replies(browser: Browser, lab: JupyterServer, api_base: str, folder: Path) -> None:
    run_once(browser, lab, api_base)
    for name, theme in THEMES.items():
        lab.configure("apputils-extension/themes", theme=theme)
        photograph(browser, lab, folder / f"{name}.png")
    lab.configure("apputils-extension/themes", theme=THEMES["light"])
    photograph(browser, lab, folder / "narrow.png", width=600)
    distrust(lab.root / NAME)
    photograph(browser, lab, folder / "untrusted.png")
    convert(browser, lab.root / NAME, folder)


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def run_once(browser: Browser, lab: JupyterServer, api_base: str) -> None:
    """Ask, and save the notebook with its reply."""
    lab.write(NAME, f"%load_ext jmuz_magic\n%jmuz_use --api-base {api_base}", "%%jmuz -m a-model\nShow me everything")
    saved = nbformat.read(lab.root / NAME, as_version=4)
    saved.cells.insert(1, nbformat.v4.new_markdown_cell("# The notebook's own heading\n\nand its text."))
    nbformat.write(saved, lab.root / NAME)
    with open_notebook(browser, lab, NAME) as notebook:
        notebook.run(0)
        notebook.run(1)
        notebook.save()


def photograph(browser: Browser, lab: JupyterServer, path: Path, *, width: int = 1280) -> None:
    """The notebook as it opens, with its reasoning unfolded."""
    with open_notebook(browser, lab, NAME, wait=False, viewport={"width": width, "height": 1500}) as notebook:
        if width < 1000:
            notebook.page.keyboard.press("Control+b")  # the file browser
        notebook.page.locator("mjx-container").nth(1).wait_for()
        notebook.page.locator("summary").click()
        notebook.page.wait_for_timeout(1000)
        notebook.page.screenshot(path=path)


def distrust(path: Path) -> None:
    saved = nbformat.read(path, as_version=4)
    saved.cells[0].source += "  # not the text that was signed"
    nbformat.write(saved, path)


def convert(browser: Browser, notebook: Path, folder: Path) -> None:
    """nbconvert's HTML on the screen, and as `--to webpdf` prints it."""
    html = (folder / "nbconvert.html").absolute()
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--output", str(html), str(notebook)]
    subprocess.run(command, check=True, capture_output=True)
    page = browser.new_page(viewport={"width": 1000, "height": 1300})
    page.route("**/*", only_files)
    page.goto(html.as_uri())
    page.screenshot(path=folder / "nbconvert.png", full_page=True)
    print_page(page, folder / "webpdf.pdf")
    page.close()


def print_page(page: Page, path: Path) -> None:
    page.emulate_media(media="print")
    page.pdf(path=path, print_background=True)
    if renderer := shutil.which("pdftoppm"):
        subprocess.run([renderer, "-png", "-r", "90", path, path.with_suffix("")], check=True)


def only_files(route: Route) -> None:
    """Its page wants scripts from elsewhere, which stay away here: formulas show their source."""
    if route.request.url.startswith(("file:", "data:")):
        route.continue_()
    else:
        route.abort()


if __name__ == "__main__":
    main()
