"""Turns of several steps: what is asked, kept, replayed and sent later, and what stays when a step is cut."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic import Conversation, JmuzError
from jmuz_magic.conversation.steps import Follow, Sequel, Step, step_messages
from jmuz_magic.conversation.turn import Turn
from jmuz_magic.log.exchange import Exchange
from jmuz_magic.log.log import exchange_log
from jmuz_magic.messages import Chunk, Message, OnNotice, Reply, ToolResult, Usage
from jmuz_magic.recordings.recording import Recording
from tests.conversation.test_history import call as tool_call
from tests.conversation.test_history import calling, roles
from tests.exchanges import reply as plain_reply
from tests.exchanges import request
from tests.fault_server import DONE, FaultServer, Script, delta, event, finish, head, json_answer, reply, stream
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
QUESTION: Message = {"role": "user", "content": "How warm is it?"}
CALLED = {
    "role": "assistant",
    "content": "Let me see.",
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
    ],
}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "22 °C"}


class Tools:
    """Answers every tool call with 22 °C; a sequel as tools will be one."""

    def __init__(self) -> None:
        self.followed: list[int] = []

    def enough(self, chunk: Chunk) -> bool:
        return False

    async def follow(self, steps: Sequence[Step], tell: OnNotice) -> Follow | None:
        self.followed.append(len(steps))
        calls = steps[-1].reply.tool_calls
        results = tuple(ToolResult(call.id, call.name, "22 °C", "done", 0.1) for call in calls)
        if not results:
            return None
        return Follow(tuple(step_messages(Step(steps[-1].request, steps[-1].reply, results))), results=results)


class Correction(Tools):
    """Asks for another reply until it says 42; a sequel as a repair will be one."""

    async def follow(self, steps: Sequence[Step], tell: OnNotice) -> Follow | None:
        self.followed.append(len(steps))
        text = steps[-1].reply.text
        if "42" in text:
            return None
        again: Message = {"role": "user", "content": "Say 42."}
        return Follow(({"role": "assistant", "content": text}, again), {"temperature": 0}, replaces=True)


class Silence(Tools):
    """Must not be asked."""

    async def follow(self, steps: Sequence[Step], tell: OnNotice) -> Follow | None:
        raise AssertionError("a recording says what follows")


class Broken(Tools):
    async def follow(self, steps: Sequence[Step], tell: OnNotice) -> Follow | None:
        raise JmuzError("no such tool")


def counting(number: int, *events: bytes, reason: str = "stop") -> Script:
    """A reply with a usage of so many tokens each way."""
    usage = event({"choices": [], "usage": {"prompt_tokens": number, "completion_tokens": number}})
    return stream(*events, finish(reason), usage, DONE)


CALL = delta(tool_calls=[tool_call("weather", '{"city": "Rome"}')])
FIRST = counting(3, delta("Let me see."), CALL, reason="tool_calls")
LAST = counting(4, delta("It is "), delta("22 °C."))
HANGS: Script = [("send", head() + delta("It is ")), ("accept_only",)]


@pytest.fixture
def logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("JMUZ_LOG", str(tmp_path / "log.sqlite3"))
    monkeypatch.setattr(exchange_log, "on_message", lambda _: None)
    yield
    exchange_log.close()


def rows() -> list[Exchange]:
    """Of the log, oldest first."""
    return exchange_log.rows(-1)[::-1]


def run(turn: Turn) -> list[Chunk]:
    """The turn's chunks; none where it fails."""

    async def read() -> list[Chunk]:
        chunks: list[Chunk] = []
        with contextlib.suppress(JmuzError):
            chunks.extend([chunk async for chunk in turn.chunks()])
        return chunks

    return asyncio.run(read())


def interrupted(turn: Turn, text: str) -> None:
    """Read until that text has come, and leave."""

    async def read() -> None:
        chunks = turn.chunks()
        async for chunk in chunks:
            if chunk == text:
                break
        await chunks.aclose()

    asyncio.run(read())


def ask(talk: Conversation, sequel: Sequel | None = None, **options: Any) -> tuple[Turn, list[Chunk]]:
    turn = talk.turn(QUESTION, sequel=sequel, **options)
    return turn, run(turn)


def asked(server: FaultServer) -> list[Any]:
    return [request.json["messages"] for request in server.requests]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def told(whole: Reply) -> tuple[Any, ...]:
    return whole.text, whole.usage, whole.tool_calls, whole.finish_reason, whole.messages


