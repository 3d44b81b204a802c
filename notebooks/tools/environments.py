"""Separate virtual environments, for packages that conflict with ours.

Each is created on first use and kept in `environments/` of the running one (`.venv`), named by a hash of its content.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["NoIndexError", "kept", "made"]

FOLDER = Path(sys.prefix) / "environments"
INSTALL_SECONDS = 400
DIGITS = 12  # of the hash that a folder's name ends with


class NoIndexError(Exception):
    """Pip reaches no package index."""


def made(name: str, requirements: Sequence[str], *, dependencies: bool = True) -> Path:
    """The `bin` directory of an environment with these requirements; an older one of that name is deleted.

    Args:
        name: the folder's name, before the hash.
        requirements: as pip takes them.
        dependencies: whether to install the requirements' dependencies too.

    Raises:
        NoIndexError: it must be created, but pip reaches no package index.
        RuntimeError: pip fails for another reason, which it says.
    """
    content = "\n".join([sys.version, *sorted(requirements)])
    folder = FOLDER / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:DIGITS]}"
    complete = folder / "complete"
    FOLDER.mkdir(exist_ok=True)
    with _locked(FOLDER / f"{name}.lock"):  # several processes may want it at once
        if not complete.exists():
            for old in kept(FOLDER, name):
                shutil.rmtree(old)
            _make(folder, requirements if dependencies else ["--no-deps", *requirements])
            complete.touch()
    return folder / "bin"


def kept(folder: Path, name: str) -> list[Path]:
    """The environments of that name there; those of `llm-mock-api` are not `llm`'s."""
    return sorted(folder.glob(f"{name}-{'[0-9a-f]' * DIGITS}"))


def _make(folder: Path, arguments: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)  # noqa: S603  # our own words
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check"]
    command = [*pip, "install", "--quiet", "--retries=1", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)  # noqa: S603
    if "(from versions: none)" in done.stderr:
        raise NoIndexError("pip reaches no package index")
    if done.returncode:
        raise RuntimeError(done.stderr)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
