"""Packages that bring a provider, as pip leaves them in a folder."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

__all__ = ["build_readme_package", "leave_package"]

README = Path(__file__).resolve().parent.parent / "README.md"


def build_readme_package(source: Path, target: Path, **replaced: str) -> None:
    """Write README's package of three files to `source`, and let pip install it into the folder `target`.

    Args:
        source: a folder that is not there yet.
        target: as for `pip install --target`.
        replaced: lines of the class, by attribute, with their new value as Python writes it.
    """
    blocks = re.findall(r"^```\w+\n# (\S+)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    files = {
        "jmuz_magic_foo/__init__.py": "",
        **{name: text for name, text in blocks if name.endswith((".py", ".toml"))},
    }
    assert set(files) == {"jmuz_magic_foo/__init__.py", "jmuz_magic_foo/provider.py", "pyproject.toml"}
    for attribute, value in replaced.items():
        name = "jmuz_magic_foo/provider.py"
        files[name], count = re.subn(rf"(?m)^    {attribute} = .*$", f"    {attribute} = {value}", files[name])
        assert count == 1
    for name, text in files.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    options = ["--quiet", "--no-index", "--no-build-isolation", "--no-deps", "--target", str(target), str(source)]
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *options], check=True)


def leave_package(folder: Path, distribution: str, entry_points: str, module: str = "") -> None:
    """What is installed of a package: its metadata, and one module named as the distribution.

    Args:
        folder: on `sys.path`.
        distribution: its name.
        entry_points: of the group `jmuz_magic.providers`, one on each line.
        module: its source.
    """
    metadata = folder / f"{distribution}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[jmuz_magic.providers]\n{entry_points}\n")
    (folder / f"{distribution}.py").write_text(module)
