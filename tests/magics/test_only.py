"""The allow-list of a hub: image-wide configuration, two users, and the ways that they may try."""

from __future__ import annotations

import builtins
import json
from pathlib import Path

import pytest
from IPython.core.completer import provisionalcompleter

from jmuz_magic.conversation.selection import get_selection
from tests.hubs import LINE
from tests.installed import leave_package
from tests.magics.hubs import KEY, Hub
from tests.magics.loaded import UserShell

pytestmark = pytest.mark.threat(27)


def refused(user: UserShell, cell: str) -> str:
    """The one line in which a cell fails."""
    ran = user.run(cell)
    assert not ran.ok
    assert "Traceback" not in ran.text, ran.text
    return ran.text.splitlines()[-1]


def test_the_first_cell_works_for_each_user_without_a_choice(hub: Hub) -> None:
    for name in ("ada", "ben"):
        user = hub.log_in(name)
        assert user.run("%jmuz Hello").ok
        assert user.line("%jmuz_use").startswith(f"campus at {hub.campus.api_base}; model demo-chat (default); key: ")
    assert [each.headers["X-Jmuz-User"] for each in hub.asked] == ["ada", "ben"]
    assert {each.headers["Authorization"] for each in hub.asked} == {f"Bearer {KEY}"}


TYPED = [
    "%jmuz_use openai",
    "%jmuz_use demo",
    "%jmuz_use --api-base {elsewhere}",
    "%jmuz_use campus --api-base {elsewhere}",
    "%jmuz -p jmuz Hello",
    "%jmuz -p OpenaiTemplate Hello",
    "%jmuz_models -p openai",
    "%jmuz_key openai",
    "%jmuz_key --api-base {elsewhere}",
    "%jmuz_alias fast gpt-5 -p openai",
    "%jmuz_alias fast m --api-base {elsewhere}\n%jmuz -m fast Hello",
]


@pytest.mark.parametrize("cell", TYPED)
def test_what_is_typed_asks_nobody_else(hub: Hub, cell: str) -> None:
    user = hub.log_in()
    for _ in range(2):
        assert LINE in refused(user, cell.format(elsewhere=hub.elsewhere))
    assert hub.asked == []
    assert user.run("%jmuz Hello").ok
    assert len(hub.asked) == 1


def test_a_setting_of_a_running_kernel_does_not_widen_it(hub: Hub) -> None:
    user = hub.log_in()
    for names in ("['campus', 'openai']", "['openai']", "[]"):
        assert user.line(f"%config JmuzMagics.only = {names}") == f"JmuzMagics.only stays ['campus']: {LINE}"
    assert LINE in user.line("%config JmuzMagics.provider = 'openai'")
    description = {"evil": {"api_base": hub.elsewhere}}
    user.run(f"%config JmuzMagics.endpoints = {description!r}")
    assert LINE in refused(user, "%jmuz -p evil Hello")
    campus = {"campus": {"api_base": hub.elsewhere}}
    assert "described by this machine's administrator" in user.line(f"%config JmuzMagics.endpoints = {campus!r}")
    assert user.run("%jmuz Hello").ok
    assert len(hub.asked) == 1


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("c.JmuzMagics.only = ['campus', 'openai']", LINE),
        ("c.JmuzMagics.only = []", ""),
        ("c.JmuzMagics.only = ['evil']\nc.JmuzMagics.endpoints = {{'evil': {{'api_base': {elsewhere!r}}}}}", LINE),
        ("c.JmuzMagics.endpoints = {{'campus': {{'api_base': {elsewhere!r}}}}}", "stays as it is"),
        ("c.JmuzMagics.endpoints = {{}}", ""),
    ],
)
def test_a_users_own_profile_does_not_widen_it(
    hub: Hub, capsys: pytest.CaptureFixture[str], profile: str, said: str
) -> None:
    capsys.readouterr()
    user = hub.log_in("ben", profile.format(elsewhere=hub.elsewhere))
    assert said in capsys.readouterr().out
    assert LINE in refused(user, f"%jmuz_use --api-base {hub.elsewhere}")
    assert LINE in refused(user, "%jmuz -p evil Hello")
    assert user.run("%jmuz Hello").ok
    assert len(hub.asked) == 1


def test_a_provider_of_a_users_own_profile_is_refused_until_another_is_chosen(hub: Hub) -> None:
    user = hub.log_in("ben", "c.JmuzMagics.provider = 'ollama'")
    assert f"{LINE}; choose one: %jmuz_use campus" in refused(user, "%jmuz Hello")
    assert user.run("%jmuz_use campus\n%jmuz Hello").ok
    assert len(hub.asked) == 1


