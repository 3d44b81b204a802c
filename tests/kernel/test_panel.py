"""The chat panel's messages in a real kernel, sent as its view sends them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.demo import DemoServer
from tests.kernel.kernel import Execution, Kernel, Received
from tests.waiting import wait_until

pytestmark = pytest.mark.kernel

WAIT_FOR_FILE = "import pathlib, time\nwhile not pathlib.Path({name!r}).exists(): time.sleep(0.01)"
CODE = "```python\nran_by_itself = True\n```"


class View:
    """One view of a panel that a cell of the kernel has made."""

    def __init__(self, kernel: Kernel, model: str) -> None:
        self.kernel = kernel
        self.cell = kernel.run(f"from jmuz_magic import ChatPanel\npanel = ChatPanel(model={model!r})")
        self.comm_id = kernel.value("panel.comm.comm_id")
        self.send("hello")

    def send(self, op: str, **fields: Any) -> None:
        content = {"op": op, "view": "v", "request": op, **fields}
        self.kernel.send_to_comm(self.comm_id, method="custom", content=content)

    @property
    def received(self) -> list[Received]:
        """The panel's messages so far, in order."""
        received = sorted([*self.cell.messages, *self.kernel.orphans], key=lambda message: message.at)
        return [m for m in received if m.type == "comm_msg" and m.content["comm_id"] == self.comm_id]

    @property
    def came(self) -> list[dict[str, Any]]:
        """What the kernel has sent to the view so far."""
        data = [message.content["data"] for message in self.received]
        return [each["content"] for each in data if each["method"] == "custom"]

    def wait(self, execution: Execution, more: int) -> None:
        """Until `more` messages have come."""
        count = len(self.came) + more
        self.kernel.wait(execution, lambda: len(self.came) >= count, f"{more} messages more have come to the view")


@pytest.fixture
def slow_view(kernel: Kernel) -> Any:
    with DemoServer(deltas_per_second=100, keep_requests=10) as server:
        kernel.run("%reload_ext jmuz_magic")
        kernel.run(f"%jmuz_use --api-base {server.api_base}")
        yield View(kernel, "demo-long"), server
        wait_until(lambda: server.open_streams == 0, "no stream of the demo endpoint is open any more")


