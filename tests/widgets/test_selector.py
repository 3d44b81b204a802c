"""The model selector on the kernel's side."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.conversation.selection import Choice, get_selection
from jmuz_magic.demo import DemoServer
from jmuz_magic.providers.catalog import CATALOG, Demo, OpenAI
from jmuz_magic.providers.endpoint import keys
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.secret import Secret
from jmuz_magic.streaming.bridge import get_bridge
from jmuz_magic.widgets.models import model_entries
from jmuz_magic.widgets.selector import ModelSelector, close_selectors
from jmuz_magic.widgets.settings import show_settings
from tests.fault_server import FaultServer, json_answer
from tests.waiting import wait_until

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "two\nlines\tand a tab",
    "evil\u202etxt.exe",
    "lone\ud800surrogate",
    "esc\x1b[31m",
]


LISTED = {"data": [{"id": "late"}]}


class Hand:
    """What a user does with a selector."""

    def __init__(self, selector: ModelSelector) -> None:
        self.selector = selector
        self.messages: list[dict[str, Any]] = []
        selector.send = self.messages.append

    def do(self, op: str, **fields: Any) -> dict[str, Any]:
        count = len(self.answers)
        self.selector._handle_custom_msg({"op": op, "request": "r", **fields}, [])
        wait_until(lambda: len(self.answers) > count, f"{op} is answered")
        return self.answers[-1]

    @property
    def answers(self) -> list[dict[str, Any]]:
        return [message for message in self.messages if message.get("type") != "taken"]

    @property
    def ids(self) -> list[str]:
        return [entry[0] for entry in self.selector.state["entries"]]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def chosen_provider() -> str:
    choice = get_selection().choice
    return choice.provider.label if choice else ""


@pytest.fixture
def hand(selected: DemoServer) -> Iterator[Hand]:
    selector = ModelSelector()
    yield Hand(selector)
    selector.close()


def test_opening_sends_nothing(hand: Hand, selected: DemoServer) -> None:
    assert list(selected.requests) == []
    assert hand.selector.value == "demo-chat"
    assert hand.selector.state["using"].startswith("demo-chat, Demo at http://127.0.0.1")


def test_refresh_lists_the_models_with_default_and_aliases(hand: Hand) -> None:
    hand.do("refresh")
    assert ["demo-chat", "default"] in hand.selector.state["entries"]
    assert ["gemini-pro", "alias gemini-1.5-pro, answered by demo-chat"] in hand.selector.state["entries"]
    assert hand.selector.state["asking"] == ""


def test_choosing_is_choosing_for_the_notebook(hand: Hand) -> None:
    seen: list[str] = []
    hand.selector.observe(lambda change: seen.append(change["new"]), "value")
    hand.do("use", model="demo-echo")
    assert get_selection().model == "demo-echo"
    assert (hand.selector.value, seen) == ("demo-echo", ["demo-echo"])


@pytest.mark.threat(12)
def test_a_key_typed_for_a_model_is_refused(hand: Hand) -> None:
    key = f"sk-proj-{'aB3' * 16}"
    assert "%jmuz_key takes keys" in hand.do("use", model=key)["error"]
    assert get_selection().model is None
    assert key not in json.dumps([hand.selector.get_state(), hand.messages], default=str)


def test_a_choice_made_elsewhere_shows_here(hand: Hand) -> None:
    get_selection().set(model="demo-markdown")
    assert hand.selector.value == "demo-markdown"
    assert hand.selector.state["model"] == "demo-markdown"


def test_setting_the_value_chooses(hand: Hand) -> None:
    hand.selector.value = "typed-by-hand"
    assert get_selection().model == "typed-by-hand"


def test_two_selectors_mirror_each_other(hand: Hand) -> None:
    other = ModelSelector()
    hand.do("use", model="demo-echo")
    assert other.value == "demo-echo"
    other.close()
    hand.do("use", model="gpt-4o")
    assert other.value == "demo-echo"


@pytest.mark.fault(39)
def test_a_failing_refresh_keeps_the_list_and_says_one_line(hand: Hand, selected: DemoServer) -> None:
    hand.do("refresh")
    before = hand.ids
    selected.stop()
    hand.do("refresh")
    assert hand.ids == before
    assert "127.0.0.1" in hand.selector.state["problem"]
    assert "\n" not in hand.selector.state["problem"]
    assert hand.selector.state["asking"] == ""


def test_another_provider_is_listed_first_and_used_only_when_chosen(hand: Hand) -> None:
    hand.do("provider", name="ollama")
    assert hand.selector.state["provider"] == "ollama"
    assert chosen_provider() == "Demo"
    hand.do("use", model="llama3")
    assert chosen_provider() == "Ollama"
    assert get_selection().model == "llama3"
    assert hand.selector.state["provider"] == ""


def test_a_provider_that_cannot_be_used_is_refused_with_the_reason(hand: Hand, selected: DemoServer) -> None:
    get_selection().set(choice=Choice(OpenaiTemplate, api_base=selected.api_base))
    hand.do("provider", name="demo")
    assert "%jmuz_use demo" in hand.selector.state["problem"]
    assert "%jmuz_use demo" in hand.do("use", model="gpt-4o")["error"]
    assert get_selection().model is None


def test_another_provider_stays_listed_while_something_else_is_chosen(hand: Hand) -> None:
    hand.do("provider", name="ollama")
    get_selection().set(model="demo-echo")
    assert hand.selector.state["provider"] == "ollama"
    assert hand.selector.state["using"].startswith("demo-echo, Demo at")


def test_what_is_selected_but_cannot_be_asked_is_said() -> None:
    get_selection().set(choice=Choice(Demo))  # which runs nowhere
    hand = Hand(ModelSelector())
    assert hand.selector.value == ""
    assert "%jmuz_use demo" in hand.selector.state["using"]
    assert "%jmuz_use demo" in hand.selector.state["problem"]
    hand.do("refresh")
    assert "%jmuz_use demo" in hand.selector.state["problem"]
    hand.selector.close()
    get_selection().set(choice=None)


def test_with_nothing_selected_a_refresh_asks_nobody_and_an_unknown_operation_is_answered() -> None:
    hand = Hand(ModelSelector())
    hand.do("refresh")
    hand.do("explode")
    assert (hand.ids, hand.selector.state["problem"], hand.selector.state["asking"]) == ([], "", "")
    assert hand.selector.state["hint"] == "Choose a provider; until then nothing is asked."
    hand.selector.close()


def test_a_list_that_comes_for_a_closed_selector_is_dropped(server: FaultServer) -> None:
    late = server.add("late", [("wait_requests", 2), *json_answer(LISTED)])
    get_selection().set(choice=Choice(OpenaiTemplate, api_base=late))
    hand = Hand(ModelSelector())
    hand.selector._handle_custom_msg({"op": "refresh", "request": "r"}, [])
    server.wait_for("request")
    assert hand.messages == [{"type": "taken", "request": "r"}], "the kernel is not busy"
    hand.selector.close()
    with urllib.request.urlopen(f"{server.add('now', json_answer({}))}/models", timeout=30):
        wait_until(lambda: bool(hand.answers), "the refresh has ended")
    assert hand.selector.state["asking"] == late.partition("/v1")[0], "a closed widget sends no state"
    hand.selector._handle_custom_msg({"op": "use", "model": "m", "request": "r"}, [])
    get_bridge().run(asyncio.sleep(0))
    assert get_selection().model is None
    get_selection().set(choice=None)


def test_of_many_shown_the_oldest_are_closed_and_all_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython.display

    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(IPython.display, "publish_display_data", lambda data, *_, **__: shown.append(data))
    selectors = [ModelSelector() for _ in range(10)]
    for selector in selectors:
        selector.show()
    views = [data["application/vnd.jupyter.widget-view+json"]["model_id"] for data in shown]
    assert len(set(views)) == 10
    assert [selector._closed for selector in selectors] == [True] * 2 + [False] * 8
    close_selectors()
    assert all(selector._closed for selector in selectors)


@pytest.mark.fault(39)
@pytest.mark.threat(25)
def test_hostile_ids_are_labelled_and_reach_the_page_as_text() -> None:
    entries = model_entries(OpenaiTemplate, HOSTILE)
    labels = [entry[-1] or entry[0] for entry in entries]
    assert len(entries) == len(HOSTILE)
    for label in labels:
        assert not set("\n\t\u202e\x1b") & set(label)
    assert entries[1][2] == "two␊lines␉and a tab"
    json.dumps(entries, ensure_ascii=False).encode("utf-8")


@pytest.mark.fault(39)
def test_ten_thousand_models_are_listed_once_each() -> None:
    models = [f"model-{number}" for number in range(10_000)]
    entries = model_entries(OpenaiTemplate, [*models, *models])
    assert [entry[0] for entry in entries] == models


def test_a_model_that_is_picked_when_sent_is_shown_as_that(server: FaultServer) -> None:
    entries = [{"id": "gpt-6-luna"}, {"id": "gpt-4.1-mini", "shutdown_date": "2027-01-14"}]
    get_selection().set(choice=Choice(OpenAI, api_base=server.add("s", json_answer({"data": entries}))))
    hand = Hand(ModelSelector())
    assert hand.selector.value == ""
    assert hand.selector.state["using"].startswith("model picked from the list when sent, OpenAI at http://127.0.0.1")
    hand.do("refresh")
    notes = dict(hand.selector.state["entries"])
    assert notes["gpt-6-luna"] == "picked if none is chosen"
    assert re.fullmatch(r"(will|was to) be switched off on 2027-01-14.*", notes["gpt-4.1-mini"])
    assert show_settings(Conversation())["model_label"] == "picked from the list when sent"
    hand.do("use", model="gpt-6-luna")
    assert (hand.selector.value, show_settings(Conversation())["model_label"]) == ("gpt-6-luna", "gpt-6-luna")
    hand.selector.close()
    get_selection().set(choice=None, model=None)


def test_nothing_selected_says_so() -> None:
    selector = ModelSelector(pattern="gpt")
    assert (selector.value, selector.state["using"], selector.state["pattern"]) == ("", "", "gpt")
    selector.close()


@pytest.mark.threat(12)
def test_no_state_holds_a_key(selected: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-fake-0123456789abcdef0123456789abcdef"
    monkeypatch.setenv("FAKE_KEY", key)
    get_selection().set(choice=Choice(Demo, api_base=selected.api_base, key_env="FAKE_KEY"))
    hand = Hand(ModelSelector())
    hand.do("refresh")
    hand.do("use", model="demo-echo")
    assert selected.requests[-1].headers["Authorization"] == f"Bearer {key}"
    assert key not in json.dumps([hand.selector.get_state(), hand.messages], default=str)
    hand.selector.close()


@pytest.mark.finding("B29")
def test_an_answer_that_was_lost_is_given_once_more(hand: Hand) -> None:
    hand.do("use", model="demo-echo")
    message = hand.do("resync", known={}, waiting=["r", "another"])
    assert message == {"answered": {"r": {}}}


@pytest.fixture
def keyless(monkeypatch: pytest.MonkeyPatch) -> None:
    for provider in CATALOG.values():
        for name in provider.api_key_env:
            monkeypatch.delenv(name, raising=False)


@pytest.mark.finding("C15")
@pytest.mark.usefixtures("keyless")
def test_providers_with_a_key_or_in_use_come_first_and_the_namesake_last(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def names() -> list[str]:
        get_selection().set(model=None)
        return [name for name, _ in hand.selector.state["providers"]]

    assert names()[:3] == ["", "demo", "openai"]
    monkeypatch.setenv("GROQ_API_KEY", "fake")
    monkeypatch.setenv("JMUZ_API_KEY", "fake")
    monkeypatch.setitem(keys._given, "https://api.mistral.ai", Secret("fake"))
    monkeypatch.setattr(keys, "_expected", {"https://api.x.ai"})
    assert names()[:5] == ["", "mistral", "xai", "groq", "demo"]
    assert names()[-1] == "jmuz"
    assert sorted(names()) == sorted(["", *CATALOG])


@pytest.mark.finding("C15")
@pytest.mark.usefixtures("keyless")
def test_what_to_do_where_no_model_is_listed(hand: Hand, server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hand.selector.state["hint"].startswith("This list has not been fetched yet: press Refresh")
    hand.do("refresh")
    assert hand.selector.state["hint"] == ""
    hand.do("provider", name="openai")
    assert hand.selector.state["hint"] == (
        "OpenAI needs a key: set OPENAI_API_KEY, or pass api_key=; then press Refresh."
    )
    hand.do("refresh")
    assert hand.selector.state["problem"].startswith("OpenAI needs a key: set OPENAI_API_KEY")
    assert hand.selector.state["hint"] == "", "once is enough"
    monkeypatch.setenv("OLLAMA_HOST", server.add("s", json_answer({"data": []})))
    hand.do("provider", name="ollama")
    hand.do("refresh")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+ lists no models; type the id .*", hand.selector.state["hint"])
    assert hand.selector.state["problem"] == ""
    hand.do("provider", name="openai")
    hand.do("provider", name="ollama")
    assert "lists no models" in hand.selector.state["hint"], "it is known without asking again"


@pytest.mark.finding("C15")
def test_a_key_given_meanwhile_is_used(selected: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hand = Hand(ModelSelector(provider="openai"))
    monkeypatch.setenv("OPENAI_API_KEY", "fake")
    monkeypatch.setattr(OpenAI, "api_base", selected.api_base)
    hand.do("refresh")
    assert "demo-chat" in hand.ids
    hand.selector.close()


def test_a_list_that_comes_late_belongs_to_its_provider(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", server.add("late", [("wait_requests", 2), *json_answer(LISTED)]))
    hand = Hand(ModelSelector(provider="ollama"))
    hand.selector._handle_custom_msg({"op": "refresh", "request": "r"}, [])
    server.wait_for("request")
    hand.do("provider", name="vllm")
    assert hand.selector.state["asking"] == "", "nothing is asked of this one"
    with urllib.request.urlopen(f"{server.add('now', json_answer({}))}/models", timeout=30):
        wait_until(lambda: len(hand.answers) == 2, "the refresh has ended")
    assert (hand.selector.state["provider"], hand.ids) == ("vllm", [])
    hand.do("provider", name="ollama")
    assert hand.ids == ["late"]
    hand.selector.close()


def test_a_list_that_its_class_does_not_keep_is_shown(selected: DemoServer) -> None:
    class Own(OpenaiTemplate):
        api_base = "http://127.0.0.1:9/v1"

        @classmethod
        def get_models(cls, **_: Any) -> list[str]:
            return ["mine"]

    get_selection().set(choice=Choice(Own))
    hand = Hand(ModelSelector())
    hand.do("refresh")
    assert (hand.ids, hand.selector.state["hint"]) == (["mine"], "")
    hand.selector.close()
