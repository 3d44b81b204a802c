"""`make soak`: a day's work in one real kernel, to see that nothing piles up. Not part of `make test`.

Twenty rounds of 25 cells (plain, conversations, background, code, errors, lists of models, two or three of them
interrupted), 100 messages to a chat panel and a reload of the extension: 500 cells, 50 interrupts, 20 reloads and
2,000 panel messages. After each round the kernel is idle and is measured. The bounds:

    threads, tasks on the bridge's loop, open files: no later round has more than the first five had at most
    objects of this package's classes that are alive: the median of the last five rounds is not above that, either
    resident memory: the median of the last five rounds is at most 4 MB above that of rounds 3 to 7

It runs in Python's development mode, which reports what is not closed or awaited: no warning may come of it.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from jmuz_magic.demo import DemoServer
from tests.kernel.kernel import Execution, Kernel, running_kernel

ROUNDS = 20
CELLS = 25  # of a round
PANEL_MESSAGES = 100  # of a round
WARM = 5  # rounds
MEMORY_KB = 4096

# From packages that are not ours, in development mode.
OTHERS = ("site-packages", "frozen modules", "Debugger warning")

MEASURE = """
def measured():
    import asyncio, contextlib, gc, os, sys, threading
    from collections import Counter
    from jmuz_magic.streaming.bridge import get_bridge

    def files():
        for number in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                name = os.readlink(f"/proc/self/fd/{number}")
                # IPython's; those of zmq, of which ipykernel keeps some for threads that have ended; the listing itself
                yield not ("history.sqlite" in name or "eventfd" in name or os.path.isdir(name))

    async def tasks():
        return len(asyncio.all_tasks()) - 1

    running = get_bridge().run(tasks())
    for name in ("last_exc", "last_traceback", "last_type", "last_value"):  # an error of the round, or none
        vars(sys).pop(name, None)
    gc.collect()
    kinds = [type(one) for one in gc.get_objects()]
    alive = Counter(kind.__qualname__ for kind in kinds if str(kind.__module__).startswith("jmuz_magic"))
    with open("/proc/self/status") as status:
        memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    return {
        "threads": threading.active_count(), "tasks": running, "files": sum(files()), "memory": memory,
        "alive": sum(alive.values()), "kinds": dict(alive),
    }
