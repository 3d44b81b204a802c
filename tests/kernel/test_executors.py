"""Where notebooks run without a front end, and shells without a kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest
from nbclient.exceptions import CellExecutionError

from jmuz_magic.demo import DemoServer
from tests.executing import AsyncIpcKernelManager, execute
from tests.kernel.conftest import StartKernel

pytestmark = pytest.mark.kernel


def notebook(*sources: str) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made: nbformat.NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return made


def assert_whole(cell: nbformat.NotebookNode) -> None:
    displays = [output for output in cell.outputs if output.output_type == "display_data"]
    assert displays[-1].data["text/plain"].rstrip().endswith("The end.")
    html = "".join(output.data["text/html"] for output in displays)
    assert html.count("<h3>A tour of Markdown</h3>") == html.count("The end.") == 1
    assert "waiting" not in html


ASK = "%%jmuz -m demo-markdown\nshow me"


@pytest.mark.fault(53, 63)
def test_nbclient_stores_the_whole_reply(demo_endpoint: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JMUZ_API_BASE", demo_endpoint.api_base)
    executed = notebook("%load_ext jmuz_magic", ASK)
    execute(executed)
    assert_whole(executed.cells[1])


def test_nbclient_stores_the_end_of_a_background_reply(
    demo_endpoint: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JMUZ_API_BASE", demo_endpoint.api_base)
    executed = notebook("%load_ext jmuz_magic", ASK.replace("%%jmuz", "%%jmuz job << --background"), "job.result();")
    execute(executed)
    assert_whole(executed.cells[1])


def test_nbclient_fails_where_the_endpoint_refuses(demo_endpoint: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JMUZ_API_BASE", demo_endpoint.api_base)
    with pytest.raises(CellExecutionError, match="ModelNotFoundError"):
        execute(notebook("%load_ext jmuz_magic", "%%jmuz -m nope\nhi"))


@pytest.mark.fault(63)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:papermill")
def test_papermill_stores_the_whole_reply(
    demo_endpoint: DemoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JMUZ_API_BASE", demo_endpoint.api_base)
    nbformat.write(notebook("%load_ext jmuz_magic", ASK), tmp_path / "in.ipynb")
    written, executed = str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb")
    papermill.execute_notebook(written, executed, progress_bar=False, kernel_manager_class=AsyncIpcKernelManager)
    assert_whole(nbformat.read(executed, as_version=4).cells[1])


def ipython(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "IPython", "--no-banner", *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )


@pytest.mark.fault(53)
def test_ipython_c_prints_the_reply_and_ends_silently(demo_endpoint: DemoServer) -> None:
    code = "%load_ext jmuz_magic\n%jmuz -m demo-echo hello there"
    done = ipython("-c", code, JMUZ_API_BASE=demo_endpoint.api_base, JMUZ_LOG="off")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello there\n", "")


def test_ipython_c_with_nothing_configured_says_so_in_one_line() -> None:
    done = ipython("-c", "%load_ext jmuz_magic\n%jmuz hello")
    assert (done.stdout + done.stderr).count("no endpoint is configured") == 1
    assert "Traceback" not in done.stdout + done.stderr


def test_a_script_of_magics_runs_in_ipython(demo_endpoint: DemoServer, tmp_path: Path) -> None:
    script = tmp_path / "talk.ipy"
    script.write_text("%jmuz -m demo-echo is it so?\nprint(len(str(_jmuz)))\n")
    # IPython reads a script as one cell: what keeps questions questions must be loaded before it.
    done = ipython("--ext=jmuz_magic", str(script), JMUZ_API_BASE=demo_endpoint.api_base, JMUZ_LOG="off")
    assert (done.returncode, done.stdout, done.stderr) == (0, "is it so?\n9\n", "")


BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"anywidget", "ipywidgets"}:
            raise ModuleNotFoundError(f"No module named {name!r}")
sys.meta_path.insert(0, Blocked())
"""


@pytest.mark.fault(53)
def test_a_kernel_without_widgets_has_everything_but_the_panel(
    start_kernel: StartKernel, demo_endpoint: DemoServer
) -> None:
    kernel = start_kernel(env={"JMUZ_API_BASE": demo_endpoint.api_base})
    kernel.run(BLOCKED)
    kernel.run("%load_ext jmuz_magic")
    assert "<strong>hi</strong>" in kernel.run("%%jmuz -m demo-echo\n**hi**").html
    models = kernel.run("%jmuz_models gpt")
    assert "gpt-4o" in models.html
    assert all(set(output["data"]) == {"text/html", "text/plain"} for output in models.outputs)
    refused = kernel.execute("%jmuz_chat")
    assert refused.text.startswith("UsageError: %jmuz_chat: the panel needs ipywidgets and anywidget")
    assert len(refused.text.strip().splitlines()) == 1
