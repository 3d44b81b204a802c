from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_what_cannot_be_run_is_said_for_each_python(tmp_path: Path) -> None:
    """Here without debootstrap; who is not root, or may not mount, is told that."""
    for name in ("mount", "unshare"):
        if found := shutil.which(name):
            (tmp_path / name).symlink_to(found)
    command = [sys.executable, str(ROOT / "tests" / "pythons.py")]
    done = subprocess.run(command, env={**os.environ, "PATH": str(tmp_path)}, capture_output=True, text=True)
    reasons = {line.partition(": not run: ")[::2] for line in done.stdout.splitlines()}
    assert {python for python, _ in reasons} == {"Python 3.13", "Python 3.14"}
    (reason,) = {reason for _, reason in reasons}
    assert reason in ("debootstrap is not installed", "no mount", "not root")
    assert done.returncode == (reason == "debootstrap is not installed")
