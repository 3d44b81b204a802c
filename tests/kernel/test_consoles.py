"""`jupyter console`: a front end in a terminal that ignores updates of what was displayed."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.text import clean_text

pytest.importorskip("jupyter_console", exc_type=ImportError)

pytestmark = [pytest.mark.kernel, pytest.mark.skipif(sys.platform == "win32", reason="pexpect needs a POSIX terminal")]

RunCell = Callable[[str], str]
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def console(demo_endpoint: DemoServer, tmp_path: Path) -> Iterator[RunCell]:
    """A console in a terminal of its own; called with a cell of one line, it returns what was printed."""
    environment = {**os.environ, "JMUZ_API_BASE": demo_endpoint.api_base, "TERM": "dumb"}
    command = ["-m", "jupyter_console", "--simple-prompt", "--no-confirm-exit"]
    child = pexpect.spawn(
        sys.executable, command, env=environment, cwd=str(tmp_path), encoding="utf-8", timeout=60, dimensions=(50, 300)
    )

    def run(cell: str) -> str:
        child.sendline(cell)
        child.expect_exact(cell)
        child.expect(r"\nIn \[\d+\]: ")
        return clean_text(COLOURS.sub("", child.before or "").replace("\r", ""))

    try:
        child.expect_exact("In [1]: ")
        run("%load_ext jmuz_magic")
        yield run
    finally:
        child.sendeof()
        child.expect(pexpect.EOF)
        child.close()


@pytest.mark.parametrize(
    "setting", ["text", *(pytest.param(name, marks=pytest.mark.finding("C5")) for name in ("auto", "html", "once"))]
)
def test_jupyter_console_shows_the_whole_reply_once(console: RunCell, setting: str) -> None:
    run = console
    run(f"%config JmuzMagics.display = '{setting}'")
    said, _, foot = run("%jmuz -m demo-echo it is so").strip().partition("\n")
    assert said == "it is so"
    has_foot = setting in ("text", "auto")  # else the console shows `text/plain`
    assert re.fullmatch(r"\[demo-echo · \d+ \+ \d+ tokens · [\d.]+ s\]" if has_foot else "", foot)
    markdown = run("%jmuz -m demo-markdown show me")
    assert markdown.count("# A tour of Markdown") == markdown.count("The end.") == 1


@pytest.mark.finding("C5")
def test_jupyter_console_shows_reasoning_as_such_and_the_foot(console: RunCell) -> None:
    shown = console("%jmuz -m demo-reasoning --max-tokens 60 riddle")
    assert shown.startswith("[reasoning]\n") or "\n[reasoning]\n" in shown
    assert "cut by length: --max-tokens N allows more]" in shown


@pytest.mark.finding("C5")
def test_jupyter_console_shows_a_reply_of_a_background_job(console: RunCell) -> None:
    shown = console("job = get_ipython().run_line_magic('jmuz', '-m demo-echo --background it is so')")
    shown += console("str(job.result()) == 'it is so'")
    shown += console("pass")
    assert shown.count("it is so") == 1
