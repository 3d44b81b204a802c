"""`make test`: every gate and every test that this machine can run, then a list of what did not run.

With a marker as its argument, such as `conformance`, only the tests with that marker.
A failing step makes the whole fail, but the later steps still run. With JMUZ_REQUIRE_ALL=1 (as in CI) anything that
did not run is a failure too. JMUZ_TEST_WORKERS sets how many processes share the tests (default: one per core,
at most 4).

Only the standard library: this file starts the tools, it does not need them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent
NODE = ROOT / "tests" / "node"
BIN = Path(sys.executable).parent
TOOL_SECONDS = 600
PYTEST_SECONDS = 3600
MAX_WORKERS = 4  # each may run a kernel and a browser


@dataclass(frozen=True)
class Outcome:
    """What became of a step: done well or not, and what of it could not run here."""

    ok: bool
    missing: tuple[str, ...] = ()


Step: TypeAlias = Callable[[], Outcome]


def command(*arguments: str | Path, seconds: float = TOOL_SECONDS) -> Step:
    return lambda: Outcome(run(arguments, seconds))


def run(arguments: Sequence[str | Path], seconds: float = TOOL_SECONDS, **environment: str) -> bool:
    """Whether the command ended with status 0 in time; it shares our output."""
    try:
        done = subprocess.run(arguments, cwd=ROOT, timeout=seconds, env={**os.environ, **environment}, check=False)
    except subprocess.TimeoutExpired:
        print(f"not done after {seconds} s")
        return False
    return done.returncode == 0


def install_node_packages() -> Outcome:
    """Bring `tests/node/node_modules` up to its package.json; the stamp inside makes a second run free."""
    if not (shutil.which("node") and shutil.which("npm")):
        return Outcome(ok=True, missing=("npm packages: node and npm are not installed",))
    stamp = NODE / "node_modules" / ".installed"
    wanted = (NODE / "package.json").read_text(encoding="utf-8")
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return Outcome(ok=True)
    if not run(["npm", "install", "--prefix", NODE, "--loglevel=error", "--no-audit", "--no-fund"]):
        return Outcome(ok=True, missing=("npm packages: npm could not install tests/node/package.json",))
    stamp.write_text(wanted, encoding="utf-8")
    return Outcome(ok=True)


def lint_javascript() -> Outcome:
    eslint = NODE / "node_modules" / ".bin" / "eslint"
    if not eslint.exists():
        return Outcome(ok=True, missing=("eslint: not installed",))
    return Outcome(run([eslint, "--config", NODE / "eslint.config.mjs", "--max-warnings=0", "jmuz_magic"]))


def run_pytest(marker: str = "") -> Outcome:
    """Every test, or those with the marker."""
    workers = os.environ.get("JMUZ_TEST_WORKERS") or min(os.cpu_count() or 1, MAX_WORKERS)
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "did_not_run"
        arguments = [sys.executable, "-m", "pytest", f"--numprocesses={workers}", "--dist=loadfile", "--durations=10"]
        arguments += ["-m", marker] if marker else []
        ok = run(arguments, PYTEST_SECONDS, JMUZ_DID_NOT_RUN=str(listed))
        missing = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    return Outcome(ok, tuple(missing))


STEPS: dict[str, Step] = {
    "ruff check": command(BIN / "ruff", "check", "--quiet"),
    "ruff format": command(BIN / "ruff", "format", "--check", "--quiet"),
    "mypy --strict": command(BIN / "mypy", "--no-error-summary"),
    "lint-imports": command(BIN / "lint-imports", "--no-logo"),
    "npm install": install_node_packages,
    "eslint": lint_javascript,
    "pytest": run_pytest,
}


def main(markers: Sequence[str] = ()) -> int:
    """Run all steps, or what the tests with these markers need, print the summary, return the exit status."""
    outcomes = {name: timed(name, step) for name, step in chosen(markers).items()}
    missing = [line for outcome in outcomes.values() for line in outcome.missing]
    failed = [name for name, outcome in outcomes.items() if not outcome.ok]
    print("\n== summary")
    print(f"failed: {', '.join(failed)}" if failed else "all that ran has passed")
    for line in missing:
        print(f"did not run: {line}")
    if not missing:
        print("nothing was left out")
    require_all = os.environ.get("JMUZ_REQUIRE_ALL") == "1"
    if missing and require_all:
        print("failed: here everything has to run")
    return 1 if failed or (missing and require_all) else 0


def chosen(markers: Sequence[str]) -> dict[str, Step]:
    if not markers:
        return STEPS
    return {"npm install": install_node_packages, "pytest": lambda: run_pytest(" or ".join(markers))}


def timed(name: str, step: Step) -> Outcome:
    print(f"\n== {name}", flush=True)
    start = time.monotonic()
    outcome = step()
    print(f"-- {name}: {'ok' if outcome.ok else 'FAILED'}, {time.monotonic() - start:.1f} s", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
