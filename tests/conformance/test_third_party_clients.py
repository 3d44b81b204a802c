"""Clients that nobody here wrote against the demo endpoint: npm `openai`, the AI SDK, and `llm` on its command line.

openai-python stands in `tests/demo/test_openai_client.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.demo.scripts import MARKDOWN, SCRIPTS
from tests.environments import environment
from tests.waiting import wait_until

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]  # the first test of `llm` installs it

KEY = "sk-conformance-0123456789"
LLM = ["llm==0.36", "openai==3.54.0"]
NODE = Path(__file__).parent.parent / "node"
GREETING = "Hello, 世界 😀"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=0, api_key=KEY, keep_requests=100) as server:
        yield server
        wait_until(lambda: server.open_streams == 0, "no stream of the demo endpoint is open any more")


def run_node(script: str, endpoint: DemoServer) -> Any:
    command = ["node", str(NODE / script), endpoint.api_base, KEY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


# --- npm `openai`


@pytest.fixture(scope="module")
def openai_got(endpoint: DemoServer, node_module: Callable[[str], Path]) -> Any:
    node_module("openai")
    return run_node("openai_client.mjs", endpoint)


def test_openai_lists_the_models(openai_got: Any) -> None:
    assert openai_got["models"] == list(SCRIPTS)


def test_openai_streams_text_and_usage(openai_got: Any) -> None:
    assert openai_got["streamed"]["text"] == MARKDOWN
    assert openai_got["streamed"]["usage"]["total_tokens"] > 100


def test_openai_gets_a_whole_reply(openai_got: Any) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}
    assert openai_got["whole"] == {"text": GREETING, "usage": usage, "reason": "stop"}


def test_openais_own_accumulator_takes_the_stream(openai_got: Any) -> None:
    assert openai_got["helped"] == {"text": "one two ", "reason": "length"}


def test_openai_takes_responses_too(openai_got: Any) -> None:
    got = openai_got["responded"]
    assert (got["text"], got["status"]) == (MARKDOWN, "completed")
    assert "the decimals decide" in got["thought"]
    assert got["usage"]["output_tokens_details"]["reasoning_tokens"] == 46
    assert (openai_got["lost"]["kind"], openai_got["lost"]["code"]) == ("NotFoundError", "model_not_found")


def test_openai_closes_a_stream_that_it_leaves(openai_got: Any, endpoint: DemoServer) -> None:
    assert openai_got["left"] == "left"
    (request,) = [each for each in endpoint.requests if asks(each.body, "demo-long") and is_openai(each.headers)]
    wait_until(lambda: request.state == "closed", "the endpoint saw the close")


def test_openai_throws_typed_errors(openai_got: Any) -> None:
    kinds = {name: openai_got[name]["kind"] for name in ("unknown", "empty", "rejected")}
    assert kinds == {"unknown": "NotFoundError", "empty": "BadRequestError", "rejected": "AuthenticationError"}
    assert (openai_got["unknown"]["code"], openai_got["unknown"]["param"]) == ("model_not_found", "model")
    assert openai_got["rejected"]["code"] == "invalid_api_key"


def asks(body: Any, model: str) -> bool:
    return isinstance(body, dict) and body.get("model") == model


def is_openai(headers: Any) -> bool:
    return str(headers.get("User-Agent", "")).startswith("OpenAI/JS")


# --- npm `ai` with `@ai-sdk/openai-compatible`


@pytest.fixture(scope="module")
def ai_got(endpoint: DemoServer, node_module: Callable[[str], Path]) -> Any:
    node_module("ai")
    node_module("@ai-sdk/openai-compatible")
    return run_node("ai_client.mjs", endpoint)


def test_the_ai_sdk_streams_text_and_usage(ai_got: Any) -> None:
    streamed = ai_got["streamed"]
    assert (streamed["text"], streamed["reason"], streamed["warnings"]) == (MARKDOWN, "stop", [])
    assert streamed["usage"]["totalTokens"] > 100


def test_the_ai_sdk_tells_reasoning_from_text(ai_got: Any) -> None:
    assert ai_got["reasoned"]["reasoning"].startswith("No answer is prepared for that question")
    assert "The ball costs **0.05**" in ai_got["reasoned"]["text"]


def test_the_ai_sdk_sees_a_stop_by_length(ai_got: Any) -> None:
    assert (ai_got["cut"]["text"], ai_got["cut"]["reason"]) == ("one two ", "length")


def test_the_ai_sdk_gets_a_whole_reply_to_a_conversation(ai_got: Any, endpoint: DemoServer) -> None:
    assert (ai_got["whole"]["text"], ai_got["whole"]["reason"]) == (GREETING, "stop")
    roles = [
        [message["role"] for message in each.body["messages"]]
        for each in endpoint.requests
        if "messages" in (each.body or ())
    ]
    assert ["system", "user", "assistant", "user"] in roles


def test_the_ai_sdk_closes_a_stream_that_it_leaves(ai_got: Any, endpoint: DemoServer) -> None:
    assert ai_got["left"] == "left"
    (request,) = [each for each in endpoint.requests if asks(each.body, "demo-long") and not is_openai(each.headers)]
    wait_until(lambda: request.state == "closed", "the endpoint saw the close")


def test_the_ai_sdk_throws_errors_with_status_and_message(ai_got: Any) -> None:
    assert [ai_got[name]["status"] for name in ("unknown", "rejected")] == [404, 401]
    assert {ai_got[name]["kind"] for name in ("unknown", "rejected")} == {"AI_APICallError"}
    assert "does not exist" in ai_got["unknown"]["said"]


# --- `llm`


class Llm:
    """The command with a directory of its own, in which the endpoint's models are configured."""

    def __init__(self, folder: Path, api_base: str) -> None:
        self._command = environment("llm", LLM) / "llm"
        self._environment = {**os.environ, "LLM_USER_PATH": str(folder)}
        models = [
            {"model_id": name, "model_name": name, "api_base": api_base, "api_key_name": "demo"}
            for name in ("demo-echo", "demo-markdown", "demo-reasoning", "gpt-9")
        ]
        (folder / "extra-openai-models.yaml").write_text(json.dumps(models), encoding="utf-8")  # JSON is YAML
        (folder / "keys.json").write_text(json.dumps({"demo": KEY}), encoding="utf-8")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._command, *arguments],
            capture_output=True,
            text=True,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )

    def said(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def llm(endpoint: DemoServer, tmp_path_factory: pytest.TempPathFactory) -> Llm:
    return Llm(tmp_path_factory.mktemp("llm"), endpoint.api_base)


def test_llm_knows_the_models(llm: Llm) -> None:
    assert "OpenAI Chat: demo-echo" in llm.said("models")


@pytest.mark.parametrize("flags", [(), ("--no-stream",)])
def test_llm_prints_the_reply(llm: Llm, flags: tuple[str, ...]) -> None:
    assert llm.said("-m", "demo-markdown", *flags, "Hi").rstrip("\n") == MARKDOWN.rstrip("\n")
    assert llm.said("-m", "demo-echo", *flags, GREETING) == f"{GREETING}\n"


def test_llm_counts_tokens_and_goes_on_with_a_conversation(llm: Llm, endpoint: DemoServer) -> None:
    first = llm.run("-m", "demo-echo", "--usage", "--system", "Be brief.", "first")
    assert (first.stdout, first.stderr) == ("first\n", "Token usage: 5 input, 2 output\n")
    assert llm.said("--continue", "second") == "second\n"
    contents = [message["content"] for message in endpoint.requests[-1].body["messages"]]
    assert contents == ["Be brief.", "first", "first", "second"]


def test_llm_passes_options_on(llm: Llm) -> None:
    assert llm.said("-m", "demo-echo", "-o", "max_tokens", "2", "one two three") == "one two \n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("-m", "gpt-9"), "404 - the model 'gpt-9' does not exist"), (("-m", "demo-echo", "--key", "wrong"), "401")],
)
def test_llm_reports_errors(llm: Llm, arguments: tuple[str, ...], says: str) -> None:
    done = llm.run(*arguments, "Hi")
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr


def test_the_clients_are_the_ones_that_are_pinned(node_module: Callable[[str], Path]) -> None:
    pinned = json.loads((NODE / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    assert shutil.which("node")
    for name in ("openai", "ai", "@ai-sdk/openai-compatible", "@copilotkit/aimock", "openai-mock-api"):
        installed = json.loads((node_module(name) / "package.json").read_text(encoding="utf-8"))["version"]
        assert installed == pinned[name], name
