"""The notebook about recordings passes the strictest comparison there is, with no endpoint anywhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.executing import nbval

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.mark.kernel
def test_the_notebook_about_recordings_passes_strict_nbval(tmp_path: Path) -> None:
    for name in ("run_again.ipynb", "run_again.jmuz.jsonl"):
        shutil.copy(NOTEBOOKS / name, tmp_path)
    done = nbval(tmp_path / "run_again.ipynb")
    assert done.returncode == 0, done.stdout[-4000:]
    recorded = (NOTEBOOKS / "run_again.jmuz.jsonl").read_bytes()
    assert (tmp_path / "run_again.jmuz.jsonl").read_bytes() == recorded
