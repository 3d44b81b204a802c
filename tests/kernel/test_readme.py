"""README's first blocks, pasted one after another into a notebook; and its other blocks of code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jmuz_magic.demo import DemoServer
from tests.executing import execute
from tests.kernel.conftest import StartKernel
from tests.kernel.test_executors import notebook

pytestmark = pytest.mark.kernel

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
BEGINNING = README.partition("## Ask\n")[0]


def blocks(text: str) -> list[str]:
    return re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def cells(text: str) -> list[str]:
    """Those that are pasted into a notebook, not into a shell."""
    return [block for block in blocks(text) if not re.match(r"(?:pip|make|git|jupyter|export) ", block)]


@pytest.mark.finding("C1")
def test_the_first_blocks_run_as_they_stand_one_after_another() -> None:
    pasted = cells(BEGINNING)
    assert len(pasted) >= 3
    executed = notebook(*pasted)
    execute(executed)  # raises where a cell fails
    for cell in executed.cells:
        if "%jmuz" in cell.source and "%load_ext" not in cell.source:
            assert any("text/html" in output.get("data", {}) for output in cell.outputs), cell.source
    assert "can be changed" in executed.cells[1].outputs[-1].data["text/plain"]


@pytest.mark.finding("C2")
def test_the_readme_promises_no_package_that_there_is_not() -> None:
    commands = re.findall(r"pip install ([^`\n#]+)", README)
    assert commands
    assert {command.strip().strip("'\"").partition("[")[0] for command in commands} == {"."}


def test_the_readmes_python_runs(demo_endpoint: DemoServer, start_kernel: StartKernel) -> None:
    kernel = start_kernel(env={"JMUZ_API_BASE": demo_endpoint.api_base})
    asks, defines, *_ = cells(README.partition("## In Python\n")[2])
    assert "demo endpoint" in kernel.run(asks).stdout
    kernel.run(defines.replace("http://localhost:8000/v1", demo_endpoint.api_base))
    assert "demo-echo" in kernel.value("Local.get_models()")


def test_the_readmes_settings_are_taken(start_kernel: StartKernel, tmp_path: Path) -> None:
    chosen, loaded = cells(README.partition("## Settings\n")[2].partition("\n## ")[0])
    profile = tmp_path / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    lazy = next(line for line in loaded.splitlines() if "lazy" not in line)
    (profile / "ipython_config.py").write_text(f"c = get_config()\n{chosen}\n{lazy}\n", encoding="utf-8")
    kernel = start_kernel(folder=tmp_path)
    shown = kernel.run("%config JmuzMagics").stdout
    assert "ollama" in shown
    assert "'temperature': 0" in shown
