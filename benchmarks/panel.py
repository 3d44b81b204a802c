"""A growing reply in the chat panel: what it costs the wire, the kernel and the browser.

A provider class in the kernel yields the text at a fixed rate, so that no network is in the figures; the prompt is
typed into the panel as a user does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.display import DISPLAYS, MARK, PATIENCE, Wire, browser_cpu, connection_file, listening, wait_for_paint
from benchmarks.table import Budget, Section
from tests.browser.conftest import FLAGS
from tests.browser.jupyter import JupyterServer, NotebookPage, open_notebook, running_jupyter

__all__ = ["panel_section"]

NOTE = """\
As above, for the chat panel: `iopub` counts its messages and the update of the static transcript at the end. Long tasks
are those of the page's main thread above 50 ms, with the longest; those after the last character is painted come from
the static transcript, which the front end typesets unseen. Browser CPU is that of both."""
COLUMNS = ("reply", "deltas/s", "messages", "iopub kB", "kernel CPU s", "browser CPU s", "long tasks while it grows",
           "long tasks after", "longest gap s", "last delta to paint ms")  # fmt: skip

SETUP = f"""
import asyncio, time
from jmuz_magic import ChatPanel, Conversation, OpenaiTemplate
from jmuz_magic.demo.scripts import long_text
from jmuz_magic.messages import FinishReason

measured = {{}}

def text_of(kilobytes):
    text = long_text()
    return text[: text.rindex("## ", 0, kilobytes * 1000)] + "{MARK}\\n"

class Steady(OpenaiTemplate):
    default_model = "steady"
    @classmethod
    async def create_async_generator(cls, model, messages, stream=True, **options):
        kilobytes, per_second = map(int, messages[-1]["content"].split())
        text, start = text_of(kilobytes), time.monotonic()
        measured["cpu"] = time.process_time()
        for index, offset in enumerate(range(0, len(text), 4)):
            await asyncio.sleep(max(0.0, start + index / per_second - time.monotonic()))
            yield text[offset : offset + 4]
        measured["last"] = time.time()
        yield FinishReason("stop")

ChatPanel(Conversation(api_base="http://127.0.0.1:9/v1", provider=Steady))
"""
MEASURED = "print('MEASURED', measured['last'], time.process_time() - measured['cpu'])"

WATCH = """(mark) => {
    window.paintedAt = 0;
    window.longTasks = [];
    new PerformanceObserver((list) => {
        for (const { startTime, duration } of list.getEntries()) {
            window.longTasks.push([performance.timeOrigin + startTime, duration]);
        }
    }).observe({ type: "longtask" });
    const look = () => {
        // Only the end is looked at: a look at everything would cost more with each part and be measured, too.
        const open = document.querySelector(".jmuz-answer > .jmuz-markdown")?.lastElementChild;
        const last = open?.previousElementSibling?.lastElementChild;
        if ([open, last, last?.previousElementSibling].some((part) => part?.textContent.includes(mark))) {
            requestAnimationFrame(() => { window.paintedAt = performance.timeOrigin + performance.now(); });
            return;
        }
        setTimeout(look, 10);
    };
    look();
}"""


@dataclass(frozen=True)
class Measured:
    """What a row shows; times in seconds, long tasks in milliseconds."""

    wire: Wire
    kernel_cpu: float
    browser_cpu: float
    growing: Sequence[float]
    after: Sequence[float]
    to_paint: float

    def cells(self, kilobytes: int, per_second: int) -> Sequence[str]:
        return (
            f"{kilobytes} kB",
            str(per_second),
            str(len(self.wire.times)),
            f"{self.wire.bytes / 1000:,.0f}",
            f"{self.kernel_cpu:.2f}",
            f"{self.browser_cpu:.1f}",
            _described(self.growing),
            _described(self.after),
            f"{self.wire.longest_gap:.2f}",
            f"{self.to_paint * 1000:.0f}",
        )


def long_tasks(page: Page, painted: float) -> tuple[list[float], list[float]]:
    """How long the tasks took that began before the end was painted, and those after it."""
    tasks: list[tuple[float, float]] = page.evaluate("() => window.longTasks")
    before = [duration for start, duration in tasks if start <= painted * 1000]
    after = [duration for start, duration in tasks if start > painted * 1000]
    return before, after


def _described(durations: Sequence[float]) -> str:
    return f"{len(durations)} (at most {max(durations):.0f} ms)" if durations else "0"


def run_case(browser: Browser, server: JupyterServer, kilobytes: int, per_second: int) -> Measured:
    name = f"panel-{kilobytes}-{per_second}.ipynb"
    server.write(name, SETUP, MEASURED)
    duration = kilobytes * 250 / per_second
    with open_notebook(browser, server, name) as notebook:
        notebook.run(0)
        page = notebook.page
        field = page.locator(".jmuz-panel .jmuz-composer textarea")
        field.fill(f"{kilobytes} {per_second}")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.evaluate(WATCH, MARK)
        with listening(connection_file(server, name), (*DISPLAYS, b'"comm_msg"')) as wire:
            before = browser_cpu(session)
            field.press("Enter")
            page.wait_for_timeout(duration * 1000 * 0.9)
            painted = wait_for_paint(page, duration * 0.1 + PATIENCE)
            page.wait_for_timeout(2000)  # what comes after the paint belongs to the reply, too
            cpu = browser_cpu(session) - before
        assert painted is not None, "the end of the reply was not painted"
        growing, after = long_tasks(page, painted)
        last, kernel_cpu = measured(notebook)
    return Measured(wire, kernel_cpu, cpu, growing, after, max(0.0, painted - last))


def budgets(rows: Mapping[tuple[int, int], Measured]) -> Iterator[Budget]:
    """What the rows say of the promises."""
    short, long = rows[20, 1000], rows[100, 1000]
    yield Budget("Panel, 100 kB to 20 kB: bytes on iopub", 6, long.wire.bytes / short.wire.bytes)
    yield Budget("Panel, 100 kB to 20 kB: browser CPU", 6, long.browser_cpu / short.browser_cpu)
    yield Budget("Panel, long tasks while a reply grows", 0, sum(len(row.growing) for row in rows.values()))
    yield Budget(
        "Panel, last delta to paint, the slowest row", 100, max(row.to_paint for row in rows.values()) * 1e3, "ms"
    )


def measured(notebook: NotebookPage) -> tuple[float, float]:
    """The time of the last delta, and the kernel's CPU seconds since the first."""
    words = notebook.run(1).locator("text=MEASURED").last.inner_text().split()
    return float(words[-2]), float(words[-1])


def cases(full: bool) -> list[tuple[int, int]]:
    return [(4, 1000), (20, 1000), (100, 1000), *([(20, 100), (100, 100)] if full else [])]


def panel_section(chromium: str, full: bool) -> Section:
    """Measure; `full` adds the rows that take minutes each."""
    section = Section("A growing reply in the chat panel", NOTE, COLUMNS)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        with running_jupyter(Path(folder)) as server:
            rows = {}
            for case in cases(full):
                rows[case] = run_case(browser, server, *case)
                section.add(*rows[case].cells(*case))
        browser.close()
    section.budgets.extend(budgets(rows))
    return section
