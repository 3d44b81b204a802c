"""A growing reply in a real JupyterLab: what it costs the wire, the kernel and the browser.

Each row streams the same text in deltas of 4 characters at a fixed rate, from a cell, into a view: `jmuz_magic`'s
(`live`), or the obvious one that updates a Markdown display with the whole text at every delta (`naive`).
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_client.blocking.client import BlockingKernelClient
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from benchmarks.table import Budget, Section
from tests.browser.conftest import FLAGS
from tests.browser.jupyter import JupyterServer, NotebookPage, open_notebook, running_jupyter

__all__ = [
    "DISPLAYS",
    "MARK",
    "PATIENCE",
    "Wire",
    "browser_cpu",
    "connection_file",
    "display_section",
    "listening",
    "wait_for_paint",
]

NOTE = """\
`iopub` counts what the kernel sends for the cell, as frames on its socket. Kernel CPU is the cell's own process time.
Browser CPU is the page's main thread (CDP, thread ticks), from the start until the last character is painted.
A gap is the time between two display messages. `unfinished`: not painted {patience:.0f} s after the last delta.
That nothing jumps or flickers is no figure but a test (`tests/browser/test_reply.py`)."""
COLUMNS = ("reply", "deltas/s", "view", "messages", "iopub kB", "kernel CPU s", "browser CPU s", "longest gap s",
           "last delta to paint ms", "outputs")  # fmt: skip
PATIENCE = 60.0
MARK = "THE-END-MARK"
DISPLAYS = (b'"display_data"', b'"update_display_data"')

SETUP = f"""
import time
from IPython.display import display
from jmuz_magic.demo.scripts import long_text
from jmuz_magic.display.views.make import make_view
from jmuz_magic.messages import Reply

def text_of(kilobytes):
    text = long_text()
    return text[: text.rindex("## ", 0, kilobytes * 1000)] + "{MARK}\\n"

class Naive:
    def __init__(self):
        self.text, self.handle = "", display(display_id=True)
    def append(self, delta):
        self.text += delta
        self.handle.update({{"text/markdown": self.text, "text/plain": self.text}}, raw=True)
    def tick(self): pass
    def close(self, reply): pass

def stream(kind, kilobytes, per_second):
    text = text_of(kilobytes)
    cpu, start = time.process_time(), time.monotonic()
    view = make_view("html", shell=get_ipython()) if kind == "live" else Naive()
    for index, offset in enumerate(range(0, len(text), 4)):
        time.sleep(max(0.0, start + index / per_second - time.monotonic()))
        view.append(text[offset : offset + 4])
        view.tick()
    last = time.time()
    view.close(Reply(text, finish_reason="stop"))
    print("MEASURED", last, time.process_time() - cpu)
"""

WATCH = """(mark) => {
    window.paintedAt = 0;
    const look = () => {
        const areas = document.querySelectorAll('.jp-CodeCell')[1].querySelectorAll('.jp-OutputArea-output');
        for (const area of Array.from(areas).slice(-3)) {
            if (!window.paintedAt && area.textContent.includes(mark)) {
                requestAnimationFrame(() => { window.paintedAt = performance.timeOrigin + performance.now(); });
                return;
            }
        }
        setTimeout(look, 10);
    };
    look();
}"""


@dataclass(frozen=True)
class Case:
    """One row: a view, the size of the reply, its speed."""

    kind: str
    kilobytes: int
    per_second: int


@dataclass
class Wire:
    """Display messages as they passed on the kernel's iopub socket."""

    bytes: int = 0
    times: list[float] = field(default_factory=list)

    @property
    def longest_gap(self) -> float:
        return max((later - earlier for earlier, later in zip(self.times, self.times[1:], strict=False)), default=0.0)


@dataclass(frozen=True)
class Measured:
    """What a row shows; times in seconds, None where the end was not painted in time."""

    wire: Wire
    kernel_cpu: float | None
    browser_cpu: float
    to_paint: float | None
    outputs: int | None = None

    def cells(self, case: Case) -> Sequence[str]:
        return (
            f"{case.kilobytes} kB",
            str(case.per_second),
            case.kind,
            str(len(self.wire.times)),
            f"{self.wire.bytes / 1000:,.0f}",
            "" if self.kernel_cpu is None else f"{self.kernel_cpu:.2f}",
            f"{self.browser_cpu:.1f}",
            f"{self.wire.longest_gap:.2f}",
            "unfinished" if self.to_paint is None else f"{self.to_paint * 1000:.0f}",
            "" if self.outputs is None else str(self.outputs),
        )


