"""`make constraints`: renew `constraints.txt`, the exact versions that `make test` installs.

Warnings are errors in our tests, so a release of somebody else's must not break them overnight. One list serves every
Python that we support: pip resolves the extras for the oldest one, and the newer ones have to get along with that; what
only they need is added. Nothing is installed here. Run `make test` afterwards.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

__all__ = ["FILE", "PYTHONS", "requirements"]

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "tests" / "constraints.txt"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
HEADER = "# What `make test` installs, on every Python from 3.11 to 3.14; `make constraints` renews it.\n"


def main() -> int:
    pins: dict[str, str] = {}
    for python in PYTHONS:
        pins |= resolved(python, pins)
        print(f"Python {python}: {len(pins)} distributions", flush=True)
    FILE.write_text(text_of(pins), encoding="utf-8")
    return 0


def requirements() -> list[str]:
    """What the package and its extra `test` ask for, the extras that this one names included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    found = [*project["dependencies"], *extras["demo"], *extras["keyring"], *extras["rich"], *extras["test"]]
    return [requirement for requirement in found if not requirement.startswith("jmuz_magic")]


def resolved(python: str, pins: Mapping[str, str]) -> dict[str, str]:
    """Name and version of each distribution that pip would install for this Python, with these pins."""
    with tempfile.TemporaryDirectory() as folder:
        pinned, report = Path(folder, "pinned.txt"), Path(folder, "report.json")
        pinned.write_text(text_of(pins), encoding="utf-8")
        options = ["--dry-run", "--ignore-installed", f"--report={report}", f"--constraint={pinned}"]
        elsewhere = ["--only-binary=:all:", f"--python-version={python}", f"--target={folder}"]
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--quiet"]
        subprocess.run([*pip, *options, *elsewhere, *requirements()], check=True)
        installed = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {each["metadata"]["name"].lower().replace("_", "-"): each["metadata"]["version"] for each in installed}


def text_of(pins: Mapping[str, str]) -> str:
    return HEADER + "".join(sorted(f"{name}=={version}\n" for name, version in pins.items()))


if __name__ == "__main__":
    sys.exit(main())
