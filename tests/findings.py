"""`make findings`: what was found from outside, shown by tests that fail in an older version and pass now.

    python -m tests.findings [--base REVISION] [--only A1 D3 …]

The tests marked `finding` run twice: in this tree, and in a tree of the older revision with the tests of this one.
One line for each finding and test function says what became of it, a last line what does not hold. A finding is
proved by a test of which at least one case fails there and all pass here.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent
BASE = "a587915"  # the last commit of version 0.1, on which the findings were made
CONFIGURATION = "findings.toml"
SECONDS = 3600


class Tally(NamedTuple):
    """How many cases of one test function there are, and how many passed and were skipped."""

    cases: int = 0
    passed: int = 0
    skipped: int = 0


Results = Mapping[tuple[str, str], Tally]
"""By finding and test function."""


def main(arguments: Sequence[str]) -> int:
    """Run both, print the table, return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.findings")
    parser.add_argument("--base", default=BASE, help="a revision")
    parser.add_argument("--only", nargs="+", default=[], metavar="FINDING")
    options = parser.parse_args(arguments)
    now = run(ROOT, options.only)
    with tempfile.TemporaryDirectory() as folder:
        lay_out(options.base, Path(folder))
        before = run(Path(folder), options.only)
    problems = []
    for key in sorted(now.keys() | before.keys(), key=order):
        line, holds = compared(key, before.get(key, Tally()), now.get(key, Tally()))
        print(line)
        problems += [] if holds else [line]
    proved = {finding for finding, _ in now}
    print(f"{len(proved)} findings have tests; {len(problems)} lines do not hold")
    return bool(problems)


def order(key: tuple[str, str]) -> tuple[str, int, str]:
    finding, test = key
    return finding[0], int(finding[1:]), test


def compared(key: tuple[str, str], before: Tally, now: Tally) -> tuple[str, bool]:
    """The line of one test, and whether it shows what it should."""
    finding, test = key
    holds = now.passed == now.cases > 0 and before.passed + before.skipped < before.cases
    then = f"{before.cases - before.passed - before.skipped} of {before.cases} fail" if before.cases else "cannot run"
    here = f"{now.passed} of {now.cases} pass" if now.cases else "cannot run"
    skipped = f", {now.skipped} skipped" if now.skipped else ""
    return f"{finding:4} {'ok  ' if holds else 'FAIL'} before: {then}; now: {here}{skipped}  {test}", holds


def lay_out(base: str, folder: Path) -> None:
    """The tree of the revision, with the tests of today and their configuration."""
    archive = subprocess.run(["git", "archive", base], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    shutil.rmtree(folder / "tests")
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"), symlinks=True)
    shutil.copy(ROOT / "pyproject.toml", folder / CONFIGURATION)


def run(tree: Path, only: Sequence[str]) -> Results:
    """Run the marked tests of a tree with the package of that tree."""
    configuration = CONFIGURATION if (tree / CONFIGURATION).exists() else "pyproject.toml"
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        workers = os.environ.get("JMUZ_TEST_WORKERS", "2")
        command = [sys.executable, "-m", "pytest", "-m", "finding", "-q", "-p", "no:cacheprovider", "--tb=no"]
        command += [f"--finding={name}" for name in only]
        command += ["-c", configuration, f"--rootdir={tree}", f"--junitxml={report}", f"--numprocesses={workers}"]
        environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([*command, "--dist=loadfile", "tests"], cwd=tree, env=environment, timeout=SECONDS, check=False)
        return read(report)


def read(report: Path) -> Results:
    """The outcomes in pytest's report, by finding and test function."""
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for case in ET.parse(report).iter("testcase"):
        failed = case.find("failure") is not None or case.find("error") is not None
        skipped = case.find("skipped") is not None
        test = f"{case.get('classname', '')}::{case.get('name', '').partition('[')[0]}"
        for each in case.iter("property"):
            if each.get("name") == "finding":
                key = (str(each.get("value")), test)
                cases, passed, left = tallies[key]
                tallies[key] = Tally(cases + 1, passed + (not failed and not skipped), left + skipped)
    return tallies


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
