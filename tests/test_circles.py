from __future__ import annotations

from pathlib import Path

import pytest

from tests.circles import circles, imports

SOURCES = {
    "__init__.py": "",
    "a.py": "from package.b import thing\nimport os",
    "b.py": "def lazily():\n    from package.room import c",
    "room/__init__.py": "",
    "room/c.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import package.a",
    "room/d.py": "from package.room.c import thing",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, source in SOURCES.items():
        path = tmp_path / "package" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return tmp_path


def test_imports_in_functions_and_for_the_type_checker_count(package: Path) -> None:
    assert circles(imports(package, "package")) == [["package.a", "package.b", "package.room.c", "package.a"]]


@pytest.mark.parametrize("name", ["a.py", "b.py", "room/c.py"])
def test_a_circle_ends_with_any_of_its_imports(package: Path, name: str) -> None:
    (package / "package" / name).write_text("", encoding="utf-8")
    assert circles(imports(package, "package")) == []


def test_two_circles_are_two(package: Path) -> None:
    (package / "package" / "room" / "c.py").write_text("from package.room.d import thing", encoding="utf-8")
    (package / "package" / "b.py").write_text("import package.a", encoding="utf-8")
    assert len(circles(imports(package, "package"))) == 2


def test_no_files_of_ours_import_each_other_in_a_circle() -> None:
    graph = imports()
    assert len(graph) > 100
    assert circles(graph) == []
