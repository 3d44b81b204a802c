"""The settings of a panel: which provider is asked, with which model, and what is said about it."""

from __future__ import annotations

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.conversation.selection import Choice, get_selection
from jmuz_magic.demo import DemoServer
from jmuz_magic.providers.catalog import Ollama
from jmuz_magic.widgets.listing import provider_rows
from jmuz_magic.widgets.panel import ChatPanel
from tests.waiting import wait_until
from tests.widgets.conftest import Driver


@pytest.fixture
def ollama(demo_endpoint: DemoServer, monkeypatch: pytest.MonkeyPatch) -> DemoServer:
    """The demo endpoint where Ollama's is looked for."""
    monkeypatch.setattr(Ollama, "api_base", demo_endpoint.api_base)
    return demo_endpoint


def test_the_providers_are_listed_with_the_models(selected: DemoServer) -> None:
    answer = Driver().send("models")
    assert ["ollama", "Ollama"] in answer["providers"]
    assert any(entry[0] == "demo-echo" for entry in answer["entries"])


def test_providers_stand_in_the_order_of_the_selector(selected: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "fake")
    providers = Driver().send("models")["providers"]
    assert providers == provider_rows(get_selection())
    names = [name for name, _ in providers]
    assert names.index("groq") < names.index("ollama")
    assert names[-1] == "jmuz"


def test_they_are_listed_even_if_the_endpoint_is_not_there() -> None:
    get_selection().set(choice=Choice(Ollama, api_base="http://127.0.0.1:1"))
    try:
        answer = Driver().send("models")
    finally:
        get_selection().set(choice=None)
    assert answer["error"]
    assert ["demo", "Demo"] in [entry[:2] for entry in answer["providers"]]


def test_a_provider_is_chosen_for_this_conversation_alone(selected: DemoServer, ollama: DemoServer) -> None:
    get_selection().set(model="demo-markdown")
    driver, other = Driver(), Driver(Conversation(name="other"))
    assert driver.panel.settings["provider"] == ""
    assert driver.send("set", provider="ollama") == {}
    assert driver.panel.settings["provider"] == "ollama"
    assert driver.panel.settings["endpoint"].startswith("Ollama at ")
    assert driver.panel.settings["model"] == Ollama.default_model  # not the model that was chosen for the other one
    assert driver.panel.settings["shared"] is False
    assert get_selection().choice != Choice(Ollama)
    assert other.panel.settings["endpoint"].startswith("Demo")
    driver.send("set", model="demo-echo")
    driver.ask("one")
    assert ollama.requests[-1].body["model"] == "demo-echo"
    assert get_selection().model == "demo-markdown"
    driver.send("set", provider="")
    assert (driver.panel.settings["provider"], driver.panel.settings["model"]) == ("", "demo-markdown")


def test_who_reads_the_conversation_from_now_on_is_said(selected: DemoServer, ollama: DemoServer) -> None:
    driver = Driver(Conversation("demo-echo", name="main"))
    assert driver.send("set", provider="ollama") == {}
    driver.send("set", provider="")
    driver.send("set", model="demo-echo")
    driver.ask("one")
    note = driver.send("set", provider="ollama")["note"]
    assert note == f"the next prompt and the turns above go to {driver.panel.settings['endpoint']}"


@pytest.mark.parametrize("name", ["no-such-provider", "openai_template\n"])
def test_an_unknown_provider_is_refused(selected: DemoServer, name: str) -> None:
    driver = Driver()
    before = dict(driver.panel.settings)
    assert "there is no provider" in driver.send("set", provider=name)["error"]
    assert driver.panel.settings == before


def test_an_endpoint_of_its_own_is_shown_as_such(demo_endpoint: DemoServer) -> None:
    driver = Driver(Conversation("demo-echo", api_base=demo_endpoint.api_base))
    assert driver.panel.settings["provider"]
    driver.ask("one")
    assert driver.turns[0]["state"] == "complete"


def test_a_wrong_number_names_what_was_expected(selected: DemoServer) -> None:
    answer = Driver().send("set", max_tokens="1e2")
    assert answer["error"].startswith("expected a whole number of at least 1")


def test_suggestions_are_plain_text(selected: DemoServer) -> None:
    panel = ChatPanel(Conversation(), suggestions=["Explain ", "a\x1b[31m"])
    assert panel.about["suggestions"] == ["Explain ", "a␛[31m"]
    wait_until(lambda: ChatPanel(Conversation()).about["suggestions"] == [], "none are made up")
