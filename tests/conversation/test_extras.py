"""What a reply brings besides text: kept by a turn, however it ends, and written by exports."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic import Conversation, JmuzError
from jmuz_magic.conversation.export import exported, write_export
from tests.fault_server import DONE, FaultServer, chunked, delta, event, finish, head, stream

COUNTS = {"prompt_tokens": 7, "completion_tokens": 2}


def cited(*sources: dict[str, Any]) -> bytes:
    return delta(annotations=[{"type": "url_citation", "url_citation": source} for source in sources])


@pytest.mark.finding("A20")
def test_sources_are_exported(server: FaultServer, tmp_path: Path) -> None:
    sources = [
        {"url": "https://a.example/x_(y)", "title": "A\npage"},
        {"url": "javascript:alert(1)", "title": ""},
        {"url": "https://a.example/ b>", "title": "odd"},
    ]
    talk = Conversation("m", api_base=server.add("s", stream(delta("Says [1]."), cited(*sources), finish(), DONE)))
    talk.ask("go")
    text = write_export(talk, tmp_path / "talk.md").read_text()
    assert "Says [1].\n\nSources:\n\n1. A page: <https://a.example/x_(y)>\n2. `javascript:alert(1)`\n" in text
    assert "3. odd: `https://a.example/ b>`\n" in text
    (turn,) = json.loads(exported(talk, "json"))["turns"]
    assert turn["citations"][0] == {"url": "https://a.example/x_(y)", "title": "A page"}


def test_what_came_before_a_failure_is_known_of_the_reply(server: FaultServer) -> None:
    facts = {"model": "m-2", "usage": COUNTS}
    named = event({"choices": [{"delta": {"content": "half"}}]} | facts)
    call = delta(tool_calls=[{"index": 0, "id": "1", "function": {"name": "f", "arguments": "{"}}])
    events = [named, cited({"url": "https://a.example"}), call, event({"error": "gone"})]
    talk = Conversation("m", api_base=server.add("s", stream(*events)))
    turn = talk.turn("go")
    with pytest.raises(JmuzError, match="gone"):
        asyncio.run(read(turn))
    reply = turn.reply
    assert (reply.text, reply.answered_by, reply.finish_reason, reply.tool_calls) == ("half", "m-2", "error", ())
    assert reply.usage is not None
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (7, 2)
    assert [source.url for source in reply.citations] == ["https://a.example"]
    assert [part.kind for part in reply.unshown] == ["unfinished tool call"]


def test_what_came_before_an_interrupt_is_known_of_the_reply(server: FaultServer) -> None:
    named = event({"model": "m-2", "choices": [{"delta": {"content": "half"}}], "usage": COUNTS})
    opened = head(Transfer_Encoding="chunked") + chunked([named], ended=False)
    talk = Conversation("m", api_base=server.add("s", [("send", opened), ("accept_only",)]))
    turn = talk.turn("go")

    async def interrupt() -> None:
        chunks = turn.chunks()
        assert await anext(chunks) == "half"
        await chunks.aclose()

    asyncio.run(interrupt())
    reply = turn.reply
    assert (reply.text, reply.answered_by, reply.finish_reason) == ("half", "m-2", "interrupted")
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == 7


async def read(turn: Any) -> None:
    async for _ in turn.chunks():
        pass
