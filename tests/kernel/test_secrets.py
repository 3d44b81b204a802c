"""A key reaches the endpoint's header and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from jmuz_magic.demo import DemoServer
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Kernel

pytestmark = [pytest.mark.kernel, pytest.mark.threat(11), pytest.mark.threat(13)]

KEY = "sk-fake-9f8e7d6c5b4a"


@pytest.fixture
def guarded() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=0, keep_requests=50, api_key=KEY) as server:
        yield server


def everything(kernel: Kernel) -> str:
    """All that the kernel has sent, as JSON."""
    kernel.settle()
    messages = [message.content for execution in kernel.executions.values() for message in execution.messages]
    replies = [execution.content for execution in kernel.executions.values()]
    return json.dumps([messages, replies, [message.content for message in kernel.orphans]])


def test_a_key_is_sent_and_shown_nowhere(start_kernel: StartKernel, guarded: DemoServer) -> None:
    kernel = start_kernel(env={"MY_KEY": KEY})
    kernel.run("%load_ext jmuz_magic")
    kernel.run("import logging; logging.basicConfig(level=logging.DEBUG)")
    kernel.run(f"%jmuz_use --api-base {guarded.api_base} --key-env MY_KEY")
    kernel.run("%%jmuz -m demo-echo\nhi\n")
    assert guarded.requests[-1].headers["Authorization"] == f"Bearer {KEY}"
    kernel.run("%jmuz_use")
    kernel.run("%config JmuzMagics")
    kernel.run("from jmuz_magic.conversation.selection import get_selection")
    kernel.run("print(get_selection().endpoint, vars(get_selection()), get_selection().choice)")
    for mode in ("Plain", "Context", "Verbose", "Minimal"):
        kernel.run(f"%xmode {mode}")
        assert kernel.execute("%%jmuz -m nope\nhi\n").status == "error"
        kernel.execute("%tb")
    assert KEY not in everything(kernel)


@pytest.mark.fault(31)
def test_a_refused_key_that_the_endpoint_echoes_is_not_shown(start_kernel: StartKernel, guarded: DemoServer) -> None:
    wrong = "sk-wrong-1a2b3c4d5e6f"
    kernel = start_kernel(env={"MY_KEY": wrong})
    kernel.run("%load_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {guarded.api_base} --key-env MY_KEY")
    for mode in ("Context", "Verbose"):
        kernel.run(f"%xmode {mode}")
        execution = kernel.execute("%%jmuz -m demo-echo\nhi\n")
        assert execution.error is not None
        assert execution.error["ename"] == "MissingAuthError"
        assert len(execution.error["traceback"]) == 1
        kernel.execute("%tb")
    assert wrong not in everything(kernel)
