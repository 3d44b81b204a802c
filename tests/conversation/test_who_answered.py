"""Who answered and what it cost, from the socket to the reply, the log, the foot and the metadata."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.conversation.turn import Turn
from jmuz_magic.display.reply import footer_lines, reply_metadata
from jmuz_magic.errors import JmuzError
from jmuz_magic.log.exchange import Exchange
from jmuz_magic.log.log import exchange_log
from jmuz_magic.messages import Reply, Usage
from tests.fault_server import DONE, FaultServer, Step, delta, event, finish, json_answer, stream

COUNTS = {"prompt_tokens": 31, "completion_tokens": 104, "total_tokens": 135}
USAGE = COUNTS | {
    "cost": 0.00085,
    "prompt_tokens_details": {"cached_tokens": 12},
    "completion_tokens_details": {"reasoning_tokens": 100},
}
WHOLE = Usage(31, 104, 135, 12, 100, 0.00085)
HEAD = {"model": "gemini-3.5-flash-lite", "system_fingerprint": "fp_44709d6fcb", "provider": "Google"}


@pytest.fixture(autouse=True)
def logged(tmp_path: Path) -> Iterator[None]:
    exchange_log.configure(tmp_path / "exchanges.sqlite3")
    yield
    exchange_log.configure()


def said(text: str | None = None, **members: Any) -> bytes:
    return event(HEAD | {"choices": [{"index": 0, "delta": {"content": text} if text else {}}]} | members)


def run(turn: Turn, *, stop_at: str = "") -> Reply:
    """The reply, however it ends; the reader leaves at the chunk `stop_at`."""

    async def read() -> None:
        async with aclosing(turn.chunks()) as chunks:
            async for chunk in chunks:
                if stop_at and chunk == stop_at:
                    return

    try:
        asyncio.run(read())
    except JmuzError:
        assert turn.state == "failed"
    return turn.reply


def ask(server: FaultServer, *scripts: list[Step], model: str = "gemini-2.5-flash", stop_at: str = "") -> Reply:
    return run(Conversation(model, api_base=server.add("s", *scripts)).turn("Hello"), stop_at=stop_at)


def last_logged() -> Exchange:
    assert exchange_log.flush(30)
    return exchange_log.get("last")


def test_a_reply_says_who_answered_and_so_do_log_and_metadata(server: FaultServer) -> None:
    reply = ask(server, stream(said("Hi"), finish(**HEAD), event(HEAD | {"choices": [], "usage": USAGE}), DONE))
    for each in (reply, last_logged(), last_logged().reply):
        assert (each.model, each.answered_by) == ("gemini-2.5-flash", "gemini-3.5-flash-lite")
        assert (each.system_fingerprint, each.upstream, each.usage) == ("fp_44709d6fcb", "Google", WHOLE)
    assert footer_lines(reply) == ["answered by gemini-3.5-flash-lite, not gemini-2.5-flash"]
    facts = reply_metadata(reply)["jmuz"]
    assert (facts["answered_by"], facts["upstream"], facts["usage"]) == (
        "gemini-3.5-flash-lite",
        "Google",
        COUNTS | {"cached_tokens": 12, "reasoning_tokens": 100, "cost": 0.00085},
    )


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        ([("send", event({"error": {"message": "overloaded"}}))], "failed"),
        ([("rst",)], "failed"),
        ([("send", b"0\r\n\r\n")], "truncated"),
    ],
    ids=["error", "reset", "cut"],
)
def test_usage_that_came_before_a_reply_broke_off_is_kept(server: FaultServer, ending: list[Step], state: str) -> None:
    pieces = [said("Hi", usage=USAGE), said(" there", usage=USAGE)]
    steps = stream(*pieces)[:-1]
    if ending[0][0] == "send" and state == "failed":
        steps = stream(*pieces, ending[0][1])
        ending = []
    reply = ask(server, [*steps, ("sleep", 0.3), *ending])
    exchange = last_logged()
    assert (exchange.state, reply.text) == (state, "Hi there")
    for each in (reply, exchange):
        assert (each.usage, each.answered_by) == (WHOLE, "gemini-3.5-flash-lite")
    assert reply_metadata(reply)["jmuz"]["usage"]["cost"] == 0.00085


def test_usage_of_an_interrupted_reply_is_kept(server: FaultServer) -> None:
    steps = stream(said("Hi", usage=USAGE), said("there", usage=USAGE))[:-1]
    reply = ask(server, [*steps, ("wait_client_close", 20)], stop_at="there")
    exchange = last_logged()
    assert (exchange.state, reply.text) == ("interrupted", "Hithere")
    for each in (reply, exchange):
        assert (each.usage, each.answered_by) == (WHOLE, "gemini-3.5-flash-lite")


def test_a_request_that_was_asked_again_says_so(server: FaultServer) -> None:
    down = json_answer({"error": "loading"}, "503 Service Unavailable", Retry_After="0")
    reply = ask(server, down, stream(delta("Hi"), finish(), DONE), model="m")
    assert (reply.text, reply.requests, last_logged().requests) == ("Hi", 2, 2)
    assert footer_lines(reply) == ["2 requests"]
    assert "requests" not in reply_metadata(reply)["jmuz"]
    assert ask(server, stream(delta("Hi"), finish(), DONE), model="m").requests == 1


def test_a_request_that_failed_each_time_is_counted_too(server: FaultServer) -> None:
    down = json_answer({"error": "down"}, "500 Internal Server Error", Retry_After="0")
    reply = ask(server, down, model="m")
    assert reply.requests == server.count("request") == last_logged().requests > 1


def test_a_request_without_an_option_that_was_refused_is_counted(server: FaultServer) -> None:
    refusal = json_answer(
        {"error": {"message": "temperature is not supported", "param": "temperature"}}, "400 Bad Request"
    )
    base = server.add("s", refusal, stream(delta("Hi"), finish(), DONE))
    reply = run(Conversation("m", api_base=base, options={"temperature": 0.2}).turn("Hello"))
    assert (reply.text, reply.left_out, reply.requests) == ("Hi", ("temperature",), 2)
    assert (last_logged().left_out, last_logged().requests) == (("temperature",), 2)
    assert len(footer_lines(reply)) == 2
