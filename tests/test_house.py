"""The distribution as a whole: what it needs, what it exports, what is in its wheel, what its source never holds."""

from __future__ import annotations

import ast
import importlib
import os
import pwd
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "jmuz_magic"
SOURCES = sorted(PACKAGE.rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

MAX_DISTRIBUTIONS = 18
OPTIONAL = {"rich", "keyring", "matplotlib", "nbconvert", "pandas", "pillow", "numpy"}
"""May be imported where present: the extras, nbconvert (it loads its exporter), and types of what users bring along."""


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(requirement).name) for requirement in requirements}


def closure(distribution: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """Every distribution that installing this one brings, itself included."""
    found: set[str] = set()
    todo = [Requirement(f"{distribution}[{','.join(extras)}]" if extras else distribution)]
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        if name in found:
            continue
        found.add(name)
        environments = [{"extra": extra} for extra in (requirement.extras or {""})]
        for line in requires(name) or []:
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate(environment) for environment in environments):
                todo.append(needed)
    return found


def imported_modules(path: Path) -> Iterator[str]:
    """Top-level names of all modules that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.threat(26)
def test_every_import_is_declared_and_every_declaration_is_used() -> None:
    modules = {module for path in SOURCES for module in imported_modules(path)}
    outside = modules - sys.stdlib_module_names - {"jmuz_magic"}
    owners = packages_distributions()
    distributions = {canonicalize_name(owners[module][0]) for module in outside if module in owners}
    declared = names(PROJECT["dependencies"])
    # traitlets is IPython's and pyproject need not repeat it; mdurl is markdown-it's.
    assert distributions - declared - OPTIONAL <= closure("ipython") | closure("markdown-it-py")
    assert declared - {"ipywidgets"} <= distributions  # anywidget imports it for us


def test_the_oldest_versions_that_are_allowed_are_those_that_make_oldest_runs_with() -> None:
    lines = (ROOT / "tests" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    allowed = {}
    for requirement in map(Requirement, PROJECT["dependencies"]):
        (lowest,) = requirement.specifier
        allowed[requirement.name] = Version(lowest.version)
    tested = {name: Version(version) for name, version in pinned.items() if name in allowed}
    assert tested.keys() == allowed.keys()
    assert [
        name for name in tested if tested[name].release[: len(allowed[name].release)] != allowed[name].release
    ] == []


@pytest.mark.threat(26)
def test_each_dependency_has_its_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text[text.index("\ndependencies = [") : text.index("[project.optional-dependencies]")]
    lines = [line for line in block.splitlines() if line.startswith('    "')]
    assert len(lines) == len(PROJECT["dependencies"])
    assert [line for line in lines if not re.search(r'",\s+# \S', line)] == []


def test_brings_few_distributions_beside_a_kernel_with_widgets() -> None:
    added = closure("jmuz_magic") - closure("ipykernel") - closure("ipywidgets")
    assert len(added) <= MAX_DISTRIBUTIONS, sorted(added)


def test_the_version_is_written_once_more_and_the_same() -> None:
    import jmuz_magic

    assert jmuz_magic.__version__ == PROJECT["version"]


def test_the_package_lists_what_it_loads_later_and_names_what_it_has_not() -> None:
    import jmuz_magic

    assert set(jmuz_magic.__all__) <= set(dir(jmuz_magic))
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = jmuz_magic.Nothing


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_all_names_what_is_there(path: Path) -> None:
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    exported = getattr(module, "__all__", None)
    if exported is None:
        assert path.name == "__init__.py", "only a package without re-exports needs no __all__"
        return
    assert len(set(exported)) == len(exported)  # ruff sees to the order
    assert [name for name in exported if not hasattr(module, name)] == []


@pytest.mark.threat(17)
def test_no_source_turns_tls_checks_off() -> None:
    off = re.compile(r"ssl\s*=\s*False|verify\s*=\s*False|CERT_NONE|check_hostname\s*=\s*False|_create_unverified")
    assert [str(path) for path in SOURCES if off.search(path.read_text(encoding="utf-8"))] == []


def test_no_file_names_a_path_of_a_developers_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("no git checkout")
    home = pwd.getpwuid(os.getuid()).pw_dir  # $HOME is a throw-away directory here
    places = re.compile("|".join(re.escape(f"{place}/") for place in (ROOT.parent, home)))
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in files if path.is_file()}
    assert [str(path) for path, text in texts.items() if places.search(text)] == []


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert packed == {str(path.relative_to(ROOT)) for path in files}
    assert "jmuz_magic/py.typed" in packed


@pytest.mark.finding("C4")
@pytest.mark.environment
@pytest.mark.timeout(600)
def test_the_wheel_works_in_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    """With what the wheel asks for and nothing else: no ipykernel, no extras."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = str(environment / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    installed = subprocess.run([*pip, str(wheel)], capture_output=True, text=True)
    if "No matching distribution found" in installed.stderr or "Could not find a version" in installed.stderr:
        pytest.skip("pip reaches no package index")
    assert installed.returncode == 0, installed.stderr
    cell = "%load_ext jmuz_magic\n%jmuz_use demo\n%jmuz -m demo-echo Hello from a wheel"
    command = [python, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", cell]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "JMUZ_LOG": "off"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "Hello from a wheel" in done.stdout
    formula = "from jmuz_magic.display.html.markdown import render_html; print(render_html('$x^2$', 'mathml'))"
    shown = subprocess.run([python, "-c", formula], cwd=tmp_path, capture_output=True, text=True)
    assert "<msup>" in shown.stdout, "the panel's formulas need no extra"
