"""`make test`: every gate and every test that this machine can run, then a list of what did not run.

With `check` as its argument, the gates and the tests that take no time: without kernels, browsers, others' programs
and environments of their own. With a marker, such as `conformance`, only the tests with that marker.
A failing step makes the whole fail, but the other steps still run. With JMUZ_REQUIRE_ALL=1 (as in CI) anything that
did not run is a failure too. JMUZ_TEST_WORKERS sets how many processes share the tests (default: one more than there
are cores, at most 4).

Only the standard library: this file starts the tools, it does not need them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent
NODE = ROOT / "tests" / "node"
BIN = Path(sys.executable).parent
TOOL_SECONDS = 600
PYTEST_SECONDS = 3600
MAX_WORKERS = 4  # each may run a kernel and a browser, and waits for them half of its time
QUICK = "not browser and not kernel and not conformance and not environment"


@dataclass(frozen=True)
class Outcome:
    """What became of a step: done well or not, what of it could not run here, and what it printed, if that is kept."""

    ok: bool
    missing: tuple[str, ...] = ()
    output: str = ""


Step: TypeAlias = Callable[[], Outcome]


def gate(*arguments: str | Path, seconds: float = TOOL_SECONDS) -> Step:
    """A command that runs beside the tests."""
    return lambda: kept(arguments, seconds)


def kept(arguments: Sequence[str | Path], seconds: float = TOOL_SECONDS) -> Outcome:
    """Run the command and keep what it prints."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as file:
        ok = run(arguments, seconds, file)
        file.seek(0)
        return Outcome(ok, output=file.read())


def run(
    arguments: Sequence[str | Path], seconds: float = TOOL_SECONDS, output: IO[str] | None = None, **environment: str
) -> bool:
    """Whether the command ended with status 0 in time; what it prints goes to the file, else to our own output."""
    try:
        done = subprocess.run(
            arguments, cwd=ROOT, timeout=seconds, env={**os.environ, **environment}, stdout=output, stderr=output,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"not done after {seconds} s", file=output)
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


def npm_script(name: str, tool: str) -> Step:
    """A script of `tests/node/package.json` and the tool that it runs."""
    installed = NODE / "node_modules" / ".bin" / tool
    command = ("npm", "run", "--silent", "--prefix", NODE, name)
    return lambda: kept(command) if installed.exists() else Outcome(ok=True, missing=(f"{tool}: not installed",))


def run_pytest(expression: str = "") -> Outcome:
    """Every test, or those that an expression of markers chooses."""
    workers = os.environ.get("JMUZ_TEST_WORKERS") or min((os.cpu_count() or 1) + 1, MAX_WORKERS)
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "did_not_run"
        # In their own order: the files of the browser, which take longest, come first and are not left for the end.
        spread = [f"--numprocesses={workers}", "--dist=loadfile", "--no-loadscope-reorder"]
        arguments = [sys.executable, "-m", "pytest", *spread, "--durations=10"]
        arguments += ["-m", expression] if expression else []
        ok = run(arguments, PYTEST_SECONDS, JMUZ_DID_NOT_RUN=str(listed))
        missing = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    return Outcome(ok, tuple(missing))


FIRST: dict[str, Step] = {"npm install": install_node_packages}
GATES: dict[str, Step] = {
    "mypy --strict": gate(BIN / "mypy", "--no-error-summary"),
    "ruff check": gate(BIN / "ruff", "check", "--quiet"),
    "ruff format": gate(BIN / "ruff", "format", "--check", "--quiet"),
    "lint-imports": gate(BIN / "lint-imports", "--no-logo"),
    "circles": gate(BIN / "python", "-m", "tests.circles"),
    "eslint": npm_script("lint", "eslint"),
    "tsc --checkJs": npm_script("types", "tsc"),
    "prettier": npm_script("format", "prettier"),
}


def main(words: Sequence[str] = ()) -> int:
    """Run all steps, or what these words choose, print the summary, return the exit status."""
    outcomes = done(*chosen(words))
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


def chosen(words: Sequence[str]) -> tuple[Mapping[str, Step], Mapping[str, Step], Step]:
    """What runs first, what runs beside the tests, and the tests."""
    match list(words):
        case []:
            return FIRST, GATES, run_pytest
        case ["check"]:
            return FIRST, GATES, lambda: run_pytest(QUICK)
        case markers:
            return FIRST, {}, lambda: run_pytest(" or ".join(markers))


def done(first: Mapping[str, Step], gates: Mapping[str, Step], tests: Step) -> dict[str, Outcome]:
    """Each gate is work for one core; the tests, which often wait, run beside them and show what they do."""
    outcomes = {name: shown(name, *timed(step)) for name, step in first.items()}
    with ThreadPoolExecutor(max_workers=1) as pool:
        running = {name: pool.submit(timed, step) for name, step in gates.items()}
        print("\n== pytest", flush=True)
        tested = timed(tests)
        outcomes |= {name: shown(name, *each.result()) for name, each in running.items()}
    return {**outcomes, "pytest": shown("pytest", *tested)}


def timed(step: Step) -> tuple[Outcome, float]:
    start = time.monotonic()
    return step(), time.monotonic() - start


def shown(name: str, outcome: Outcome, seconds: float) -> Outcome:
    print(f"{outcome.output}-- {name}: {'ok' if outcome.ok else 'FAILED'}, {seconds:.1f} s", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