def test_a_panel_may_name_the_model_of_its_conversation(kernel: Kernel, demo_endpoint: DemoServer) -> None:
    kernel.run("%reload_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    panel = kernel.run("%jmuz_chat notes -m demo-echo")
    assert "Chat panel of the conversation notes" in panel.text
    kernel.run("%jmuz --chat=notes hi")
    assert kernel.value("[_jmuz.model, _jmuz.text]") == ["demo-echo", "hi"]


@pytest.mark.fault(45)
def test_a_reply_blocks_no_cell_and_stops_at_once(kernel: Kernel, slow_view: tuple[View, DemoServer]) -> None:
    view, server = slow_view
    view.send("ask", text="go")
    kernel.wait(view.cell, lambda: server.open_streams == 1, "the reply streams")
    assert kernel.run("1 + 1").text == "2"
    wait_until(lambda: server.open_streams == 1, "the reply streams")
    view.send("stop")
    wait_until(lambda: server.open_streams == 0, "the endpoint saw the close")
    assert server.requests[-1].state == "closed"


@pytest.mark.fault(45)
def test_a_reply_grows_while_a_cell_runs_and_stop_waits_for_its_end(
    kernel: Kernel, slow_view: tuple[View, DemoServer], tmp_path: Path
) -> None:
    view, server = slow_view
    view.send("ask", text="go")
    kernel.wait(view.cell, lambda: server.open_streams == 1, "the reply streams")
    busy = kernel.submit(WAIT_FOR_FILE.format(name=str(tmp_path / "go on")))
    kernel.wait(busy, lambda: busy.received("execute_input"), "the cell runs")
    view.wait(busy, 3)
    view.send("stop")
    view.wait(busy, 3)
    assert server.open_streams == 1
    (tmp_path / "go on").touch()
    kernel.finish(busy)
    wait_until(lambda: server.open_streams == 0, "the endpoint saw the close")
    assert busy.text == ""


def test_the_whole_state_answers_the_page_that_asks_for_it(jmuz_kernel: Kernel) -> None:
    """A page that loads slowly asks so, and knows the answer by its parent; what is said after it is the cell's."""
    view = View(jmuz_kernel, "demo-echo")
    asked = jmuz_kernel.send_to_comm(view.comm_id, method="request_state")
    jmuz_kernel.wait(view.cell, lambda: asked in [m.parent for m in view.received[:-1]], "the answer and more came")
    *_, answer, last = view.received
    assert "transcript" in answer.content["data"]["state"]
    assert (answer.parent, last.parent) == (asked, view.cell.id)


@pytest.mark.threat(9)
def test_code_of_a_reply_is_never_run(jmuz_kernel: Kernel) -> None:
    view = View(jmuz_kernel, "demo-echo")
    view.send("ask", text=CODE)
    ended = "any(turn.get('ended') for turn in panel.snapshot()['turns'])"
    jmuz_kernel.wait(view.cell, lambda: jmuz_kernel.value(ended), "the reply has ended")
    jmuz_kernel.run(f"%%jmuz -m demo-echo\n{CODE}")
    shown = jmuz_kernel.run(f"%%jmuz -x -m demo-echo\n{CODE}")
    assert shown.payload == []
    jmuz_kernel.settle()
    assert jmuz_kernel.value("str(_jmuz)") == CODE
    assert not jmuz_kernel.value("'ran_by_itself' in globals()")
    assert [message.type for message in jmuz_kernel.orphans if message.type == "execute_input"] == []


COUNTED = """
class Counted:
    def __init__(self):
        self.__dict__["reads"] = []
    def __getattr__(self, name):
        if not name.startswith("_"):  # IPython's own questions when it shows a value
            self.reads.append(f".{name}")
        raise AttributeError(name)
    def __getitem__(self, key):
        self.reads.append(f"[{key!r}]")
        return 42
    def __call__(self, *arguments):
        self.reads.append("()")
it = Counted()
"""


def test_a_chip_reads_its_steps_only_and_what_is_pasted_reads_nothing(
    jmuz_kernel: Kernel, demo_endpoint: DemoServer
) -> None:
    view = View(jmuz_kernel, "demo-echo")
    jmuz_kernel.run(COUNTED)
    view.send("describe", sources=["it", "it()", "it['k']"])
    view.wait(view.cell, 1)
    described = [{"about": "Counted", "problem": ""}, {"about": "", "problem": ""}, {"about": "int", "problem": ""}]
    assert view.came[-1]["described"] == described
    assert jmuz_kernel.value("it.reads") == ["['k']"]
    view.send("ask", text="{{it['k']}} {{it['k']}}", chips=[{"source": "it['k']", "at": 12}])
    ended = "any(turn.get('ended') for turn in panel.snapshot()['turns'])"
    jmuz_kernel.wait(view.cell, lambda: jmuz_kernel.value(ended), "the reply has ended")
    body: Any = demo_endpoint.requests[-1].body
    assert body["messages"][-1]["content"] == "{{it['k']}} 42"
    assert jmuz_kernel.value("it.reads") == ["['k']", "['k']"]


def test_a_panel_takes_its_own_model_and_system_message(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.run("%jmuz_alias echo demo-echo -p OpenaiTemplate -o temperature 0")
    jmuz_kernel.run("%jmuz_chat own -m echo -s 'Be brief.'")
    jmuz_kernel.run("%%jmuz --chat=own\nhello\n")
    body: Any = demo_endpoint.requests[-1].body
    assert (body["model"], body["temperature"]) == ("demo-echo", 0)
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    jmuz_kernel.run("%jmuz_alias far demo-echo --api-base http://127.0.0.1:9/v1")
    refused = jmuz_kernel.execute("%jmuz_chat own -m far")
    assert "far has its own address or key; select it first" in refused.text
    assert len(refused.text.strip().splitlines()) == 1
