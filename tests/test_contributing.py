"""What a contributor is told is true: the workflow, the constraints, the files that are named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.constraints import FILE, PYTHONS, requirements

ROOT = Path(__file__).resolve().parent.parent
WORKFLOW = ROOT / ".github" / "workflows" / "tests.yml"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def makefile() -> str:
    return (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    found: dict[str, Any] = workflow["jobs"]
    return found


def targets(makefile: str) -> set[str]:
    """Those that a person calls."""
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    assert phony is not None
    return set(phony[1].replace("\\", " ").split())


def test_the_workflow_runs_targets_of_the_makefile_and_nothing_else(jobs: dict[str, Any], makefile: str) -> None:
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert sorted(commands) == ["make check", "make test"]
    assert {command.removeprefix("make ") for command in commands} <= targets(makefile)


def test_the_workflow_needs_neither_data_nor_secrets(jobs: dict[str, Any]) -> None:
    used = [str(job) for job in jobs.values()]
    assert [job for job in used if re.search(r"JMUZ_|secrets\.|\benv\b", job)] == []


def test_the_workflow_covers_every_python_that_is_promised(jobs: dict[str, Any]) -> None:
    prefix = "Programming Language :: Python :: 3."
    promised = [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if name.startswith(prefix)]
    assert jobs["check"]["strategy"]["matrix"]["python"] == promised == list(PYTHONS)


def test_every_target_is_in_the_help_and_starts_what_is_there(makefile: str) -> None:
    helped = re.findall(r'@echo "make ([\w-]+) ', makefile)
    assert len(set(helped)) == len(helped)
    assert set(helped) == targets(makefile) - {"help"}
    columns = re.findall(r'@echo "(make [\w-]+ +)', makefile)
    assert len({len(column) for column in columns}) == 1
    modules = re.findall(r"python -m ((?:tests|benchmarks|notebooks)[\w.]*)", makefile)
    files = [ROOT.joinpath(*module.split(".")) for module in modules]
    assert [str(path) for path in files if not (path.with_suffix(".py").is_file() or path.is_dir())] == []


def test_what_the_tests_need_is_pinned_to_a_version_that_is_allowed() -> None:
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9.-]+==[\w.+]+", line)] == [], "names and versions only"
    assert lines == sorted(lines)
    pins = {canonicalize_name(name): Version(version) for name, version in (line.split("==") for line in lines)}
    for requirement in map(Requirement, requirements()):
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier, str(requirement)


def test_make_test_installs_what_is_pinned(makefile: str) -> None:
    rule = makefile[makefile.index("\n.venv/.test:") :]
    assert "tests/constraints.txt" in rule.splitlines()[1]
    assert "--constraint tests/constraints.txt --editable '.[test]'" in rule


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_file_that_a_document_names_is_there(document: str) -> None:
    """In full, below the package or the tests, or only by its name; `*` stands for any characters."""
    text = re.sub(r"```.*?```", "", (ROOT / document).read_text(encoding="utf-8"), flags=re.DOTALL)
    named = re.findall(r"`((?:[\w.*-]+/)*[\w.*-]+\.(?:py|js|css|mjs|md|txt|toml|yml|ipynb)|(?:[\w.-]+/)+)`", text)
    named += [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert len(named) > 20
    assert [name for name in named if not places(name)] == []


def places(name: str) -> list[Path]:
    if "/" not in name:
        return [*ROOT.glob(name), *(ROOT / "tests").glob(name), *(ROOT / "jmuz_magic").rglob(name)]
    folders = (ROOT, ROOT / "jmuz_magic", ROOT / "tests")
    return [path for folder in folders for path in folder.glob(name.rstrip("/"))]


def test_each_kind_of_change_says_where_its_test_goes() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in text.partition("| change |")[2].split("\n\n")[0].splitlines()[2:]]
    assert len(rows) > 12
    assert all(len(row) == 3 for row in rows)
    for *_, where in rows:
        named = re.findall(r"`([^`]+)`", where)
        assert named or where.strip() == "in your package"
        assert [name for name in named if not list((ROOT / "tests").rglob(name.rstrip("/")))] == []
