"""The notebooks that readers see: each runs as it stands and ends with the outputs that are committed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.executing import execute, nbval

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SECONDS = re.compile(r" · \d+\.\d s(?=[^<\n]*</div>)")
"""In a foot."""

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.timeout(600),
    pytest.mark.parametrize("name", [path.name for path in sorted(NOTEBOOKS.glob("*.ipynb"))]),
]


@pytest.fixture
def notebook(name: str, tmp_path: Path) -> Path:
    """A copy beside copies of everything else in the folder: running it leaves the checkout alone."""
    shutil.copytree(NOTEBOOKS, tmp_path / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return tmp_path / "notebooks" / name


def test_passes_nbval(notebook: Path) -> None:
    done = nbval(notebook, "--nbval-lax")
    assert done.returncode == 0, done.stdout[-4000:]


def test_ends_with_the_committed_outputs(notebook: Path) -> None:
    committed = nbformat.read(notebook, as_version=4)
    executed = nbformat.read(notebook, as_version=4)
    execute(executed, notebook.parent)
    for before, after in zip(committed.cells, executed.cells, strict=True):
        if is_compared(before):
            assert [readable(output) for output in after.outputs] == [readable(output) for output in before.outputs]


def test_is_committed_with_its_outputs_and_without_errors(notebook: Path) -> None:
    cells = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.source for cell in cells if is_compared(cell) and not cell.outputs] == []
    failing = [cell.source for cell in cells if any(output.output_type == "error" for output in cell.outputs)]
    assert failing == [cell.source for cell in cells if "raises-exception" in tags(cell)]


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """What nbval and nbclient are told of the cell."""
    return list(cell.metadata.get("tags", []))


def is_compared(cell: nbformat.NotebookNode) -> bool:
    """Cells with a reply, and those that nbval compares as well; others may print what changes."""
    if "NBVAL_IGNORE_OUTPUT" in cell.source or "nbval-ignore-output" in tags(cell) or "--quiet" in cell.source:
        return False
    return cell.source.startswith("%%jmuz") or "NBVAL_CHECK_OUTPUT" in cell.source or "nbval-check-output" in tags(cell)


def readable(output: Any) -> Any:
    """What a reader sees of an output, without the seconds that a reply took."""
    if output.output_type == "stream":
        return output.name, output.text
    return {kind: SECONDS.sub("", data) for kind, data in output.data.items() if kind in ("text/html", "text/plain")}
