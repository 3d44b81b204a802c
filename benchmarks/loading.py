"""What it takes to begin: what is installed, what `%load_ext` costs, how long the first cell takes; and for peers."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.kernels import running_kernel
from benchmarks.table import Budget, Section, interval
from jmuz_magic.demo import DemoServer

__all__ = ["loading_section"]

NOTE = """\
Each in a virtual environment of its own (`.venv-peers/`, kept) with ipykernel and ipywidgets, and what the row names;
size and number of distributions over these two, without byte code. Kernels are real and new, {rounds} of each after one
that wrote the byte code. CPU of `%load_ext` is of the whole process until the magic returns, `afterwards` what its
threads use in the second behind it (aiohttp is imported). `first cell` is a prompt to the demo endpoint from the
submission of the cell until the kernel is idle, a second after loading. litellm is told not to look for its price list
on the network. Budgets: 50 ms, 18 distributions."""
COLUMNS = ("", "version", "distributions", "MB", "CPU of `%load_ext`, ms", "afterwards, ms", "first cell, ms")
ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".venv-peers"
BASE = ("ipykernel", "ipywidgets")
LIMIT, MOST = 50.0, 18
LOAD = """
import time
started = time.process_time()
get_ipython().run_line_magic("load_ext", {module!r})
loaded = time.process_time()
"""


@dataclass(frozen=True)
class Peer:
    """A package of magics.

    Attributes:
        requirement: what pip is told.
        module: what `%load_ext` is told.
        cells: to run before the first prompt, and that prompt; `{base}` is the endpoint. Empty: it cannot ask it.
    """

    name: str
    requirement: str
    module: str
    cells: Sequence[str] = ()
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return PEERS / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"


OURS = Peer("jmuz_magic", str(ROOT), "jmuz_magic", ("%jmuz_use --api-base {base}", "%%jmuz -m gpt-4o\nhello"))
OTHERS = (
    # Its providers for OpenAI-compatible endpoints are in a further distribution: no first cell.
    Peer("jupyter_ai_magics", "jupyter_ai_magics", "jupyter_ai_magics"),
    Peer(
        "jupyter-ai-magic-commands", "jupyter-ai-magic-commands", "jupyter_ai_magic_commands",
        ("%%ai openai/gpt-4o --api-base {base} --api-key-name OPENAI_API_KEY\nhello",),
        {"OPENAI_API_KEY": "none", "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    ),
)  # fmt: skip


def loading_section(full: bool) -> Section:
    """Measure; takes about a minute once everything is installed."""
    rounds = 7 if full else 3
    section = Section("To begin with", NOTE.format(rounds=rounds), COLUMNS)
    base = Peer("base", "", "")
    failure = install(base)
    before = weigh(base) if failure is None else None
    for peer in (OURS, *OTHERS):
        failure = failure or install(peer)
        if failure or before is None:
            section.add(peer.name, f"not had: {failure}", *[""] * (len(COLUMNS) - 2))
            failure = None
            continue
        add_row(section, peer, before, rounds)
    return section


def add_row(section: Section, peer: Peer, before: tuple[int, float], rounds: int) -> None:
    count, size = weigh(peer)
    times = [begin(peer) for _ in range(rounds + 1)][1:]
    load, after, first = zip(*times, strict=True)
    cells = interval(first, 0) if peer.cells else "needs more"
    distributions = count - before[0]
    section.add(
        peer.name, version(peer), str(distributions), f"{size - before[1]:.0f}",
        interval(load, 0), interval(after, 0), cells,
    )  # fmt: skip
    if peer is OURS:
        section.budgets.append(Budget("`%load_ext jmuz_magic`, CPU", LIMIT, statistics.median(load), "ms"))
        section.budgets.append(Budget("Distributions over ipykernel and ipywidgets", MOST, distributions))


def install(peer: Peer) -> str | None:
    """Make the environment if it is not there; why it could not be made."""
    ready = peer.folder / ".ready"
    if ready.exists() and peer is not OURS:
        return None
    if not ready.exists():
        print(f"installing {peer.requirement or 'ipykernel'} into {peer.folder.name} ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(peer.folder)], check=True)
    requirements = [*BASE, *([peer.requirement] if peer.requirement else [])]
    command = [str(peer.python), "-m", "pip", "--disable-pip-version-check", "-qq", "install", *requirements]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return next(iter(done.stderr.strip().splitlines()[-1:]), "pip failed")[:100].replace("|", " ")
    ready.touch()
    return None


def site_packages(peer: Peer) -> Path:
    return next((peer.folder / "lib").glob("python*/site-packages"))


def weigh(peer: Peer) -> tuple[int, float]:
    """The number of distributions, and their size in MB."""
    folder = site_packages(peer)
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return len(list(folder.glob("*.dist-info"))), sum(path.stat().st_size for path in files) / 1e6


def version(peer: Peer) -> str:
    program = f"from importlib.metadata import version; print(version({peer.name!r}))"
    return subprocess.run([peer.python, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def begin(peer: Peer) -> tuple[float, float, float]:
    """One new kernel: CPU of loading, CPU in the second behind it, time of the first prompt, in ms."""
    with DemoServer(deltas_per_second=0) as endpoint, running_kernel(peer.python, **peer.variables) as kernel:
        kernel.run(LOAD.format(module=peer.module))
        kernel.run("time.sleep(1)")
        load = kernel.value("(loaded - started) * 1e3")
        after = kernel.value("(time.process_time() - loaded) * 1e3")
        took = 0.0
        for cell in peer.cells:
            execution = kernel.submit(cell.format(base=endpoint.api_base))
            kernel.finish(execution)
            assert execution.status == "ok", execution.text
            took = execution.messages[-1].at - execution.messages[0].at
        return load, after, took * 1e3
