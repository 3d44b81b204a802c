"""Replies where a front end does not apply updates of what was displayed: they are sent once, whole, at their end."""

from __future__ import annotations

import math
import queue
import time
from collections.abc import Iterator, Sequence
from typing import Any

import nbformat
import pytest
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from traitlets import Type

from jmuz_magic.demo import DemoServer
from tests.executing import AsyncIpcKernelManager, execute
from tests.fault_server import FaultServer, json_answer, reply
from tests.kernel.kernel import Kernel, Received
from tests.kernel.test_executors import notebook

pytestmark = [pytest.mark.kernel]

REPLY = "a **first** paragraph\n\nand the last word"
SET_UP = f"""\
import ipywidgets as w
out, other = w.Output(), w.Output()
REPLY = {REPLY!r}
def ask(*ignored, **named):
    get_ipython().run_cell_magic("jmuz", "-m demo-echo", REPLY)
"""
BACKGROUND = "job << -m demo-echo --background"
UPDATES = ("update_display_data",)


@pytest.fixture
def asking(jmuz_kernel: Kernel) -> Kernel:
    """The file's kernel, with two widgets and a function that asks."""
    jmuz_kernel.run(SET_UP)
    return jmuz_kernel


@pytest.fixture
def fault_server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def assert_whole(messages: Sequence[Received]) -> None:
    """One display, and it holds the reply."""
    shown = [message.content["data"] for message in messages if "text/html" in message.content.get("data", {})]
    assert [message.type for message in messages if message.type in UPDATES] == []
    assert len(shown) == 1
    assert shown[0]["text/plain"].strip() == REPLY
    assert "<p>and the last word</p>" in shown[0]["text/html"]


@pytest.mark.finding("A1")
@pytest.mark.parametrize(
    "cell",
    [
        "with out: ask()",
        "with other, out: ask()",
        "with out:\n    with out: pass\n    ask()",
        "out.capture()(ask)()",
        "w.interactive_output(ask, {'value': w.IntSlider()});",
        "with out: get_ipython().run_line_magic('jmuz', '-m demo-echo {{REPLY}}')",
    ],
)
def test_a_reply_inside_an_output_widget_is_sent_whole(asking: Kernel, cell: str) -> None:
    assert_whole(asking.run(cell).messages)


@pytest.mark.finding("A1")
def test_interact_shows_the_whole_reply(asking: Kernel) -> None:
    execution = asking.run("from ipywidgets import interact\ninteract(ask, value=1);")
    views = [message for message in execution.messages if "widget-view" not in str(message.content.get("data"))]
    assert_whole(views)


@pytest.mark.finding("A1")
@pytest.mark.parametrize("ask", ["ask", "out.capture()(ask)"])
def test_a_callback_shows_the_whole_reply(asking: Kernel, ask: str) -> None:
    asking.run(f"button = w.Button()\nbutton.on_click({ask})")
    comm = asking.value("button.comm.comm_id")
    seen = len(asking.orphans)
    asking.send_to_comm(comm, method="custom", content={"event": "click"})
    asking.settle()
    assert_whole(asking.orphans[seen:])


@pytest.mark.finding("A1")
def test_a_fix_inside_an_output_widget_is_sent_whole(asking: Kernel) -> None:
    asking.execute("1 / 0")
    execution = asking.run("with out: get_ipython().run_line_magic('jmuz_fix', '-m demo-echo')")
    assert execution.received("update_display_data") == []
    assert "ZeroDivisionError" in execution.html


def test_a_reply_in_a_cell_grows_also_after_an_output_widget(asking: Kernel) -> None:
    execution = asking.run("with out: pass\nask()")
    assert execution.received("update_display_data") != []
    assert execution.text.strip() == REPLY


def test_a_reply_that_failed_inside_an_output_widget_is_only_its_error(asking: Kernel) -> None:
    execution = asking.execute("with out: get_ipython().run_line_magic('jmuz', '-m nope hi')")
    assert "ModelNotFoundError" in execution.text
    assert execution.received("display_data", "update_display_data") == []


