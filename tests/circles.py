"""`python -m tests.circles`: how many circles of files the package's imports make; there should be none.

Every import counts: those inside functions, and those that only the type checker sees. A circle is a set of files that
all reach each other; each is printed with a shortest way around it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["circles", "imports"]

ROOT = Path(__file__).resolve().parent.parent
Graph = Mapping[str, set[str]]


def imports(root: Path = ROOT, package: str = "jmuz_magic") -> dict[str, set[str]]:
    """The modules of the package, each with those that it imports anywhere in its file."""
    files = {module_name(path.relative_to(root)): path for path in sorted((root / package).rglob("*.py"))}
    graph = {}
    for name, path in files.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        graph[name] = {each for found in imported(tree) if (each := home(found, files)) and each != name}
    return graph


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names of what is imported: modules, and what is taken from them (ruff allows no relative import)."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{alias.name}" for alias in names)


def home(name: str, modules: Mapping[str, object]) -> str:
    """The module that has the name: it is one itself, or stands in one; "" outside the package."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def circles(graph: Graph) -> list[list[str]]:
    """Each set of modules that reach each other, as a way around it."""
    reached = {name: reachable(name, graph) for name in graph}
    groups = {frozenset(each for each in reached[name] if name in reached[each]) for name in graph}
    return sorted(way_around(min(group), group, graph) for group in groups if group)


def reachable(start: str, graph: Graph) -> set[str]:
    """All modules that one gets to from here; itself among them only by a circle."""
    found: set[str] = set()
    todo = [start]
    while todo:
        new = graph[todo.pop()] - found
        found |= new
        todo += new
    return found


def way_around(start: str, group: frozenset[str], graph: Graph) -> list[str]:
    ways, seen = [[start]], {start}
    for way in ways:
        for following in sorted(graph[way[-1]] & group):
            if following == start:
                return [*way, start]
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    raise AssertionError(f"{start} is in no circle")


def main() -> int:
    graph = imports()
    found = circles(graph)
    for way in found:
        print(" -> ".join(way))
    print(f"circles of files, with lazy and TYPE_CHECKING imports: {len(found)} (in {len(graph)} files)")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
