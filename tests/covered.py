"""`make coverage`: which lines and branches of `jmuz_magic/` the tests reach, kernels and other children included.

Runs the suite without browsers, which show the same Python code to eyes of another kind, and prints what is not
reached; `tests/README.md` says of each such part why. Arguments go to pytest instead of the usual ones.
"""

from __future__ import annotations

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
        return coverage("report")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