@pytest.mark.finding("A1")
@pytest.mark.parametrize("asks", ["ask()", f"get_ipython().run_line_magic('jmuz', '{BACKGROUND} {{{{REPLY}}}}')"])
@pytest.mark.parametrize("shown", ["with out: {}", "with other, out: {}", "print('before')\nwith out: {}"])
def test_a_saved_notebook_has_the_whole_reply_in_its_output_widget(
    fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch, asks: str, shown: str
) -> None:
    waits = "pass"
    script = reply(REPLY)
    if "job" in asks:
        # nbclient drops what comes between two cells, so the reply ends in the cell that waits for it.
        go_on = fault_server.add("go", json_answer({})) + "/on"
        waits = f"import urllib.request\nurllib.request.urlopen({go_on!r})\njob.result();"
        script = [*script[:-1], ("wait_requests", 2), script[-1]]
    monkeypatch.setenv("JMUZ_API_BASE", fault_server.add("asked", script))
    executed = notebook("%load_ext jmuz_magic\n" + SET_UP, "out", shown.format(asks), waits)
    execute(executed, kernel_manager_class=PollingManager)
    outputs = widget_outputs(executed)
    assert [output["data"]["text/plain"].strip() for output in outputs] == [REPLY]
    assert "<p>and the last word</p>" in outputs[0]["data"]["text/html"]


class PollingChannel(AsyncZMQSocketChannel):
    """Looks for a reply again and again.

    nbclient answers for `Output` widgets on the socket on which it waits for the cell's reply; a reply that comes at
    that moment wakes nobody, and the cell ends with the timeout (its issue 312).
    """

    async def get_msg(  # type: ignore[override]  # of the blocking channel, which is its base
        self,
        timeout: float | None = None,  # noqa: ASYNC109  # its parameter
    ) -> dict[str, Any]:
        end = time.monotonic() + (math.inf if timeout is None else timeout)
        while True:
            left = end - time.monotonic()
            try:
                message: dict[str, Any] = await super().get_msg(timeout=max(0.0, min(left, 0.2)))
                return message
            except queue.Empty:
                if left <= 0:
                    raise


class PollingClient(AsyncKernelClient):
    shell_channel_class = Type(PollingChannel)


class PollingManager(AsyncIpcKernelManager):
    client_factory = Type(PollingClient)


def widget_outputs(executed: nbformat.NotebookNode) -> list[Any]:
    """Displays in the `Output` widgets of a notebook, as they are saved."""
    state = executed.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    outputs = [output for model in state.values() for output in model["state"].get("outputs", ())]
    return [output for output in outputs if output["output_type"] == "display_data"]


@pytest.mark.parametrize("option", ["", pytest.param("job << --background", marks=pytest.mark.finding("A1"))])
def test_what_is_captured_is_one_whole_reply(asking: Kernel, option: str) -> None:
    asking.run("from IPython.utils.capture import capture_output")
    asking.run(
        "with capture_output() as kept:\n"
        f"    get_ipython().run_line_magic('jmuz', '{option} -m demo-echo {{{{REPLY}}}}')"
    )
    if option:
        asking.run("job.result();")
    assert asking.value("[o.data['text/plain'].strip() for o in kept.outputs]") == [REPLY]


@pytest.mark.finding("C5")
@pytest.mark.parametrize("option", ["", "job << --background"])
def test_display_once_sends_a_reply_at_its_end(asking: Kernel, option: str) -> None:
    asking.run("%config JmuzMagics.display = 'once'")
    try:
        execution = asking.run(f"%jmuz {option} -m demo-echo {{{{REPLY}}}}")
        if option:
            asking.run("job.result();")
            asking.wait(execution, lambda: execution.html, "the job's reply came")
        assert_whole(execution.messages)
    finally:
        asking.run("%config JmuzMagics.display = 'auto'")


@pytest.mark.finding("C5")
def test_display_once_keeps_what_came_before_an_interrupt(asking: Kernel) -> None:
    with DemoServer(deltas_per_second=50) as slow:
        asking.run(f"%jmuz_use --api-base {slow.api_base}\n%config JmuzMagics.display = 'once'")
        execution = asking.submit("%jmuz -m demo-long hi")
        asking.wait(execution, lambda: slow.open_streams == 1, "the reply streams")
        asking.settle(1.0)
        assert execution.received("display_data") == []
        asking.interrupt()
        asking.finish(execution)
        asking.run("%config JmuzMagics.display = 'auto'")
    assert "# A long" in execution.text
    assert "interrupted: the reply is incomplete" in execution.html


@pytest.mark.finding("C5")
def test_what_display_takes_is_said_and_completed(asking: Kernel) -> None:
    refused = asking.run("%config JmuzMagics.display = 'markdown'")
    assert "expected auto, html, once or text, got 'markdown'" in refused.stdout
    assert "once" in asking.run("%config JmuzMagics").stdout
