"""Re-run the shipped notebooks and keep their outputs: `python -m notebooks.tools.notebooks [NAME …]`.

Their tests compare what is committed with what comes out.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient

__all__ = ["main"]

FOLDER = Path(__file__).resolve().parents[1]
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def main(names: Sequence[str]) -> int:
    """Run those of these names, or all."""
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"HOME": home, "XDG_CONFIG_HOME": home, "JMUZ_LOG": "off"}
        for path in sorted(FOLDER.glob("*.ipynb")):
            if not names or {path.name, path.stem} & set(names):
                run(path)
                print(path.name)
    return 0


def run(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    # Drop this machine's versions and the state of widgets, whose kernel is gone.
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times
    nbformat.write(notebook, path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
