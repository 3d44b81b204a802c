"""What a chunk costs: CPU time of the client, from the socket to text."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.clients import CLIENTS, Bare, Client, Ours, OursPlain, available
from benchmarks.table import Budget, Section, interval

__all__ = ["cpu_section"]

NOTE = """\
CPU time (user and system) of the client's process, in µs per chunk of 4 characters, events of about 280 bytes; the
endpoint is another process. `16 KiB`: the body comes in HTTP chunks of that size, as proxies send it. `an event a
write`: each event is an HTTP chunk and a `send` of its own, as fast as it goes, so that a read brings what has come.
`an event a read`: the same at {slow} events/s ({fast} where there are 50,000), so that each event wakes the client,
which then costs more than all the rest: `aiohttp, nothing read` is the least that anything on aiohttp can take.
Medians of {rounds} rounds, the clients in turn in each; `ratio` is jmuz_magic's through `Jmuz` (with the cleaner), and
through `OpenaiTemplate` (without), to `aiohttp + json`, of each round. Budget: 0.7."""
RATIO = 0.7
SLOW, FAST = 1000, 5000
BRINGS = {"pieces": "16 KiB", "events": "an event a write"}


@dataclass(frozen=True)
class Case:
    """One row."""

    payload: str
    count: int
    reads: str
    rounds: int

    @property
    def path(self) -> str:
        pace = self.reads if self.reads in BRINGS else str(SLOW if self.count < 10_000 else FAST)
        return f"{self.payload}/{self.count}/{pace}"

    def __str__(self) -> str:
        return f"{self.payload}, {self.count // 1000}k, {BRINGS.get(self.reads, 'an event a read')}"


def cases(full: bool) -> list[Case]:
    rounds = 15 if full else 9
    rows = [Case(payload, 2000, reads, rounds) for reads in BRINGS for payload in ("plain", "escaped", "obfuscation")]
    rows += [Case("plain", 50_000, reads, 3) for reads in BRINGS]
    rows += [Case("plain", 2000, "waking", 5 if full else 3)]
    if full:
        rows += [Case(payload, 50_000, reads, 3) for reads in BRINGS for payload in ("escaped", "obfuscation")]
        rows += [Case(payload, 2000, "waking", 3) for payload in ("escaped", "obfuscation")]
        rows += [Case("plain", 50_000, "waking", 3)]
    return rows


def cpu_section(base: str, full: bool) -> Section:
    """Measure; takes about a minute and a half, and 15 minutes if `full`."""
    clients = list(available(*CLIENTS))
    rounds = " to ".join(str(pick(case.rounds for case in cases(full))) for pick in (min, max))
    columns = ("payload, chunks, reads", *(client.name for client in clients), "ratio (Jmuz)", "ratio (OpenaiTemplate)")
    section = Section("CPU per chunk", NOTE.format(slow=SLOW, fast=FAST, rounds=rounds), columns)
    for client in clients:
        client.read(f"{base}/plain/20/pieces")
    gc.collect()
    gc.freeze()  # what one client imports must not make the garbage collection of another slower
    for case in cases(full):
        measure(section, clients, base, case)
    gc.unfreeze()
    for client in clients:
        client.close()
    return section


def measure(section: Section, clients: Sequence[Client], base: str, case: Case) -> None:
    taken: dict[str, list[float]] = {client.name: [] for client in clients}
    for _ in range(case.rounds):
        for client in clients:
            gc.collect()
            before = time.process_time()
            client.read(f"{base}/{case.path}")
            taken[client.name].append((time.process_time() - before) / case.count * 1e6)
    medians = [f"{statistics.median(taken[client.name]):.2f}" for client in clients]
    ratios = [
        [ours / bare for ours, bare in zip(taken[kind.name], taken[Bare.name], strict=True)]
        for kind in (Ours, OursPlain)
    ]
    section.add(str(case), *medians, *map(interval, ratios))
    section.budgets.append(
        Budget(f"CPU per chunk, {case}: Jmuz to aiohttp + json", RATIO, statistics.median(ratios[0]))
    )
