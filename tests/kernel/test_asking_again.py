"""`%%jmuz --chat` cells that are run again, in a real kernel that is told which cell runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.demo import DemoServer
from tests.fault_server import FaultServer, delta, head, reply
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Execution, Kernel
from tests.waiting import wait_until

pytestmark = pytest.mark.kernel

CELLS = {"a": "one", "b": "two", "c": "three"}


def said(server: DemoServer) -> list[str]:
    """The contents of the last request's messages."""
    body: Any = server.requests[-1].body
    return [message["content"] for message in body["messages"]]


class Notebook:
    """Cells of a notebook that talk in one conversation of the kernel."""

    def __init__(self, kernel: Kernel, name: str, options: str = "-m demo-echo") -> None:
        self.kernel, self.name, self._options = kernel, name, options

    def source(self, prompt: str, options: str = "") -> str:
        return f"%%jmuz --chat={self.name} {self._options} {options}\n{prompt}"

    def run(self, cell: str, prompt: str = "", options: str = "") -> Execution:
        return self.kernel.run(self.source(prompt or CELLS[cell], options), cell=cell)

    def run_all(self) -> None:
        for cell in CELLS:
            self.run(cell)

    @property
    def prompts(self) -> list[str]:
        """As `%jmuz_history` lists them."""
        shown = self.kernel.run(f"%jmuz_history {self.name}").text
        return [line.removeprefix("> ") for line in shown.splitlines() if line.startswith("> ")]


@pytest.fixture
def notebook(jmuz_kernel: Kernel, request: pytest.FixtureRequest) -> Notebook:
    return Notebook(jmuz_kernel, f"c{abs(hash(request.node.name))}")


def test_run_all_twice_gives_the_same_conversation(notebook: Notebook, demo_endpoint: DemoServer) -> None:
    for _ in range(2):
        notebook.run_all()
        assert notebook.prompts == ["one", "two", "three"]
        assert said(demo_endpoint) == ["one", "one", "two", "two", "three"]


def test_a_cell_in_the_middle_is_asked_with_the_turns_before_it(notebook: Notebook, demo_endpoint: DemoServer) -> None:
    notebook.run_all()
    notebook.run("b")
    assert said(demo_endpoint) == ["one", "one", "two"]
    notebook.run("b", "zwei")
    assert said(demo_endpoint) == ["one", "one", "zwei"]
    assert notebook.prompts == ["one", "zwei", "three"]
    notebook.run("c", "drei")
    assert notebook.prompts == ["one", "zwei", "three", "drei"]


def test_undo_brings_the_replaced_reply_back_and_says_so(notebook: Notebook) -> None:
    notebook.run_all()
    notebook.run("a", "eins")
    undo = f"%jmuz_history {notebook.name} --undo"
    assert notebook.kernel.run(undo).text == "the last turn was removed; the reply that it replaced is restored\n"
    assert notebook.prompts == ["one", "two", "three"]
    assert notebook.kernel.run(undo).text == "the last turn was removed\n"
    assert notebook.prompts == ["one", "two"]


def test_a_rehearsal_shows_what_would_be_asked_again(notebook: Notebook, demo_endpoint: DemoServer) -> None:
    notebook.run_all()
    asked = len(demo_endpoint.requests)
    shown = notebook.run("b", options="--dry-run").text
    assert "one" in shown
    assert "three" not in shown
    assert len(demo_endpoint.requests) == asked
    assert notebook.prompts == ["one", "two", "three"]


def test_where_cells_cannot_be_told_apart_each_prompt_is_a_new_turn(notebook: Notebook) -> None:
    for _ in range(2):
        notebook.kernel.run(notebook.source("one"))
    assert notebook.prompts == ["one", "one"]


