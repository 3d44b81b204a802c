"""Going on with a conversation of the log."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from jmuz_magic import Conversation, JmuzError
from jmuz_magic.content import without_files
from jmuz_magic.conversation.resuming import find_earlier, read_earlier
from jmuz_magic.demo import DemoServer
from jmuz_magic.log.log import exchange_log
from jmuz_magic.messages import Message, ToolResult
from jmuz_magic.recordings.recording import Recording
from jmuz_magic.recordings.replaying import name_recording
from jmuz_magic.request.cell import Cell, set_watcher
from tests.conversation.test_steps import CALLED, FIRST, LAST, QUESTION, RESULT, Tools
from tests.fault_server import FaultServer, delta, head
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("logged")

PLOT = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


@pytest.fixture
def talk(demo_endpoint: DemoServer) -> Conversation:
    return Conversation("demo-echo", "Be brief.", api_base=demo_endpoint.api_base, name="talk")


@pytest.fixture
def resume(demo_endpoint: DemoServer) -> Callable[..., Conversation]:
    def resumed(name: str | None = "talk", **settings: object) -> Conversation:
        return Conversation.resume(name, **{"model": "demo-echo", "api_base": demo_endpoint.api_base, **settings})  # type: ignore[arg-type]

    return resumed


def sent(server: DemoServer) -> list[object]:
    return [message["content"] for message in server.requests[-1].body["messages"]]


def test_the_model_gets_the_earlier_turns(
    talk: Conversation, resume: Callable[..., Conversation], demo_endpoint: DemoServer
) -> None:
    talk.ask("one")
    talk.ask("two")
    again = resume()
    assert [(turn.state, turn.reply.text, turn.reply.model) for turn in again.transcript] == [
        ("complete", "one", "demo-echo"),
        ("complete", "two", "demo-echo"),
    ]
    again.ask("three")
    assert sent(demo_endpoint) == ["Be brief.", "one", "one", "two", "two", "three"]
    assert (again.name, again.system) == ("talk", "Be brief.")


def test_it_goes_on_in_the_log_under_the_same_id(talk: Conversation, resume: Callable[..., Conversation]) -> None:
    talk.ask("one")
    (before,) = exchange_log.conversations()
    again = resume()
    assert exchange_log.conversations() == [before]
    again.ask("two")
    (after,) = exchange_log.conversations()
    assert (after.id, len(after.turns)) == (before.id, 2)
    assert len(resume().transcript) == 2


def test_what_was_undone_deleted_or_cleared_stays_so(
    talk: Conversation, resume: Callable[..., Conversation], demo_endpoint: DemoServer
) -> None:
    talk.ask("one")
    talk.ask("two")
    talk.undo()
    again = resume()
    again.ask("three")
    assert sent(demo_endpoint) == ["Be brief.", "one", "one", "three"]
    again.clear()
    with pytest.raises(JmuzError, match="nothing to resume: the log has no conversation 'talk' of this notebook"):
        resume()


def test_undo_takes_resumed_turns_off_one_by_one_and_the_log_knows(
    talk: Conversation, resume: Callable[..., Conversation]
) -> None:
    for prompt in ("one", "two", "three"):
        talk.ask(prompt)
    again = resume()
    again.ask("four")
    for left in (3, 2, 1):
        again.undo()
        assert len(again.transcript) == left
    assert [turn.reply.text for turn in resume().transcript] == ["one"]
    again.undo()
    assert again.undo() is None


def test_another_branch_is_not_resumed(talk: Conversation, resume: Callable[..., Conversation]) -> None:
    for prompt in ("one", "two", "three"):
        talk.ask(prompt)
    two = talk.transcript[1]
    talk.ask("other two", replacing=two)
    assert [turn.reply.text for turn in resume().transcript] == ["one", "other two"]
    talk.show(two)
    assert [turn.reply.text for turn in resume().transcript] == ["one", "two", "three"]
    talk.delete(two)
    assert [turn.reply.text for turn in resume().transcript] == ["one", "three"]


def test_another_system_message_may_be_given(talk: Conversation, resume: Callable[..., Conversation]) -> None:
    talk.ask("one")
    assert resume(system="Be long.").system == "Be long."
    assert resume(system="").system == ""


def test_the_latest_of_a_name_is_taken_and_any_by_its_id(
    talk: Conversation, resume: Callable[..., Conversation], demo_endpoint: DemoServer
) -> None:
    talk.ask("one")
    Conversation("demo-echo", api_base=demo_endpoint.api_base, name="talk").ask("other")
    assert [turn.reply.text for turn in resume().transcript] == ["other"]
    oldest = exchange_log.conversations()[-1]
    again = resume(oldest.id[:8])
    assert ([turn.reply.text for turn in again.transcript], again.name) == (["one"], "talk")
    with pytest.raises(JmuzError, match="nothing to resume"):
        resume(oldest.id[:7])


def test_one_without_a_name_is_found_without_one(
    resume: Callable[..., Conversation], demo_endpoint: DemoServer
) -> None:
    unnamed = Conversation("demo-echo", api_base=demo_endpoint.api_base)
    unnamed.ask("one")
    unnamed.ask("two")
    again = resume(None)
    assert (len(again.transcript), again.name) == (2, None)


def test_notebooks_of_one_name_do_not_mix(
    talk: Conversation, resume: Callable[..., Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/one/Untitled.ipynb")
    talk.ask("one")
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/two/Untitled.ipynb")
    with pytest.raises(JmuzError, match="nothing to resume"):
        resume()
    assert len(resume(exchange_log.conversations()[0].id).transcript) == 1


def test_another_origin_has_to_be_allowed(
    talk: Conversation, resume: Callable[..., Conversation], server: FaultServer, demo_endpoint: DemoServer
) -> None:
    talk.ask("one")
    elsewhere = server.add("s", [("accept_only",)])
    with pytest.raises(JmuzError) as refused:
        resume(api_base=elsewhere)
    assert str(refused.value) == (
        f"this conversation went to {demo_endpoint.api_base.removesuffix('/v1')}; "
        f"send its turns to {server.origin} from now on? If so, add other_origin=True"
    )
    assert len(resume(api_base=elsewhere, other_origin=True).transcript) == 1
    assert server.requests == []


def test_a_conversation_of_failures_sends_nothing_so_any_origin_will_do(
    talk: Conversation, resume: Callable[..., Conversation], server: FaultServer
) -> None:
    with pytest.raises(JmuzError):
        talk.ask("one", model="nope")
    again = resume(api_base=server.add("s", [("accept_only",)]))
    (turn,) = again.transcript
    assert (turn.state, turn.has_nothing) == ("failed", True)
    assert "nope" in str(turn.error)


def test_what_is_said_names_time_number_and_reader(talk: Conversation, demo_endpoint: DemoServer) -> None:
    talk.ask("one")
    earlier = read_earlier(find_earlier("talk"))
    origin = demo_endpoint.api_base.removesuffix("/v1")
    now = datetime.now().astimezone()
    assert earlier.line(talk.endpoint).startswith(f"resumed 1 turn of {now:%Y-%m-%d}")
    assert earlier.line(talk.endpoint).endswith(
        f", sent with the next prompt to {talk.endpoint.provider.label} at {origin}"
    )


def test_nothing_is_resumed_beside_a_recording(
    talk: Conversation, resume: Callable[..., Conversation], tmp_path: Path
) -> None:
    talk.ask("one")
    recording = Recording(tmp_path / "chat.jmuz.jsonl", "auto")
    with pytest.raises(JmuzError, match="while a recording is in use"):
        resume(recording=recording)
    name_recording(str(tmp_path / "used.jmuz.jsonl"))
    try:
        with pytest.raises(JmuzError, match="while a recording is in use"):
            resume()
        name_recording(str(tmp_path / "used.jmuz.jsonl"), "off")
        assert resume().transcript
    finally:
        name_recording()


def test_nothing_is_resumed_where_nobody_watches(talk: Conversation, resume: Callable[..., Conversation]) -> None:
    talk.ask("one")
    set_watcher(lambda: False)
    try:
        with pytest.raises(JmuzError, match="such as under nbclient or papermill"):
            resume()
    finally:
        set_watcher(None)


def test_without_a_log_there_is_nothing(resume: Callable[..., Conversation], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JMUZ_LOG", "off")
    with pytest.raises(JmuzError, match="the log is off"):
        resume()


@pytest.mark.parametrize(
    "change",
    [
        "shown = '5'", "shown = '[1,'", "shown = '[[1]]'", "shown = '[1e400]'", "shown = '[-1, 99999999999999999999]'",
        "changed_at = 'yesterday'", "changed_at = x'00'", "id = x'00'", "name = x'41'",
    ],
)  # fmt: skip
def test_a_damaged_conversation_does_not_take_the_others_with_it(
    talk: Conversation, resume: Callable[..., Conversation], demo_endpoint: DemoServer, tmp_path: Path, change: str
) -> None:
    talk.ask("one")
    other = Conversation("demo-echo", api_base=demo_endpoint.api_base, name="other")
    other.ask("two")
    damage(tmp_path, f"UPDATE conversations SET {change} WHERE name = 'talk'")
    with contextlib.suppress(JmuzError):
        assert resume().transcript
    assert "other" in [each.name for each in exchange_log.conversations()]
    assert [turn.reply.text for turn in resume("other").transcript] == ["two"]


@pytest.mark.parametrize(
    "change",
    [
        "request = '{'", "request = '[]'", "request = '{}'", """request = '{"messages": [5]}'""",
        """request = '{"messages": [{"role": "assistant", "content": "x"}]}'""", """cell = '{"id": 1}'""",
        "usage = '5'", "facts = '[1]'", "text = x'ff00'", "removed_adverts = '5'", "asked_at = 'now'",
    ],
)  # fmt: skip
def test_damaged_turns_are_an_error_of_one_line(
    talk: Conversation, resume: Callable[..., Conversation], tmp_path: Path, change: str
) -> None:
    talk.ask("one")
    damage(tmp_path, f"UPDATE exchanges SET {change}")
    with pytest.raises(JmuzError, match=rf"conversation {talk.id[:8]} cannot be read: the log is damaged there"):
        resume()


def damage(folder: Path, statement: str) -> None:
    exchange_log.close()
    with contextlib.closing(sqlite3.connect(folder / "log.sqlite3")) as connection, connection:
        connection.execute(statement)


def test_turns_are_never_added_to_others(talk: Conversation, resume: Callable[..., Conversation]) -> None:
    talk.ask("one")
    earlier = read_earlier(find_earlier("talk"))
    with pytest.raises(JmuzError, match="has turns already"):
        talk.take_over(earlier)


def test_a_prompt_is_sent_as_it_was_and_of_its_images_what_the_log_keeps(
    talk: Conversation, resume: Callable[..., Conversation], demo_endpoint: DemoServer
) -> None:
    talk.ask("{{secret}} and {% raw %}")
    prompt: Message = {"role": "user", "content": [{"type": "text", "text": "see"}, PLOT]}
    talk.ask(prompt)
    resume().ask("three")
    assert sent(demo_endpoint)[1] == "{{secret}} and {% raw %}"
    assert sent(demo_endpoint)[3] == without_files(prompt)["content"]
    assert "[image: image/png, " in str(sent(demo_endpoint)[3])


def test_a_cell_with_an_image_takes_the_place_of_its_resumed_turn(
    talk: Conversation, resume: Callable[..., Conversation]
) -> None:
    prompt: Message = {"role": "user", "content": [{"type": "text", "text": "see"}, PLOT]}
    talk.ask(prompt, cell=Cell("a", "before"))
    talk.ask("two", cell=Cell("b", "before"))
    again = resume()
    again.ask(prompt, cell=Cell("a", "after"))
    assert len(again.transcript) == 2


def test_a_cell_run_again_takes_the_place_of_its_resumed_turn(
    talk: Conversation, resume: Callable[..., Conversation], demo_endpoint: DemoServer
) -> None:
    wording: Message = {"role": "user", "content": "{{x}}"}
    talk.ask("1", cell=Cell("a", "before"), wording=wording)
    talk.ask("two", cell=Cell("b", "before"))
    again = resume()
    again.ask("2", cell=Cell("a", "after"), wording=wording)
    assert sent(demo_endpoint) == ["Be brief.", "2"]
    assert [turn.reply.text for turn in again.transcript] == ["2", "two"]


def test_the_last_turn_of_the_log_is_the_last_that_entered(
    talk: Conversation, resume: Callable[..., Conversation]
) -> None:
    for prompt in ("one", "two", "three"):
        talk.ask(prompt)
    talk.ask("one again", replacing=talk.transcript[0], in_place=True)
    assert max(resume().transcript, key=lambda turn: turn.entry).reply.text == "one again"


def test_a_turn_with_tools_is_sent_with_calls_and_results(server: FaultServer) -> None:
    before = Conversation("m", api_base=server.add("s", FIRST, LAST, LAST), name="talk")
    before.ask(QUESTION, sequel=Tools())
    again = Conversation.resume("talk", model="m", api_base=server.api_base("s"))
    (turn,) = again.transcript
    assert turn.steps[0].results == (ToolResult("call_1", "weather", "22 °C", "done", 0.1),)
    assert turn.reply.text == before.transcript[0].reply.text
    again.ask("Thanks.")
    body = server.requests[-1].json
    assert body["messages"] == [QUESTION, CALLED, RESULT, {"role": "assistant", "content": "It is 22 °C."},
                                {"role": "user", "content": "Thanks."}]  # fmt: skip


def test_facts_of_a_reply_come_back(talk: Conversation, resume: Callable[..., Conversation]) -> None:
    reply = talk.ask("one")
    (turn,) = resume().transcript
    assert replace(turn.reply, elapsed=0, messages=()) == replace(reply, elapsed=0, messages=())
    assert turn.reply.messages == (turn.prompt,)  # not the history, which would fill the memory


def test_a_reply_that_was_cut_is_interrupted(server: FaultServer) -> None:
    base = server.add("s", [("send", head() + delta("half")), ("wait_client_close", 30.0)])
    talk = Conversation("m", api_base=base, name="talk")

    async def meanwhile() -> Conversation:
        chunks = talk.stream("one")
        await anext(chunks)
        await asyncio.to_thread(wait_until, lambda: exchange_log.get("last").text == "half", "text is in the log")
        resumed = await asyncio.to_thread(Conversation.resume, "talk", model="m", api_base=base)
        with contextlib.suppress(StopAsyncIteration):
            await chunks.aclose()
        return resumed

    (turn,) = asyncio.run(meanwhile()).transcript
    assert (turn.state, turn.reply.text, turn.is_remembered) == ("interrupted", "half", True)
