"""Our client in the Responses and Messages dialects against servers that nobody here wrote."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.errors import (
    JmuzError,
    MissingAuthError,
    RateLimitError,
    ResponseError,
    ResponseStatusError,
    StreamError,
)
from jmuz_magic.messages import FinishReason
from jmuz_magic.providers.openai_template import OpenaiTemplate
from tests.conformance.processes import listening
from tests.conformance.servers import KEY, MOCK_AI_API
from tests.environments import environment
from tests.providers.asking import Answer, Patient, ask

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]  # the first test installs what a server needs

LLM_MOCK_API = ["llm-mock-api==0.1.2", "fastapi==0.165.0", "uvicorn==0.54.0"]
LLMOCK = ["llmock==0.2.2", "fastapi==0.165.0", "uvicorn==0.54.0"]
SERVE = ["-m", "uvicorn", "--host=127.0.0.1", "--port=0"]
HELLO = "Hello, 世界"


@pytest.fixture(params=["responses", "anthropic"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def spoken(dialect: str, api_base: str, model: str, prompt: str = HELLO, **options: Any) -> Answer:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": prompt}]
    asked: dict[str, Any] = {"stream": True, "api_key": KEY, "model": model, "messages": messages}
    return ask(dialect=dialect, api_base=api_base, **(asked | options))


# --- mock-ai-api: an application for each dialect


APPLICATIONS = {"responses": "app.openai_app:app", "anthropic": "app.anthropic_app:app"}
MODELS = {"responses": "gpt-4.1", "anthropic": "claude-sonnet-4-20250514"}


@pytest.fixture(scope="module")
def mock_ai(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The address by dialect."""
    python, folder = environment("mock-ai-api", MOCK_AI_API) / "python", tmp_path_factory.mktemp("mock-ai-api")
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(listening([python, *SERVE, application], folder / name)) + "/v1"
            for name, application in APPLICATIONS.items()
        }


@pytest.mark.parametrize("stream", [True, False])
def test_mock_ai_api_brings_a_reply(mock_ai: Mapping[str, str], dialect: str, stream: bool) -> None:
    answer = spoken(dialect, mock_ai[dialect], MODELS[dialect], stream=stream)
    assert (answer.error, answer.text, answer.finish_reason) == (None, "Hello. It's nice to meet you.", "stop")
    assert isinstance(answer.chunks[-1], FinishReason)
    assert answer.usage is not None
    assert answer.usage.total_tokens == (answer.usage.prompt_tokens or 0) + (answer.usage.completion_tokens or 0) > 0


@pytest.mark.parametrize(
    ("status", "error", "tries"),
    [
        (400, ResponseStatusError, 1),
        (401, MissingAuthError, 1),
        (429, RateLimitError, 3),
        (503, ResponseStatusError, 3),
    ],
)
def test_mock_ai_api_refuses_in_its_own_words(
    mock_ai: Mapping[str, str], dialect: str, status: int, error: type[JmuzError], tries: int
) -> None:
    answer = spoken(dialect, mock_ai[dialect], f"{MODELS[dialect]}:mock-{status}")
    assert type(answer.error) is error
    assert f"mock-{status}" in str(answer.error)
    assert len(answer.retries) + 1 == tries


def test_mock_ai_api_calls_a_tool_and_fails_in_mid_stream(mock_ai: Mapping[str, str]) -> None:
    for name in ("mock-tool-use", "mock-tool-stream"):
        called = spoken("anthropic", mock_ai["anthropic"], f"{MODELS['anthropic']}:{name}")
        assert [(call.name, sorted(json.loads(call.arguments))) for call in called.tool_calls] == [
            ("Write", ["contents", "path"])
        ]
    failed = spoken("anthropic", mock_ai["anthropic"], f"{MODELS['anthropic']}:mock-stream-error")
    assert isinstance(failed.error, ResponseError)
    assert "Mock streaming failure" in str(failed.error)


# --- llm-mock-api: all dialects in one, with rules


RULES = [
    {"when": "capital of France", "reply": "It is **Paris**, on the Seine: 世界 😀."},
    {"when": "think", "reply": {"text": "42", "reasoning": "Six times seven."}},
    {"when": "look up", "reply": {"text": "", "tools": [{"name": "look_up", "args": {"city": "Paris"}}]}},
]


@pytest.fixture(scope="module")
def mock_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("llm-mock-api")
    rules = folder / "rules.json5"
    rules.write_text(json.dumps({"rules": RULES}, ensure_ascii=False), encoding="utf-8")
    command = environment("llm-mock-api", LLM_MOCK_API) / "llm-mock-api"
    arguments = ["start", "--port=0", f"--rules={rules}", "--chunk-size=3", "--log-level=info"]
    with listening([command, *arguments], folder / "log") as origin:
        yield f"{origin}/v1"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("which", ["chat", "responses", "anthropic"])