def test_choices_and_aliases_that_were_saved_before_are_refused(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "ada" / "config" / "jmuz_magic"
    folder.mkdir(parents=True)
    use = {"api_base": hub.elsewhere}
    alias = {"model": "m", "api_base": hub.elsewhere}
    saved = {"version": 1, "use": use, "aliases": {"fast": alias, "slow": {"model": "m", "provider": "openai"}}}
    (folder / "choices.json").write_text(json.dumps(saved))
    user = hub.log_in()
    for cell in ("%jmuz Hello", "%jmuz_use", "%jmuz -m fast Hello", "%jmuz -m slow Hello"):
        assert LINE in refused(user, cell)
    assert user.run("%jmuz_use campus\n%jmuz Hello").ok
    assert LINE in refused(user, "%jmuz -m fast Hello")
    assert LINE in refused(user, "%jmuz -m slow Hello")
    assert len(hub.asked) == 1


@pytest.mark.parametrize("variable", ["JMUZ_API_BASE", "OPENAI_BASE_URL", "JMUZ_ONLY", "OLLAMA_HOST"])
def test_a_variable_does_not_widen_it(hub: Hub, variable: str) -> None:
    user = hub.log_in()
    value = "jmuz,openai,ollama" if variable == "JMUZ_ONLY" else hub.elsewhere
    user.run(f"%env {variable}={value}")
    for name in ("jmuz", "openai", "ollama"):
        assert LINE in refused(user, f"%jmuz -p {name} Hello")
    if variable == "JMUZ_API_BASE":
        assert LINE in refused(user, "%jmuz Hello")  # who set it meant it: the campus does not get this prompt instead
    assert user.run("%jmuz_use campus\n%jmuz Hello").ok
    assert len(hub.asked) == 1


CLASSES = """
from jmuz_magic import OpenaiTemplate
class campus(OpenaiTemplate):
    name = spoken_name = "campus"
    api_base = {elsewhere!r}
class Mine(OpenaiTemplate):
    name = spoken_name = "campus"
    api_base = {campus!r}
from jmuz_magic.providers.registry import find_provider
class Heir(find_provider("campus")):
    system = ""
"""


def test_a_class_of_the_notebook_is_not_asked_even_if_it_claims_the_name(hub: Hub) -> None:
    user = hub.log_in()
    assert user.run(CLASSES.format(elsewhere=hub.elsewhere, campus=hub.campus.api_base)).ok
    for name in ("Mine", "Heir"):
        assert LINE in refused(user, f"%jmuz_use {name}")
        assert LINE in refused(user, f"%jmuz -p {name} Hello")
        assert LINE in refused(user, f"%jmuz_models -p {name}")
    assert user.run("%jmuz -p campus Hello").ok  # the administrator's, not the class
    assert len(hub.asked) == 1
    for way in ("Conversation(provider=campus).ask('Hello')", "campus.get_models()"):
        assert LINE in refused_in_python(user, f"from jmuz_magic import Conversation\n{way}")


def refused_in_python(user: UserShell, code: str) -> str:
    """The last line of the traceback in which code ends."""
    ran = user.run(code)
    assert not ran.ok
    return ran.text.splitlines()[-1]


def test_a_package_does_not_bring_another(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path / "site")
    source = f"from jmuz_magic import OpenaiTemplate\nclass Evil(OpenaiTemplate):\n    api_base = {hub.elsewhere!r}\n"
    leave_package(tmp_path / "site", "jmuz_evil", "evil = jmuz_evil:Evil\ncampus = jmuz_evil:Evil", source)
    user = hub.log_in()
    assert LINE in refused(user, "%jmuz_use evil")
    assert user.run("import sys\nassert 'jmuz_evil' not in sys.modules\n%jmuz -p campus Hello").ok
    assert len(hub.asked) == 1


PYTHON = [
    "await collect(OpenaiTemplate.create_async_generator('m', PROMPT, api_base={elsewhere!r}))",
    "await collect(campus.create_async_generator('m', PROMPT, api_base={elsewhere!r}))",
    "await collect(OpenAI.create_async_generator('m', PROMPT, api_base={elsewhere!r}, api_key='sk-x'))",
    "OpenaiTemplate.get_models(api_base={elsewhere!r})",
    "campus.get_models(api_base={elsewhere!r}, refresh=True)",
    "Conversation(api_base={elsewhere!r}).ask('Hello')",
    "Conversation(provider='campus', api_base={elsewhere!r}).ask('Hello')",
    "Conversation(provider='openai').ask('Hello')",
    "get_selection().set(choice=Choice(OpenaiTemplate, api_base={elsewhere!r})); Conversation().ask('Hello')",
    "await collect(campus.create_async_generator('m', PROMPT, endpoint=Endpoint(campus, {elsewhere!r})))",
]

IMPORTS = """
from jmuz_magic import Conversation, OpenaiTemplate
from jmuz_magic.conversation.selection import Choice, get_selection
from jmuz_magic.providers import Endpoint, OpenAI, find_provider
campus = find_provider("campus")
PROMPT = [{"role": "user", "content": "Hello"}]
async def collect(chunks):
    return [chunk async for chunk in chunks]
"""


@pytest.mark.parametrize("code", PYTHON)
def test_python_asks_nobody_else(hub: Hub, code: str) -> None:
    user = hub.log_in()
    assert user.run(IMPORTS).ok
    assert refused_in_python(user, code.format(elsewhere=hub.elsewhere)).endswith(LINE)
    assert hub.asked == []


@pytest.mark.parametrize("again", ["%reload_ext jmuz_magic", "%unload_ext jmuz_magic\n%load_ext jmuz_magic"])
def test_loading_again_does_not_widen_it(hub: Hub, again: str) -> None:
    user = hub.log_in()
    user.run(f"%env JMUZ_API_BASE={hub.elsewhere}\n%env OPENAI_BASE_URL={hub.elsewhere}\n%env JMUZ_ONLY=openai")
    user.run("get_ipython().config.JmuzMagics.only = []")
    for _ in range(2):
        user.run(again)
        assert LINE in refused(user, f"%jmuz_use --api-base {hub.elsewhere}")
        assert LINE in refused(user, "%jmuz -p openai Hello")
        assert user.run("%jmuz_use campus\n%jmuz Hello").ok
    user.run("%unload_ext jmuz_magic")
    code = f"from jmuz_magic import Conversation\nConversation(api_base={hub.elsewhere!r}).ask('Hello')"
    assert refused_in_python(user, code).endswith(LINE)
    assert len(hub.asked) == 2


def test_lists_offer_only_what_is_allowed(hub: Hub) -> None:
    user = hub.log_in()
    user.run(CLASSES.format(elsewhere=hub.elsewhere, campus=hub.campus.api_base))
    for line in ("%jmuz_use ", "%jmuz -p "):
        with provisionalcompleter():
            offered = [each.text for each in user.shell.Completer.completions(line, len(line))]
        assert [each for each in offered if not each.startswith("-")] == ["campus"]
    from jmuz_magic.widgets.listing import provider_rows
    from jmuz_magic.widgets.panel import ChatPanel
    from jmuz_magic.widgets.selector import ModelSelector

    assert [name for name, _ in provider_rows(get_selection())] == ["campus"]
    selector = ModelSelector(provider="openai")
    assert [name for name, _ in selector.state["providers"]] == ["", "campus"]
    selector.close()
    panel = ChatPanel()
    assert panel.conversation.endpoint.provider.spoken_name == "campus"
    panel.close()


def test_the_panel_and_the_selector_refuse_what_a_forged_message_asks_for(hub: Hub) -> None:
    user = hub.log_in()
    user.run("%jmuz_use")
    from jmuz_magic.conversation.conversation import Conversation
    from jmuz_magic.errors import JmuzError
    from jmuz_magic.streaming.bridge import get_bridge
    from jmuz_magic.widgets.protocol import ChooseProvider, SetSettings
    from jmuz_magic.widgets.selector import ModelSelector
    from jmuz_magic.widgets.settings import apply_settings

    with pytest.raises(JmuzError) as caught:
        apply_settings(Conversation(), SetSettings(provider="openai"))
    assert str(caught.value) == LINE
    selector = ModelSelector()
    with pytest.raises(JmuzError) as caught:
        get_bridge().run(selector._do(ChooseProvider(name="openai")))
    assert str(caught.value) == LINE
    selector.close()


def test_it_can_be_narrowed_and_says_who_did_it(hub: Hub) -> None:
    hub.change('only = ["campus"]', 'only = ["campus", "demo"]')
    user = hub.log_in()
    assert (
        "no endpoint is chosen, so nothing was sent; choose one: %jmuz_use campus, %jmuz_use demo"
        in user.run("%jmuz Hi").text
    )
    assert user.line("%config JmuzMagics.only = ['demo']") == ""
    line = "only demo may be asked (set by JmuzMagics.only)"
    assert line in refused(user, "%jmuz_use campus")
    assert "stays ['demo']" in user.line("%config JmuzMagics.only = ['campus']")
    user.run("%reload_ext jmuz_magic")
    assert line in refused(user, "%jmuz_use campus")
    assert user.run("%jmuz Hello").ok  # the only one left; it is started at first use
    assert hub.asked == []


def test_a_name_that_no_endpoint_has_is_told_and_not_offered(hub: Hub) -> None:
    hub.change('only = ["campus"]', 'only = ["campus", "demo", "opnai"]')
    said = hub.log_in().line("%jmuz_use")
    assert said.endswith("choose one: %jmuz_use campus, %jmuz_use demo; there is no endpoint called opnai")
    assert hub.asked == []


def test_a_recording_replays_what_nobody_may_ask(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    user = hub.log_in()
    user.run(f"%jmuz_record {path}\n%jmuz -p campus -m demo-chat Hello")
    assert len(hub.asked) == 1
    user = hub.log_in("ben")
    user.run(f"%jmuz_record {path}")
    assert user.run("%jmuz -p openai -m demo-chat Hello").ok
    assert LINE in refused(user, "%jmuz -p openai -m demo-chat Something else")
    assert len(hub.asked) == 1
    user.run("%jmuz_record --off")
    assert LINE in refused(user, "%jmuz -p openai -m demo-chat Hello")


def test_a_misspelt_name_asks_nobody_and_says_so(hub: Hub) -> None:
    hub.change('only = ["campus"]', 'only = ["campos"]')
    user = hub.log_in("ben", f"c.JmuzMagics.endpoints = {{'campos': {{'api_base': {hub.elsewhere!r}}}}}")
    line = (
        "this hub asks only campos (set by its administrator); there is no endpoint called campos, so nothing is asked"
    )
    for cell in ("%jmuz Hello", "%jmuz -p campus Hello", "%jmuz_use campos", "%jmuz_models"):
        assert line in refused(user, cell)
    assert hub.asked == []


@pytest.mark.parametrize(("only", "said"), [("'campus'", LINE), ("5", "only 5"), ("['']", "names no endpoint")])
def test_a_list_that_is_none_is_no_open_door(hub: Hub, only: str, said: str) -> None:
    hub.change('only = ["campus"]', f"only = {only}")
    user = hub.log_in()
    assert said in refused(user, "%jmuz -p openai Hello")
    assert user.run("%jmuz Hello").ok is (said == LINE)


def test_a_file_that_can_no_longer_be_read_asks_nobody(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    path = hub.folder / "ipython_config.py"
    # IPython's own reading of it works, ours fails.
    with path.open("a") as file:
        file.write("import builtins\nbuiltins.readings += 1\nif builtins.readings > 1: raise RuntimeError\n")
    monkeypatch.setattr(builtins, "readings", 0, raising=False)
    user = hub.log_in()
    for cell in ("%jmuz Hello", "%jmuz -p demo Hello"):
        assert "nothing is asked, since the administrator's settings cannot be read: " in refused(user, cell)
    assert hub.asked == []


def test_what_is_fixed_is_shown_and_sent_and_stays(hub: Hub) -> None:
    user = hub.log_in()
    shown = user.line('%jmuz --dry-run -s "Be brief." Hello')
    assert "You help first-year students. Explain before you show code.\n\nBe brief." in shown
    assert '"max_tokens": 2000' in shown
    assert "fixed for this endpoint: the system prompt, max_tokens" in shown
    assert "X-Jmuz-User: " in shown
    assert KEY not in shown
    assert hub.asked == []
    assert "max_tokens is fixed at 2000 for campus; leave --max-tokens out" in refused(
        user, "%jmuz --max-tokens 9 Hello"
    )
    assert "system is fixed for campus; leave -o system out" in refused(user, '%jmuz -o system "" Hello')
    user.run("%config JmuzMagics.options = {'max_tokens': 9, 'system': 'x'}\n%config JmuzMagics.system = 'Be rude.'")
    assert user.run("%jmuz Hello").ok
    body = hub.asked[0].body
    assert body["max_tokens"] == 2000
    assert body["messages"][0]["content"].startswith("You help first-year students.")
    assert "system" not in body


def test_a_header_of_the_administrator_is_not_replaced(hub: Hub) -> None:
    user = hub.log_in()
    user.run("%jmuz_use campus --header X-Jmuz-User somebody")
    user.run("%jmuz Hello")
    code = (
        "from jmuz_magic import Conversation\nConversation(options={'headers': {'x-jmuz-user': 'somebody'}}).ask('Hi')"
    )
    user.run(code)
    assert [each.headers["X-Jmuz-User"] for each in hub.asked] == ["ada", "ada"]
