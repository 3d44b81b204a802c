"""Replies that are hard to pass on: through the kernel's messages to what a notebook stores."""

from __future__ import annotations

import json

import pytest

from jmuz_magic.demo import DemoServer
from tests.fault_server import DONE, FaultServer, Script, event, finish, reply, stream
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Execution, Kernel

pytestmark = pytest.mark.kernel


def ask(kernel: Kernel, server: FaultServer, script: Script) -> Execution:
    kernel.run("%load_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {server.add('s', script)}")
    return kernel.execute("%%jmuz -m any\ngo\n")


def content(escaped: bytes) -> bytes:
    """A delta with the text as the bytes of a JSON string."""
    return b'data: {"choices": [{"index": 0, "delta": {"content": "%s"}}]}\n\n' % escaped


BROKEN = {
    "half an emoji in each delta": ([content(rb"\ud83d"), content(rb"\ude00")], "😀"),
    "half an emoji and no more": ([content(rb"a\ud83d"), content(b"b")], "a\ufffdb"),
    "half an emoji at the end": ([content(rb"a\ud83d")], "a\ufffd"),
    "the wrong half": ([content(rb"a\ude00b")], "a\ufffdb"),
    "a NUL": ([content(rb"a\u0000b")], "ab"),
    "no UTF-8": ([content(b"a\xff\xfeb")], "a\ufffd\ufffdb"),
    "usage that is no number": (
        [content(b"ab"), b'data: {"choices": [], "usage": {"prompt_tokens": NaN, "completion_tokens": Infinity}}\n\n'],
        "ab",
    ),
}


@pytest.mark.fault(30)
@pytest.mark.parametrize("name", BROKEN)
def test_broken_characters_reach_the_notebook_mended(kernel: Kernel, server: FaultServer, name: str) -> None:
    events, text = BROKEN[name]
    execution = ask(kernel, server, stream(*events, finish(), DONE))
    assert execution.status == "ok", execution.text
    assert execution.text == text
    assert kernel.value("str(_jmuz)") == text
    json.dumps(execution.outputs, ensure_ascii=False).encode("utf-8")


@pytest.mark.fault(30)
@pytest.mark.parametrize(
    "broken",
    [
        b'data: {"error": {"message": "no \\ud800 \\u0000 \\u001b[31m way"}}\n\n',
        b"data: " + b"[" * 100_000 + b"\n\n",
        b'data: {"choices": [{"delta": {"content": "x"}}]' + b"\xff" * 3 + b"\n\n",
    ],
    ids=["an error of broken characters", "nesting without end", "no JSON"],
)
def test_an_error_of_broken_characters_is_one_line(kernel: Kernel, server: FaultServer, broken: bytes) -> None:
    execution = ask(kernel, server, stream(broken, DONE))
    assert execution.status == "error"
    assert execution.error is not None
    (line,) = execution.error["traceback"]
    assert not set("\0\x1b\ud800\n") & set(line)
    assert len(line) < 700
    assert kernel.run("1 + 1").text == "2"


@pytest.mark.fault(37)
@pytest.mark.parametrize(
    ("script", "says"),
    [
        (reply(reason="stop"), "empty reply (finish_reason=stop)"),
        (reply(reason="content_filter"), "content filter"),
        (reply("Half a sent", reason="length"), "cut by length"),
        (reply("Half a sent", reason="content_filter"), "content filter"),
        (stream(event({"choices": [{"index": 0}]}), DONE), "empty reply"),
    ],
    ids=["nothing", "nothing, filtered", "cut by length", "cut by a filter", "no delta"],
)
def test_why_there_is_no_more_is_said(kernel: Kernel, server: FaultServer, script: Script, says: str) -> None:
    execution = ask(kernel, server, script)
    assert execution.status == "ok"
    assert says in execution.html.replace("content_filter", "content filter")


@pytest.mark.fault(55)
def test_a_flood_of_deltas_is_few_messages_and_ends_complete(start_kernel: StartKernel) -> None:
    """25,000 deltas as fast as they come, and nobody reads the kernel's messages meanwhile."""
    with DemoServer(deltas_per_second=0) as server:
        kernel = start_kernel()
        kernel.run("%load_ext jmuz_magic")
        kernel.run(f"%jmuz_use --api-base {server.api_base}")
        took = "import time\nbegan = time.monotonic()\n%jmuz -m demo-long go\ntook = time.monotonic() - began"
        execution = kernel.run(took)
        shown = execution.received("display_data", "update_display_data")
        # At most ten a second, and one that is due and one that is last for each of the outputs.
        assert len(shown) <= 10 * kernel.value("took") + 2 * len(execution.outputs)
        assert len(execution.outputs) <= 15
        size = sum(len(json.dumps(message.content["data"])) for message in shown)
        text = kernel.value("str(_jmuz)")
        assert len(text) == 100_000
        assert size <= 20 * len(text)
        assert execution.text.rstrip() == text.rstrip()


def test_the_demo_s_flood_is_read_with_a_pause(start_kernel: StartKernel) -> None:
    """A reader that does not keep up pauses the endpoint instead of filling the memory."""
    with DemoServer(deltas_per_second=0) as server:
        kernel = start_kernel()
        kernel.run("%load_ext jmuz_magic")
        kernel.run(f"%jmuz_use --api-base {server.api_base}")
        kernel.run(
            "from jmuz_magic.display.views.live import HtmlView\n"
            "from jmuz_magic.streaming.bridge import Stream\n"
            "most = 0\n"
            "def tick(self, tick=HtmlView.tick):\n"
            "    import time\n"
            "    time.sleep(0.02)\n"
            "    tick(self)\n"
            "def take(self, take=Stream._take):\n"
            "    global most\n"
            "    batch, end = take(self)\n"
            "    most = max(most, len(batch))\n"
            "    return batch, end\n"
            "HtmlView.tick, Stream._take = tick, take\n"
        )
        kernel.run("%jmuz -m demo-long go")
        assert kernel.value("len(_jmuz.text)") == 100_000
        assert (
            kernel.value("most")
            <= kernel.value("__import__('jmuz_magic.streaming.bridge', fromlist=['x']).QUEUE_BOUND") + 1
        )