def test_a_turn_goes_on_with_the_results_of_its_tools(server: FaultServer) -> None:
    talk = Conversation("m", api_base=server.add("s", FIRST, LAST))
    turn, chunks = ask(talk, sequel := Tools())
    assert asked(server) == [[QUESTION], [QUESTION, CALLED, RESULT]]
    assert sequel.followed == [1, 2]
    assert turn.state == "complete"
    assert turn.reply.text == "Let me see.\n\nIt is 22 °C."
    assert turn.reply.usage == Usage(7, 7)
    assert (turn.reply.requests, turn.reply.finish_reason, turn.reply.tool_calls) == (2, "stop", ())
    assert turn.reply.messages == (QUESTION,)
    assert [step.reply.text for step in turn.steps] == ["Let me see.", "It is 22 °C."]
    assert [step.results for step in turn.steps] == [(ToolResult("call_1", "weather", "22 °C", "done", 0.1),), ()]
    assert turn.reply is turn.reply
    texts = [chunk for chunk in chunks if isinstance(chunk, str | ToolResult)]
    assert texts == ["Let me see.", *turn.steps[0].results, "It is ", "22 °C."]


def test_a_turn_of_tools_is_sent_later_with_all_its_messages(server: FaultServer) -> None:
    talk = Conversation("m", api_base=server.add("s", FIRST, LAST, reply("Yes.")))
    ask(talk, Tools())
    talk.ask("Sure?")
    said = {"role": "assistant", "content": "It is 22 °C."}
    assert asked(server)[-1] == [QUESTION, CALLED, RESULT, said, {"role": "user", "content": "Sure?"}]


def test_a_corrected_turn_is_its_last_reply_alone(server: FaultServer) -> None:
    talk = Conversation(
        "m", api_base=server.add("s", counting(1, delta("Hm.")), counting(2, delta("42")), reply("Yes."))
    )
    turn, _ = ask(talk, Correction())
    assert turn.reply.text == "42"
    assert (turn.reply.usage, turn.reply.requests) == (Usage(3, 3), 2)
    assert [step.reply.text for step in turn.steps] == ["Hm.", "42"]
    talk.ask("Sure?")
    assert roles(asked(server)[1]) == [("user", "How warm is it?"), ("assistant", "Hm."), ("user", "Say 42.")]
    assert server.requests[1].json["temperature"] == 0
    assert roles(asked(server)[2]) == [("user", "How warm is it?"), ("assistant", "42"), ("user", "Sure?")]


def test_a_turn_of_one_step_is_what_it_was(server: FaultServer, logged: None, tmp_path: Path) -> None:
    """Alike in reply, log and recording, whether something might have followed or not."""
    replies = []
    for name, sequel in (("with", Tools()), ("without", None)):
        talk = Conversation("m", api_base=server.add("s", LAST), recording=tmp_path / name)
        replies.append(told(ask(talk, sequel)[0].reply))
    assert replies[0] == replies[1]
    with_one, without = rows()
    assert (with_one.turn, with_one.tool_results) == (without.turn, without.tool_results) == (None, ())
    assert with_one.request == without.request
    first, second = (lines(tmp_path / name)[0] for name in ("with", "without"))
    assert first | {"reply": 0} == second | {"reply": 0}
    assert list(first) == list(second)


def test_enough_ends_a_step_early(server: FaultServer) -> None:
    class Enough(Tools):
        def enough(self, chunk: Chunk) -> bool:
            return chunk == "It is "

    turn, _ = ask(Conversation("m", api_base=server.add("s", HANGS)), Enough())
    assert (turn.state, turn.reply.text) == ("complete", "It is ")
    server.wait_for_close()


def test_each_step_is_an_exchange_of_the_log(server: FaultServer, logged: None) -> None:
    ask(Conversation("m", api_base=server.add("s", LAST)))  # so that no number is 1
    ask(Conversation("m", api_base=server.add("s", FIRST, LAST)), Tools())
    _, first, second = rows()
    assert (first.state, first.turn, first.text) == ("complete", None, "Let me see.")
    assert (second.state, second.turn, second.text) == ("complete", first.id, "It is 22 °C.")
    assert first.tool_results == (ToolResult("call_1", "weather", "22 °C", "done", 0.1),)
    assert [call.name for call in first.tool_calls] == ["weather"]
    assert list(second.messages) == [QUESTION, CALLED, RESULT]
    exported = json.loads(json.dumps(first.as_dict()))
    assert exported["tool_results"][0]["content"] == "22 °C"
    assert second.as_dict()["turn"] == first.id


