"""What of a conversation is sent with the next prompt: nothing that a strict service refuses."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest

from jmuz_magic import Conversation, JmuzError
from jmuz_magic.conversation.export import exported
from jmuz_magic.messages import Message
from tests.fault_server import DONE, FaultServer, Script, delta, event, finish, head, reply, stream


def call(name: str, arguments: str = "{}", number: int = 1, **extra: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"index": number - 1, "id": f"call_{number}", "type": "function", "function": function, **extra}


def calling(*calls: dict[str, Any], text: str | None = None) -> Script:
    """A reply that asks for tools, perhaps after some text."""
    said = [delta(text)] if text is not None else []
    return stream(*said, delta(tool_calls=list(calls)), finish("tool_calls"), DONE)


EMPTY: dict[str, Script] = {
    "empty": stream(finish(), DONE),
    "blank": reply(" \n"),
    "reasoning alone": stream(delta(reasoning_content="hm"), finish(), DONE),
    "cut before the text": stream(delta(reasoning_content="hm"), finish("length"), DONE),
    "one tool call": calling(call("f", '{"x": 1}')),
    "two tool calls": calling(call("f"), call("g", number=2)),
    "a tool call after blanks": calling(call("f"), text="\n"),
}
LOST: dict[str, Script] = {
    "failed": [("send", head("200 OK") + delta("Half.") + event({"error": {"message": "overloaded"}})), ("eof",)],
    "refused": [("send", head("400 Bad Request", "application/json") + b'{"error": {"message": "no"}}'), ("eof",)],
    "filtered": reply("Half.", reason="content_filter"),
    "filtered at once": stream(finish("content_filter"), DONE),
}
KEPT: dict[str, tuple[Script, str]] = {
    "complete": (reply("Whole."), "Whole."),
    "length": (reply("Half.", reason="length"), "Half."),
    "truncated": (stream(delta("Half.")), "Half."),
    "refusal": (stream(delta(refusal="I must not."), finish(), DONE), "I must not."),
    "text and a tool call": (calling(call("f"), text="Let me see."), "Let me see."),
}


def asked(server: FaultServer) -> list[list[dict[str, Any]]]:
    """The messages of each request."""
    return [happening.request.json["messages"] for happening in server.events if happening.request]


def refusals(messages: list[dict[str, Any]]) -> list[str]:
    """Why Mistral, xAI, Anthropic or OpenAI answer such messages with 400."""
    found = []
    for message, after in zip(messages, [*messages[1:], {"role": "none"}], strict=True):
        calls = [each["id"] for each in message.get("tool_calls") or ()]
        if message["role"] == "assistant" and not calls and not str(message.get("content") or "").strip():
            found.append("an assistant message with neither content nor tool calls")
        if calls and (after["role"] != "tool" or [after.get("tool_call_id")] != calls):
            found.append("a tool call without its result")
    return found


def ask(talk: Conversation, prompt: str | Message) -> None:
    with contextlib.suppress(JmuzError):
        talk.ask(prompt)


def roles(messages: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(message["role"], message["content"]) for message in messages]


@pytest.mark.finding("A8", "B28", "D4")
@pytest.mark.parametrize("kind", EMPTY)
def test_a_turn_without_text_is_not_sent_with_later_ones(server: FaultServer, kind: str) -> None:
    talk = Conversation("m", api_base=server.add("s", reply("One."), EMPTY[kind], reply("Three."), reply("Four.")))
    for prompt in ("1", "2", "3", "4"):
        ask(talk, prompt)
    sent = asked(server)
    assert [refusals(messages) for messages in sent] == [[]] * 4
    assert roles(sent[2]) == [("user", "1"), ("assistant", "One."), ("user", "3")]
    assert roles(sent[3]) == [*roles(sent[2]), ("assistant", "Three."), ("user", "4")]


@pytest.mark.parametrize("kind", LOST)
def test_a_failed_or_filtered_turn_is_not_sent_and_stays_in_the_transcript(server: FaultServer, kind: str) -> None:
    talk = Conversation("m", api_base=server.add("s", reply("One."), LOST[kind], reply("Three.")))
    for prompt in ("1", "2", "3"):
        ask(talk, prompt)
    assert roles(asked(server)[-1]) == [("user", "1"), ("assistant", "One."), ("user", "3")]
    assert [turn.prompt["content"] for turn in talk.transcript] == ["1", "2", "3"]
    assert [turn.prompt["content"] for turn in talk.turns] == ["1", "3"]


@pytest.mark.parametrize("kind", KEPT)
def test_a_turn_with_text_is_sent_as_it_was_before(server: FaultServer, kind: str) -> None:
    """Byte for byte: recordings know a request by its messages."""
    script, text = KEPT[kind]
    talk = Conversation("m", api_base=server.add("s", script, reply("Two.")))
    ask(talk, "1")
    ask(talk, "2")
    one, two = {"role": "user", "content": "1"}, {"role": "user", "content": "2"}
    assert asked(server)[1] == [one, {"role": "assistant", "content": text}, two]


def test_an_interrupted_turn_is_sent_with_the_text_that_had_come(server: FaultServer) -> None:
    half = [("send", head() + delta("Half.")), ("accept_only",)]
    talk = Conversation("m", api_base=server.add("s", half, [("send", head()), ("accept_only",)], reply("Three.")))

    async def leave(prompt: str, wait_for_text: bool) -> None:
        chunks = talk.stream(prompt)
        reading = asyncio.ensure_future(anext(chunks))
        if wait_for_text:
            assert await reading == "Half."
        else:
            while talk.running is None:
                await asyncio.sleep(0)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        await chunks.aclose()

    asyncio.run(leave("1", wait_for_text=True))
    asyncio.run(leave("2", wait_for_text=False))
    assert roles(list(talk.messages)) == [("user", "1"), ("assistant", "Half.")]  # type: ignore[arg-type]
    assert [turn.state for turn in talk.transcript] == ["interrupted"] * 2


@pytest.mark.finding("B28")
@pytest.mark.parametrize("text", [None, "Let me see."])
@pytest.mark.parametrize("arguments", ['{"x": 1}', "{}"])
def test_a_tool_call_is_sent_with_its_result(server: FaultServer, text: str | None, arguments: str) -> None:
    signed = call("f", arguments, extra_content={"google": {"thought_signature": "c2ln"}})
    talk = Conversation("m", api_base=server.add("s", calling(signed, text=text), reply("It is 2."), reply("Yes.")))
    talk.ask("What is f of 1?")
    result: Message = {"role": "tool", "tool_call_id": "call_1", "content": "2"}
    talk.ask(result)
    talk.ask("Sure?")
    for messages in asked(server)[1:]:
        assert refusals(messages) == []
        answer = messages[1]
        assert (answer["role"], answer["content"]) == ("assistant", text)
        (sent,) = answer["tool_calls"]
        assert sent["function"] == {"name": "f", "arguments": arguments}
        assert (sent["id"], sent["type"]) == ("call_1", "function")
        assert messages[2] == result
    assert roles(asked(server)[2])[3:] == [("assistant", "It is 2."), ("user", "Sure?")]


def test_what_came_with_a_tool_call_is_sent_back(server: FaultServer) -> None:
    from jmuz_magic.conversation.history import sent_turns
    from jmuz_magic.conversation.turn import Turn
    from jmuz_magic.messages import FinishReason, ToolCall, ToolCalls
    from jmuz_magic.providers.endpoint.connection import Connection
    from jmuz_magic.request.request import Request

    prompt: Message = {"role": "user", "content": "1"}
    turn = Turn(Request(Connection(), "m", (prompt,)), on_start=print, on_chunk=lambda *_: None, on_end=lambda _: None)
    extra = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
    for chunk in (ToolCalls((ToolCall("a", "f", "{}", extra),)), FinishReason("tool_calls")):
        turn._take(chunk)
    asyncio.run(turn._end("complete"))
    result: Message = {"role": "tool", "tool_call_id": "a", "content": "2"}
    ((_, (_, answer)),) = sent_turns([turn], result)
    assert answer["tool_calls"] == [
        {**extra, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    ]
    assert sent_turns([turn], prompt) == []


def test_a_call_that_nobody_answered_takes_the_calls_before_it_along(server: FaultServer) -> None:
    """A result whose call is left out would be refused, too."""
    first, second = calling(call("f")), calling(call("g", number=2))
    talk = Conversation("m", api_base=server.add("s", first, second, reply("Three.")))
    talk.ask("1")
    talk.ask({"role": "tool", "tool_call_id": "call_1", "content": "2"})
    talk.ask("3")
    assert refusals(asked(server)[1]) == []
    assert roles(asked(server)[2]) == [("user", "3")]


def test_bounds_leave_no_result_without_its_call(server: FaultServer) -> None:
    talk = Conversation(
        "m", api_base=server.add("s", calling(call("f")), reply("Two."), reply("Three.")), max_messages=3
    )
    talk.ask("1")
    talk.ask({"role": "tool", "tool_call_id": "call_1", "content": "2"})
    talk.ask("3")
    assert roles(asked(server)[2]) == [("user", "3")]


def test_an_export_keeps_what_is_not_sent_and_says_so(server: FaultServer) -> None:
    scripts = reply("One."), LOST["failed"], LOST["filtered"], EMPTY["one tool call"], EMPTY["empty"]
    talk = Conversation("m", api_base=server.add("s", *scripts))
    for number in range(5):
        ask(talk, f"prompt {number}")
    text = exported(talk, "md")
    assert all(f"prompt {number}" in text for number in range(5))
    assert text.count("*(not sent with later prompts)*") == 3
    assert "Half.\n\n*(not sent with later prompts: " in text
    assert "overloaded)*" in text
    turns = json.loads(exported(talk, "json"))["turns"]
    assert ["note" in turn for turn in turns] == [False, True, True, True, True]
    assert "overloaded" in turns[1]["error"]
    assert turns[3]["tool_calls"][0]["name"] == "f"
    assert len(json.loads(exported(talk, "ipynb"))["cells"]) == 6


def test_a_prompt_that_is_asked_again_takes_the_place_of_its_failure(server: FaultServer) -> None:
    talk = Conversation("m", api_base=server.add("s", LOST["failed"], LOST["refused"], reply("One."), LOST["failed"]))
    for _ in range(3):
        ask(talk, "1")
    assert [turn.state for turn in talk.transcript] == ["complete"]
    ask(talk, "2")
    assert [turn.state for turn in talk.transcript] == ["complete", "failed"]
    failed = talk.undo()
    assert failed is not None
    assert failed.state == "failed"
    assert [turn.reply.text for turn in talk.turns] == ["One."]


def test_only_what_is_not_sent_can_be_dropped(server: FaultServer) -> None:
    talk = Conversation("m", api_base=server.add("s", reply("One."), LOST["failed"]))
    ask(talk, "1")
    ask(talk, "2")
    for turn in talk.transcript:
        talk.drop(turn)
    assert [turn.reply.text for turn in talk.transcript] == ["One."]
