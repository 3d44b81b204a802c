"""`make coverage`: which lines and branches of `jmuz_magic/` the tests reach, kernels and other children included.

Runs the suite without browsers, which show the same Python code to eyes of another kind, and prints what is not
reached; `tests/README.md` says of each such part why. Arguments go to pytest instead of the usual ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

__all__: list[str] = []

ROOT = Path(__file__).resolve().parent.parent
USUAL = ("--numprocesses=2", "--dist=loadfile", "-m", "not browser and not conformance", "--timeout=600")


def main(arguments: Sequence[str]) -> int:
    """Measure and report; the exit status is that of the report, for a slow run may fail a test that bounds time."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "COVERAGE_FILE": str(Path(folder, "data"))}

        def coverage(*words: str) -> int:
            return subprocess.run([sys.executable, "-m", "coverage", *words], cwd=ROOT, env=environment).returncode

        if coverage("run", "-m", "pytest", "-q", "-p", "no:cacheprovider", *(arguments or USUAL)):
            print("some tests failed while they were measured; see above")
        coverage("combine", "--quiet")
        totals = Path(folder, "totals.json")
        coverage("json", "--quiet", "-o", str(totals))
        status = coverage("report")
        print(shares(json.loads(totals.read_text(encoding="utf-8"))["totals"]))
        return status


def shares(totals: dict[str, int]) -> str:
    """How much is reached of lines and of branches; the table adds them up."""
    lines = totals["covered_lines"] / totals["num_statements"]
    branches = totals["covered_branches"] / totals["num_branches"]
    return f"reached: {lines:.1%} of the lines, {branches:.1%} of the branches"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
