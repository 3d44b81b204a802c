"""The public API, as a user's program takes it, with the types that it promises.

`test_public_api.py` runs this against the demo endpoint, and has mypy check it beside the installed wheel.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from datetime import datetime
from typing import assert_never, assert_type

from jmuz_magic import (
    Answered,
    ChatPanel,
    Chunk,
    Citations,
    Conversation,
    FinishReason,
    Image,
    Jmuz,
    JmuzError,
    ModelNotFoundError,
    ModelSelector,
    OpenaiTemplate,
    RateLimitError,
    Reasoning,
    ReasoningItems,
    Reply,
    ResponseStatusError,
    ToolCalls,
    ToolResult,
    Unshown,
    Usage,
    exchange_log,
)
from jmuz_magic.conversation.turn import Turn
from jmuz_magic.demo import DemoServer
from jmuz_magic.providers import CATALOG, Endpoint, OpenAI, Policy, Provider, find_provider, resolve_endpoint


class Local(OpenaiTemplate):
    """A service of one's own, as README shows it."""

    default_model = "demo-echo"
    policy = Policy(retries=0)


async def stream(api_base: str) -> str:
    chunks = Local.create_async_generator(
        model="demo-reasoning", messages=[{"role": "user", "content": "Hello"}], api_base=api_base
    )
    assert_type(chunks, AsyncGenerator[Chunk, None])
    return "".join([text async for chunk in chunks for text in texts(chunk)])


def texts(chunk: Chunk) -> Iterator[str]:
    """What a program shows of a chunk that dispatches all kinds by itself."""
    match chunk:
        case str():
            yield chunk
        case Reasoning() | Usage() | FinishReason():
            assert_type(chunk, Reasoning | Usage | FinishReason)
        case ToolCalls():
            yield from [f"{call.name}({call.arguments})" for call in chunk.calls]
        case Answered():
            assert_type(chunk.model, str)
        case Citations():
            yield from [citation.url for citation in chunk.citations]
        case Image():
            assert_type(chunk.data, bytes)
        case Unshown():
            yield chunk.kind
        case ReasoningItems():
            assert_type(chunk.dialect, str)
        case ToolResult():
            yield chunk.content
        case _:
            assert_never(chunk)


def ask(endpoint: Endpoint) -> Reply:
    conversation = Conversation(
        "demo-echo", system="Be brief.", provider=Local, api_base=endpoint.api_base, options={"temperature": 0}
    )
    reply = conversation.ask("Hello")
    assert_type(reply, Reply)
    assert_type(str(reply), str)
    assert_type(reply.usage, Usage | None)
    assert_type(reply.finish_reason, str | None)
    assert_type(reply.elapsed, float)
    assert_type([block.code for block in reply.code_blocks], list[str])
    assert_type(conversation.stream("and again"), AsyncGenerator[Chunk, None])
    (turn,) = conversation.transcript
    conversation.ask("Hello again", replacing=turn)
    assert_type(conversation.versions, dict[Turn, tuple[Turn, ...]])
    conversation.show(turn)
    conversation.delete(turn)
    assert_type(conversation.undo(), Turn | None)
    return reply


def ask_for_what_is_not_there(endpoint: Endpoint) -> str:
    try:
        Conversation("no-such-model", provider=Local, api_base=endpoint.api_base).ask("Hello")
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
    except ResponseStatusError as error:
        assert_type(error.status, int)
    except ModelNotFoundError as error:
        assert_type(error.origin, str | None)
        return str(error)
    except JmuzError:
        raise
    return ""


def keep_the_log(path: str) -> int:
    for exchange in exchange_log.search("kalman"):
        assert_type(exchange.reply, Reply)
    for logged in exchange_log.conversations("kalman", here=True):
        assert_type(logged.changed_at, datetime)
    written = exchange_log.export(path)
    assert_type(written, int)
    return written


def go_on(endpoint: Endpoint) -> Reply:
    conversation = Conversation.resume("trip", provider=Local, api_base=endpoint.api_base, other_origin=True)
    assert_type(conversation, Conversation)
    return conversation.ask("And then?")


def show(conversation: Conversation) -> tuple[ChatPanel, ModelSelector]:
    return ChatPanel(conversation), ModelSelector("gpt", provider="openai")


def main() -> None:
    """Prints what the test compares."""
    assert_type(find_provider("openai"), Provider)
    assert find_provider("openai") is OpenAI is CATALOG["openai"]
    assert issubclass(Jmuz, OpenaiTemplate)
    with DemoServer(deltas_per_second=0) as server:
        assert_type(Local.get_models(api_base=server.api_base), list[str])
        endpoint = resolve_endpoint(Local, api_base=server.api_base)
        assert_type(endpoint.origin, str)
        print(asyncio.run(stream(server.api_base)))
        print(ask(endpoint))
        print(ask_for_what_is_not_there(endpoint))
    print(*(type(widget).__name__ for widget in show(Conversation())))


if __name__ == "__main__":
    main()
