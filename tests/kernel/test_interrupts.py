"""The user stops a reply, at each stage of its life."""

from __future__ import annotations

from pathlib import Path

import pytest

from jmuz_magic.demo import DemoServer
from tests.fault_server import FaultServer, Script, delta, head, json_answer, reply
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Execution, Kernel
from tests.waiting import wait_until

pytestmark = pytest.mark.kernel

TASKS = """
def tasks():
    import asyncio
    from jmuz_magic.streaming.bridge import get_bridge
    async def count():
        return len(asyncio.all_tasks()) - 1  # this one
    return get_bridge().run(count())
"""
INTERRUPTED_WHILE_IT_ENDS = """
import os, signal
from jmuz_magic.display.views.live import HtmlView
def close(self, *args, close=HtmlView.close):
    os.kill(os.getpid(), signal.SIGINT)
    close(self, *args)
HtmlView.close = close
"""


def asked(kernel: Kernel, server: FaultServer, script: Script) -> Execution:
    """A cell whose request is answered by this script; the server has got it."""
    kernel.run("%reload_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {server.add('s', script)}")
    kernel.run(TASKS)
    execution = kernel.submit("%%jmuz -m any\ngo\n")
    server.wait_for("request")
    return execution


def assert_stopped(kernel: Kernel, execution: Execution) -> None:
    kernel.finish(execution)
    assert execution.status == "error"
    assert execution.error is not None
    assert execution.error["ename"] == "ReplyInterrupted"
    assert len(execution.error["traceback"]) == 1
    kernel.wait(execution, lambda: kernel.value("tasks()") == 0, "no task is left")


NO_HEAD: Script = [("accept_only",)]
NO_DATA: Script = [("send", head()), ("accept_only",)]
SOME_TEXT: Script = [("send", head() + delta("Some text.")), ("accept_only",)]


@pytest.mark.fault(41)
@pytest.mark.parametrize(
    "script", [NO_HEAD, NO_DATA, SOME_TEXT], ids=["before the headers", "before text", "in the text"]
)
def test_the_connection_is_closed_at_once(kernel: Kernel, server: FaultServer, script: Script) -> None:
    execution = asked(kernel, server, script)
    if script is SOME_TEXT:
        kernel.wait(execution, lambda: "Some text." in execution.html, "the text is shown")
    kernel.interrupt()
    server.wait_for_close()
    assert_stopped(kernel, execution)
    assert ("Some text." in execution.html) == (script is SOME_TEXT)
    assert kernel.value("str(_jmuz)") == ("Some text." if script is SOME_TEXT else "")
    assert "waiting" not in execution.html


@pytest.mark.fault(41)
def test_the_wait_for_another_attempt_is_left_at_once(kernel: Kernel, server: FaultServer) -> None:
    execution = asked(kernel, server, json_answer({}, "503 Service Unavailable", Retry_After="25"))
    kernel.wait(execution, lambda: "trying again in 25" in execution.html, "the wait is announced")
    kernel.interrupt()
    assert_stopped(kernel, execution)
    assert len(server.requests) == 1
    assert "trying again" not in execution.html


@pytest.mark.fault(41)
def test_a_reply_that_has_ended_is_shown_to_its_end(start_kernel: StartKernel, server: FaultServer) -> None:
    kernel = start_kernel()
    kernel.run(INTERRUPTED_WHILE_IT_ENDS)
    execution = asked(kernel, server, reply("All ", "of ", "it."))
    queued = kernel.submit("ran = True")
    assert_stopped(kernel, execution)
    kernel.finish(queued)
    assert "All of it." in execution.html
    assert kernel.value("[str(_jmuz), _jmuz.finish_reason]") == ["All of it.", "stop"]
    assert queued.status == "aborted"


@pytest.mark.fault(42)
def test_a_second_interrupt_leaves_no_task_and_a_working_kernel(kernel: Kernel, server: FaultServer) -> None:
    execution = asked(kernel, server, SOME_TEXT)
    kernel.wait(execution, lambda: "Some text." in execution.html, "the text is shown")
    kernel.interrupt()
    kernel.read(0.003)
    kernel.interrupt()
    # No more than that: where the second one hits the kernel's own code behind the cell, that sends no error or reply.
    kernel.wait(execution, lambda: execution.idle, "the cell ended")
    server.wait_for_close()
    kernel.wait(execution, lambda: kernel.value("tasks()") == 0, "no task is left")
    kernel.run(f"%jmuz_use --api-base {server.add('next', reply('Next.'))}")
    assert kernel.run("%%jmuz -m any\ngo\n").text == "Next."


@pytest.mark.fault(46)
def test_a_killed_kernel_closes_its_connection_and_leaves_no_process(start_kernel: StartKernel) -> None:
    with DemoServer(deltas_per_second=50, keep_requests=10) as server:
        kernel = start_kernel()
        kernel.run("%load_ext jmuz_magic")
        kernel.run(f"%jmuz_use --api-base {server.api_base}")
        execution = kernel.submit("%%jmuz -m demo-long\ngo\n")
        kernel.wait(execution, lambda: execution.html, "the reply has begun")
        pid = kernel.pid
        kernel.kill()
        wait_until(lambda: server.open_streams == 0, "the endpoint saw the close")
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the process is gone")