"""

KINDS = (
    "%%jmuz -m demo-echo\nhello {{{{counter}}}}",
    "%%jmuz -m demo-markdown\nshow me",
    "%%jmuz -m demo-adverts --no-stream\ngo",
    "%%jmuz -m demo-reasoning -u\ngo",
    "%%jmuz --chat=talk -m demo-echo\nturn {n}",
    "%%jmuz -x -m demo-echo\n```python\nx = {n}\n```",
    "%%jmuz job << --background -m demo-markdown\ngo",
    "job.result();",
    "%jmuz_models gpt",
    "%%jmuz --dry-run -m demo-echo\nnothing",
    "%jmuz_history talk",
)
FAILING = ("%%jmuz -m nope\nhi", "%%jmuz --nonsense\nhi", "%%jmuz -m demo-echo\n{{no_such_name}}")
PANEL = (
    {"op": "hello"},
    {"op": "set", "model": "demo-echo"},
    {"op": "ask", "text": "hello"},
    {"op": "resync", "known": {}},
    {"op": "models"},
    {"op": "regenerate"},
    {"op": "export", "format": "md"},
    {"op": "stop"},
    {"op": "undo"},
    {"op": "explode"},
)


class Measured(NamedTuple):
    threads: int
    tasks: int
    files: int
    memory: int
    alive: int
    kinds: dict[str, int]


class Soak:
    """One kernel and what is done to it."""

    def __init__(self, kernel: Kernel, slow: DemoServer) -> None:
        self._kernel = kernel
        self._slow = slow
        self.cells = self.interrupts = self.panel_messages = self.reloads = 0
        self.complaints: list[str] = []
        self.measured: list[Measured] = []

    def round(self, number: int) -> Measured:
        kinds, failing = itertools.cycle(KINDS), itertools.cycle(FAILING)
        for count in range(CELLS):
            if count in (4, 14) or (count == 24 and number % 2):
                self._interrupted()
            elif count % 8 == 7:
                self._cell(next(failing), "error")
            else:
                self._cell(next(kinds).format(n=count), "ok")
        self._panel()
        self._keep(self._kernel.run("%reload_ext jmuz_magic"))
        self.reloads += 1
        self.measured.append(Measured(**self._kernel.value("measured()")))
        return self.measured[-1]

    def _cell(self, code: str, status: str) -> None:
        self.cells += 1
        execution = self._kernel.execute(code)
        assert execution.status == status, execution.summary
        self._keep(execution)

    def _interrupted(self) -> None:
        self.cells += 1
        self.interrupts += 1
        before = self._slow.open_streams
        assert not before, "the stream of the interrupt before is closed"
        execution = self._kernel.submit("%%jmuz -p Slow -m demo-long\ngo")
        self._kernel.wait(execution, lambda: "Section 1" in execution.html, "the reply has begun")
        self._kernel.interrupt()
        self._kernel.finish(execution)
        assert execution.error, execution.summary
        assert execution.error["ename"] == "ReplyInterrupted", execution.summary
        self._kernel.wait(execution, lambda: not self._slow.open_streams, "the endpoint saw the close")
        self._keep(execution)

    def _panel(self) -> None:
        opened = self._kernel.run("%jmuz_chat\nfrom jmuz_magic.widgets.panel import _panels\n(panel,) = _panels")
        comm_id = self._kernel.value("panel.comm.comm_id")
        for count in range(PANEL_MESSAGES):
            content: dict[str, Any] = {**PANEL[count % len(PANEL)], "view": "v", "request": str(count)}
            if content["op"] == "regenerate":
                content["turn"] = self._kernel.value("panel._transcript.entries[-1].id")
            self._kernel.send_to_comm(comm_id, method="custom", content=content)
            self.panel_messages += 1
            if content["op"] in ("ask", "regenerate"):
                self._kernel.wait(opened, lambda: self._kernel.value("panel.conversation.running is None"), "it ended")
        answers = sum(message["op"] not in ("hello", "resync") for message in PANEL) * PANEL_MESSAGES // len(PANEL)
        self._kernel.wait(opened, lambda: self._answers(opened, comm_id) >= answers, f"{answers} answers came")
        self._kernel.run("del panel, _panels\nget_ipython().displayhook.flush()")
        self._keep(opened)

    def _answers(self, opened: Execution, comm_id: str) -> int:
        received = [*opened.messages, *self._kernel.orphans]
        sent = [one.content["data"] for one in received if one.type == "comm_msg" and one.content["comm_id"] == comm_id]
        return sum(data["method"] == "custom" and data["content"].get("type") == "answer" for data in sent)

    def _keep(self, execution: Execution) -> None:
        """Note what it complained of; forget the rest."""
        self.complaints += [line for line in execution.stderr.splitlines() if "Warning" in line]
        self._kernel.executions.clear()
        self._kernel.orphans.clear()


def main() -> int:
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fast = stack.enter_context(DemoServer(deltas_per_second=0))
        slow = stack.enter_context(DemoServer(deltas_per_second=100))
        log = stack.enter_context((folder / "stderr").open("w+"))
        kernel = stack.enter_context(running_kernel(folder, environment(folder, fast), stderr=log))
        soak = Soak(kernel, slow)
        prepare(kernel, slow)
        print("round cells threads tasks files alive memory/kB")
        for number in range(ROUNDS):
            now = soak.round(number)
            values = (number + 1, soak.cells, now.threads, now.tasks, now.files, now.alive, now.memory)
            print("{:5} {:5} {:7} {:5} {:5} {:5} {:9,}".format(*values))
        log.seek(0)
        complaints = soak.complaints + [line for line in log.read().splitlines() if line.strip()]
    problems = [*growth(soak.measured), *(line for line in complaints if not any(other in line for other in OTHERS))]
    print(
        f"{soak.cells} cells, {soak.interrupts} interrupts, {soak.reloads} reloads, {soak.panel_messages:,} panel "
        f"messages in {time.monotonic() - started:.0f} s"
    )
    print("\n".join(problems) or "nothing grows, and nothing complains")
    return bool(problems)


def environment(folder: Path, fast: DemoServer) -> dict[str, str]:
    home = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA", "STATE")}
    here = str(Path(__file__).resolve().parent.parent)
    return {
        **home,
        "HOME": str(folder),
        "JMUZ_API_BASE": fast.api_base,
        "PYTHONDEVMODE": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH")))),
    }


def prepare(kernel: Kernel, slow: DemoServer) -> None:
    kernel.run("import logging\nlogging.captureWarnings(False)\n%load_ext jmuz_magic")
    kernel.run(f"{MEASURE}\ncounter = 7")
    kernel.run(
        f"from jmuz_magic.providers import OpenaiTemplate\nclass Slow(OpenaiTemplate): api_base = {slow.api_base!r}"
    )


def growth(rounds: list[Measured]) -> Iterator[str]:
    """One line for each thing that there is more of."""
    early, late = rounds[:WARM], rounds[WARM:]
    for name in ("threads", "tasks", "files", "alive"):
        before = max(getattr(one, name) for one in early)
        values = [getattr(one, name) for one in late]
        after = statistics.median(values[-WARM:]) if name == "alive" else max(values)
        if after > before:
            yield f"{name}: {before} at most in the first {WARM} rounds, {after} after them"
            if name == "alive":
                yield from kinds(early, late)
    before, after = (statistics.median(one.memory for one in part) for part in (rounds[2:7], rounds[-5:]))
    if after - before > MEMORY_KB:
        yield f"memory: {before:,} kB in rounds 3 to 7, {after:,} kB in the last five"


def kinds(early: list[Measured], late: list[Measured]) -> Iterator[str]:
    for kind in late[-1].kinds:
        before, after = (max(one.kinds.get(kind, 0) for one in part) for part in (early, late))
        if after > before:
            yield f"    {kind}: {before} at most, then {after}"


if __name__ == "__main__":
    sys.exit(main())
