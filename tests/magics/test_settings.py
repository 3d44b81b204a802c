"""`%config JmuzMagics`: forgiving, remembered, and the same as the selection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jmuz_magic.conversation.selection import get_selection
from jmuz_magic.demo import DemoServer
from jmuz_magic.magics.extension import load, unload
from jmuz_magic.providers.catalog import Ollama, OpenAI
from tests.fault_server import FaultServer, Step, delta, head
from tests.magics.loaded import UserShell


@pytest.fixture
def configured(user: UserShell) -> Callable[..., str]:
    """Load again, in a new process as it were, with these settings in `ipython_config.py`; what loading printed."""

    def start(**settings: Any) -> str:
        unload(user.shell)
        get_selection().set(choice=None, model=None, options={})
        user.shell.config.pop("JmuzMagics", None)
        user.shell.config.JmuzMagics.update(settings)
        return user.line("import jmuz_magic; jmuz_magic.load_ipython_extension(get_ipython())")

    return start


def setting(user: UserShell, name: str) -> Any:
    return getattr(user.shell.magics_manager.registry["JmuzMagics"], name)


WRONG = [
    ("timeout", "'abc'", "expected seconds, at least 0.1"),
    ("timeout", "0", "expected seconds, at least 0.1"),
    ("timeout", "float('nan')", "expected seconds, at least 0.1"),
    ("show_reasoning", "'yes'", "expected True or False"),
    ("display", "'pdf'", "expected auto, html, once or text"),
    ("max_prompt_bytes", "-1", "expected a number of bytes"),
    ("model", "7", "expected the id of a model"),
    ("system", "['x']", "expected a text"),
    ("options", "[1]", "expected a dict"),
    ("options", "{'model': 'x'}", "cannot be set as an option"),
    ("provider", "'opnai'", "did you mean openai?"),
    ("provider", "'OpenaiTemplate'", "no default address"),
]


@pytest.mark.parametrize(("name", "value", "says"), WRONG)
def test_a_wrong_value_is_one_line_and_changes_nothing(user: UserShell, name: str, value: str, says: str) -> None:
    before = setting(user, name)
    said = user.line(f"%config JmuzMagics.{name} = {value}")
    assert said.startswith(f"JmuzMagics.{name} stays {before!r}: ")
    assert says in said
    assert "\n" not in said
    assert setting(user, name) == before
    assert user.line("%reload_ext jmuz_magic") == ""
    assert setting(user, name) == before


@pytest.mark.parametrize(("name", "value", "says"), [row for row in WRONG if row[0] != "provider"])
def test_a_wrong_value_in_the_configuration_breaks_no_load(
    user: UserShell, configured: Callable[..., str], name: str, value: str, says: str
) -> None:
    said = configured(**{name: eval(value)})
    assert says in said
    assert "\n" not in said
    user.line("%jmuz_use demo")
    assert user.line("%reload_ext jmuz_magic") == ""


def test_a_configured_provider_that_there_is_not_sends_nothing_elsewhere(
    user: UserShell, configured: Callable[..., str], demo_endpoint: DemoServer
) -> None:
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base} --save")
    assert configured(provider="opnai") == ""
    for _ in range(2):
        said = user.refusal("%jmuz hi")
        assert said.startswith("%jmuz: JmuzMagics.provider: there is no provider 'opnai'; did you mean openai?")
    assert not demo_endpoint.requests
    user.line("%jmuz_use demo")
    user.line("%jmuz -m demo-echo hi")


def test_settings_of_the_configuration_are_used(
    user: UserShell, configured: Callable[..., str], demo_endpoint: DemoServer
) -> None:
    user.shell.run_cell(
        f"from jmuz_magic import OpenaiTemplate\nclass Mine(OpenaiTemplate):\n    api_base = {demo_endpoint.api_base!r}"
    )
    said = configured(
        provider="Mine", model="demo-echo", system="Be brief.", options={"temperature": 0, "seed": 7}, timeout=5
    )
    assert said == ""
    user.line("%jmuz hi")
    body = demo_endpoint.requests[-1].body
    assert body["model"] == "demo-echo"
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
    assert (body["temperature"], body["seed"]) == (0, 7)
    user.line("%jmuz -s '' -t 1 hi")
    assert demo_endpoint.requests[-1].body["messages"] == [{"role": "user", "content": "hi"}]
    assert demo_endpoint.requests[-1].body["temperature"] == 1
    user.line("%jmuz --chat=new hi")
    assert demo_endpoint.requests[-1].body["messages"][0] == {"role": "system", "content": "Be brief."}


@pytest.mark.finding("A7")
@pytest.mark.parametrize("line", ["%config JmuzMagics.timeout = 0.5", "pass"])
@pytest.mark.parametrize("data", [b"", delta("ab")])
def test_the_timeout_is_the_patience_for_all_data(user: UserShell, line: str, data: bytes) -> None:
    user.line(line)
    pings: list[Step] = [("send", b": ping\n\n"), ("sleep", 0.05)] * 100
    with FaultServer() as server:
        base = server.add("s", [("send", head() + data), *pings])
        user.line(f"%jmuz_use --api-base {base}")
        ran = user.run(f"%jmuz -m m {'' if 'config' in line else '--timeout 0.5'} hi")
    assert not ran.ok
    assert "no data for 0.5 s, only keep-alives" in ran.text


def test_settings_survive_a_reload(user: UserShell) -> None:
    user.line("%jmuz_use demo:demo-echo")
    changes = {"timeout": 5.0, "show_reasoning": False, "display": "text", "max_prompt_bytes": 99, "system": "s",
               "options": {"seed": 7}}  # fmt: skip
    for name, value in changes.items():
        assert user.line(f"%config JmuzMagics.{name} = {value!r}") == ""
    for _ in range(2):
        assert user.line("%reload_ext jmuz_magic") == ""
        assert {name: setting(user, name) for name in changes} == changes
        assert (setting(user, "provider"), setting(user, "model")) == ("demo", "demo-echo")
    user.line("%config JmuzMagics.timeout = None")
    user.line("%reload_ext jmuz_magic")
    assert setting(user, "timeout") is None


def test_the_configuration_holds_again_after_a_reload_before_its_first_use(
    user: UserShell, configured: Callable[..., str]
) -> None:
    configured(provider="ollama", model="m1")
    user.line("%reload_ext jmuz_magic")
    assert (setting(user, "provider"), setting(user, "model")) == ("ollama", "m1")
    assert user.line("%jmuz_use").startswith("Ollama at http://localhost:11434/v1; model m1")


def test_a_choice_of_the_session_goes_before_the_configuration(user: UserShell, configured: Callable[..., str]) -> None:
    configured(provider="ollama", model="m1")
    user.line("%jmuz_use openai:gpt-4o")
    user.line("%reload_ext jmuz_magic")
    assert (setting(user, "provider"), setting(user, "model")) == ("openai", "gpt-4o")
    assert user.line("%jmuz_use").startswith("OpenAI at")


def test_the_configuration_goes_before_a_saved_choice(user: UserShell, configured: Callable[..., str]) -> None:
    user.line("%jmuz_use openai:gpt-4o --save")
    configured(provider="ollama")
    assert user.line("%jmuz_use").startswith("Ollama at")
    configured()
    assert user.line("%jmuz_use").startswith("OpenAI at https://api.openai.com/v1; model gpt-4o;")


def test_the_selection_follows_the_settings(user: UserShell) -> None:
    selection = get_selection()

    def provider() -> object:
        return selection.choice and selection.choice.provider

    user.line("%config JmuzMagics.provider = 'ollama'")
    assert provider() is Ollama
    user.line("%config JmuzMagics.model = 'm1'")
    user.line("%config JmuzMagics.options = {'seed': 7}")
    assert (selection.model, selection.options) == ("m1", {"seed": 7})
    user.line("%config JmuzMagics.provider = 'openai'")
    assert provider() is OpenAI
    assert selection.model is None, "a model belongs to its endpoint"
    user.line("%config JmuzMagics.provider = ''")
    assert provider() is None


def test_the_settings_follow_the_selection(user: UserShell) -> None:
    user.line("%jmuz_use openai:gpt-4o")
    assert (setting(user, "provider"), setting(user, "model")) == ("openai", "gpt-4o")
    get_selection().set(model="gpt-4o-mini", options={"seed": 7})
    assert (setting(user, "model"), setting(user, "options")) == ("gpt-4o-mini", {"seed": 7})
    get_selection().set(choice=None, model=None)
    assert (setting(user, "provider"), setting(user, "model")) == ("", "")


def test_nobody_is_told_twice(user: UserShell) -> None:
    told: list[str | None] = []
    unsubscribe = get_selection().on_change(lambda selection: told.append(selection.model))
    user.line("%config JmuzMagics.model = 'm1'")
    unsubscribe()
    assert told == ["m1"]


def test_an_unloaded_setting_follows_no_more(user: UserShell) -> None:
    magics = user.shell.magics_manager.registry["JmuzMagics"]
    unload(user.shell)
    get_selection().set(model="m1")
    assert magics.model == ""
    load(user.shell)


def test_the_demo_endpoint_is_there_again_after_a_reload(user: UserShell) -> None:
    user.line("%jmuz_use demo:demo-echo")
    user.line("%reload_ext jmuz_magic")
    assert "hello" in user.line("%jmuz hello")


@pytest.mark.threat(13)
@pytest.mark.parametrize("name", ["api_key", "Authorization", "headers"])
def test_a_key_is_no_setting_and_shown_by_none(user: UserShell, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-environment")
    user.line("%jmuz_use openai")
    said = user.line("%config JmuzMagics.options = {'" + name + "': 'sk-fake-option'}")
    assert ("headers cannot be set here" if name == "headers" else "a key is not an option") in said
    shown = said + user.line("%config JmuzMagics")
    shown += repr(vars(user.shell.magics_manager.registry["JmuzMagics"]))
    assert "sk-fake" not in shown
    assert "timeout=<Float>" in shown


def test_an_unknown_setting_gets_a_hint(user: UserShell) -> None:
    with pytest.warns(UserWarning, match="Did you mean `model`"):
        user.run("%config JmuzMagics.modle = 'x'")
