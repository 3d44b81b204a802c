"""Virtual environments beside the one that runs the tests: for what would not get along with it.

Each is made on first use and kept in `environments/` of the environment that runs the tests (`.venv`), under a hash
of what is in it.
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

__all__ = ["NoIndexError", "environment", "made"]

FOLDER = Path(sys.prefix) / "environments"
INSTALL_SECONDS = 400


class NoIndexError(Exception):
    """Pip reaches no package index."""


def environment(name: str, requirements: Sequence[str], *, dependencies: bool = True) -> Path:
    """As `made`; skips the test where pip reaches no package index."""
    import pytest  # not there for `make demo-model`

    try:
        return made(name, requirements, dependencies=dependencies)
    except NoIndexError as error:
        pytest.skip(str(error))


def made(name: str, requirements: Sequence[str], *, dependencies: bool = True) -> Path:
    """The `bin` directory of an environment with these requirements; an older one of that name goes away.

    Args:
        dependencies: install what the requirements require, too.

    Raises:
        NoIndexError: it has to be made, and pip reaches no package index.
    """
    content = "\n".join([sys.version, *sorted(requirements)])
    folder = FOLDER / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    complete = folder / "complete"
    FOLDER.mkdir(exist_ok=True)
    with locked(FOLDER / f"{name}.lock"):  # several processes share the tests
        if not complete.exists():
            for old in FOLDER.glob(f"{name}-*"):
                shutil.rmtree(old)
            make(folder, requirements if dependencies else ["--no-deps", *requirements])
            complete.touch()
    return folder / "bin"


def make(folder: Path, arguments: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check"]
    command = [*pip, "install", "--quiet", "--retries=1", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    if "(from versions: none)" in done.stderr:
        raise NoIndexError("pip reaches no package index")
    assert done.returncode == 0, done.stderr


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
