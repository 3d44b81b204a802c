"""openai-python, a client that nobody here wrote, against the demo endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionUserMessageParam

from jmuz_magic.demo import DemoServer
from jmuz_magic.demo.scripts import MARKDOWN, SCRIPTS

pytestmark = pytest.mark.conformance

T = TypeVar("T")
PIXEL = "data:image/png;base64,iVBORw0KGgo="


def ask(server: DemoServer, task: Callable[[AsyncOpenAI], Awaitable[T]], key: str = "any") -> T:
    async def run() -> T:
        async with AsyncOpenAI(base_url=server.api_base, api_key=key, max_retries=0) as client:
            return await task(client)

    return asyncio.run(run())


def test_lists_models(demo_endpoint: DemoServer) -> None:
    async def task(client: AsyncOpenAI) -> list[str]:
        return [model.id async for model in client.models.list()]

    assert ask(demo_endpoint, task) == list(SCRIPTS)


def test_streams_text_and_usage(demo_endpoint: DemoServer) -> None:
    async def task(client: AsyncOpenAI) -> tuple[str, int]:
        stream = await client.chat.completions.create(
            model="demo-markdown",
            messages=[{"role": "user", "content": "Hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        assert chunks[-1].usage is not None
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
        return text, chunks[-1].usage.total_tokens

    text, tokens = ask(demo_endpoint, task)
    assert text == MARKDOWN
    assert tokens > 100


def test_gets_a_whole_reply(demo_endpoint: DemoServer) -> None:
    async def task(client: AsyncOpenAI) -> str | None:
        reply = await client.chat.completions.create(model="demo-echo", messages=[{"role": "user", "content": "Hello"}])
        return reply.choices[0].message.content

    assert ask(demo_endpoint, task) == "Hello"


def test_its_own_accumulator_takes_the_stream(demo_endpoint: DemoServer) -> None:
    async def task(client: AsyncOpenAI) -> None:
        messages = [ChatCompletionUserMessageParam(role="user", content="one two three")]
        async with client.chat.completions.stream(model="demo-echo", messages=messages, max_tokens=2) as stream:
            await stream.get_final_completion()

    with pytest.raises(openai.LengthFinishReasonError) as caught:
        ask(demo_endpoint, task)
    assert caught.value.completion.choices[0].message.content == "one two "


def test_reads_several_choices_an_image_and_reasoning(demo_endpoint: DemoServer) -> None:
    async def task(client: AsyncOpenAI) -> None:
        several = await client.chat.completions.create(
            model="demo-echo", messages=[{"role": "user", "content": "Hello, 世界 😀"}], n=2, stop=["世"]
        )
        assert [choice.message.content for choice in several.choices] == ["Hello, ", "(choice 2) Hello, "]
        seen = await client.chat.completions.create(
            model="gpt-4o",
            messages=[
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": PIXEL}}],
                }
            ],
        )
        assert "image/png, 8 bytes" in (seen.choices[0].message.content or "")
        thought = await client.chat.completions.create(
            model="demo-reasoning", messages=[{"role": "user", "content": "Hi"}]
        )
        assert "bat" in getattr(thought.choices[0].message, "reasoning_content", "")

    ask(demo_endpoint, task)


def test_the_client_that_blocks_streams_as_well(demo_endpoint: DemoServer) -> None:
    with OpenAI(base_url=demo_endpoint.api_base, api_key="any", max_retries=0) as client:
        assert client.models.retrieve("demo-echo").id == "demo-echo"
        stream = client.chat.completions.create(
            model="demo-markdown", messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == MARKDOWN


def test_leaving_a_stream_early_closes_it(demo_endpoint: DemoServer) -> None:
    async def task(client: AsyncOpenAI) -> None:
        stream = await client.chat.completions.create(
            model="demo-long", messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        async with stream:
            await anext(aiter(stream))

    ask(demo_endpoint, task)  # the fixture waits for the closing


@pytest.mark.parametrize(
    ("model", "error"),
    [("gpt-9", openai.NotFoundError), ("", openai.BadRequestError)],
)
def test_errors_are_typed(demo_endpoint: DemoServer, model: str, error: type[openai.APIStatusError]) -> None:
    async def task(client: AsyncOpenAI) -> None:
        await client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hi"}])

    with pytest.raises(error) as caught:
        ask(demo_endpoint, task)
    assert caught.value.type == "invalid_request_error"
    assert caught.value.param == "model"


def test_a_wrong_key_is_an_authentication_error() -> None:
    async def task(client: AsyncOpenAI) -> None:
        await client.models.list()

    with DemoServer(api_key="sk-right") as server, pytest.raises(openai.AuthenticationError) as caught:
        ask(server, task, key="sk-wrong")
    assert caught.value.code == "invalid_api_key"