@contextlib.contextmanager
def listening(connection_file: Path, kinds: Sequence[bytes] = DISPLAYS) -> Iterator[Wire]:
    """Listen for messages of these types beside the Jupyter server, which may drop some when they are many."""
    client = BlockingKernelClient(connection_file=str(connection_file))
    client.load_connection_file()
    client.start_channels(shell=False, stdin=False, hb=False, control=False)
    socket, wire, ended = client.iopub_channel.socket, Wire(), threading.Event()
    assert socket is not None

    def listen() -> None:
        while not ended.is_set():
            if socket.poll(50):
                frames = socket.recv_multipart()
                if any(kind in frames[3] for kind in kinds):
                    wire.bytes += sum(map(len, frames))
                    wire.times.append(time.monotonic())

    thread = threading.Thread(target=listen)
    thread.start()
    time.sleep(0.3)  # a subscription takes effect some time after it was made; nothing tells when
    try:
        yield wire
    finally:
        ended.set()
        thread.join()
        client.stop_channels()


def connection_file(server: JupyterServer, name: str) -> Path:
    kernel = next(session["kernel"]["id"] for session in server.get("/api/sessions") if session["path"] == name)
    return server.runtime / f"kernel-{kernel}.json"


def browser_cpu(session: CDPSession) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def wait_for_paint(page: Page, patience: float) -> float | None:
    """When the mark was painted, in seconds since the epoch; None if it was not in time."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        painted = page.evaluate("() => window.paintedAt")
        if painted:
            return float(painted) / 1000
        page.wait_for_timeout(200)
    return None


def measured(notebook: NotebookPage) -> tuple[float, float]:
    """The time of the last delta, and the kernel's CPU seconds, as the cell printed them."""
    line = notebook.cell(1).locator("text=MEASURED").last
    line.wait_for(timeout=300_000)
    words = line.inner_text().split()
    return float(words[-2]), float(words[-1])


def run_case(browser: Browser, server: JupyterServer, case: Case) -> Measured:
    name = f"{case.kind}-{case.kilobytes}-{case.per_second}.ipynb"
    server.write(name, SETUP, f"stream({case.kind!r}, {case.kilobytes}, {case.per_second})")
    duration = case.kilobytes * 250 / case.per_second
    with open_notebook(browser, server, name) as notebook:
        notebook.run(0)
        session = notebook.page.context.new_cdp_session(notebook.page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        notebook.page.evaluate(WATCH, MARK)
        with listening(connection_file(server, name)) as wire:
            before = browser_cpu(session)
            notebook.start(1)
            notebook.page.wait_for_timeout(duration * 1000 * 0.9)
            painted = wait_for_paint(notebook.page, duration * 0.1 + PATIENCE)
            cpu = browser_cpu(session) - before
            if painted is None:
                return Measured(wire, None, cpu, None)
            last, kernel_cpu = measured(notebook)
        outputs = notebook.outputs(1).count() - 1  # but for the line that it printed
        return Measured(wire, kernel_cpu, cpu, max(0.0, painted - last), outputs)


def budgets(measured: Mapping[Case, Measured]) -> Iterator[Budget]:
    """What the rows of our own view say of the promises."""
    steady, fast, long = (measured[Case("live", *case)] for case in ((20, 100), (20, 1000), (100, 1000)))
    yield Budget("Cell, 20 kB at 100 deltas/s: bytes on iopub", 2.3, steady.wire.bytes / 1e6, "MB")
    yield Budget("Cell, 20 kB at 100 deltas/s: between two updates", 0.5, steady.wire.longest_gap, "s")
    yield Budget("Cell, 20 kB at 100 deltas/s: browser CPU", 11, steady.browser_cpu, "s")
    yield Budget("Cell, 100 kB to 20 kB: bytes on iopub", 6, long.wire.bytes / fast.wire.bytes)
    ours = [each.to_paint for case, each in measured.items() if case.kind == "live"]
    slowest = max((each * 1000 for each in ours if each is not None), default=None)
    yield Budget(
        "Cell, last delta to paint, the slowest row", 100, None if None in ours else slowest, "ms", "unfinished"
    )


def cases(full: bool) -> list[Case]:
    quick = [("live", 4, 100), ("naive", 4, 100), ("live", 4, 1000), ("naive", 4, 1000), ("live", 20, 1000),
             ("naive", 20, 1000), ("live", 100, 1000), ("live", 20, 100)]  # fmt: skip
    slow = [("naive", 20, 100), ("live", 100, 100)] if full else []
    return [Case(*case) for case in (*quick, *slow)]


def display_section(chromium: str, full: bool) -> Section:
    """Measure; `full` adds the rows that take minutes each.

    The naive view is not tried with 100 kB: it would send 1.3 GB.
    """
    section = Section("A growing reply in JupyterLab", NOTE.format(patience=PATIENCE), COLUMNS)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        with running_jupyter(Path(folder)) as server:
            measured = {}
            for case in cases(full):
                measured[case] = run_case(browser, server, case)
                section.add(*measured[case].cells(case))
        browser.close()
    section.budgets.extend(budgets(measured))
    return section
