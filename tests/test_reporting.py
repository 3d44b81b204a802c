"""What `make test` says about tests that did not run, and which steps it still does after a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import run

ROOT = Path(__file__).resolve().parent.parent

SAMPLE = """
import pytest
from tests.reporting import pytest_addoption, pytest_collection_finish, pytest_runtestloop, pytest_terminal_summary
"""
TESTS = """
import pytest
@pytest.mark.fault(12, 3)
def test_runs(): pass
@pytest.mark.threat(4)
@pytest.mark.parametrize("n", [1, 2])
def test_skips(n): pytest.skip("no moon")
@pytest.mark.skip(reason="no sun")
def test_is_skipped(): pass
"""


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    fault(row)\n    threat(row)\n")
    (tmp_path / "conftest.py").write_text(SAMPLE)
    (tmp_path / "test_sample.py").write_text(TESTS)
    return tmp_path


def pytest_in(folder: Path, *arguments: str, **environment: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=variables).stdout


@pytest.mark.parametrize("arguments", [(), ("-n2",)])
def test_skipped_tests_are_counted_by_reason_and_left_for_the_runner(sample: Path, arguments: tuple[str, ...]) -> None:
    listed = sample / "listed"
    output = pytest_in(sample, *arguments, JMUZ_DID_NOT_RUN=str(listed))
    expected = ["2 tests: no moon", "1 test: no sun"]
    assert sorted(listed.read_text().splitlines()) == sorted(expected)
    assert all(f"did not run: {line}" in output for line in expected)


def test_rows_are_listed_with_their_tests_and_nothing_runs(sample: Path) -> None:
    output = pytest_in(sample, "--rows", "-q")
    assert [line for line in output.splitlines() if line.startswith(("fault", "threat"))] == [
        "fault  3  test_sample.py::test_runs",
        "fault 12  test_sample.py::test_runs",
        "threat  4  test_sample.py::test_skips",
    ]
    assert "skipped" not in output


class TestRunner:
    OK = run.Outcome(ok=True)
    FAILED = run.Outcome(ok=False)
    MISSING = run.Outcome(ok=True, missing=("eslint: not installed",))

    def status(self, monkeypatch: pytest.MonkeyPatch, *outcomes: run.Outcome, require_all: str = "0") -> int:
        self.ran: list[int] = []

        def step(index: int, outcome: run.Outcome) -> run.Step:
            def done() -> run.Outcome:
                self.ran.append(index)
                return outcome

            return done

        steps = {f"step {i}": step(i, outcome) for i, outcome in enumerate(outcomes)}
        monkeypatch.setattr(run, "FIRST", {})
        monkeypatch.setattr(run, "GATES", steps)
        monkeypatch.setattr(run, "run_pytest", step(len(steps), self.OK))
        monkeypatch.setenv("JMUZ_REQUIRE_ALL", require_all)
        return run.main()

    def test_a_failing_step_fails_the_whole_but_the_others_still_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.status(monkeypatch, self.FAILED, self.OK) == 1
        assert sorted(self.ran) == [0, 1, 2]

    def test_what_did_not_run_is_the_end_of_the_output(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.status(monkeypatch, self.MISSING, self.OK) == 0
        assert capsys.readouterr().out.splitlines()[-1] == "did not run: eslint: not installed"

    def test_it_is_a_failure_where_everything_is_required(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.status(monkeypatch, self.MISSING, require_all="1") == 1
        assert self.status(monkeypatch, self.OK, require_all="1") == 0

    def test_what_a_gate_prints_is_shown_with_its_name(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        printing = run.kept([sys.executable, "-c", "print('line 3 is too long'); raise SystemExit(1)"])
        assert self.status(monkeypatch, printing) == 1
        assert "line 3 is too long\n-- step 0: FAILED" in capsys.readouterr().out

    def test_check_has_every_gate(self) -> None:
        assert run.chosen(["check"])[:2] == run.chosen([])[:2] == (run.FIRST, run.GATES)

    def test_a_command_that_fails_or_hangs_is_a_failure(self) -> None:
        assert not run.run([sys.executable, "-c", "raise SystemExit(3)"])
        assert not run.run([sys.executable, "-c", "import time; time.sleep(60)"], seconds=0.5)
