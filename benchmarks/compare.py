"""`python -m benchmarks.compare REVISION`: is this tree slower than that revision?

Sections "cpu", "ttft" and "loading" for both packages, in turn, each sample in a process of its own: before, after,
and before once more in each round, so that the spread of "before" against itself stands beside the difference. A
median that is slower by more than 5 % and by more than that spread is a failure.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.endpoint import running_endpoint
from benchmarks.loading import Peer, begin

ROOT = Path(__file__).resolve().parent.parent
TOLERANCE = 0.05
Sample = dict[str, float]


class Tree(Peer):
    """A package that the running interpreter finds in a folder of its own."""

    @property
    def python(self) -> Path:
        return Path(sys.executable)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare")
    parser.add_argument("revision", help="what is compared with: a commit")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_endpoint() as base:
        before, after = lay_out(arguments.revision, Path(folder))
        samples: dict[str, list[Sample]] = defaultdict(list)
        for number in range(arguments.rounds + 1):
            for name, tree in (("before", before), ("after", after), ("again", before)):
                taken = sample(tree, base)
                if number:  # the first round writes the byte code
                    samples[name].append(taken)
            print(f"-- round {number} of {arguments.rounds}", file=sys.stderr, flush=True)
    return report(samples)


def lay_out(revision: str, folder: Path) -> tuple[Path, Path]:
    """Folders with the package of the revision and that of this tree; the benchmarks are this tree's in both."""
    before, after = folder / "before", folder / "after"
    for tree in (before, after):
        shutil.copytree(ROOT / "benchmarks", tree / "benchmarks", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "jmuz_magic", after / "jmuz_magic", ignore=shutil.ignore_patterns("__pycache__"))
    archive = subprocess.run(["git", "archive", revision, "jmuz_magic"], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", before], input=archive.stdout, check=True)
    return before, after


def sample(tree: Path, base: str) -> Sample:
    """One value of each kind, in µs per chunk or in ms."""
    command = [sys.executable, "-m", "benchmarks.sample", base]
    environment = os.environ | {"PYTHONPATH": f"{tree}{os.pathsep}{ROOT}", "PYTHONSAFEPATH": "1"}
    done = subprocess.run(command, env=environment, cwd=tree, capture_output=True, text=True, check=True)
    peer = Tree(tree.name, "", "jmuz_magic", ("%jmuz_use --api-base {base}", "%%jmuz -m gpt-4o\nhello"),
                {"PYTHONPATH": str(tree)})  # fmt: skip
    load, afterwards, first = begin(peer)
    values: Sample = json.loads(done.stdout)
    return values | {"load_ext, ms": load, "second after it, ms": afterwards, "first cell, ms": first}


def report(samples: dict[str, list[Sample]]) -> int:
    """A line for each kind of value; the number of those that became slower."""
    slower = 0
    for name in samples["before"][0]:
        before, after, again = ([each[name] for each in samples[kind]] for kind in ("before", "after", "again"))
        low = statistics.median([*before, *again])
        change = statistics.median(after) / low - 1
        spread = abs(statistics.median(before) - statistics.median(again)) / low
        bad = change > TOLERANCE and change > spread
        slower += bad
        print(f"{'SLOWER' if bad else 'ok':6} {name:45} {low:8.2f} -> {statistics.median(after):8.2f} {change:+6.1%}"
              f" (before against itself {spread:.1%})")  # fmt: skip
    return slower


if __name__ == "__main__":
    sys.exit(main())
