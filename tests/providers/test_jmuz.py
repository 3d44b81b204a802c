"""The namesake: aliases, adverts, folded system messages, and a key that goes nowhere else."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import random
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from jmuz_magic.messages import AdvertRemoved, FinishReason, Message, Reasoning, Usage
from jmuz_magic.providers.base import Leaving
from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint
from jmuz_magic.providers.jmuz import Jmuz
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.secret import Secret
from tests.fault_server import DONE, FaultServer, delta, event, finish, head, json_answer, reply, stream
from tests.providers.asking import FAKE_KEY, HELLO, ask

INVITE = "https://discord.gg/Ew6JzjA2NR"
ADVERTS_IN = f"Join for free\n{INVITE}...\n\nHello {INVITE}... world\n```\nJoin for free {INVITE}...\n```\nbye"
ADVERTS_OUT = f"Hello  world\n```\nJoin for free {INVITE}...\n```\nbye"


def test_its_face_is_as_specified() -> None:
    assert issubclass(Jmuz, OpenaiTemplate)
    assert Jmuz.url == INVITE
    assert Jmuz.api_base == "https://jmuz.me/gpt/api/v2"
    assert Jmuz.api_key == "prod"
    assert Jmuz.working is True
    assert Jmuz.supports_system_message is False
    assert Jmuz.default_model == "gpt-4o"
    assert Jmuz.models == []
    assert list(inspect.signature(Jmuz.create_async_generator).parameters)[:4] == [
        "model",
        "messages",
        "stream",
        "api_key",
    ]
    assert isinstance(Jmuz.create_async_generator("m", HELLO), AsyncGenerator)


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("", "gpt-4o"),
        ("gpt-4o", "gpt-4o"),
        ("qwq-32b", "qwq-32b-preview"),
        ("gemini-1.5-flash", "gemini-flash"),
        ("gemini-1.5-pro", "gemini-pro"),
        ("gemini-2.0-flash-thinking", "gemini-thinking"),
        ("deepseek-chat", "deepseek-v3"),
        ("something-else", "something-else"),
    ],
)
def test_models_are_resolved(asked: str, sent: str) -> None:
    assert Jmuz.get_model(asked) == sent


def test_jmuz_api_base_re_points_it_with_rules_aliases_and_folding(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JMUZ_API_BASE", server.add("s", reply("Join for free\n", "Hello")))
    messages: list[Message] = [{"role": "system", "content": "Be brief."}, *HELLO]
    answer = ask(Jmuz, model="deepseek-chat", messages=messages)
    assert answer.text == "Hello"
    request = server.requests[0]
    assert request.json["model"] == "deepseek-v3"
    assert request.json["messages"] == [{"role": "user", "content": "Be brief.\n\nHello"}]
    assert "authorization" not in request.headers
    assert resolve_endpoint(Jmuz).notice is None
    monkeypatch.delenv("JMUZ_API_BASE")
    assert "jmuz.me" in str(resolve_endpoint(Jmuz).notice)


@pytest.mark.threat(14)
def test_the_argument_api_key_is_accepted_and_not_forwarded(server: FaultServer) -> None:
    base = server.add("s", reply("x"))
    assert ask(Jmuz, api_base=base, api_key=FAKE_KEY).text == "x"
    assert ask(Jmuz, messages=HELLO, model="m", stream=True, api_key=FAKE_KEY, api_base=base).text == "x"
    assert FAKE_KEY not in str(server.requests)


@pytest.mark.threat(14)
def test_jmuz_api_key_belongs_to_jmuz_api_base(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JMUZ_API_KEY", FAKE_KEY)
    assert (resolve_endpoint(Jmuz).key, resolve_endpoint(Jmuz).key_source) == (Secret("prod"), "public")
    monkeypatch.setenv("JMUZ_API_BASE", server.add("s", reply("x")))
    assert ask(Jmuz).text == "x"
    assert server.requests[0].headers["authorization"] == f"Bearer {FAKE_KEY}"
    assert resolve_endpoint(Jmuz, api_base="https://other.example/v1").key is None


@pytest.mark.threat(14)
@pytest.mark.parametrize("address", ["https://jmuz.me/gpt/api/v2", "https://JMUZ.me:443/elsewhere"])
def test_nothing_but_the_public_key_ever_goes_to_jmuz_me(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("JMUZ_API_KEY", FAKE_KEY)
    monkeypatch.setenv("JMUZ_API_BASE", address)
    assert resolve_endpoint(Jmuz).key == Secret("prod")


@pytest.mark.threat(14)
def test_the_public_key_goes_nowhere_else() -> None:
    assert resolve_endpoint(Jmuz, api_base="https://other.example/v1").key is None
    assert resolve_endpoint(Jmuz, api_base="http://jmuz.me/gpt/api/v2").key is None


@pytest.mark.fault(38)
@pytest.mark.threat(22)
def test_adverts_are_removed_announced_and_kept_in_code(server: FaultServer) -> None:
    answer = ask(Jmuz, api_base=server.add("s", reply(*ADVERTS_IN)))
    assert answer.text == ADVERTS_OUT
    removed = [notice.text for notice in answer.notices if isinstance(notice, AdvertRemoved)]
    assert [INVITE in text for text in removed][-1]
    assert removed[0].startswith("Join for free")


@pytest.mark.fault(38)
def test_adverts_go_however_the_reply_is_cut(server: FaultServer) -> None:
    for seed in range(40):
        dice = random.Random(seed)
        places = sorted({0, len(ADVERTS_IN), *(dice.randrange(len(ADVERTS_IN)) for _ in range(12))})
        deltas = [ADVERTS_IN[start:end] for start, end in itertools.pairwise(places)]
        assert ask(Jmuz, api_base=server.add("s", reply(*deltas))).text == ADVERTS_OUT, seed


@pytest.mark.fault(38)
def test_other_chunks_pass_untouched_and_after_what_the_cleaner_held(server: FaultServer) -> None:
    advert = {"choices": [{"index": 0, "delta": {"reasoning": "Join for free\nhm"}}]}
    base = server.add("s", stream(event(advert), delta("Hello\nJoin"), finish(usage={"total_tokens": 1}), DONE))
    answer = ask(Jmuz, api_base=base)
    assert "".join(chunk for chunk in answer.chunks if isinstance(chunk, str)) == "Hello\nJoin"
    assert answer.chunks[0] == Reasoning("Join for free\nhm")
    assert answer.chunks[-2:] == [Usage(total_tokens=1), FinishReason("stop")]


@pytest.mark.fault(38)
@pytest.mark.parametrize(
    "ending",
    [
        [("rst",)],
        [("send", event({"error": "late"})), ("eof",)],
        [("send", b"data: {oops\n\n"), ("eof",)],
        [("eof",)],
        [("send", DONE), ("eof",)],
    ],
    ids=["reset", "error", "malformed", "truncated", "done"],
)
def test_what_the_cleaner_holds_comes_out_at_every_end(server: FaultServer, ending: list[Any]) -> None:
    base = server.add("s", [("send", head() + delta("Hello\nJoin for")), ("sleep", 0.1), *ending])
    assert ask(Jmuz, api_base=base).text == "Hello\nJoin for"


@pytest.mark.fault(38)
@pytest.mark.parametrize("how", ["cancel", "athrow"])
def test_what_the_cleaner_holds_comes_out_at_an_interrupt(server: FaultServer, how: str) -> None:
    base = server.add("s", [("send", head() + delta("Hello\nJoin for")), ("accept_only",)])

    async def main() -> list[Any]:
        chunks: list[Any] = []
        source = Jmuz.create_async_generator("m", HELLO, api_base=base)
        chunks.append(await anext(source))
        if how == "athrow":
            chunks.append(await source.athrow(Leaving()))
            with pytest.raises(asyncio.CancelledError):
                await anext(source)
            return chunks

        async def read() -> None:
            async for chunk in source:
                chunks.append(chunk)  # noqa: PERF401 - what came before the interrupt counts

        task = asyncio.create_task(read())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return chunks

    chunks = asyncio.run(main())
    assert "".join(chunks) == "Hello\nJoin for"
    server.wait_for_close()


def test_leaving_early_yields_nothing_more(server: FaultServer) -> None:
    base = server.add("s", [("send", head() + delta("Hello\nJoin for")), ("accept_only",)])

    async def main() -> None:
        source = Jmuz.create_async_generator("m", HELLO, api_base=base)
        await anext(source)
        await source.aclose()

    asyncio.run(main())
    server.wait_for_close()


def test_nobody_need_listen_to_what_is_removed(server: FaultServer) -> None:
    base = server.add("s", reply(ADVERTS_IN))

    async def main() -> list[Any]:
        return [chunk async for chunk in Jmuz.create_async_generator("m", HELLO, api_base=base)]

    assert "".join(chunk for chunk in asyncio.run(main()) if isinstance(chunk, str)) == ADVERTS_OUT


def test_a_whole_json_reply_is_cleaned_as_well(server: FaultServer) -> None:
    body = {"choices": [{"message": {"content": ADVERTS_IN}, "finish_reason": "stop"}]}
    answer = ask(Jmuz, api_base=server.add("s", json_answer(body)), stream=False)
    assert answer.text == ADVERTS_OUT


def test_the_template_itself_has_no_rules(server: FaultServer) -> None:
    assert ask(api_base=server.add("s", reply(ADVERTS_IN))).text == ADVERTS_IN


def test_its_models_are_listed_and_kept(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Jmuz, "models", [])
    monkeypatch.setenv("JMUZ_API_BASE", server.add("s", json_answer({"data": [{"id": "gpt-4o"}]})))
    assert Jmuz.get_models() == ["gpt-4o"]
    assert Jmuz.models == ["gpt-4o"]
