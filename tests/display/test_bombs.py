"""Texts made to be slow: time and memory stay in proportion to their length."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from markdown_it.rules_block import StateBlock

from jmuz_magic.display.html.markdown import Blocks, render_html
from tests.allow_list import problems
from tests.hostile import BOMBS, bomb

pytestmark = pytest.mark.threat(24)

MEGABYTE = 1_000_000
SECONDS_FOR_A_MEGABYTE = 120  # measured: 0.05 to 15
IN_THE_ISSUE = [
    "brackets",
    "stars",
    "quotes",
    "backticks",
    "nested lists in a line",
    "nested lists",
    "one line",
    "one fence",
]

STREAMED = """
import json, resource, sys, time
from jmuz_magic.display.views.live import HtmlView
from jmuz_magic.display.html.markdown import render_html
from jmuz_magic.messages import Reply
from tests.hostile import BOMBS, bomb

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

start, unit = BOMBS[sys.argv[1]]
text = start + bomb(unit, 1_000_000)
render_html("# warm\\n\\n```python\\nx = 1\\n```")
before, began, now, sent = peak(), time.process_time(), [0.0], []
view = HtmlView(publish=lambda *message: sent.append(len(str(message[0]))), clock=lambda: now[0])
for offset in range(0, len(text), 4000):
    view.append(text[offset : offset + 4000])
    view.tick()
    now[0] += 0.01
view.close(Reply(text))
print(json.dumps([time.process_time() - began, (peak() - before) / 1000, sum(sent) / 1e6]))
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", IN_THE_ISSUE)
def test_a_megabyte_streams_in_bounded_time_and_memory(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", STREAMED, name], check=True, capture_output=True, text=True)
    seconds, megabytes, sent_megabytes = json.loads(done.stdout)
    assert seconds < SECONDS_FOR_A_MEGABYTE
    assert megabytes < 200
    assert sent_megabytes < 200


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BOMBS)
def test_any_bomb_is_rendered_in_bounded_time(name: str) -> None:
    start, unit = BOMBS[name]
    size = MEGABYTE // 20
    began = time.process_time()
    html = render_html(start + bomb(unit, size))
    assert time.process_time() - began < SECONDS_FOR_A_MEGABYTE / 20
    assert len(html) < 20 * (size + len(start)) + 100
    assert problems(html) == []


@pytest.mark.parametrize(
    "unit", ["[", "*", "a [b", "`a", "x $y", "- a\n", "> a\n", "a\n\n", "\\[ a\n", "```py\nx = 1\n"]
)
def test_time_is_linear(unit: str) -> None:
    def seconds(size: int) -> float:
        began = time.process_time()
        render_html(bomb(unit, size))
        return time.process_time() - began

    seconds(1000)
    small = min(seconds(12_000 + attempt) for attempt in range(3))  # not the same text: highlighted code is cached
    # 4 times the text; quadratic would be 16 times the time, and the constant part hides what is fast anyway
    assert seconds(48_000) < 10 * small + 0.3


def test_feeding_costs_next_to_nothing() -> None:
    blocks, began = Blocks(), time.process_time()
    for _ in range(250_000):
        blocks.feed("abc\n")
    assert time.process_time() - began < 10


def test_reading_a_growing_block_reads_no_more_than_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    from jmuz_magic.display.html import splitter

    seen: list[int] = []
    whole = splitter._block_starts

    def noting(source: str, growing: bool) -> tuple[list[int], str]:
        seen.append(len(source))
        return whole(source, growing)

    monkeypatch.setattr(splitter, "_block_starts", noting)
    blocks = Blocks()
    for _ in range(30):
        blocks.feed("- item\n" * 1000)
        _ = blocks.committed
    assert max(seen) <= splitter._WINDOW
    assert len(blocks.committed) >= 2


@pytest.mark.parametrize("unit", ["\\[ a\n", "\\begin{align}\n", "$$ a\n", "\\[ a\n$$ b\n\\begin{gather}\n"])
def test_each_line_is_looked_at_a_few_times_for_the_end_of_a_formula(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jmuz_magic.display.html import maths

    looks = 0
    line_of = maths._line

    def counting(state: StateBlock, line: int) -> str:
        nonlocal looks
        looks += 1
        return line_of(state, line)

    monkeypatch.setattr(maths, "_line", counting)
    text = unit * 1500
    render_html(text)
    assert looks < 30 * text.count("\n")
