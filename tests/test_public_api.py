"""What the package offers to programs: complete, importable, and typed for those who install it."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

import jmuz_magic
from jmuz_magic import errors, messages, providers

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = [jmuz_magic, providers]
PUBLIC = {"jmuz_magic", "jmuz_magic.demo", "jmuz_magic.messages", "jmuz_magic.providers"}
"""What README, the notebooks and docstrings import from; everything else may move."""


def typed_homes(package: ModuleType) -> dict[str, str]:
    """Each name with the module that a type checker finds it in."""
    assert package.__file__ is not None
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_every_name_is_found_where_the_type_checker_finds_it(package: ModuleType) -> None:
    homes = {name: home for name, home in typed_homes(package).items() if home.startswith("jmuz_magic")}
    assert homes.keys() == set(package.__all__)
    assert package._HOMES.keys() <= homes.keys()
    for name, home in homes.items():
        assert getattr(package, name) is getattr(importlib.import_module(home), name), name


def test_every_error_and_every_kind_of_chunk_is_public() -> None:
    kinds = {kind.__name__ for kind in get_args(messages.Chunk)} - {"str"}
    assert {*errors.__all__, *kinds, "Chunk"} <= set(jmuz_magic.__all__)


def test_what_the_documents_import_is_public() -> None:
    found = {(module, name) for text in documents() for module, name in imported_names(text)}
    assert ("jmuz_magic", "OpenaiTemplate") in found
    assert {module for module, _ in found} <= PUBLIC
    assert [(module, name) for module, name in found if name not in importlib.import_module(module).__all__] == []


def test_the_classes_that_readme_names_are_public() -> None:
    text = re.sub(r"```.*?```", "", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    named = set(re.findall(r"\b[A-Z]\w*[a-z]\w*", "\n".join(re.findall(r"`[^`\n]+`", text))))
    assert {"Reply", "Conversation", "ChatPanel"} <= named
    offered = {name for module in PUBLIC for name in importlib.import_module(module).__all__}
    ours = {name for path in (ROOT / "jmuz_magic").rglob("*.py") for name in exported(path)}
    assert named & ours - offered - {"JmuzMagics"} == set()  # JmuzMagics is a name for %config, not for Python


def documents() -> Iterator[str]:
    yield (ROOT / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            yield "".join(cell["source"])
    for path in (ROOT / "jmuz_magic").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield ast.get_docstring(node) or ""


def imported_names(text: str) -> Iterator[tuple[str, str]]:
    for module, names in re.findall(r"from (jmuz_magic[\w.]*) import ([\w, ]+)", text):
        yield from ((module, name.strip()) for name in names.split(","))


def exported(path: Path) -> list[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def test_a_program_that_uses_it_runs() -> None:
    done = subprocess.run([sys.executable, ROOT / "tests" / "public_api.py"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    first, *_, refused, widgets = done.stdout.splitlines()
    assert first.startswith("No answer is prepared")
    assert "does not exist" in refused
    assert widgets == "ChatPanel ModelSelector"


@pytest.mark.environment
@pytest.mark.timeout(600)
def test_a_program_that_uses_it_is_typed_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    """The wheel lies in an environment of its own, which shares the other packages with ours, the checkout aside."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "environment"], check=True)
    (packages,) = (tmp_path / "environment" / "lib").glob("python*/site-packages")
    zipfile.ZipFile(wheel).extractall(packages)
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    (tmp_path / "program.py").write_bytes((ROOT / "tests" / "public_api.py").read_bytes())
    options = ["--strict", "--config-file=", f"--cache-dir={ROOT / '.mypy_cache' / 'public_api'}", "--no-error-summary"]
    python = f"--python-executable={tmp_path / 'environment' / 'bin' / 'python'}"
    command = [sys.executable, "-m", "mypy", *options, python, "program.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("", 0)
