"""The time to the first text: of a client that is in use, of a new one, and of a new process."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.clients import CLIENTS, Bare, Client, HttpxSse, Openai, Ours, Socket, available
from benchmarks.table import Budget, Section, interval

__all__ = ["ttft_section"]

NOTE = """\
Milliseconds from the question to the first text in the caller's hands; the endpoint answers at once. `warm`: the client
and its connection are in use. `new client`: made anew in a process that has imported it, with a new connection.
`new process`: with everything that has to be imported, from a running interpreter that has imported asyncio and json.
Medians and spreads of {warm}, {new} and {cold} rounds, the clients in turn. `over raw socket` is the median of the
rounds' differences; budget: 1.5 ms."""
COLUMNS = ("client", "warm", "warm, p90", "over raw socket", "new client", "new process")
KINDS: tuple[type[Client], ...] = (Socket, Bare, Ours, HttpxSse, Openai)
PATH = "plain/5/pieces"
LIMIT = 1.5


def ttft_section(base: str, full: bool) -> Section:
    """Measure; takes about 20 s."""
    warm, new, cold = (500, 50, 9) if full else (200, 20, 3)
    clients = list(available(*KINDS))
    section = Section("Time to first text", NOTE.format(warm=warm, new=new, cold=cold), COLUMNS)
    times = warm_times(clients, base, warm)
    fresh = new_times([type(client) for client in clients], base, new)
    processes = process_times([client.name for client in clients], base, cold)
    for client in clients:
        values = times[client.name]
        over = [value - limit for value, limit in zip(values, times[Socket.name], strict=True)]
        median = statistics.median(over)
        p90 = statistics.quantiles(values, n=10)[-1]
        section.add(
            client.name, interval(values), f"{p90:.2f}", f"{median:.2f}",
            interval(fresh[client.name]), interval(processes[client.name], 0),
        )  # fmt: skip
        if isinstance(client, Ours):
            section.budgets.append(Budget("Warm time to first text over a raw socket", LIMIT, median, "ms"))
        client.close()
    return section


def warm_times(clients: Sequence[Client], base: str, rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {client.name: [] for client in clients}
    for client in clients:
        client.first(f"{base}/{PATH}")
    for _ in range(rounds):
        for client in clients:
            times[client.name].append(client.first(f"{base}/{PATH}") * 1e3)
    return times


def new_times(kinds: Sequence[type[Client]], base: str, rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {kind.name: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            times[kind.name].append(from_nothing(kind, base))
    return times


def process_times(names: Sequence[str], base: str, rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            command = [sys.executable, "-m", "benchmarks.ttft", name, base]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            times[name].append(json.loads(done.stdout))
    return times


def from_nothing(kind: type[Client], base: str) -> float:
    """Milliseconds with a client of its own, imports included where there is something to import."""
    start = time.perf_counter()
    client = kind()
    made = time.perf_counter() - start
    first = client.first(f"{base}/{PATH}")
    client.close()
    return (made + first) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("base")
    arguments = parser.parse_args()
    kind = next(kind for kind in CLIENTS if kind.name == arguments.name)
    print(json.dumps(from_nothing(kind, arguments.base)))


if __name__ == "__main__":
    main()
