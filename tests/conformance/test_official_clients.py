"""The clients of OpenAI and Anthropic themselves, in all three dialects, against the demo endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import anthropic
import openai
import pytest
from anthropic import Anthropic
from anthropic.types import MessageParam
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam
from openai.types.responses import ResponseInputItemParam

from jmuz_magic.demo import DemoServer
from jmuz_magic.demo.scripts import BROKEN, MARKDOWN, OVERLOADED, REFUSAL, SCRIPTS
from tests.waiting import wait_until

pytestmark = pytest.mark.conformance

KEY = "sk-conformance-0123456789"
QUESTION = "Which is larger, 9.11 or 9.9?"
HELLO: MessageParam = {"role": "user", "content": "Hello, 世界 😀"}
CHAT = cast("list[ChatCompletionMessageParam]", [HELLO])


@pytest.fixture(scope="module")
def endpoint() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=0, api_key=KEY, keep_requests=100) as server:
        yield server
        wait_until(lambda: server.open_streams == 0, "no stream of the demo endpoint is open any more")


@pytest.fixture
def gpt(endpoint: DemoServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=endpoint.api_base, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def claude(endpoint: DemoServer) -> Iterator[Anthropic]:
    with Anthropic(base_url=endpoint.api_base.removesuffix("/v1"), api_key=KEY, max_retries=0) as client:
        yield client


# --- OpenAI, chat completions


def test_openai_lists_the_models(gpt: OpenAI) -> None:
    assert [model.id for model in gpt.models.list()] == list(SCRIPTS)
    assert gpt.models.retrieve("demo-echo").id == "demo-echo"


def test_chat_streams_text_reasoning_and_usage(gpt: OpenAI) -> None:
    stream = gpt.chat.completions.create(
        model="demo-reasoning", messages=CHAT, stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = list(stream)
    assert last.usage is not None
    assert last.usage.completion_tokens_details is not None
    assert 0 < (last.usage.completion_tokens_details.reasoning_tokens or 0) < last.usage.completion_tokens
    assert "**0.05**" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def test_chat_gets_a_whole_reply(gpt: OpenAI) -> None:
    reply = gpt.chat.completions.create(model="demo-echo", messages=CHAT)
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == (HELLO["content"], "stop")
    declined = gpt.chat.completions.create(model="demo-refusal", messages=CHAT)
    assert declined.choices[0].message.refusal == REFUSAL


def test_chat_raises_an_error_in_mid_stream(gpt: OpenAI) -> None:
    text = ""
    with pytest.raises(openai.APIError, match=OVERLOADED):
        for chunk in gpt.chat.completions.create(model="demo-error", messages=CHAT, stream=True):
            text += chunk.choices[0].delta.content or ""
    assert text == BROKEN


# --- OpenAI, Responses


def test_responses_gets_a_whole_reply_with_its_reasoning(gpt: OpenAI) -> None:
    reply = gpt.responses.create(model="demo-reasoning", input=QUESTION, include=["reasoning.encrypted_content"])
    assert reply.status == "completed"
    assert reply.output_text.startswith("**9.9** is larger")
    (thought,) = [item for item in reply.output if item.type == "reasoning"]
    assert "the decimals decide" in thought.summary[0].text
    assert reply.usage is not None
    assert 0 < reply.usage.output_tokens_details.reasoning_tokens < reply.usage.output_tokens


def test_responses_own_accumulator_takes_the_stream(gpt: OpenAI) -> None:
    with gpt.responses.stream(model="demo-markdown", input="Hi") as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        reply = stream.get_final_response()
    assert "".join(deltas) == reply.output_text == MARKDOWN
    whole = gpt.responses.create(model="demo-markdown", input="Hi")
    assert reply.model_dump(exclude={"output"}) == whole.model_dump(exclude={"output"})


def test_responses_takes_its_own_output_back(gpt: OpenAI) -> None:
    first = gpt.responses.create(model="demo-reasoning", input=QUESTION)
    output = cast("list[ResponseInputItemParam]", [item.model_dump(exclude_none=True) for item in first.output])
    asked: list[ResponseInputItemParam] = [{"role": "user", "content": QUESTION}]
    second = gpt.responses.create(model="demo-echo", input=[*asked, *output, {"role": "user", "content": "And now?"}])
    assert second.output_text == "And now?"
    assert second.usage is not None
    assert second.usage.input_tokens_details.cached_tokens == -(-len(QUESTION) // 4)


def test_responses_tells_limits_and_refusals(gpt: OpenAI) -> None:
    cut = gpt.responses.create(model="demo-echo", input="one two three", max_output_tokens=2)
    assert (cut.status, cut.output_text) == ("incomplete", "one two ")
    assert cut.incomplete_details is not None
    assert cut.incomplete_details.reason == "max_output_tokens"
    (message,) = gpt.responses.create(model="demo-refusal", input="Hi").output
    assert message.type == "message"
    assert message.content[0].type == "refusal"


def test_responses_tells_of_an_error_in_mid_stream(gpt: OpenAI) -> None:
    *_, last = list(gpt.responses.create(model="demo-error", input="Hi", stream=True))
    assert last.type == "response.failed"
    assert last.response.error is not None
    assert (last.response.error.code, last.response.error.message) == ("server_error", OVERLOADED)


def test_openai_raises_typed_errors(gpt: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        gpt.responses.create(model="gpt-9", input="Hi")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as wrong:
        gpt.responses.create(model="demo-echo", input="Hi", extra_body={"seed": 1})
    assert (wrong.value.code, wrong.value.param) == ("unknown_parameter", "seed")
    with pytest.raises(openai.AuthenticationError):
        gpt.with_options(api_key="wrong").responses.create(model="demo-echo", input="Hi")
    with pytest.raises(openai.InternalServerError):
        gpt.responses.create(model="demo-error", input="Hi")


# --- Anthropic, Messages


def test_anthropic_lists_the_models_page_by_page(claude: Anthropic, endpoint: DemoServer) -> None:
    before = sum(request.path == "/v1/models" for request in endpoint.requests)
    assert [model.id for model in claude.models.list(limit=5)] == list(SCRIPTS)
    assert sum(request.path == "/v1/models" for request in endpoint.requests) - before == -(-len(SCRIPTS) // 5)
    assert claude.models.retrieve("demo-echo").type == "model"


def test_anthropic_gets_a_whole_reply_with_its_thinking(claude: Anthropic) -> None:
    asked: MessageParam = {"role": "user", "content": QUESTION}
    reply = claude.messages.create(model="demo-reasoning", max_tokens=1000, messages=[asked])
    thinking, text = reply.content
    assert thinking.type == "thinking"
    assert "the decimals decide" in thinking.thinking
    assert text.type == "text"
    assert text.text.startswith("**9.9** is larger")
    assert reply.stop_reason == "end_turn"
    assert reply.usage.output_tokens > 0


def test_anthropics_own_accumulator_takes_the_stream(claude: Anthropic) -> None:
    with claude.messages.stream(model="demo-reasoning", max_tokens=1000, messages=[HELLO]) as stream:
        text = "".join(stream.text_stream)
        streamed = stream.get_final_message()
    whole = claude.messages.create(model="demo-reasoning", max_tokens=1000, messages=[HELLO])
    assert streamed.model_dump(exclude={"content"}) == whole.model_dump(exclude={"content"})
    assert [block.to_dict() for block in streamed.content] == [block.to_dict() for block in whole.content]
    assert "**0.05**" in text


def test_anthropic_takes_its_own_output_back(claude: Anthropic) -> None:
    first = claude.messages.create(model="demo-reasoning", max_tokens=1000, messages=[HELLO])
    again: list[MessageParam] = [HELLO, {"role": "assistant", "content": first.content}, HELLO]
    second = claude.messages.create(model="demo-echo", max_tokens=1000, messages=again, system="Be brief.")
    assert second.content[0].to_dict() == {"type": "text", "text": HELLO["content"]}
    assert second.usage.cache_read_input_tokens == 3 + 3


@pytest.mark.parametrize(
    ("model", "options", "reason"),
    [
        ("demo-echo", {"max_tokens": 2}, "max_tokens"),
        ("demo-echo", {"max_tokens": 20, "stop_sequences": [","]}, "stop_sequence"),
        ("demo-refusal", {"max_tokens": 200}, "refusal"),
    ],
)
def test_anthropic_tells_why_it_ended(claude: Anthropic, model: str, options: dict[str, Any], reason: str) -> None:
    assert claude.messages.create(model=model, messages=[HELLO], **options).stop_reason == reason


def test_anthropic_raises_an_error_in_mid_stream(claude: Anthropic) -> None:
    text = ""
    with (
        pytest.raises(anthropic.APIStatusError, match=OVERLOADED),
        claude.messages.stream(model="demo-error", max_tokens=1000, messages=[HELLO]) as stream,
    ):
        for delta in stream.text_stream:
            text += delta
    assert text == BROKEN


def test_anthropic_raises_typed_errors(claude: Anthropic) -> None:
    def ask(client: Anthropic, model: str, **options: Any) -> None:
        client.messages.create(model=model, max_tokens=10, messages=[HELLO], **options)

    with pytest.raises(anthropic.NotFoundError):
        ask(claude, "claude-9")
    with pytest.raises(anthropic.BadRequestError, match="seed: unknown parameter"):
        ask(claude, "demo-echo", extra_body={"seed": 1})
    with pytest.raises(anthropic.AuthenticationError):
        ask(claude.with_options(api_key="wrong"), "demo-echo")
    with pytest.raises(anthropic.InternalServerError) as overloaded:
        ask(claude, "demo-error")
    assert overloaded.value.status_code == 529
