"""One `%%jmuz` cell in a real kernel: what is asked, what is stored, how it ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jmuz_magic.demo import DemoServer
from tests.fault_server import FaultServer, json_answer
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Execution, Kernel
from tests.waiting import wait_until

pytestmark = pytest.mark.kernel


@pytest.fixture
def slow_endpoint() -> Iterator[DemoServer]:
    """Streams about two seconds for a usual reply: long enough to be interrupted in the middle."""
    with DemoServer(deltas_per_second=50, keep_requests=100) as server:
        yield server
        wait_until(lambda: server.open_streams == 0, "no stream of the demo endpoint is open any more")


def use(kernel: Kernel, server: DemoServer) -> None:
    kernel.run("%load_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {server.api_base}")


def last_body(server: DemoServer) -> dict[str, object]:
    body = server.requests[-1].body
    assert isinstance(body, dict)
    return body


def test_the_whole_reply_is_stored_as_html_and_text(jmuz_kernel: Kernel) -> None:
    execution = jmuz_kernel.run("%%jmuz -m demo-markdown\nshow me\n")
    assert execution.outputs[-1]["data"]["text/plain"].startswith("# A tour of Markdown")
    assert execution.text.rstrip().endswith("The end.")
    assert "<h3>A tour of Markdown</h3>" in execution.html
    assert execution.html.count("The end.") == 1
    displays = [output["data"] for output in execution.outputs if "data" in output]
    assert all(set(data) == {"text/html", "text/latex", "text/plain"} for data in displays)
    assert execution.outputs[-1]["metadata"]["jmuz"]["model"] == "demo-markdown"


def test_nothing_is_put_into_out(jmuz_kernel: Kernel) -> None:
    execution = jmuz_kernel.run("%%jmuz -m demo-echo\nhi\n")
    assert execution.received("execute_result") == []


def test_the_reply_is_kept_and_bound_and_shows_itself(jmuz_kernel: Kernel) -> None:
    jmuz_kernel.run("%%jmuz answer << -m demo-echo\n**hi**\n")
    assert jmuz_kernel.value("[_jmuz is answer, str(answer), answer.model]") == [True, "**hi**", "demo-echo"]
    shown = jmuz_kernel.run("display(_jmuz)")
    assert "<strong>hi</strong>" in shown.html


def test_the_request_holds_the_options(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.run("%%jmuz -m demo-echo -s 'Be brief.' -t 0 --max-tokens 7 --no-stream\nhi\n")
    body = last_body(demo_endpoint)
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
    assert (body["temperature"], body["max_tokens"], body.get("stream", False)) == (0, 7, False)


@pytest.mark.parametrize("line", ["%jmuz -m demo-echo what is X?", "%%jmuz -m demo-echo what is X?"])
def test_a_question_may_end_in_a_question_mark(jmuz_kernel: Kernel, demo_endpoint: DemoServer, line: str) -> None:
    assert jmuz_kernel.run(line).text == "what is X?"


@pytest.mark.finding("C16")
def test_a_reply_is_assigned_as_any_value_is(jmuz_kernel: Kernel) -> None:
    execution = jmuz_kernel.run("answer = %jmuz -m demo-echo what is X?\nlength = len(answer.text)")
    assert execution.text == "what is X?"
    assert not execution.received("execute_result")
    assert jmuz_kernel.value("(length, answer is _jmuz)") == [10, True]


@pytest.mark.finding("C16")
def test_a_cell_magic_below_the_first_line_says_so(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    execution = jmuz_kernel.execute("# my question\n%%jmuz -m demo-echo\nWhat's this?\n")
    assert execution.status == "error"
    assert execution.text.startswith("UsageError: %%jmuz must be in the first line of its cell")
    assert len(execution.text.strip().splitlines()) == 1
    assert not demo_endpoint.requests


def test_help_is_shown_and_sends_nothing(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    for line in ("%jmuz?", "%%jmuz?"):
        page = jmuz_kernel.run(line).payload[0]["data"]["text/plain"]
        assert "--temperature" in page
        assert "answer = %jmuz" in page
    for line in ("%jmuz -h", "%%jmuz --help", "%%jmuz -m demo-echo -h\nhello"):
        assert jmuz_kernel.run(line).stdout.startswith("usage: %%jmuz [-h] [-m MODEL]")
    assert not demo_endpoint.requests


@pytest.mark.threat(18)
def test_with_nothing_configured_one_line_is_shown_and_nothing_sent(
    start_kernel: StartKernel, demo_endpoint: DemoServer
) -> None:
    kernel = start_kernel()
    kernel.run("%load_ext jmuz_magic")
    execution = kernel.execute("%%jmuz\nhello\n")
    assert execution.status == "error"
    assert execution.text.startswith("UsageError: %%jmuz: no endpoint is configured")
    assert all(word in execution.text for word in ("%jmuz_use demo", "%jmuz_use --local", "JMUZ_API_BASE"))
    assert len(execution.text.strip().splitlines()) == 1
    threads = kernel.value("[thread.name for thread in __import__('threading').enumerate()]")
    assert "jmuz-bridge" in threads
    assert not demo_endpoint.requests


def test_jmuz_api_base_selects_jmuz_there_with_its_rules(start_kernel: StartKernel, demo_endpoint: DemoServer) -> None:
    kernel = start_kernel(env={"JMUZ_API_BASE": demo_endpoint.api_base})
    kernel.run("%load_ext jmuz_magic")
    execution = kernel.run("%%jmuz -m demo-adverts\nhi\n")
    assert "Join for free" not in execution.text
    assert "adverts removed" in execution.html
    assert kernel.value("len(_jmuz.removed_adverts) > 1")
    kernel.run("%%jmuz -m qwq-32b\nhi\n")
    assert last_body(demo_endpoint)["model"] == "qwq-32b-preview"
    assert "third party" not in execution.text


@pytest.mark.fault(32)
def test_a_refused_model_is_one_line_and_fails_the_cell(jmuz_kernel: Kernel) -> None:
    execution = jmuz_kernel.execute("%%jmuz -m nope\nhi\n")
    assert execution.status == "error"
    assert execution.error is not None
    assert execution.error["ename"] == "ModelNotFoundError"
    assert len(execution.error["traceback"]) == 1
    assert "%jmuz_models" in execution.error["traceback"][0]


@pytest.mark.fault(56)
@pytest.mark.parametrize("cell", ["%%jmuz\n \n", "%jmuz", "%%jmuz -m x\n\n"])
def test_an_empty_prompt_is_refused_before_any_request(
    jmuz_kernel: Kernel, demo_endpoint: DemoServer, cell: str
) -> None:
    execution = jmuz_kernel.execute(cell)
    assert "UsageError" in execution.text
    assert "expected a prompt" in execution.text
    assert not demo_endpoint.requests


@pytest.mark.fault(57)
def test_wrong_options_are_one_line_on_stderr(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    for line in ("--nonsense", "-t abc", "-m", "-s 'open"):
        execution = jmuz_kernel.execute(f"%%jmuz {line}\nhi\n")
        assert execution.status == "error"
        assert execution.stderr.startswith("UsageError: %%jmuz:")
        assert len(execution.stderr.strip().splitlines()) == 1
    assert not demo_endpoint.requests
    assert jmuz_kernel.run("1 + 1").text == "2"


def interrupted(kernel: Kernel, execution: Execution) -> None:
    kernel.interrupt()
    kernel.finish(execution)
    assert execution.status == "error"
    assert execution.error is not None
    assert execution.error["ename"] == "ReplyInterrupted"
    assert len(execution.error["traceback"]) == 1


@pytest.mark.fault(41)
@pytest.mark.fault(43)
@pytest.mark.fault(44)
def test_an_interrupt_keeps_the_text_closes_the_connection_and_stops_run_all(
    kernel: Kernel, slow_endpoint: DemoServer
) -> None:
    use(kernel, slow_endpoint)
    execution = kernel.submit("%%jmuz -m demo-markdown\ngo\n")
    queued = kernel.submit("ran = True")
    kernel.wait(execution, lambda: "Lists" in execution.html, "the reply has grown to its second heading")
    interrupted(kernel, execution)
    kernel.finish(queued)
    assert queued.status == "aborted"
    wait_until(lambda: slow_endpoint.requests[-1].state == "closed", "the endpoint saw the close")
    assert "A tour of Markdown" in execution.html
    assert "interrupted" in execution.html
    assert kernel.value("[_jmuz.finish_reason, 'Lists' in _jmuz.text]") == ["interrupted", True]
    following = kernel.run("%%jmuz -m demo-echo\nnext\n")
    assert following.text == "next"
    assert "tour" not in following.html


@pytest.mark.fault(41)
def test_an_interrupt_before_the_first_text(kernel: Kernel) -> None:
    with DemoServer(deltas_per_second=0.05, keep_requests=10) as server:
        use(kernel, server)
        execution = kernel.submit("%%jmuz -m demo-echo\ngo\n")
        wait_until(lambda: server.open_streams == 1 or not kernel.read(), "the request arrived")
        kernel.wait(execution, lambda: server.requests, "the request arrived")
        interrupted(kernel, execution)
        wait_until(lambda: server.requests[-1].state == "closed", "the endpoint saw the close")
        assert kernel.run("1 + 1").text == "2"


@pytest.mark.fault(42)
def test_two_interrupts_at_once_leave_a_working_kernel(kernel: Kernel, slow_endpoint: DemoServer) -> None:
    use(kernel, slow_endpoint)
    execution = kernel.submit("%%jmuz -m demo-markdown\ngo\n")
    kernel.wait(execution, lambda: "tour" in execution.html, "the reply has begun")
    kernel.interrupt()
    kernel.interrupt()
    # The second signal may come when the cell has ended and hit ipykernel's own code, which then loses the cell's
    # answer: what counts is that the request is closed and the kernel works.
    wait_until(lambda: slow_endpoint.open_streams == 0, "nothing streams any more")
    kernel.settle()
    assert kernel.run("%%jmuz -m demo-echo\nnext\n").text == "next"


@pytest.mark.fault(40)
def test_loading_asks_nobody(start_kernel: StartKernel, demo_endpoint: DemoServer) -> None:
    kernel = start_kernel(env={"JMUZ_API_BASE": demo_endpoint.api_base})
    kernel.run("%load_ext jmuz_magic")
    kernel.run("%reload_ext jmuz_magic")
    kernel.settle()
    assert not demo_endpoint.requests


@pytest.mark.fault(46)
def test_a_restart_in_mid_stream_closes_the_connection(start_kernel: StartKernel, slow_endpoint: DemoServer) -> None:
    kernel = start_kernel()
    use(kernel, slow_endpoint)
    execution = kernel.submit("%%jmuz -m demo-long\ngo\n")
    kernel.wait(execution, lambda: execution.html, "the reply has begun")
    kernel.restart()
    wait_until(lambda: slow_endpoint.open_streams == 0, "the endpoint saw the close")


def test_use_says_what_is_in_use_and_never_the_key(start_kernel: StartKernel) -> None:
    kernel = start_kernel(env={"OPENAI_API_KEY": "sk-fake-0123456789"})
    kernel.run("%load_ext jmuz_magic")
    assert "no endpoint is configured" in kernel.run("%jmuz_use").text
    said = kernel.run("%jmuz_use openai:gpt-4o-mini").text
    assert said.strip() == "OpenAI at https://api.openai.com/v1; model gpt-4o-mini; key: env OPENAI_API_KEY"
    assert "sk-fake" not in kernel.run("%config JmuzMagics").text


def test_servers_on_this_machine_are_looked_for_only_if_somebody_watches(
    start_kernel: StartKernel, server: FaultServer
) -> None:
    api_base = server.add("ollama", json_answer({"data": [{"id": "phi4"}]}))
    kernel = start_kernel(env={"OLLAMA_HOST": api_base})
    kernel.run("%load_ext jmuz_magic")
    for line in ("%jmuz_use", "%jmuz_use --local"):
        assert "ollama:phi4" not in kernel.run(line).text
    assert not server.requests
    for line in ("%jmuz_use", "%jmuz_use --local"):
        kernel.run(line, ["never asked for"])  # with answers, the cell may ask: as in JupyterLab
    assert len(server.requests) == 2


def test_models_are_listed_with_default_and_aliases(start_kernel: StartKernel, demo_endpoint: DemoServer) -> None:
    kernel = start_kernel(env={"JMUZ_API_BASE": demo_endpoint.api_base})
    kernel.run("%load_ext jmuz_magic")
    shown = kernel.run("%jmuz_models")
    assert "gpt-4o  (default; answered by demo-chat)" in shown.text
    assert "qwq-32b-preview  (alias qwq-32b; answered by demo-chat)" in shown.text
    assert "<code>gpt-4o</code> (default; answered by demo-chat)" in shown.html
    assert "gpt-4o" not in kernel.run("%jmuz_models gemini-*").text
    assert len(demo_endpoint.requests) == 1
    kernel.run("%jmuz_models --refresh")
    assert len(demo_endpoint.requests) == 2


@pytest.mark.threat(16)
def test_a_key_over_plain_http_is_refused_and_the_way_out_named(start_kernel: StartKernel) -> None:
    kernel = start_kernel(env={"MY_KEY": "sk-fake-0123456789"})
    kernel.run("%load_ext jmuz_magic")
    refused = kernel.execute("%jmuz_use --api-base http://192.0.2.1/v1 --key-env MY_KEY")
    assert refused.status == "error"
    assert "--allow-http" in refused.text
    kernel.run("%jmuz_use --api-base http://192.0.2.1/v1 --key-env MY_KEY --allow-http")


def test_the_demo_runs_in_the_kernel_and_ends_with_the_unload(start_kernel: StartKernel) -> None:
    kernel = start_kernel()
    kernel.run("%load_ext jmuz_magic")
    assert "no language model" in kernel.run("%jmuz_use demo").text
    assert "demo endpoint" in kernel.run("%%jmuz -m gpt-4o\nwho are you?\n").text
    kernel.run("%unload_ext jmuz_magic")
    names = kernel.value("[thread.name for thread in __import__('threading').enumerate()]")
    assert not [name for name in names if "jmuz" in name]
