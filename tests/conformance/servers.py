"""OpenAI-compatible servers that nobody here wrote: how each is started, and what it should be seen to answer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from jmuz_magic.errors import JmuzError, MissingAuthError, RateLimitError, ResponseStatusError
from tests.conformance.processes import listening
from tests.environments import environment

__all__ = ["KEY", "SERVERS", "Refusal", "ThirdParty"]

KEY = "sk-conformance-0123456789"
MOCK_AI_API = ["mock-ai-api==0.1.1", "starlette==0.46.2", "uvicorn==0.54.0"]
SCRIPTS = Path(__file__).parent.parent / "node"

FindModule: TypeAlias = Callable[[str], Path]


@dataclass(frozen=True)
class Refusal:
    """A request that the server refuses: the error that it should become, and words of the server in it."""

    error: type[JmuzError]
    says: str
    prompt: str = "Hello"
    model: str | None = None
    key: str | None = KEY
    tries: int = 1


@dataclass(frozen=True)
class ThirdParty:
    """What a server answers to `prompt` asked of `model`.

    Attributes:
        listed: some of the models that it lists.
        html: part of the reply in a cell.
        counts_stream: it counts the tokens of streams too.
        refusals: the one for a cell first.
    """

    api_base: str
    model: str
    listed: frozenset[str]
    prompt: str
    text: str
    html: str
    counts_stream: bool
    refusals: tuple[Refusal, ...]
    key: str | None = KEY


AIMOCK = [
    {
        "match": {"userMessage": "capital of France"},
        "response": {"content": "It is **Paris**, on the Seine: 世界 😀."},
    },
    {"match": {"userMessage": "think"}, "response": {"content": "42", "reasoning": "Six times seven."}},
    {
        "match": {"userMessage": "look up"},
        "response": {"toolCalls": [{"name": "look_up", "arguments": '{"city": "Paris"}'}]},
    },
    {
        "match": {"userMessage": "break off"},
        "response": {"content": "This goes well for a while."},
        "truncateAfterChunks": 4,
        "latency": 20,
    },
    {
        "match": {"userMessage": "too long"},
        "response": {
            "error": {"message": "maximum context length is 8", "type": "invalid_request_error"},
            "status": 400,
        },
    },
    {
        "match": {"userMessage": "too fast"},
        "response": {"error": {"message": "slow down", "type": "rate_limit_error"}, "status": 429},
    },
    {
        "match": {"userMessage": "overloaded"},
        "response": {"error": {"message": "try later", "type": "server_error"}, "status": 503},
    },
]


@contextmanager
def aimock(node_module: FindModule, folder: Path) -> Iterator[ThirdParty]:
    command = node_module("@copilotkit/aimock") / "dist" / "cli.js"
    fixtures = folder / "fixtures.json"
    fixtures.write_text(json.dumps({"fixtures": AIMOCK}), encoding="utf-8")
    arguments = ["node", str(command), "--port=0", f"--fixtures={fixtures}", "--chunk-size=3"]
    with listening(arguments, folder / "log", {**os.environ, "AIMOCK_API_KEYS": KEY}) as origin:
        yield ThirdParty(
            api_base=f"{origin}/v1",
            model="gpt-4o",
            listed=frozenset({"gpt-4", "gpt-4o"}),
            prompt="What is the capital of France?",
            text="It is **Paris**, on the Seine: 世界 😀.",
            html="<strong>Paris</strong>, on the Seine: 世界 😀.",
            counts_stream=True,
            refusals=(
                Refusal(ResponseStatusError, "No fixture matched", "Something else"),
                Refusal(ResponseStatusError, "maximum context length is 8", "too long"),
                Refusal(MissingAuthError, "key rejected", key="sk-of-somebody-else"),
                Refusal(MissingAuthError, "no key was sent", key=None),
                Refusal(RateLimitError, "slow down", "too fast", tries=3),
                Refusal(ResponseStatusError, "try later", "overloaded", tries=3),
            ),
        )


@contextmanager
def openai_mock_api(node_module: FindModule, folder: Path) -> Iterator[ThirdParty]:
    """It serves its streams as `text/plain`."""
    node_module("openai-mock-api")
    said = [{"role": "user", "content": "How are you?"}, {"role": "assistant", "content": "*Fine*, thank you. 世界 😀"}]
    config = folder / "config.yaml"
    config.write_text(json.dumps({"apiKey": KEY, "responses": [{"id": "1", "messages": said}]}), encoding="utf-8")
    with listening(["node", SCRIPTS / "openai_mock_api.mjs", config], folder / "log") as origin:
        yield ThirdParty(
            api_base=f"{origin}/v1",
            model="gpt-4",
            listed=frozenset({"gpt-3.5-turbo", "gpt-4"}),
            prompt="How are you?",
            text="*Fine*, thank you. 世界 😀",
            html="<em>Fine</em>, thank you. 世界 😀",
            counts_stream=False,
            refusals=(
                Refusal(ResponseStatusError, "No matching response found", "Who are you?"),
                Refusal(MissingAuthError, "Invalid API key provided", key="sk-of-somebody-else"),
                Refusal(MissingAuthError, "Authorization header is required", key=None),
            ),
        )


@contextmanager
def mock_ai_api(node_module: FindModule, folder: Path) -> Iterator[ThirdParty]:
    """It counts tokens beside the last choice. Its modules are called `app` and `server`: an environment of its own."""
    python = environment("mock-ai-api", MOCK_AI_API) / "python"
    arguments = [str(python), "-m", "uvicorn", "app.openai_app:app", "--host=127.0.0.1", "--port=0"]
    with listening(arguments, folder / "log") as origin:
        yield ThirdParty(
            api_base=f"{origin}/v1",
            model="gpt-4.1",
            listed=frozenset({"gpt-4.1", "gpt-4o-mini", "gpt-4.1:mock-text"}),
            prompt="Hello",
            text="Hello. It's nice to meet you.",
            html="Hello. It's nice to meet you.",
            counts_stream=True,
            refusals=(
                Refusal(ResponseStatusError, "mock-400", model="gpt-4.1:mock-400"),
                Refusal(MissingAuthError, "mock-401", model="gpt-4.1:mock-401"),
                Refusal(RateLimitError, "mock-429", model="gpt-4.1:mock-429", tries=3),
                Refusal(ResponseStatusError, "mock-500", model="gpt-4.1:mock-500", tries=3),
                Refusal(ResponseStatusError, "mock-503", model="gpt-4.1:mock-503", tries=3),
            ),
        )


Start: TypeAlias = Callable[[FindModule, Path], AbstractContextManager[ThirdParty]]
SERVERS: dict[str, Start] = {"aimock": aimock, "openai-mock-api": openai_mock_api, "mock-ai-api": mock_ai_api}