def test_earlier_cells_that_go_along_do_not_make_another_prompt(notebook: Notebook, demo_endpoint: DemoServer) -> None:
    for number in range(2):
        notebook.kernel.run(f"number = {number}")
        notebook.run("a", "explain", "--context 1")
        assert f"number = {number}" in said(demo_endpoint)[-1]
    assert len(said(demo_endpoint)) == 1
    assert notebook.prompts.count("explain") == 1


def test_new_starts_afresh_also_when_the_cell_is_run_again(notebook: Notebook, demo_endpoint: DemoServer) -> None:
    for _ in range(2):
        notebook.run("a", options="--new")
        notebook.run("b")
    assert said(demo_endpoint) == ["one", "one", "two"]
    assert notebook.prompts == ["one", "two"]


def test_a_background_cell_that_is_run_again_replaces_its_turn(notebook: Notebook, demo_endpoint: DemoServer) -> None:
    for _ in range(2):
        notebook.run("a")
        notebook.kernel.run(notebook.source("two", "--background").replace("%%jmuz", "%%jmuz job <<"), cell="b")
        assert notebook.kernel.value("job.result().text") == "two"
        notebook.run("c")
    assert notebook.prompts == ["one", "two", "three"]
    assert said(demo_endpoint) == ["one", "one", "two", "two", "three"]


@pytest.mark.parametrize("mode", ["auto", "only"])
def test_recordings_answer_cells_that_are_run_again(
    notebook: Notebook, demo_endpoint: DemoServer, tmp_path: Path, mode: str
) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    kernel = notebook.kernel
    kernel.run(f"%jmuz_record {path} --auto")
    notebook.run_all()
    recorded, asked = path.read_bytes(), len(demo_endpoint.requests)
    kernel.run(f"%jmuz_record {path} --{mode}")
    kernel.run(f"%jmuz_history {notebook.name} --clear")
    for _ in range(3):
        notebook.run_all()
        assert notebook.prompts == ["one", "two", "three"]
    assert (path.read_bytes(), len(demo_endpoint.requests)) == (recorded, asked)
    kernel.run("%jmuz_record --off")


def test_a_cell_run_again_by_fresh_keeps_its_line_of_the_recording(
    notebook: Notebook, demo_endpoint: DemoServer, tmp_path: Path
) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    notebook.kernel.run(f"%jmuz_record {path} --auto")
    notebook.run_all()
    before = path.read_bytes()
    notebook.run("b", options="--fresh")
    assert path.read_bytes() == before
    assert said(demo_endpoint) == ["one", "one", "two"]
    assert notebook.prompts == ["one", "two", "three"]
    notebook.kernel.run("%jmuz_record --off")


def test_a_run_that_fails_or_is_stopped_leaves_the_old_turn_and_history_says_so(
    kernel: Kernel, server: FaultServer
) -> None:
    half = [("send", head() + delta("Half a reply")), ("accept_only",)]
    refused = [("send", head("400 Bad Request", "application/json") + b'{"error": {"message": "no such"}}'), ("eof",)]
    base = server.add("s", reply("first"), reply("second"), refused, half, reply("Half", reason="content_filter"))
    kernel.run("%reload_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {base}")
    notebook = Notebook(kernel, "worse", "-m any")
    notebook.run("a")
    notebook.run("b")
    assert kernel.execute(notebook.source("one"), cell="a").status == "error"
    listed = kernel.run("%jmuz_history worse").text
    assert "no such" in listed
    assert listed.count("[not sent with later prompts]") == 1
    execution = kernel.submit(notebook.source("one"), cell="a")
    kernel.wait(execution, lambda: "Half" in execution.html, "the reply has begun")
    kernel.interrupt()
    kernel.finish(execution)
    shown = kernel.run("%jmuz_history worse")
    assert shown.text.count("> one") == 2
    assert "first" in shown.text
    assert "Half a reply\n[interrupted: the reply is incomplete]\n[not sent with later prompts]" in shown.text
    assert "not sent with later prompts" in shown.html
    notebook.run("a")  # filtered
    assert "filtered" in kernel.run("%jmuz_history worse").text
    messages = kernel.value("[m['content'] for m in get_ipython().user_ns['_jmuz'].messages]")
    assert messages == ["one"]
    assert notebook.prompts == ["one", "one", "two"]


