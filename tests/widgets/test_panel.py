"""The panel on the kernel's side, at a real endpoint, through the operations that its views send."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.conversation.selection import Choice, get_selection
from jmuz_magic.demo import DemoServer
from jmuz_magic.display.html.markdown import render_html
from jmuz_magic.providers.catalog import Demo
from jmuz_magic.providers.jmuz import Jmuz
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.streaming.bridge import get_bridge
from jmuz_magic.widgets import panel as panel_module
from jmuz_magic.widgets.panel import ChatPanel
from tests.fault_server import DONE, FaultServer, delta, event, finish, head, json_answer, stream
from tests.waiting import wait_until
from tests.widgets.conftest import Driver, selecting

FAKE_KEY = "sk-fake-0123456789abcdef0123456789abcdef"


def bodies(server: DemoServer) -> list[dict[str, Any]]:
    return [request.body for request in server.requests if request.path.endswith("/completions")]


def prompts(server: DemoServer) -> list[list[str]]:
    """The contents of the messages of every request."""
    return [[message["content"] for message in body["messages"]] for body in bodies(server)]


def test_a_prompt_is_answered_and_enters_the_history(selected: DemoServer) -> None:
    driver = Driver()
    driver.send("set", model="demo-echo")
    driver.ask("Hello **you**")
    driver.ask("And again")
    assert driver.prompts == ["Hello **you**", "And again"]
    assert driver.html(0) == "<p>Hello <strong>you</strong></p>\n"
    assert prompts(selected) == [["Hello **you**"], ["Hello **you**", "Hello **you**", "And again"]]
    assert [turn["source"] for turn in driver.turns] == ["Hello **you**", "And again"]
    assert driver.turns[0]["facts"][0] == "demo-echo"


def test_a_callback_returns_before_the_reply(selected_slow: DemoServer) -> None:
    driver = Driver()
    driver.send("ask", text="Hello")
    driver.wait_for_text()
    assert driver.turns[0]["state"] == "streaming"
    assert driver.panel.conversation.running is not None
    driver.send("stop")


@pytest.mark.fault(45)
def test_stop_keeps_what_came_and_closes_the_connection(selected_slow: DemoServer) -> None:
    driver = Driver()
    driver.send("ask", text="Hello")
    driver.wait_for_text()
    driver.send("stop")
    wait_until(lambda: driver.turns[0]["ended"], "the turn has ended")
    assert driver.turns[0]["state"] == "interrupted"
    assert driver.turns[0]["error"] == ""
    assert any("interrupted" in fact for fact in driver.turns[0]["facts"])
    assert [turn.state for turn in driver.panel.conversation.turns] == ["interrupted"]
    wait_until(lambda: selected_slow.requests[0].state == "closed", "the server has seen the connection close")


def test_regenerate_replaces_the_last_reply(selected: DemoServer) -> None:
    driver = Driver()
    driver.ask("one")
    driver.ask("two")
    ends = driver.ends()
    driver.send("regenerate", turn=driver.turns[-1]["id"])
    wait_until(lambda: driver.ends() > ends, "the new reply has ended")
    assert driver.prompts == ["one", "two"]
    assert prompts(selected)[2] == prompts(selected)[1]


def test_a_regenerate_that_fails_leaves_the_old_reply(selected: DemoServer) -> None:
    driver = Driver()
    driver.ask("one")
    before = driver.html(0)
    driver.send("set", model="no-such-model")
    ends = driver.ends()
    driver.send("regenerate", turn=driver.turns[-1]["id"])
    wait_until(lambda: driver.ends() > ends, "the new turn has ended")
    assert [turn["state"] for turn in driver.turns] == ["complete", "failed"]
    assert driver.html(0) == before
    driver.send("set", model="demo-echo")
    ends = driver.ends()
    driver.send("regenerate", turn=driver.turns[-1]["id"])
    wait_until(lambda: driver.ends() > ends, "the retried turn has ended")
    assert [turn["state"] for turn in driver.turns] == ["complete"]
    assert driver.html(0) == "<p>one</p>\n"


def test_edit_and_resend_replaces_the_turn(selected: DemoServer) -> None:
    driver = Driver()
    driver.ask("one")
    driver.ask("two")
    driver.ask("three", replaces=driver.turns[1]["id"])
    assert driver.prompts == ["one", "three"]
    assert prompts(selected)[-1][0::2] == ["one", "three"]


@pytest.mark.threat(20)
def test_undo_and_clear(selected: DemoServer) -> None:
    driver = Driver()
    driver.ask("one")
    driver.ask("two")
    driver.send("undo")
    assert [turn.prompt["content"] for turn in driver.panel.conversation.turns] == ["one"]
    wait_until(lambda: driver.prompts == ["one"], "the transcript follows")
    driver.send("clear")
    wait_until(lambda: driver.prompts == [], "the transcript is empty")


def test_clear_stops_a_running_reply_first(selected_slow: DemoServer) -> None:
    driver = Driver()
    driver.send("ask", text="Hello")
    driver.wait_for_text()
    driver.send("clear")
    wait_until(lambda: driver.prompts == [], "the transcript is empty")
    assert driver.panel.conversation.running is None


def test_a_failed_turn_keeps_its_prompt_for_a_retry(selected: DemoServer) -> None:
    driver = Driver()
    driver.send("set", model="no-such-model")
    driver.ask("precious")
    (failed,) = driver.turns
    assert (failed["prompt"], failed["state"], failed["source"]) == ("precious", "failed", "")
    assert "no-such-model" in failed["error"]
    assert driver.panel.conversation.turns == ()
    driver.send("set", model="demo-echo")
    ends = driver.ends()
    driver.send("regenerate", turn=failed["id"])
    wait_until(lambda: driver.ends() > ends, "the retried turn has ended")
    assert [turn["state"] for turn in driver.turns] == ["complete"]


def test_undo_takes_a_failed_prompt_away_first(selected: DemoServer) -> None:
    driver = Driver()
    driver.ask("one")
    driver.send("set", model="no-such-model")
    driver.ask("two")
    driver.send("undo")
    wait_until(lambda: driver.prompts == ["one"], "only the failed prompt is gone")


def test_without_an_endpoint_the_prompt_stands_in_the_transcript() -> None:
    driver = Driver()
    driver.send("ask", text="Hello")
    wait_until(lambda: driver.prompts == ["Hello"], "the prompt is shown")
    assert "no endpoint is configured" in driver.turns[0]["error"]
    assert "No endpoint is configured" in driver.panel.settings["hint"]
    assert driver.panel.settings["ready"] is False
    driver.panel.close()


def test_a_refused_prompt_can_be_taken_away() -> None:
    driver = Driver()
    driver.send("ask", text="Hello")
    wait_until(lambda: driver.prompts == ["Hello"], "the prompt is shown")
    driver.send("undo")
    wait_until(lambda: driver.prompts == [], "the prompt is gone")
    driver.panel.close()


def test_a_closed_panel_does_nothing_more(selected: DemoServer) -> None:
    driver = Driver()
    driver.panel.close()
    driver.say("ask", text="Hello")
    get_bridge().run(asyncio.sleep(0))  # what was handed to the bridge has begun
    assert driver.panel.conversation.running is None
    assert list(selected.requests) == []


def test_panels_and_python_of_one_conversation_show_the_same(selected: DemoServer) -> None:
    conversation = Conversation(name="shared")
    one, other = Driver(conversation), Driver(conversation)
    one.ask("from a panel")
    conversation.ask("from a cell")
    wait_until(lambda: one.ends() >= 2 and other.ends() >= 2, "both have seen both turns end")
    assert one.prompts == other.prompts == ["from a panel", "from a cell"]
    assert [one.html(0), one.html(1)] == [other.html(0), other.html(1)]


def test_a_retry_in_one_panel_takes_the_failed_prompt_from_the_other(selected: DemoServer) -> None:
    conversation = Conversation(name="shared")
    one, other = Driver(conversation), Driver(conversation)
    one.send("set", model="no-such-model")
    one.ask("precious")
    wait_until(lambda: other.turns and other.turns[0]["ended"], "the other panel shows the failed prompt, too")
    one.send("set", model="demo-echo")
    one.send("regenerate", turn=one.turns[0]["id"])
    wait_until(lambda: [turn["state"] for turn in one.turns + other.turns] == ["complete"] * 2, "one turn is left")


def test_another_panel_can_stop_what_one_started(selected_slow: DemoServer) -> None:
    conversation = Conversation(name="shared")
    one, other = Driver(conversation), Driver(conversation)
    one.send("ask", text="Hello")
    assert other.send("stop") == {}
    wait_until(lambda: conversation.running is None, "the reply was stopped")


def test_what_a_cell_asks_is_not_stopped_by_the_panel_and_it_says_why(selected_slow: DemoServer) -> None:
    driver = Driver()
    cell = threading.Thread(target=driver.panel.conversation.ask, args=("from a cell",))
    cell.start()
    wait_until(lambda: driver.prompts == ["from a cell"], "the panel shows the cell's turn")
    assert "interrupt the cell" in driver.send("stop")["note"]
    cell.join()
    wait_until(lambda: driver.turns[0]["ended"], "the turn has ended")


def test_what_a_cell_asks_is_neither_cleared_nor_undone_by_the_panel(selected_slow: DemoServer) -> None:
    driver = Driver()
    cell = threading.Thread(target=driver.panel.conversation.ask, args=("from a cell",))
    cell.start()
    wait_until(lambda: driver.prompts == ["from a cell"], "the panel shows the cell's turn")
    assert "interrupt the cell" in driver.send("clear")["error"]
    assert "still being written" in driver.send("undo")["error"]
    cell.join()
    assert len(driver.panel.conversation.turns) == 1


def test_a_stop_that_comes_too_late_changes_nothing(selected: DemoServer) -> None:
    driver = Driver()
    driver.ask("Hello")
    assert driver.send("stop") == {}
    assert [turn["state"] for turn in driver.turns] == ["complete"]


def test_a_panel_opened_in_mid_stream_shows_all(selected_slow: DemoServer) -> None:
    one = Driver()
    one.send("ask", text="Hello")
    one.wait_for_text()
    late = Driver(one.panel.conversation)
    assert late.prompts == ["Hello"]
    wait_until(lambda: late.ends() and one.ends(), "both have seen the end")
    assert late.html() == one.html() != ""


def test_close_ends_the_requests_of_the_panel(selected_slow: DemoServer) -> None:
    driver = Driver()
    driver.send("ask", text="Hello")
    wait_until(lambda: selected_slow.open_streams == 1, "the reply streams")
    driver.panel.close()
    wait_until(lambda: selected_slow.requests[-1].state != "open", "no request is open any more")
    assert selected_slow.requests[-1].state == "closed", "it was cut off, it did not end by itself"
    driver.panel.close()


def test_a_reply_that_nobody_sees_any_more_is_stopped(
    selected_slow: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel_module, "UNSEEN_SECONDS", 0.05)
    driver = Driver()
    for view in "ab":
        driver.say("hello", view=view)
    driver.send("ask", text="Hello")
    driver.say("bye", view="a")
    driver.wait_for_text(2)  # it goes on while one view is there
    driver.say("bye", view="b")
    wait_until(lambda: driver.panel.conversation.running is None, "the reply was stopped")
    assert driver.turns[0]["state"] == "interrupted"


def test_a_reply_goes_on_while_its_page_is_loaded_again(
    selected_slow: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel_module, "RELOAD_SECONDS", 0.3)
    driver = Driver()
    driver.say("hello", view="before")
    driver.send("ask", text="Hello")
    driver.say("bye", view="before", leaving=True)
    driver.say("hello", view="after")
    wait_until(driver.ends, "the reply has ended")
    assert driver.turns[0]["state"] == "complete"


def test_choosing_a_model_in_the_panel_chooses_it_for_the_notebook_and_back(selected: DemoServer) -> None:
    driver = Driver()
    assert driver.panel.settings["model"] == "demo-chat"
    driver.send("set", model="demo-echo")
    assert get_selection().model == "demo-echo"
    get_selection().set(model="demo-markdown")
    assert driver.panel.settings["model"] == "demo-markdown"
    assert driver.panel.settings["shared"] is True


@pytest.mark.threat(12)
@pytest.mark.parametrize("model", ["demo-echo", None])
def test_a_key_typed_for_a_model_is_refused(selected: DemoServer, model: str | None) -> None:
    driver = Driver(Conversation(model=model))
    assert "%jmuz_key takes keys" in driver.send("set", model=f"sk-proj-{'aB3' * 16}")["error"]
    assert (get_selection().model, driver.panel.conversation.model) == (None, model)


def test_a_conversation_with_its_own_model_keeps_it(selected: DemoServer) -> None:
    driver = Driver(Conversation(model="demo-echo"))
    driver.send("set", model="demo-markdown")
    assert get_selection().model is None
    assert driver.panel.conversation.model == "demo-markdown"
    assert driver.panel.settings["shared"] is False


def test_settings_reach_the_request(selected: DemoServer) -> None:
    driver = Driver()
    driver.send("set", system="Be brief.")
    driver.send("set", temperature="0")
    driver.send("set", max_tokens="7")
    driver.ask("Hello")
    (body,) = bodies(selected)
    assert (body["temperature"], body["max_tokens"]) == (0, 7)
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert any("cut by length" in fact for fact in driver.turns[0]["facts"])
    driver.send("set", temperature="")
    driver.ask("Hello")
    assert "temperature" not in bodies(selected)[1]


@pytest.mark.parametrize(
    "change", [{"temperature": "warm"}, {"temperature": "inf"}, {"max_tokens": "0"}, {"max_tokens": "1.5"}]
)
def test_a_wrong_setting_is_refused_in_one_line(selected: DemoServer, change: dict[str, str]) -> None:
    driver = Driver()
    error = driver.send("set", **change)["error"]
    assert "expected" in error
    assert "\n" not in error
    assert driver.panel.conversation.options == {}


@pytest.mark.finding("B30")
@pytest.mark.parametrize("temperature", ["2.5", "9", "-1", "1e3"])
def test_a_temperature_that_a_cell_takes_is_taken_here(temperature: str) -> None:
    from jmuz_magic.conversation.numbers import read_temperature as read

    with FaultServer() as server:
        driver = Driver(Conversation("m", api_base=server.add("s", [("send", head() + delta("x") + finish() + DONE)])))
        assert driver.send("set", temperature=temperature) == {}
        driver.ask("Hello")
    assert driver.panel.conversation.options == {"temperature": read(temperature)}


def test_the_models_of_the_endpoint_are_listed(selected: DemoServer) -> None:
    driver = Driver()
    entries = driver.send("models")["entries"]
    assert driver.messages[0]["type"] == "taken", "waiting for the endpoint is no busy kernel"
    assert ["demo-chat", "default"] in entries
    assert ["gemini-pro", "alias gemini-1.5-pro, answered by demo-chat"] in entries


@pytest.mark.parametrize("kind", ["md", "ipynb", "json"])
def test_exports_come_as_files(selected: DemoServer, kind: str) -> None:
    driver = Driver(Conversation(name="a/b c"))
    driver.send("set", model="demo-echo")
    driver.ask("What is *this*?")
    file = driver.send("export", format=kind)["file"]
    assert file["name"] == f"chat-a-b-c.{kind}"
    assert "What is *this*?" in file["text"]
    if kind != "md":
        json.loads(file["text"])


def test_reasoning_and_reply_are_told_apart(selected: DemoServer) -> None:
    driver = Driver(Conversation(model="demo-reasoning"))
    driver.ask("Think")
    kinds = [kind for kind, _ in driver.turns[0]["parts"]]
    assert kinds == sorted(kinds)
    assert set(kinds) == {"reasoning", "text"}


def test_removed_adverts_are_announced(selected: DemoServer) -> None:
    driver = Driver(Conversation(model="demo-adverts"))
    driver.ask("Sort")
    assert any("adverts removed" in fact for fact in driver.turns[0]["facts"])
    assert "discord.gg" not in driver.html().split("<pre>")[0]


def test_adverts_removed_from_a_reply_that_broke_off_are_announced() -> None:
    class Cleaned(OpenaiTemplate):
        adverts = Demo.adverts

    advert, failure = (
        delta("Join for free\nhttps://discord.gg/Ew6JzjA2NR\n\nHello"),
        event({"error": {"message": "out"}}),
    )
    with FaultServer() as server:
        base = server.add("s", [("send", head() + advert + failure), ("eof",)])
        driver = Driver(Conversation("m", provider=Cleaned, api_base=base))
        driver.ask("Hi")
        driver.panel.close()
    (turn,) = driver.turns
    assert "out" in turn["error"]
    assert turn["facts"][-1] == "2 adverts removed"


def test_tool_calls_stand_below_the_reply() -> None:
    call = {"index": 0, "id": "1", "function": {"name": "look_up", "arguments": '{"word": "<b>"}'}}
    with FaultServer() as server:
        base = server.add("s", stream(delta("Wait.", tool_calls=[call]), finish("tool_calls"), DONE))
        driver = Driver(Conversation("m", api_base=base))
        driver.ask("Hi")
        driver.panel.close()
    assert driver.html().startswith("<p>Wait.</p>")
    assert "look_up(" in driver.html()
    assert "<b>" not in driver.html()


@pytest.mark.finding("A20")
def test_sources_stand_below_the_reply() -> None:
    cited = [{"type": "url_citation", "url_citation": {"url": "https://a.example/x", "title": "A page"}}]
    with FaultServer() as server:
        base = server.add("s", stream(delta("Says [1].", annotations=cited), finish(), DONE))
        driver = Driver(Conversation("m", api_base=base))
        driver.ask("Hi")
        driver.panel.close()
    link = '<a href="https://a.example/x" rel="noopener noreferrer nofollow">A page</a> (a.example)'
    assert driver.html().index("<p>Says [1].</p>") < driver.html().index(link)


def test_what_the_panel_does_not_show_is_named_in_its_facts() -> None:
    sound = delta("x", audio={"id": "a", "data": "AAAA"})
    with FaultServer() as server:
        driver = Driver(Conversation("m", api_base=server.add("s", stream(sound, finish(), DONE))))
        driver.ask("Hi")
        driver.panel.close()
    assert "not shown: audio (in reply.unshown)" in driver.turns[0]["facts"]


def test_turns_that_were_too_much_to_send_are_counted(selected: DemoServer) -> None:
    driver = Driver(Conversation(model="demo-echo", max_messages=2))
    for prompt in ("one", "two", "three"):
        driver.ask(prompt)
    assert "older turns not sent: 1" in driver.turns[2]["facts"]
    assert not any("older turns" in fact for fact in driver.turns[1]["facts"])


def test_a_wait_before_another_attempt_is_told_where_the_reply_will_be() -> None:
    with FaultServer() as server:
        base = server.add("s", json_answer({}, "503 Service Unavailable", Retry_After="20"))
        driver = Driver(Conversation("m", api_base=base))
        driver.send("ask", text="Hi")
        wait_until(lambda: driver.turns and "trying again in 20.0 s" in driver.turns[0]["note"], "the wait is told")
        assert "503" in driver.turns[0]["note"]
        driver.send("stop")
        wait_until(driver.ends, "the turn has ended")
        driver.panel.close()
    assert (driver.turns[0]["note"], driver.turns[0]["error"]) == ("", "Stopped before the reply began.")


@pytest.mark.threat(18)
def test_who_reads_the_prompts_of_a_free_service_is_said_once(
    demo_endpoint: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Jmuz, "api_base", demo_endpoint.api_base)  # no test asks jmuz.me
    driver = Driver(Conversation("gpt-4o", provider=Jmuz))
    assert driver.send("ask", text="one") == {"note": Jmuz.third_party_notice}
    wait_until(driver.ends, "the turn has ended")
    assert driver.ask("two") == {}
    driver.panel.close()


def test_a_panel_with_an_address_of_its_own_needs_no_other() -> None:
    get_selection().set(choice=Choice(Demo))  # which runs nowhere
    driver = Driver(Conversation(api_base="http://127.0.0.1:9/v1"))
    assert driver.panel.settings["shared"] is False
    driver.panel.close()
    get_selection().set(choice=None)


def test_the_parts_are_the_whole_reply_rendered(selected: DemoServer) -> None:
    driver = Driver(Conversation(model="demo-markdown"))
    driver.ask("All")
    assert driver.html() == render_html(driver.panel.conversation.turns[0].reply.text, "mathml")


@pytest.mark.threat(12)
def test_no_state_of_a_panel_holds_a_key(slow_endpoint: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_KEY", FAKE_KEY)
    choice = Choice(Demo, api_base=slow_endpoint.api_base, key_env="FAKE_KEY")
    with selecting(slow_endpoint):
        get_selection().set(choice=choice)
        own = Conversation(
            api_base=slow_endpoint.api_base, api_key=FAKE_KEY, provider=OpenaiTemplate, model="demo-echo"
        )
        for conversation in (Conversation(name="main"), own):
            driver = Driver(conversation)
            driver.send("set", model="demo-echo")
            driver.ask("Hello")
            driver.send("models")
            state = driver.panel.get_state()
            assert "Hello" in json.dumps(state["transcript"])
            assert FAKE_KEY not in json.dumps([state, driver.messages], default=str)
        keys = [request.headers["Authorization"] for request in slow_endpoint.requests]
        assert set(keys) == {f"Bearer {FAKE_KEY}"}


def test_the_state_holds_no_more_than_the_transcript(selected: DemoServer) -> None:
    driver = Driver()
    driver.send("set", system="secret instructions")
    driver.ask("Hello")
    transcript = driver.panel.get_state("transcript")["transcript"]
    assert set(transcript) == {"type", "sequence", "version", "order", "versions", "turns"}
    assert "secret instructions" not in json.dumps(transcript)


def test_an_unknown_operation_is_answered(selected: DemoServer) -> None:
    assert "reload the page" in Driver().send("explode")["error"]


def test_a_resync_brings_the_turns_that_are_missing(selected: DemoServer) -> None:
    driver = Driver()
    driver.ask("one")
    driver.ask("two")
    first = driver.turns[0]["id"]
    driver.say("resync", known={first: "ended"})
    wait_until(lambda: "answered" in driver.messages[-1], "the resync is answered")
    message = driver.messages[-1]
    assert [turn["prompt"] for turn in message["turns"]] == ["two"]
    assert message["order"] == [turn["id"] for turn in driver.turns]
    assert not message["answered"]


@pytest.mark.finding("B29")
@pytest.mark.parametrize(
    ("operation", "fields", "member"),
    [("export", {"format": "md"}, "file"), ("set", {"temperature": "hot"}, "error"), ("models", {}, "entries")],
)
def test_a_resync_gives_the_answers_that_were_lost_once_more(
    selected: DemoServer, operation: str, fields: dict[str, str], member: str
) -> None:
    driver = Driver()
    driver.ask("one")
    driver.send(operation, **fields)
    answer = driver.messages[-1]
    driver.say("resync", known={}, waiting=[answer["request"], "never-came"])
    wait_until(lambda: "answered" in driver.messages[-1], "the resync is answered")
    (again,) = dict(driver.messages[-1]["answered"]).values()
    assert again[member] == answer[member]


def test_an_answer_too_large_to_keep_is_said_to_be_lost() -> None:
    from jmuz_magic.widgets.answers import Answers

    answers = Answers()
    for number in range(4):
        answers.keep(
            f"export-{number}", {"file": {"name": "chat.md", "type": "text/markdown", "text": "x" * 3 * 2**20}}
        )
    answers.keep("undo", {})
    given = answers.given_to(["export-0", "export-3", "undo", "stop"])
    assert "try again" in given["export-0"]["error"]
    assert "file" in given["export-3"]
    assert given["undo"] == {}
    assert "stop" not in given


def test_answers_do_not_pile_up() -> None:
    from jmuz_magic.widgets.answers import Answers

    answers = Answers()
    for number in range(3_000):
        answers.keep(str(number), {})
    assert len(answers.given_to(map(str, range(3_000)))) == 1_000


def test_a_panel_displays_itself_and_its_transcript(selected: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython.display

    shown: list[tuple[dict[str, Any], dict[str, Any]]] = []
    monkeypatch.setattr(IPython.display, "publish_display_data", lambda data, _, **more: shown.append((data, more)))
    panel = ChatPanel(Conversation(name="main", model="demo-echo"))
    panel.conversation.ask("Hello <b>")
    wait_until(lambda: panel.snapshot()["turns"] and panel.snapshot()["turns"][0]["ended"], "the panel has caught up")
    panel._ipython_display_()
    (widget, _), (transcript, more) = shown
    assert set(widget) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert "Chat panel of the conversation main" in widget["text/plain"]
    assert set(transcript) == {"text/html", "text/latex", "text/plain"}
    assert "Hello &lt;b&gt;" in transcript["text/html"]
    assert transcript["text/plain"] == "> Hello <b>\n\nHello <b>"
    assert more["transient"]["display_id"]
