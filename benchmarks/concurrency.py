"""Many streams at once in one process: how late the first text comes, how much passes, what memory it takes."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks.clients import CLIENTS, AsyncClient, Bare, HttpxSse, Openai, Ours, available
from benchmarks.table import Budget, Section, interval

__all__ = ["concurrency_section"]

NOTE = """\
All questions are asked at once, each on a connection of its own, in a new process for each figure that has answered one
question before; {rounds} rounds, the clients in turn. `p99 of first text`: {paced} events each, {pace} a second, so
that 1000 streams offer {offered:,} a second. `chunks/s`: {flood} events each, sent as fast as the client takes them.
`memory` is what the peak of the process's resident memory rose by, the higher of the two runs. `ratio` is the p99 to
that of `aiohttp + json` in the same round; budget: 1.3 at 1000 streams."""
COLUMNS = ("streams", "client", "p99 of first text, ms", "ratio", "CPU µs per chunk", "chunks/s", "memory, MB")
KINDS: tuple[type[AsyncClient], ...] = (Bare, Ours, HttpxSse, Openai)
STREAMS = (1, 100, 1000)
PACED, PACE, FLOOD = 20, 10, 200
LIMIT = 1.3
PATIENCE = 300.0


def concurrency_section(base: str, full: bool) -> Section:
    """Measure; takes about two minutes."""
    rounds = 5 if full else 3
    note = NOTE.format(rounds=rounds, paced=PACED, pace=PACE, flood=FLOOD, offered=1000 * PACE)
    section = Section("Streams at once", note, COLUMNS)
    names = []
    for client in available(*KINDS):
        names.append(client.name)
        client.close()
    for streams in STREAMS:
        paced: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        flood: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                paced[name].append(run(name, f"{base}/plain/{PACED}/{PACE}", streams))
                flood[name].append(run(name, f"{base}/plain/{FLOOD}/pieces", streams))
        for name in names:
            add_row(section, streams, name, paced, flood)
    return section


def add_row(
    section: Section, streams: int, name: str, paced: dict[str, list[Any]], flood: dict[str, list[Any]]
) -> None:
    ratios = [own["p99"] / bare["p99"] for own, bare in zip(paced[name], paced[Bare.name], strict=True)]
    memory = [max(one["memory"], other["memory"]) for one, other in zip(paced[name], flood[name], strict=True)]
    section.add(
        str(streams), name, interval((run["p99"] for run in paced[name]), 0), interval(ratios),
        interval((run["cpu"] for run in flood[name]), 1), interval((run["throughput"] for run in flood[name]), 0),
        interval(memory, 1),
    )  # fmt: skip
    if name == Ours.name and streams == max(STREAMS):
        section.budgets.append(
            Budget(f"p99 of first text, {streams} streams, to aiohttp + json", LIMIT, statistics.median(ratios))
        )


def run(name: str, base: str, streams: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.concurrency", name, base, str(streams)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


async def ask_all(client: AsyncClient, base: str, streams: int) -> tuple[list[float], int]:
    """When each stream's first text came, in seconds from the start; how many chunks there were in all."""
    start = time.perf_counter()

    async def ask() -> tuple[float, int]:
        at, chunks = 0.0, 0
        async for chunk in client.stream(base):
            at = at or time.perf_counter() - start
            chunks += isinstance(chunk, str)
        return at, chunks

    answers = await asyncio.gather(*(ask() for _ in range(streams)))
    return sorted(at for at, _ in answers), sum(chunks for _, chunks in answers)


def peak() -> float:
    """Of the resident memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def measure(client: AsyncClient, base: str, streams: int) -> dict[str, float]:
    client.run(ask_all(client, base.rsplit("/", 2)[0] + "/5/pieces", 1))
    memory, cpu, start = peak(), time.process_time(), time.perf_counter()
    firsts, chunks = client.run(ask_all(client, base, streams))
    seconds = time.perf_counter() - start
    return {
        "p99": firsts[min(len(firsts) - 1, len(firsts) * 99 // 100)] * 1e3,
        "throughput": chunks / seconds,
        "cpu": (time.process_time() - cpu) / chunks * 1e6,
        "memory": peak() - memory,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("base")
    parser.add_argument("streams", type=int)
    arguments = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    kind = next(kind for kind in CLIENTS if kind.name == arguments.name)
    client = kind()
    assert isinstance(client, AsyncClient)
    print(json.dumps(measure(client, arguments.base, arguments.streams)))
    client.close()


if __name__ == "__main__":
    main()
