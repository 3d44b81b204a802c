"""A kernel restarts, and a conversation goes on: what the endpoint is sent, and what the notebook shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbclient.exceptions import CellExecutionError

from jmuz_magic.demo import DemoServer
from tests.executing import execute
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Execution, Kernel
from tests.kernel.test_executors import notebook

pytestmark = pytest.mark.kernel

WATCHED = ["n"]
"""With answers, the front end allows questions, as all that a user sits at do."""
FIRST, SECOND = "/home/ada/one/Untitled.ipynb", "/home/ada/two/Untitled.ipynb"


@pytest.fixture
def other() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=0, keep_requests=10) as server:
        yield server


@pytest.fixture
def start(start_kernel: StartKernel, demo_endpoint: DemoServer, tmp_path: Path) -> Callable[..., Kernel]:
    """A kernel whose server says where its notebook is."""

    def start(path: str = FIRST) -> Kernel:
        kernel = start_kernel(env={"JMUZ_LOG": str(tmp_path / "log.sqlite3"), "JPY_SESSION_NAME": path})
        load(kernel, demo_endpoint)
        return kernel

    return start


def load(kernel: Kernel, server: DemoServer) -> None:
    kernel.run("%load_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {server.api_base} -m demo-echo")


def sent(server: DemoServer) -> list[str]:
    body: Any = server.requests[-1].body
    return [message["content"] for message in body["messages"]]


def turns(kernel: Kernel) -> str:
    return kernel.run("%jmuz_history").text


def test_after_a_restart_the_model_gets_the_earlier_turns(
    start: Callable[..., Kernel], demo_endpoint: DemoServer
) -> None:
    kernel = start()
    for prompt in ("one", "two", "three"):
        kernel.run(f"%%jmuz --chat\n{prompt}\n")
    kernel.run("%jmuz_history --undo")
    kernel.restart()
    load(kernel, demo_endpoint)
    cell = kernel.run("%%jmuz --chat --resume\nfour\n", WATCHED)
    assert cell.stdout.startswith("resumed 2 turns of 20")
    assert demo_endpoint.api_base.removesuffix("/v1") in cell.stdout
    assert "/home" not in "".join(map(str, cell.outputs))
    assert sent(demo_endpoint) == ["one", "one", "two", "two", "four"]
    assert turns(kernel).count(">") == 3


def test_a_panel_resumes_and_its_saved_transcript_has_the_turns(
    start: Callable[..., Kernel], demo_endpoint: DemoServer
) -> None:
    kernel = start()
    kernel.run("%%jmuz --chat=trip -m demo-echo\none\n")
    kernel.restart()
    load(kernel, demo_endpoint)
    panel = kernel.run("%jmuz_chat --resume=trip", WATCHED)
    assert panel.stdout.startswith("resumed 1 turn of 20")
    assert "Chat panel of the conversation trip" in panel.text
    assert panel.html.count("jmuz-prompt") == 1
    kernel.run("%%jmuz --chat=trip\ntwo\n")
    assert sent(demo_endpoint) == ["one", "one", "two"]
    assert "resumed" not in kernel.run("%jmuz_chat trip --resume", WATCHED).stdout


def test_two_notebooks_of_one_name_do_not_mix(start: Callable[..., Kernel], demo_endpoint: DemoServer) -> None:
    one, two = start(FIRST), start(SECOND)
    one.run("%%jmuz --chat\nfrom one\n")
    refused = two.execute("%%jmuz --chat --resume\nhello\n", WATCHED)
    assert "nothing to resume: the log has no conversation 'main' of this notebook" in refused.text
    two.run("%%jmuz --chat\nfrom two\n")
    one.restart()
    load(one, demo_endpoint)
    one.run("%%jmuz --chat --resume\nagain\n", WATCHED)
    assert sent(demo_endpoint) == ["from one", "from one", "again"]


@pytest.mark.parametrize("answer", ["y", "n"])
def test_another_origin_asks(
    start: Callable[..., Kernel], demo_endpoint: DemoServer, other: DemoServer, answer: str
) -> None:
    kernel = start()
    kernel.run("%%jmuz --chat\none\n")
    kernel.restart()
    load(kernel, other)
    cell = kernel.execute("%%jmuz --chat --resume\ntwo\n", [answer])
    assert [request.body["messages"][0]["content"] for request in other.requests] == (["one"] if answer == "y" else [])
    assert ("nothing was resumed" in cell.text) == (answer == "n")


def test_a_reply_that_the_kernel_died_in_comes_back_cut(start_kernel: StartKernel, tmp_path: Path) -> None:
    with DemoServer(deltas_per_second=100, keep_requests=10) as slow:
        kernel = start_kernel(env={"JMUZ_LOG": str(tmp_path / "log.sqlite3"), "JPY_SESSION_NAME": FIRST})
        load(kernel, slow)
        running = kernel.submit("%%jmuz --chat -m demo-long\none\n")
        kernel.wait(running, lambda: len(running.html) > 3000, "much of the reply is shown")
        kernel.restart()
        load(kernel, slow)
        kernel.run("%%jmuz --chat --resume\ntwo\n", WATCHED)
        question, half, last = sent(slow)
        assert (question, last) == ("one", "two")
        assert half


def test_a_cell_run_again_after_a_restart_takes_its_place(
    start: Callable[..., Kernel], demo_endpoint: DemoServer
) -> None:
    kernel = start()
    kernel.run("x = 1")
    kernel.run("%%jmuz --chat\nis {{x}} odd?\n", cell="a")
    kernel.run("%%jmuz --chat\ntwo\n", cell="b")
    kernel.restart()
    load(kernel, demo_endpoint)
    kernel.run("x = 2")
    kernel.run("%%jmuz --chat --resume\nis {{x}} odd?\n", WATCHED, cell="a")
    assert sent(demo_endpoint) == ["is 2 odd?"]
    assert turns(kernel).count(">") == 2


@pytest.fixture
def asked_before(demo_endpoint: DemoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A conversation in the log; returns the cell that begins a notebook."""
    monkeypatch.setenv("JMUZ_LOG", str(tmp_path / "log.sqlite3"))
    use = f"%load_ext jmuz_magic\n%jmuz_use --api-base {demo_endpoint.api_base} -m demo-echo"
    execute(notebook(use, "%%jmuz --chat\none"))
    return use


