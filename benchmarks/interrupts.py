"""From the user's interrupt to an idle kernel."""

from __future__ import annotations

import random
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.endpoint import running_endpoint
from benchmarks.kernels import running_kernel
from benchmarks.table import Budget, Section, interval
from tests.kernel.kernel import Execution, Kernel

__all__ = ["interrupts_section"]

NOTE = """\
Milliseconds from the interrupt to the kernel's word that it is idle, as a front end receives it, in a real kernel;
{rounds} interrupts each. `streaming`: some text has come, at 150 deltas/s; `waiting`: the endpoint has the question and
says nothing. A cell that only sleeps is the least. `lines` is what of the error a front end shows. Budget: 100 ms."""
COLUMNS = ("cell", "to idle kernel, ms", "lines")
LIMIT = 100.0
PEER = """
import openai
client = openai.OpenAI(base_url={base!r}, api_key="none", max_retries=0)
for chunk in client.chat.completions.create(model="any", messages=[{{"role": "user", "content": "go"}}], stream=True):
    print(chunk.choices[0].delta.content, end="", flush=True)
"""


def interrupts_section(full: bool) -> Section:
    """Measure; takes about half a minute."""
    rounds = 20 if full else 7
    section = Section("Interrupts", NOTE.format(rounds=rounds), COLUMNS)
    with running_endpoint() as base, silent_endpoint() as silent, running_kernel(Path(sys.executable)) as kernel:
        kernel.run("import time\n%load_ext jmuz_magic")
        stream = f"{base}/plain/3000/150"
        ours = "%jmuz_use --api-base {}"
        measure(section, kernel, "`time.sleep(60)`", "time.sleep(60)", pause, rounds)
        kernel.run(ours.format(stream))
        measure(section, kernel, "`%%jmuz`, streaming", "%%jmuz -m any\ngo", has_text, rounds, budget=True)
        kernel.run(ours.format(silent))
        measure(section, kernel, "`%%jmuz`, waiting", "%%jmuz -m any\ngo", pause, rounds, budget=True)
        measure(section, kernel, "openai-python, streaming", PEER.format(base=stream), has_text, rounds)
        measure(section, kernel, "openai-python, waiting", PEER.format(base=silent), pause, rounds)
    return section


@contextmanager
def silent_endpoint() -> Iterator[str]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def pause(kernel: Kernel, execution: Execution) -> None:
    kernel.settle(0.4)


def has_text(kernel: Kernel, execution: Execution) -> None:
    kernel.wait(execution, lambda: "abc" in execution.html + execution.text, "there is text")


def measure(
    section: Section, kernel: Kernel, name: str, code: str, until: Callable[[Kernel, Execution], None],
    rounds: int, *, budget: bool = False,
) -> None:  # fmt: skip
    taken = []
    for _ in range(rounds + 1):
        execution = kernel.submit(code)
        until(kernel, execution)
        time.sleep(random.uniform(0, 0.1))
        start = time.monotonic()
        kernel.interrupt()
        kernel.finish(execution)
        taken.append((execution.messages[-1].at - start) * 1e3)
    error = execution.error
    lines = len("\n".join(error["traceback"]).splitlines()) if error else 0
    section.add(name, interval(taken[1:], 1), str(lines))
    if budget:
        section.budgets.append(Budget(f"Interrupt to idle kernel, {name}", LIMIT, statistics.median(taken[1:]), "ms"))
