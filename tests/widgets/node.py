"""Scripts for node, which a test needs, or else says that it did not run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["node"]

HERE = Path(__file__).parent
PACKAGES = HERE.parent / "node" / "node_modules"


def node(*arguments: str, given: str = "", package: str = "", **environment: str) -> str:
    """What node prints; the test fails where it does not end well.

    Args:
        arguments: of the command; the working directory is that of this file.
        given: its standard input.
        package: from npm, without which the test is skipped.
        environment: variables beside ours.
    """
    if shutil.which("node") is None:
        pytest.skip("no node")
    if package and not (PACKAGES / package).is_dir():
        pytest.skip(f"{package} is not installed in tests/node")
    done = subprocess.run(
        ["node", *arguments], input=given, capture_output=True, text=True, encoding="utf-8", cwd=HERE, timeout=120,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