def test_panel_and_cells_of_one_conversation_replace_in_place(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    kernel, notebook = jmuz_kernel, Notebook(jmuz_kernel, "mixed")
    panel = kernel.run("%jmuz_chat mixed -m demo-echo", cell="panel")
    comm_id = panel.received("comm_open")[-1].content["comm_id"]

    def ask(text: str) -> None:
        before = len(demo_endpoint.requests)
        ask = {"op": "ask", "text": text, "request": f"r{before}", "view": "v"}
        kernel.send_to_comm(comm_id, method="custom", content=ask)
        kernel.wait(kernel.submit("pass"), lambda: len(demo_endpoint.requests) > before, "the panel has asked")
        wait_until(lambda: demo_endpoint.open_streams == 0, "the reply has ended")

    notebook.run("a")
    ask("from the panel")
    notebook.run("b")
    notebook.run("a")
    assert said(demo_endpoint) == ["one"]
    assert notebook.prompts == ["one", "from the panel", "two"]
    ask("once more")
    assert said(demo_endpoint)[::2] == ["one", "from the panel", "two", "once more"]
    notebook.run("b", "zwei")
    assert notebook.prompts == ["one", "from the panel", "zwei", "once more"]


def test_a_cell_without_chat_stands_alone_however_often_it_runs(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    for _ in range(2):
        jmuz_kernel.run("%%jmuz -m demo-echo\nalone", cell="a")
        assert said(demo_endpoint) == ["alone"]


def test_a_file_of_recordings_made_before_still_answers(
    start_kernel: StartKernel, demo_endpoint: DemoServer, tmp_path: Path
) -> None:
    """Keys are made of the same messages as before: a turn with text is sent as it always was."""
    from jmuz_magic.request.asked import Asked

    messages = [("user", "one"), ("assistant", "one"), ("user", "two")]
    asked = Asked("demo-echo", [{"role": role, "content": content} for role, content in messages], {})
    line = {
        "request": {"model": "demo-echo", "messages": asked.messages},
        "reply": {"text": "as recorded", "model": "demo-echo", "finish_reason": "stop", "seconds": 0.1},
        "provider": "OpenaiTemplate", "origin": "http://127.0.0.1:1", "date": "2025-01-01",
        "key": asked.key, "jmuz": 1,
    }  # fmt: skip
    path = tmp_path / "old.jmuz.jsonl"
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    kernel = start_kernel(env={"JMUZ_API_BASE": demo_endpoint.api_base, "JMUZ_RECORDING": str(path)})
    kernel.run("%load_ext jmuz_magic")
    kernel.run("%%jmuz --chat -m demo-echo\none")
    assert kernel.run("%%jmuz --chat -m demo-echo\ntwo").text == "as recorded"


@pytest.mark.finding("B33")
def test_a_conversation_goes_on_after_a_reload_in_mid_reply(kernel: Kernel) -> None:
    with DemoServer(deltas_per_second=50, keep_requests=10) as server:
        kernel.run("%reload_ext jmuz_magic")
        kernel.run(f"%jmuz_use --api-base {server.api_base}")
        kernel.run("%%jmuz --chat=reloaded -m demo-echo\none")
        kernel.run("%%jmuz job << --chat=reloaded --background -m demo-long\ntwo")
        kernel.wait(kernel.submit("pass"), lambda: server.open_streams == 1, "the reply streams")
        kernel.run("%reload_ext jmuz_magic")
        kernel.wait(kernel.submit("pass"), lambda: server.open_streams == 0, "the endpoint saw the close")
        kernel.run("%%jmuz --chat=reloaded -m demo-echo\nthree")
        assert said(server)[:2] == ["one", "one"]
        assert said(server)[-1] == "three"
