"""Our client against OpenAI-compatible servers that nobody here wrote, from Python and in cells of a real kernel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.errors import MissingAuthError, RateLimitError, ResponseStatusError, StreamError
from jmuz_magic.messages import FinishReason, Message, Usage
from tests.conformance.servers import KEY, Refusal, ThirdParty, aimock
from tests.kernel.kernel import Kernel
from tests.providers.asking import HELLO, Answer, Patient, ask

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]  # the first test installs what a server needs


def question(prompt: str) -> list[Message]:
    return [{"role": "user", "content": prompt}]


def asked(server: ThirdParty, prompt: str | None = None, *, stream: bool = True) -> Answer:
    messages = question(prompt or server.prompt)
    return ask(model=server.model, messages=messages, stream=stream, api_base=server.api_base, api_key=server.key)


def test_models_are_listed(third_party: ThirdParty) -> None:
    models = Patient.get_models(api_base=third_party.api_base, api_key=KEY)
    assert third_party.listed <= set(models)
    assert all(models)


def test_a_stream_brings_the_reply_in_pieces(third_party: ThirdParty) -> None:
    answer = asked(third_party)
    assert (answer.error, answer.text, answer.finish_reason) == (None, third_party.text, "stop")
    assert isinstance(answer.chunks[-1], FinishReason)
    assert (answer.usage is not None) == third_party.counts_stream


def test_a_reply_that_is_no_stream_is_the_same(third_party: ThirdParty) -> None:
    answer = asked(third_party, stream=False)
    assert (answer.error, answer.text, answer.finish_reason) == (None, third_party.text, "stop")
    assert isinstance(answer.usage, Usage)
    assert answer.usage.total_tokens == (answer.usage.prompt_tokens or 0) + (answer.usage.completion_tokens or 0) > 0


@pytest.mark.parametrize("stream", [True, False])
def test_a_refusal_is_a_typed_error_with_the_servers_words(third_party: ThirdParty, stream: bool) -> None:
    for refusal in third_party.refusals:
        answer = refused(third_party, refusal, stream)
        assert type(answer.error) is refusal.error, refusal
        assert refusal.says in str(answer.error), refusal
        assert answer.error.attempts == len(answer.retries) + 1 == refusal.tries, refusal
        assert answer.chunks == []


def refused(server: ThirdParty, refusal: Refusal, stream: bool) -> Answer:
    model = refusal.model or server.model
    return ask(
        model=model, messages=question(refusal.prompt), stream=stream, api_base=server.api_base, api_key=refusal.key
    )


def test_an_address_without_its_v1_is_an_error_that_says_so(third_party: ThirdParty) -> None:
    answer = ask(api_base=third_party.api_base.removesuffix("/v1"), api_key=KEY)
    assert type(answer.error) is ResponseStatusError
    assert "it usually ends in /v1" in str(answer.error)


def test_many_ask_at_once(third_party: ThirdParty) -> None:
    async def text() -> str:
        messages = question(third_party.prompt)
        chunks = Patient.create_async_generator(third_party.model, messages, api_base=third_party.api_base, api_key=KEY)
        return "".join([chunk async for chunk in chunks if isinstance(chunk, str)])

    async def main() -> list[str]:
        return await asyncio.gather(*(text() for _ in range(20)))

    assert asyncio.run(main()) == [third_party.text] * 20


def test_leaving_early_leaves_a_server_that_answers(third_party: ThirdParty) -> None:
    async def main() -> None:
        messages = question(third_party.prompt)
        async for _ in Patient.create_async_generator(
            third_party.model, messages, api_base=third_party.api_base, api_key=KEY
        ):
            break

    asyncio.run(main())
    assert asked(third_party).text == third_party.text


# --- in cells


@pytest.mark.kernel
@pytest.mark.parametrize("flags", ["", "--no-stream"])
def test_a_cell_shows_the_reply(asking: Kernel, third_party: ThirdParty, flags: str) -> None:
    execution = asking.run(f"%%jmuz -m {third_party.model} {flags}\n{third_party.prompt}")
    assert third_party.html in execution.html.replace("&#x27;", "'").replace("&#39;", "'")
    assert asking.value("[_jmuz.text, _jmuz.finish_reason]") == [third_party.text, "stop"]


@pytest.mark.kernel
def test_a_cell_lists_the_models(asking: Kernel, third_party: ThirdParty) -> None:
    text = asking.run("%jmuz_models --refresh").text
    assert all(model in text for model in third_party.listed)


@pytest.mark.kernel
def test_an_error_is_one_line_and_fails_the_cell(asking: Kernel, third_party: ThirdParty) -> None:
    refusal = third_party.refusals[0]
    execution = asking.execute(f"%%jmuz -m {refusal.model or third_party.model}\n{refusal.prompt}")
    assert execution.status == "error"
    assert refusal.says in execution.text
    assert len(execution.text.strip().splitlines()) == 1


# --- what only aimock can be made to do


@pytest.fixture(scope="module")
def scripted(node_module: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThirdParty]:
    with aimock(node_module, tmp_path_factory.mktemp("scripted")) as running:
        yield running


@pytest.mark.kernel
def test_a_conversation_goes_on(kernel: Kernel, scripted: ThirdParty) -> None:
    kernel.run(f"%jmuz_use --api-base {scripted.api_base} --key-env CONFORMANCE_KEY")
    kernel.run(f"%%jmuz --chat=trip -m gpt-4o\n{scripted.prompt}")
    kernel.run("%%jmuz --chat=trip -m gpt-4o\nthink")
    assert kernel.value("[_jmuz.text, _jmuz.reasoning]") == ["42", "Six times seven."]


@pytest.mark.parametrize("stream", [True, False])
def test_reasoning_is_no_text(scripted: ThirdParty, stream: bool) -> None:
    answer = asked(scripted, "think", stream=stream)
    assert (answer.reasoning, answer.text) == ("Six times seven.", "42")


@pytest.mark.parametrize("stream", [True, False])
def test_a_tool_call_comes_whole(scripted: ThirdParty, stream: bool) -> None:
    answer = asked(scripted, "look up", stream=stream)
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [("look_up", '{"city": "Paris"}')]
    assert (answer.text, answer.finish_reason) == ("", "tool_calls")


def test_a_connection_that_breaks_off_keeps_the_text(scripted: ThirdParty) -> None:
    answer = asked(scripted, "break off")
    assert type(answer.error) is StreamError
    assert answer.text
    assert "This goes well for a while.".startswith(answer.text)
    assert answer.retries == []


def test_the_request_is_one_that_it_knows(scripted: ThirdParty) -> None:
    options: dict[str, Any] = {"temperature": 0, "max_tokens": 50, "stop": ["\n\n"], "extra_body": {"seed": 1}}
    messages: list[Message] = [{"role": "system", "content": "Be brief."}, *HELLO, *question(scripted.prompt)]
    answer = ask(model="gpt-4o", messages=messages, api_base=scripted.api_base, api_key=KEY, **options)
    assert answer.text == scripted.text


# --- in the dialects that it speaks besides


@pytest.fixture(params=["responses", "anthropic"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def spoken(server: ThirdParty, dialect: str, prompt: str, *, stream: bool = True, **options: Any) -> Answer:
    options = {"model": server.model, "api_base": server.api_base, "api_key": KEY} | options
    return ask(messages=question(prompt), stream=stream, dialect=dialect, **options)


@pytest.mark.parametrize("stream", [True, False])
def test_other_dialects_bring_the_same(scripted: ThirdParty, dialect: str, stream: bool) -> None:
    answer = spoken(scripted, dialect, scripted.prompt, stream=stream)
    assert (answer.error, answer.text, answer.finish_reason) == (None, scripted.text, "stop")
    assert answer.usage is not None
    thought = spoken(scripted, dialect, "think", stream=stream)
    assert (thought.text, thought.reasoning) == ("42", "Six times seven.")
    called = spoken(scripted, dialect, "look up", stream=stream)
    assert [(call.name, json.loads(call.arguments)) for call in called.tool_calls] == [("look_up", {"city": "Paris"})]
    assert called.finish_reason == "tool_calls"


@pytest.mark.parametrize("stream", [True, False])
def test_other_dialects_refuse_in_the_servers_words(scripted: ThirdParty, dialect: str, stream: bool) -> None:
    answer = spoken(scripted, dialect, "too long", stream=stream)
    assert type(answer.error) is ResponseStatusError
    assert "maximum context length is 8" in str(answer.error)
    limited = spoken(scripted, dialect, "too fast", stream=stream)
    assert type(limited.error) is RateLimitError
    assert limited.error.attempts == 3
    assert type(spoken(scripted, dialect, "think", api_key="sk-of-somebody-else").error) is MissingAuthError


def test_other_dialects_keep_what_came_of_a_stream_that_broke_off(scripted: ThirdParty, dialect: str) -> None:
    answer = spoken(scripted, dialect, "break off")  # after four events, which need not be text
    assert type(answer.error) is StreamError
    assert "This goes well for a while.".startswith(answer.text)
