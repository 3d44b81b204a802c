"""`make demo` with real processes."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import signal
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest

from tests.notebooks.making import ROOT, Demo, running_demo
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found through /proc"),
]


def ask_server(address: str, path: str, method: str = "GET") -> Any:
    parts = urlsplit(address)
    headers = {"Authorization": f"token {parse_qs(parts.query)['token'][0]}"}
    request = urllib.request.Request(f"{parts.scheme}://{parts.netloc}{path}", headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def to_make(demo: Demo) -> None:
    demo.make.send_signal(signal.SIGTERM)


def interrupt(demo: Demo) -> None:
    os.killpg(demo.make.pid, signal.SIGINT)  # as a terminal does: to all in the foreground


def hang_up(demo: Demo) -> None:
    os.killpg(demo.make.pid, signal.SIGHUP)


def kill_make(demo: Demo) -> None:
    demo.make.kill()


@pytest.mark.finding("C6")
@pytest.mark.parametrize("end", [to_make, interrupt, hang_up, kill_make])
def test_make_demo_says_one_address_and_ends_with_everything(tmp_path: Path, end: Callable[[Demo], None]) -> None:
    with running_demo(tmp_path) as demo:
        address = demo.address()
        assert "/lab/tree/quickstart.ipynb?token=" in address
        assert [line.partition("http")[1] for line in demo.said] == ["", "http"]
        assert "copies in demo/, where your changes stay" in demo.said[0]
        names = {entry["name"] for entry in ask_server(address, "/api/contents")["content"]}
        assert names == {path.name for path in (demo.tree / "notebooks").iterdir() if path.is_file()}

        ask_server(address, "/api/kernels", "POST")
        wait_until(lambda: len(demo.processes()) >= 4, "make, the endpoint, JupyterLab and a kernel run")
        (api_base,) = {each["JMUZ_API_BASE"] for each in demo.processes().values() if "JMUZ_API_BASE" in each}
        with urllib.request.urlopen(f"{api_base}/models", timeout=30) as response:
            assert json.load(response)["data"][0]["id"] == "demo-chat"

        end(demo)
        wait_until(lambda: not demo.processes(), "no process is left", 60)
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(f"{api_base}/models", timeout=5)


@pytest.mark.finding("C6")
def test_make_demo_leaves_the_shipped_notebooks_alone(tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        address = demo.address()
        before = (demo.tree / "notebooks" / "quickstart.ipynb").read_bytes()
        saved = ask_server(address, "/api/contents/quickstart.ipynb?content=0")
        assert saved["writable"]
        (demo.tree / "demo" / "quickstart.ipynb").write_text("{}", encoding="utf-8")
        assert (demo.tree / "notebooks" / "quickstart.ipynb").read_bytes() == before
    assert "/demo/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.finding("C3")
@pytest.mark.parametrize("name", ["chat_panel", "magics", "quickstart", "run_again"])
def test_what_a_shipped_notebook_imports_comes_with_make_demo(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (extra,) = re.findall(r"^\.venv/\.lab:.*\n(?:\t.*\n)*?.*'\.\[(\w+)\]'", makefile, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = [*project["dependencies"], *project["optional-dependencies"][extra]]
    installed = {re.split(r"[<>=]", each)[0].strip() for each in required}
    distributions = importlib.metadata.packages_distributions()
    for module in imported(ROOT / "notebooks" / f"{name}.ipynb") - sys.stdlib_module_names - {"jmuz_magic"}:
        assert installed.intersection(distributions[module]), f"{module} does not come with `make demo`"


def imported(path: Path) -> set[str]:
    """Top-level modules that the code cells of a notebook import."""
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    lines = "\n".join(line for cell in cells if not cell.startswith("%%") for line in cell.splitlines())
    found = re.findall(r"^(?:import .*|from \S+ import .*)$", lines, re.MULTILINE)
    names = set()
    for node in ast.walk(ast.parse("\n".join(found))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).partition(".")[0])
    return names