def test_results_are_in_the_log_before_the_next_request_leaves(server: FaultServer, logged: None) -> None:
    turn = Conversation("m", api_base=server.add("s", FIRST, HANGS)).turn(QUESTION, sequel=Tools())

    async def read() -> list[Exchange]:
        async for chunk in turn.chunks():
            if chunk == "It is ":
                return await asyncio.to_thread(rows)
        raise AssertionError

    first, second = asyncio.run(read())
    assert (first.state, first.tool_results[0].content) == ("complete", "22 °C")
    assert (second.state, second.turn) == ("streaming", first.id)


def test_an_interrupt_in_the_second_step_keeps_the_first(server: FaultServer, logged: None, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    talk = Conversation("m", api_base=server.add("s", FIRST, HANGS), recording=path)
    turn = talk.turn(QUESTION, sequel=Tools())
    interrupted(turn, "It is ")
    assert (turn.state, turn.reply.text) == ("interrupted", "Let me see.\n\nIt is ")
    assert turn.reply.finish_reason == "interrupted"
    assert [step.reply.finish_reason for step in turn.steps] == ["tool_calls", "interrupted"]
    assert [row.state for row in rows()] == ["complete", "interrupted"]
    assert [line["reply"]["text"] for line in lines(path)] == ["Let me see."]
    assert talk.running is None
    assert list(talk.messages) == [QUESTION, CALLED, RESULT, {"role": "assistant", "content": "It is "}]


def test_an_interrupt_between_two_steps_leaves_no_call_open(server: FaultServer) -> None:
    class Slow(Tools):
        async def follow(self, steps: Sequence[Step], tell: OnNotice) -> Follow | None:
            running.set()
            await asyncio.Event().wait()
            raise AssertionError

    running = asyncio.Event()
    talk = Conversation("m", api_base=server.add("s", FIRST, LAST))
    turn = talk.turn(QUESTION, sequel=Slow())

    async def stop() -> None:
        task = asyncio.ensure_future(anext(aiter(drained(turn)), None))
        await running.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def drained(turn: Turn) -> Any:
        async for _ in turn.chunks():
            pass
        yield

    asyncio.run(stop())
    assert (turn.state, [step.reply.finish_reason for step in turn.steps]) == ("interrupted", ["tool_calls"])
    assert list(talk.messages) == [QUESTION, {"role": "assistant", "content": "Let me see."}]


@pytest.mark.parametrize("how", ["refused", "truncated"])
def test_a_cut_in_the_second_step_ends_the_turn(server: FaultServer, logged: None, how: str) -> None:
    cut = json_answer({"error": "no"}, "400 Bad Request") if how == "refused" else stream(delta("It is "))
    state = "failed" if how == "refused" else "truncated"
    turn, _ = ask(Conversation("m", api_base=server.add("s", FIRST, cut)), sequel := Tools())
    assert (turn.state, len(turn.steps), sequel.followed) == (state, 2, [1])
    assert [row.state for row in rows()] == ["complete", state]
    assert (rows()[1].error is not None) == (how == "refused")


def test_a_sequel_that_fails_fails_the_turn_and_not_its_step(server: FaultServer, logged: None) -> None:
    turn, _ = ask(Conversation("m", api_base=server.add("s", FIRST)), Broken())
    assert (turn.state, str(turn.error), turn.reply.text) == ("failed", "no such tool", "Let me see.")
    (row,) = rows()
    assert (row.state, row.error, row.text) == ("complete", None, "Let me see.")


@pytest.mark.parametrize("mode", ["auto", "only"])
@pytest.mark.parametrize("kind", ["tools", "correction"])
def test_all_steps_are_recorded_and_replayed(server: FaultServer, tmp_path: Path, mode: Any, kind: str) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    scripts, sequel = {
        "tools": ((FIRST, FIRST, LAST), Tools()),
        "correction": ((reply("Hm."), reply("So."), reply("42")), Correction()),
    }[kind]
    base = server.add("s", *scripts)
    first, chunks = ask(Conversation("m", api_base=base, recording=Recording(path)), sequel)
    kept, before = lines(path), path.read_bytes()
    assert [(line.get("step"), line.get("of")) for line in kept] == [
        (None, None), (2, kept[0]["key"]), (3, kept[0]["key"]),
    ]  # fmt: skip
    assert {line["jmuz"] for line in kept} == {1}
    if kind == "tools":
        result = {"id": "call_1", "name": "weather", "content": "22 °C", "state": "done"}
        assert [line.get("tool_results") for line in kept] == [[result], [result], None]
    talk = Conversation("m", api_base=base, recording=Recording(path, mode))
    again, replayed = ask(talk, Silence())
    assert len(server.requests) == 3
    assert again.recorded
    assert again.reply.text == first.reply.text
    assert (again.reply.usage, again.state, len(again.steps)) == (first.reply.usage, "complete", 3)
    assert "".join(filter(lambda c: isinstance(c, str), replayed)) == "".join(  # type: ignore[arg-type]
        filter(lambda c: isinstance(c, str), chunks)  # type: ignore[arg-type]
    )
    assert Recording(path).exchanges()[0].step == 1
    assert path.read_bytes() == before
    assert list(talk.messages)[-1]["content"] == first.steps[-1].reply.text


def test_no_step_after_the_first_is_compared(server: FaultServer, tmp_path: Path) -> None:
    """So that the wording of whoever asks again may change."""
    path = tmp_path / "chat.jmuz.jsonl"
    ask(Conversation("m", api_base=server.add("s", reply("Hm."), reply("42")), recording=path), Correction())
    first, second = lines(path)
    second["request"]["messages"][-1]["content"] = "Say it better."
    second["key"] = "of other words"
    path.write_text(json.dumps(first) + "\n" + json.dumps(second) + "\n")
    turn, _ = ask(Conversation("m", recording=path, replay="only"), Silence())
    assert turn.reply.text == "42"


def test_a_step_that_is_missing_is_asked_with_the_recorded_results(server: FaultServer, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    base = server.add("s", FIRST, HANGS, LAST)
    interrupted(Conversation("m", api_base=base, recording=path).turn(QUESTION, sequel=Tools()), "It is ")
    path.write_text(path.read_text().replace("22 °C", "19 °C"))
    with pytest.raises(JmuzError, match=r"chat\.jmuz\.jsonl ends before step 2 of the turn"):
        Conversation("m", recording=path, replay="only").ask("How warm is it?", sequel=Silence())
    turn, _ = ask(Conversation("m", api_base=base, recording=path), sequel := Tools())
    assert asked(server)[-1][-1] == RESULT | {"content": "19 °C"}
    assert sequel.followed == [2]
    assert turn.reply.text == "Let me see.\n\nIt is 22 °C."
    assert [line.get("step") for line in lines(path)] == [None, 2]
    replayed, _ = ask(Conversation("m", recording=path, replay="only"), Silence())
    assert replayed.reply.text == turn.reply.text


def test_calls_without_results_end_a_replayed_turn(server: FaultServer, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    ask(Conversation("m", api_base=server.add("s", FIRST), recording=path))
    turn, _ = ask(Conversation("m", recording=path, replay="only"), Silence())
    assert (turn.state, len(turn.steps), turn.reply.finish_reason) == ("complete", 1, "tool_calls")


def test_fresh_words_take_the_place_of_all_the_steps_after_them(server: FaultServer, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    base = server.add("s", FIRST, LAST, reply("Other."), FIRST, LAST, FIRST, LAST, FIRST, reply("It is hot."))
    other: Message = {"role": "user", "content": "Something else"}

    def again() -> list[str]:
        ask(Conversation("m", api_base=base, recording=path), Tools(), fresh=True)
        return [line["reply"]["text"] for line in lines(path)]

    ask(Conversation("m", api_base=base, recording=path), Tools())
    run(Conversation("m", api_base=base, recording=path).turn(other))
    assert again() == ["Let me see.", "It is 22 °C.", "Other."]
    before = path.read_bytes()
    again()
    assert path.read_bytes() == before
    assert again() == ["Let me see.", "It is hot.", "Other."]


def test_the_same_turn_twice_is_replayed_in_order(server: FaultServer, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    recording = Recording(path)
    base = server.add("s", FIRST, LAST, FIRST, reply("It is hot."), reply("Once."))
    for _ in range(3):
        ask(Conversation("m", api_base=base, recording=recording), Tools())
    only = Recording(path, "only")
    replies = [ask(Conversation("m", recording=only), Silence())[0].reply.text for _ in range(3)]
    assert replies == ["Let me see.\n\nIt is 22 °C.", "Let me see.\n\nIt is hot.", "Once."]
    assert only.unused() == []


KILLED = """
import asyncio, sys
from jmuz_magic import Conversation
from tests.conversation.test_steps import QUESTION, Tools
async def main():
    talk = Conversation("m", api_base=sys.argv[1], recording=sys.argv[2])
    async for chunk in talk.turn(QUESTION, sequel=Tools()).chunks():
        if chunk == "It is ":
            print("in step 2", flush=True)
asyncio.run(main())
"""


def test_a_process_killed_in_the_second_step_leaves_the_first(
    server: FaultServer, logged: None, tmp_path: Path
) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    base = server.add("s", FIRST, HANGS, LAST)
    command = [sys.executable, "-c", KILLED, base, str(path)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE) as it:
        assert it.stdout
        assert it.stdout.readline() == b"in step 2\n"
        wait_until(lambda: [row.text for row in rows()] == ["Let me see.", "It is "], "the text is logged", 10)
        it.send_signal(signal.SIGKILL)
    first, second = rows()
    assert (first.state, first.tool_results[0].content, first.gone) == ("complete", "22 °C", False)
    assert (second.state, second.turn, second.gone) == ("streaming", first.id, True)
    assert [line["tool_results"][0]["content"] for line in lines(path)] == ["22 °C"]
    turn, _ = ask(Conversation("m", api_base=base, recording=path), Tools())
    assert turn.reply.text == "Let me see.\n\nIt is 22 °C."
    assert len(server.requests) == 3


def test_reasoning_goes_back_within_the_turn(server: FaultServer) -> None:
    from jmuz_magic.providers.openai_template import OpenaiTemplate

    class Thoughtful(OpenaiTemplate):
        reasoning_field = "reasoning_content"

    script = stream(delta(reasoning_content="hm"), delta(tool_calls=[tool_call("weather")]), finish("tool_calls"), DONE)
    talk = Conversation("m", provider=Thoughtful, api_base=server.add("s", script, LAST, reply("Yes.")))
    ask(talk, Tools())
    talk.ask("Sure?")
    assert [message.get("reasoning_content") for message in asked(server)[1]] == [None, "hm", None]
    assert [message.get("reasoning_content") for message in asked(server)[2]] == [None, "hm", None, None, None]


def test_a_step_that_cannot_be_kept_is_said_at_the_end_of_the_turn(server: FaultServer, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"

    class Spoiling(Tools):
        async def follow(self, steps: Sequence[Step], tell: OnNotice) -> Follow | None:
            path.mkdir(exist_ok=True)
            return await super().follow(steps, tell)

    turn = Conversation("m", api_base=server.add("s", FIRST, LAST), recording=path).turn(QUESTION, sequel=Spoiling())

    async def read() -> None:
        async for _ in turn.chunks():
            pass

    with pytest.raises(JmuzError, match=r"chat\.jmuz\.jsonl"):
        asyncio.run(read())
    assert (turn.state, turn.error, turn.reply.text) == ("complete", None, "Let me see.\n\nIt is 22 °C.")


def test_a_stop_stays_one_if_a_step_before_it_cannot_be_kept(server: FaultServer, tmp_path: Path) -> None:
    class Stopped(Tools):
        async def follow(self, steps: Sequence[Step], tell: OnNotice) -> Follow | None:
            folder.rmdir()
            task = asyncio.current_task()
            assert task
            task.cancel()
            await asyncio.sleep(0)
            return None

    async def read() -> None:
        async for _ in turn.chunks():
            pass

    (folder := tmp_path / "gone").mkdir()
    recording = Recording(folder / "film.jmuz.jsonl")
    turn = Conversation("m", api_base=server.add("s", FIRST), recording=recording).turn(QUESTION, sequel=Stopped())
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(read())
    assert turn.state == "interrupted"


def test_a_call_without_a_result_gets_a_message_that_says_so(server: FaultServer) -> None:
    class Half(Tools):
        async def follow(self, steps: Sequence[Step], tell: OnNotice) -> Follow | None:
            follow = await super().follow(steps, tell)
            if follow is None:
                return None
            last = Step(steps[-1].request, steps[-1].reply, follow.results[:1])
            return Follow(tuple(step_messages(last)), results=last.results)

    both = calling(tool_call("f"), tool_call("g", number=2))
    talk = Conversation("m", api_base=server.add("s", both, LAST, reply("Yes.")))
    ask(talk, Half())
    talk.ask("Sure?")
    for messages in asked(server)[1:]:
        assert [message["content"] for message in messages if message["role"] == "tool"] == [
            "22 °C", "not run: the turn was stopped",
        ]  # fmt: skip


def test_a_fresh_reply_without_further_steps_leaves_none_of_the_old_ones(server: FaultServer, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    base = server.add("s", FIRST, LAST, reply("Warm."))
    for fresh in (False, True):
        ask(Conversation("m", api_base=base, recording=path), Tools(), fresh=fresh)
    assert [line["reply"]["text"] for line in lines(path)] == ["Warm."]


def test_a_later_step_answers_nobody_who_asks_the_same_first(tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    recorder = Recording(path).ask(request("one"))
    recorder.close("complete", plain_reply())
    recorder.go_on(request("two"))
    recorder.close("complete", plain_reply())
    assert Recording(path).ask(request("two")).recorded is None
    assert len(Recording(path).unused()) == 1
