"""Recordings, as cells, executors and nbval see them."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from jmuz_magic.demo import DemoServer
from tests.executing import execute, nbval
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Execution, Kernel

pytestmark = pytest.mark.kernel

CELLS = (
    "%load_ext jmuz_magic",
    "%%jmuz -m demo-markdown\nshow me",
    "%%jmuz -m demo-reasoning -t 0\nthink",
    "%%jmuz answer << -m demo-adverts -s 'Be brief.' -u\nhello",
    "print(len(answer.text), answer.removed_adverts == _jmuz.removed_adverts, answer.messages[-1]['content'])",
    "%%jmuz --chat -m demo-echo\nfirst",
    "%%jmuz --chat -m demo-echo\nsecond",
    "%%jmuz job << --background -m demo-long\nall of it",
    "print(len(job.result().text))",
    "%%jmuz -m demo-echo\ntwice",
    "%%jmuz -m demo-echo\ntwice",
)


FOOT = re.compile(r'<div class="jmuz-footer"[^>]*>(.*)</div>')


def write(path: Path, *sources: str) -> Path:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source, id=f"cell{number}") for number, source in enumerate(sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def execute_in_place(path: Path) -> Any:
    """Run the notebook; what is written is what ran."""
    notebook = nbformat.read(path, as_version=4)
    try:
        execute(notebook, path.parent)
    finally:
        nbformat.write(notebook, path)
    return notebook


def displays(cell: Any) -> list[Any]:
    return [output for output in cell.outputs if output.output_type == "display_data"]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[DemoServer]:
    """The demo endpoint that is asked when the notebook is recorded, and never again."""
    with DemoServer(deltas_per_second=0, keep_requests=1000) as server:
        yield server


@pytest.fixture(scope="module")
def recorded(endpoint: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a recorded notebook."""
    folder = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as recording:
        recording.setenv("JMUZ_RECORDING", "chat.jmuz.jsonl")
        recording.setenv("JMUZ_LOG", str(folder / "log.sqlite3"))
        recording.setenv("JMUZ_API_BASE", endpoint.api_base)
        execute_in_place(write(folder / "chat.ipynb", *CELLS))
    assert (folder / "log.sqlite3").exists()
    return folder


