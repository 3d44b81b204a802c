"""What `benchmarks.compare` runs for each sample, with whichever jmuz_magic is importable: its values as JSON.

python -m benchmarks.sample ADDRESS
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time

from benchmarks.clients import Ours, OursPlain

CASES = [f"{payload}/2000/{reads}" for payload in ("plain", "escaped", "obfuscation") for reads in ("pieces", "events")]
PATH = "plain/5/pieces"


def main() -> None:
    base = sys.argv[1]
    start = time.perf_counter()
    client = Ours()
    made = time.perf_counter() - start
    values = {"ttft of a new process, ms": (made + client.first(f"{base}/{PATH}")) * 1e3}
    values["ttft warm, ms"] = statistics.median(client.first(f"{base}/{PATH}") for _ in range(100)) * 1e3
    client.close()
    for each in (Ours(), OursPlain()):
        for case in CASES:
            each.read(f"{base}/{case}")
            values[f"cpu, {each.provider}, {case}, µs"] = min(cpu(each, f"{base}/{case}") for _ in range(5))
        each.close()
    print(json.dumps(values))


def cpu(client: Ours, address: str) -> float:
    gc.collect()
    before = time.process_time()
    client.read(address)
    return (time.process_time() - before) / 2000 * 1e6


if __name__ == "__main__":
    main()