RESUME = "from jmuz_magic import Conversation\nConversation.resume('main')"


@pytest.mark.parametrize("cell", ["%%jmuz --chat --resume\ntwo", "%jmuz_chat --resume", RESUME])
def test_nbclient_resumes_nothing(asked_before: str, demo_endpoint: DemoServer, cell: str) -> None:
    with pytest.raises(CellExecutionError, match="nothing is resumed where nobody watches, such as under nbclient"):
        execute(notebook(asked_before, cell))
    assert len(demo_endpoint.requests) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning:papermill")
def test_papermill_resumes_nothing(asked_before: str, demo_endpoint: DemoServer, tmp_path: Path) -> None:
    nbformat.write(notebook(asked_before, "%%jmuz --chat --resume\ntwo"), tmp_path / "in.ipynb")
    with pytest.raises(papermill.exceptions.PapermillExecutionError):
        papermill.execute_notebook(str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb"), progress_bar=False)
    assert "nothing is resumed where nobody watches" in (tmp_path / "out.ipynb").read_text(encoding="utf-8")
    assert len(demo_endpoint.requests) == 1


def test_the_path_of_the_notebook_is_in_no_output_and_no_export(start: Callable[..., Kernel]) -> None:
    kernel = start()
    kernel.run("%%jmuz --chat\none\n")
    shown: list[Execution] = [kernel.run(line) for line in ("%jmuz_chat", "%jmuz_history", "%jmuz_log")]
    kernel.run("%jmuz_log --export all.jsonl")
    kernel.run("%jmuz_history --export chat.json")
    exported = kernel.value("open('all.jsonl').read() + open('chat.json').read()")
    assert "/home" not in exported + "".join(str(cell.messages) for cell in shown)
