"""Where it is said which model was picked: beside the reply where somebody watches, on stderr where nobody does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.executing import execute, nbval
from tests.hosted_services import SERVICES, HostedService, hosted
from tests.kernel.conftest import StartKernel

pytestmark = pytest.mark.kernel

SAID = "using gpt-6-luna, picked from the list; choose another with %jmuz_use openai:MODEL\n"


@pytest.fixture
def openai(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostedService]:
    """A stand-in for OpenAI, which the environment of this test names."""
    with hosted(SERVICES["openai"]) as service:
        monkeypatch.setenv("OPENAI_BASE_URL", service.api_base)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-0123456789")
        yield service


def test_where_somebody_watches_it_is_a_quiet_line_below_the_reply(
    openai: HostedService, start_kernel: StartKernel
) -> None:
    kernel = start_kernel()
    kernel.run("%load_ext jmuz_magic\n%jmuz_use openai")
    first = kernel.run("%%jmuz\nhi", ["never asked for"])  # with answers, the cell may ask: as in JupyterLab
    assert (first.stdout, first.stderr) == (SAID, "")
    assert [output["output_type"] for output in first.outputs] == ["display_data", "stream"]
    assert first.outputs[0]["data"]["text/plain"] == "I am gpt-6-luna."
    second = kernel.run("%%jmuz\nhi", ["never asked for"])
    assert (second.stdout, second.stderr) == ("", "")
    assert len(openai.listed) == 1


def test_nbclient_finds_it_on_stderr(openai: HostedService) -> None:
    cells = ["%load_ext jmuz_magic\n%jmuz_use openai", "%%jmuz\nhi"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    execute(notebook)
    streams = {output["name"]: output["text"] for output in notebook.cells[1].outputs if "name" in output}
    assert streams == {"stderr": SAID}


def test_a_replayed_notebook_says_nothing_so_that_nbval_compares_the_same(
    openai: HostedService, tmp_path: Path
) -> None:
    cells = ["%load_ext jmuz_magic\n%jmuz_record talk.jmuz.jsonl\n%jmuz_use openai", "%%jmuz\nhi"]
    path = tmp_path / "talk.ipynb"

    def save() -> None:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        execute(notebook, tmp_path)
        nbformat.write(notebook, path)

    save()
    save()  # what is recorded is the reference
    done = nbval(path)
    assert done.returncode == 0, done.stdout[-4000:]
    assert (len(openai.listed), len(openai.asked)) == (1, 1)


SCRIPT = """
import asyncio
from jmuz_magic import Conversation
print(Conversation(provider="openai").ask("hi"))
async def main():
    print("".join([chunk async for chunk in Conversation(provider="openai").stream("hi") if isinstance(chunk, str)]))
asyncio.run(main())
"""


def test_a_script_finds_it_on_stderr_once_and_its_own_output_is_its_own(openai: HostedService, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=dict(os.environ), cwd=tmp_path, timeout=60, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "I am gpt-6-luna.\n" * 2)
    assert done.stderr == "using gpt-6-luna, picked from the list; choose another with Conversation(model=…)\n"