@pytest.fixture
def notebook(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the recorded notebook, whose kernels will only replay."""
    for name in ("chat.ipynb", "chat.jmuz.jsonl"):
        shutil.copy(recorded / name, tmp_path)
    monkeypatch.setenv("JMUZ_RECORDING", "chat.jmuz.jsonl")
    monkeypatch.setenv("JMUZ_LOG", str(tmp_path / "log.sqlite3"))
    monkeypatch.setenv("JMUZ_REPLAY", "only")
    return tmp_path / "chat.ipynb"


def test_a_recorded_notebook_passes_strict_nbval_without_an_endpoint(notebook: Path, endpoint: DemoServer) -> None:
    asked = len(endpoint.requests)
    assert asked
    execute_in_place(notebook)  # the reference
    done = nbval(notebook)
    assert done.returncode == 0, done.stdout[-4000:]
    assert f"{len(CELLS)} passed" in done.stdout
    assert len(endpoint.requests) == asked
    assert not (notebook.parent / "log.sqlite3").exists()


def test_a_replay_is_one_output_whose_foot_is_that_of_the_recording(notebook: Path) -> None:
    recorded = nbformat.read(notebook, as_version=4)
    replayed = execute_in_place(notebook)
    for before, after in zip(recorded.cells, replayed.cells, strict=True):
        if not displays(before):
            continue
        (output,) = displays(after)
        assert output.data["text/plain"].endswith(displays(before)[-1].data["text/plain"])
        facts = output.metadata["jmuz"]
        live = FOOT.findall(displays(before)[-1].data["text/html"])
        assert FOOT.findall(output.data["text/html"]) == [f"{live[-1]} · from the recording of {facts['date']}"]
        assert facts["replayed"] is True
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", facts["date"])
        assert facts["model"] == displays(before)[-1].metadata["jmuz"]["model"]
    assert replayed.cells[4].outputs == recorded.cells[4].outputs


def test_a_replay_never_updates_its_display(start_kernel: StartKernel, notebook: Path) -> None:
    kernel = start_kernel(folder=notebook.parent)
    for source in CELLS:
        execution = kernel.run(source)
        assert execution.received("update_display_data", "clear_output") == []
        assert len(execution.received("display_data")) == source.startswith("%%jmuz")


def test_a_changed_prompt_fails_with_the_nearest_named(notebook: Path) -> None:
    content = notebook.read_text().replace("show me", "show us")
    notebook.write_text(content)
    with pytest.raises(CellExecutionError) as caught:
        execute_in_place(notebook)
    assert "chat.jmuz.jsonl has no reply to this request; the closest is exchange 1, which differs" in str(caught.value)
    assert "prompt “show us” instead of “show me”" in str(caught.value)
    done = nbval(notebook)
    assert done.returncode != 0


def test_only_opens_no_connection_and_needs_nothing(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard = "import socket\n\ndef refuse(*_):\n    raise AssertionError('a connection was opened')\n\n"
    guard += "socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse"
    write(notebook, "%load_ext jmuz_magic", guard, *CELLS[1:])
    executed = execute_in_place(notebook)
    assert all(displays(cell) for cell in executed.cells if cell.source.startswith("%%jmuz"))
    assert socket.socket.connect.__name__ == "connect"


def test_recording_again_changes_no_byte(notebook: Path, endpoint: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = notebook.parent / "chat.jmuz.jsonl"
    lines = [json.loads(line) for line in recording.read_text().splitlines()]
    assert [line["request"]["messages"][-1]["content"] for line in lines] == [
        "show me", "think", "hello", "first", "second", "all of it", "twice", "twice",
    ]  # fmt: skip
    old = re.sub(rb'"date": "[\d-]+"', b'"date": "2001-02-03"', recording.read_bytes())
    recording.write_bytes(old)
    monkeypatch.setenv("JMUZ_REPLAY", "auto")
    asked = len(endpoint.requests)
    with DemoServer(deltas_per_second=0) as other:  # another port, so another origin
        monkeypatch.setenv("JMUZ_API_BASE", other.api_base)
        execute_in_place(notebook)
        assert recording.read_bytes() == old
        fresh = [source.replace(" -m ", " --fresh -m ", 1) for source in CELLS]
        execute_in_place(write(notebook, *fresh))
    assert recording.read_bytes() == old
    assert len(endpoint.requests) == asked


def ask(kernel: Kernel, line: str, question: str = "hello") -> Execution:
    return kernel.run(f"%%jmuz {line}\n{question}\n")


def test_the_magic_records_replays_and_says_so(jmuz_kernel: Kernel, demo_endpoint: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    assert "no recording is in use" in jmuz_kernel.run("%jmuz_record").text
    said = jmuz_kernel.run(f"%jmuz_record {path}")
    assert (
        said.text
        == "chat.jmuz.jsonl: recorded replies are replayed; other prompts are sent and their replies recorded\n"
    )
    ask(jmuz_kernel, "-m demo-echo")
    ask(jmuz_kernel, "-m demo-echo", "unused")
    assert len(path.read_text().splitlines()) == len(demo_endpoint.requests) == 2

    jmuz_kernel.run(f"%jmuz_record {path} --only")
    assert ask(jmuz_kernel, "").outputs[-1]["metadata"]["jmuz"]["model"] == "demo-echo"  # no model is named
    listed = jmuz_kernel.run("%jmuz_record").text
    assert listed.startswith("chat.jmuz.jsonl: all replies come from it; no endpoint is asked\n")
    assert "1 recorded reply not yet used:" in listed
    assert listed.rstrip().endswith("demo-echo  unused")
    assert len(demo_endpoint.requests) == 2

    jmuz_kernel.run("%jmuz_record --off")
    ask(jmuz_kernel, "-m demo-echo", "not recorded")
    assert len(demo_endpoint.requests) == 3
    assert len(path.read_text().splitlines()) == 2

    jmuz_kernel.run("%jmuz_record --auto")
    ask(jmuz_kernel, "-m demo-echo --fresh")
    assert len(demo_endpoint.requests) == 4
    assert len(path.read_text().splitlines()) == 2
    assert jmuz_kernel.value("get_ipython().magics_manager.registry['JmuzMagics'].replay") == "auto"


def test_a_cell_that_is_run_again_gets_the_same_reply(jmuz_kernel: Kernel, tmp_path: Path) -> None:
    """The front ends that tell which cell runs; without that, each asking is a further one."""
    path = tmp_path / "chat.jmuz.jsonl"
    jmuz_kernel.run(f"%jmuz_record {path}")
    tell = "get_ipython().get_parent()['metadata']['cellId'] = 'CELL'; "
    cell = tell + "get_ipython().run_cell_magic('jmuz', '-m demo-echo', 'hello')"
    for name in "aba":
        jmuz_kernel.run(cell.replace("CELL", name))
    assert len(path.read_text().splitlines()) == 2
    jmuz_kernel.run("%%jmuz -m demo-echo\nhello")
    jmuz_kernel.run("%%jmuz -m demo-echo\nhello")
    assert len(path.read_text().splitlines()) == 4


def test_a_dry_run_is_no_asking(jmuz_kernel: Kernel, demo_endpoint: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    jmuz_kernel.run(f"%jmuz_record {path}")
    ask(jmuz_kernel, "-m demo-echo")
    jmuz_kernel.run(f"%jmuz_record {path}")
    ask(jmuz_kernel, "-m demo-echo --dry-run")
    ask(jmuz_kernel, "-m demo-echo")
    assert len(demo_endpoint.requests) == 1


def test_an_alias_is_recorded_under_its_name(jmuz_kernel: Kernel, demo_endpoint: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    jmuz_kernel.run(f"%jmuz_record {path}")
    jmuz_kernel.run("%jmuz_alias quick demo-echo -o temperature 0")
    ask(jmuz_kernel, "-m quick")
    body = demo_endpoint.requests[-1].body
    assert isinstance(body, dict)
    assert (body["model"], body["temperature"]) == ("demo-echo", 0)
    request = json.loads(path.read_text())["request"]
    assert (request["model"], "options" in request) == ("quick", False)
    # Somebody else's kernel does not know the alias.
    jmuz_kernel.run("%reload_ext jmuz_magic")
    jmuz_kernel.run(f"%jmuz_record {path} --only")
    assert ask(jmuz_kernel, "-m quick").text == "hello"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("missing.jmuz.jsonl --only", "there is no recording missing.jmuz.jsonl"),
        ("--only", "expected a file to replay, such as %jmuz_record chat.jmuz.jsonl --only"),
        ("a.jmuz.jsonl --only --off", "--only and --off cannot be combined"),
        ("broken.jmuz.jsonl", "line 1 of broken.jmuz.jsonl is not a recorded exchange"),
    ],
)
def test_wrong_lines_are_answered_in_one(jmuz_kernel: Kernel, tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "broken.jmuz.jsonl").write_text("<<<<<<< HEAD\n")
    jmuz_kernel.run("%config JmuzMagics.recording = ''")
    jmuz_kernel.run(f"%cd -q {tmp_path}")
    execution = jmuz_kernel.execute(f"%jmuz_record {line}")
    assert execution.status == "error"
    assert execution.text.startswith("UsageError: ")
    assert says in execution.text
    assert len(execution.text.strip().splitlines()) == 1


def test_a_setting_that_cannot_be_had_is_one_line(jmuz_kernel: Kernel, tmp_path: Path) -> None:
    jmuz_kernel.run("%config JmuzMagics.replay = 'only'")
    said = jmuz_kernel.run(f"%config JmuzMagics.recording = '{tmp_path}/none.jmuz.jsonl'").text
    assert said.startswith(f"JmuzMagics.recording: there is no recording {tmp_path}/none.jmuz.jsonl; ")
    assert said.count("\n") == 1
    assert "there is no recording" in jmuz_kernel.execute("%%jmuz -m demo-echo\nhello").text
    jmuz_kernel.run("%config JmuzMagics.replay = 'auto'")
    jmuz_kernel.run("%%jmuz -m demo-echo\nhello")
    assert (tmp_path / "none.jmuz.jsonl").exists()


def test_a_mode_that_is_none_is_one_line(start_kernel: StartKernel, demo_endpoint: DemoServer) -> None:
    kernel = start_kernel(env={"JMUZ_API_BASE": demo_endpoint.api_base, "JMUZ_REPLAY": "always", "JMUZ_RECORDING": "a"})
    kernel.run("%load_ext jmuz_magic")
    assert "expected auto, only or off, got 'always'" in kernel.execute("%%jmuz -m demo-echo\nhello").text
    assert not demo_endpoint.requests


def test_only_without_a_recording_asks_nobody(start_kernel: StartKernel, demo_endpoint: DemoServer) -> None:
    kernel = start_kernel(env={"JMUZ_API_BASE": demo_endpoint.api_base, "JMUZ_REPLAY": "only"})
    kernel.run("%load_ext jmuz_magic")
    assert "no recording is named" in kernel.execute("%%jmuz -m demo-echo\nhello").text
    assert not demo_endpoint.requests


def test_a_reply_that_cannot_be_recorded_is_shown_and_the_cell_fails(jmuz_kernel: Kernel, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    jmuz_kernel.run(f"%jmuz_record {folder}/chat.jmuz.jsonl")
    folder.rmdir()
    execution = jmuz_kernel.execute("%%jmuz -m demo-echo\nhello\n")
    assert execution.status == "error"
    assert "hello" in execution.outputs[0]["data"]["text/plain"]
    assert f"the reply was not recorded: {folder}/chat.jmuz.jsonl: No such file or directory" in execution.text