def test_llm_mock_api_brings_the_same_in_each_dialect(mock_api: str, which: str, stream: bool) -> None:
    told = spoken(which, mock_api, "gpt-4o", "What is the capital of France?", stream=stream)
    assert (told.error, told.text, told.finish_reason) == (None, "It is **Paris**, on the Seine: 世界 😀.", "stop")
    thought = spoken(which, mock_api, "gpt-4o", "think", stream=stream)
    assert (thought.text, thought.reasoning) == ("42", "" if which == "chat" else "Six times seven.")
    called = spoken(which, mock_api, "gpt-4o", "look up", stream=stream)
    assert [(call.name, json.loads(call.arguments)) for call in called.tool_calls] == [("look_up", {"city": "Paris"})]
    assert called.finish_reason == "tool_calls"


# --- llmock: faults in all dialects, and a verdict on the client


LONG = " ".join(f"word{number}" for number in range(60))


class Llmock:
    """The server, told before each request how to answer it."""

    paths: Mapping[str, str] = {"chat": "/v1", "responses": "/v1", "anthropic": "/anthropic/v1"}

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def asked(self, dialect: str, *behaviors: dict[str, Any], **options: Any) -> Answer:
        self._post("reset", {})
        self._post("scenario", {"behaviors": behaviors})
        return spoken(dialect, self._origin + self.paths[dialect], "gpt-4o", **options)

    def verdict(self) -> tuple[bool, int]:
        """Whether the client did well, and how often it asked."""
        with urllib.request.urlopen(f"{self._origin}/_llmock/verdict", timeout=30) as response:
            told = json.load(response)
        return not told["findings"], told["attempts"]

    def _post(self, path: str, body: object) -> None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._origin}/_llmock/{path}", json.dumps(body).encode(), headers)
        urllib.request.urlopen(request, timeout=30).close()


@pytest.fixture(scope="module")
def llmock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llmock]:
    log: Path = tmp_path_factory.mktemp("llmock") / "log"
    with listening([environment("llmock", LLMOCK) / "python", *SERVE, "llmock.main:app"], log) as origin:
        yield Llmock(origin)


@pytest.fixture(params=["chat", "responses", "anthropic"])
def each(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("stream", [True, False])
def test_llmock_brings_what_it_was_told(llmock: Llmock, each: str, stream: bool) -> None:
    told = llmock.asked(each, {"type": "reply", "text": LONG}, stream=stream)
    assert (told.error, told.text, told.finish_reason) == (None, LONG, "stop")
    call = {"name": "look_up", "arguments": {"city": "Paris"}}
    called = llmock.asked(each, {"type": "reply", "tool_calls": [call]}, stream=stream)
    assert [(call.name, json.loads(call.arguments)) for call in called.tool_calls] == [("look_up", {"city": "Paris"})]
    assert llmock.verdict() == (True, 1)


@pytest.mark.parametrize("kind", ["truncate", "disconnect", "malformed"])
@pytest.mark.parametrize("chunks", [2, 5, 20])
def test_llmock_breaks_a_stream_and_no_text_is_missing(llmock: Llmock, each: str, kind: str, chunks: int) -> None:
    fault = {"type": "stream_fault", "kind": kind, "after_chunks": chunks}
    answer = llmock.asked(each, {"type": "reply", "text": LONG}, fault)
    assert LONG.startswith(answer.text)
    if kind == "truncate":
        assert (answer.error, answer.finish_reason) == (None, "truncated")
    elif answer.error is None:  # broken was a ping
        assert (kind, answer.text, answer.finish_reason) == ("malformed", LONG, "stop")
    else:
        assert isinstance(answer.error, StreamError)
    assert answer.retries == []


def test_llmock_finds_that_we_wait_as_long_as_we_are_told(llmock: Llmock, each: str) -> None:
    limited = {"type": "fail", "status": 429, "retry_after": 1, "times": 1}
    answer = llmock.asked(each, limited, {"type": "reply", "text": "So."}, provider=OpenaiTemplate)
    assert (answer.error, answer.text, len(answer.retries)) == (None, "So.", 1)
    assert llmock.verdict() == (True, 2)


@pytest.mark.parametrize(("status", "asked"), [(400, 1), (403, 1), (404, 1), (422, 1), (503, 3), (529, 3)])
def test_llmock_counts_how_often_we_ask_again(llmock: Llmock, each: str, status: int, asked: int) -> None:
    answer = llmock.asked(each, {"type": "fail", "status": status, "times": None}, provider=Patient)
    assert isinstance(answer.error, JmuzError)
    assert llmock.verdict()[1] == asked
