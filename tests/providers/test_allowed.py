"""The allow-list: checked where an endpoint is resolved, and again where a connection is opened."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic import Conversation
from jmuz_magic.conversation.selection import get_selection, nothing_configured
from jmuz_magic.errors import JmuzError
from jmuz_magic.providers import allowed, registry
from jmuz_magic.providers.catalog import CATALOG, Anthropic, Demo, OpenAI
from jmuz_magic.providers.endpoint.endpoint import Endpoint, resolve_endpoint
from jmuz_magic.providers.http.call import Call
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.providers.http.transport import open_response
from jmuz_magic.providers.jmuz import Jmuz
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.providers.registry import find_provider, known_names, known_providers, settle
from tests.fault_server import FaultServer, reply
from tests.installed import leave_package
from tests.limits import forget_limits, only
from tests.providers.asking import HELLO, ask

LINE = "this hub asks only openai (set by its administrator)"

pytestmark = pytest.mark.threat(27)


@pytest.fixture
def hub(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """Only OpenAI may be asked, at the address of the administrator's environment, which answers; that address."""
    address = server.add("campus", reply("from campus"))
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake")
    only("openai")
    return address


@pytest.fixture
def elsewhere(stranger: FaultServer) -> Iterator[str]:
    """An address at which nothing may arrive."""
    yield stranger.add("elsewhere", reply("from elsewhere"))
    assert stranger.requests == []
    assert stranger.count("accept") == 0


class Own(OpenaiTemplate):
    """A class of the notebook that claims the allowed name."""

    name = spoken_name = "openai"


class Heir(OpenAI):
    """One that inherits the allowed address."""


def test_without_a_list_everything_may_be_asked(server: FaultServer) -> None:
    address = server.add("any", reply("fine"))
    assert allowed.allowed_names() is None
    assert ask(OpenaiTemplate, api_base=address).text == "fine"
    assert known_names() == list(CATALOG)


def test_the_named_endpoint_answers_at_the_address_of_the_administrators_environment(hub: str) -> None:
    assert list(known_providers()) == known_names() == ["openai"]
    assert ask(OpenAI, api_base=hub).text == "from campus"
    assert Conversation(model="m").ask("Hello").text == "from campus"  # the only one need not be chosen


@pytest.mark.parametrize(
    "way",
    [
        lambda address: OpenAI.create_async_generator("m", HELLO, api_base=address),
        lambda address: OpenaiTemplate.create_async_generator("m", HELLO, api_base=address),
        lambda address: Own.create_async_generator("m", HELLO, api_base=address),
        lambda address: OpenAI.create_async_generator("m", HELLO, endpoint=Endpoint(OpenAI, address)),
        lambda address: Own.create_async_generator("m", HELLO, endpoint=Endpoint(OpenAI, address)),
        lambda address: Heir.create_async_generator("m", HELLO, api_base=address),
    ],
)
def test_python_asks_nobody_else(hub: str, elsewhere: str, way: Callable[[str], Any]) -> None:
    async def collect() -> None:
        async for _ in way(elsewhere):
            pass

    with pytest.raises(JmuzError) as caught:
        asyncio.run(collect())
    assert str(caught.value) == LINE


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("provider", [OpenAI, OpenaiTemplate, Own])
def test_no_list_of_models_is_fetched_elsewhere(elsewhere: str, provider: type[OpenaiTemplate]) -> None:
    ways: list[Callable[[], object]] = [
        lambda: provider.get_models(api_base=elsewhere),
        lambda: provider.get_models(endpoint=Endpoint(provider, elsewhere)),
        lambda: asyncio.run(provider.fetch_models(Endpoint(provider, elsewhere))),
    ]
    for ask_list in ways:
        with pytest.raises(JmuzError) as caught:
            ask_list()
        assert str(caught.value) == LINE


def test_another_class_is_refused_at_the_same_address_since_what_is_fixed_belongs_to_the_class(hub: str) -> None:
    for provider in (OpenaiTemplate, Own, Heir):
        with pytest.raises(JmuzError) as caught:
            resolve_endpoint(provider, api_base=hub)
        assert str(caught.value) == LINE


@pytest.mark.parametrize("name", ["anthropic", "Anthropic", "jmuz", "nobody"])
def test_no_other_name_is_found(hub: str, name: str) -> None:
    with pytest.raises(JmuzError) as caught:
        find_provider(name)
    assert str(caught.value) == LINE


def test_a_variable_that_changes_later_changes_no_address(
    hub: str, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", elsewhere)
    monkeypatch.setenv("JMUZ_API_BASE", elsewhere)
    monkeypatch.setenv("JMUZ_ONLY", "jmuz")
    asking = Conversation(model="m")
    for way in (lambda: resolve_endpoint(OpenAI), lambda: resolve_endpoint(Jmuz), lambda: asking.ask("Hello")):
        with pytest.raises(JmuzError) as caught:
            way()
        assert str(caught.value) == LINE


@pytest.mark.parametrize("first", ["", "not an address"])
def test_what_had_no_address_at_load_gets_none_from_a_user(
    elsewhere: str, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", first)
    only("azure")
    with pytest.raises(JmuzError, match="address"):
        resolve_endpoint(find_provider("azure"))
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", elsewhere)
    with pytest.raises(JmuzError, match="this hub asks only azure"):
        resolve_endpoint(find_provider("azure"))


def test_no_package_is_imported_that_brings_another_provider(
    hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    leave_package(tmp_path, "jmuz_evil", "evil = jmuz_evil:Evil", "raise SystemExit")
    with pytest.raises(JmuzError) as caught:
        find_provider("evil")
    assert str(caught.value) == LINE
    assert "jmuz_evil" not in sys.modules


def test_an_allowed_package_is_loaded_and_asked(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_loaded", "_sources", "_found"):
        monkeypatch.setattr(registry, name, type(getattr(registry, name))())
    monkeypatch.syspath_prepend(tmp_path)
    address = server.add("corp", reply("from corp"))
    source = f"from jmuz_magic import OpenaiTemplate\n\nclass Corp(OpenaiTemplate):\n    api_base = {address!r}\n"
    leave_package(tmp_path, "jmuz_corp", "corp = jmuz_corp:Corp", source)
    only("corp")
    assert Conversation(model="m").ask("Hello").text == "from corp"
    assert known_names() == ["corp"]
    del sys.modules["jmuz_corp"]


def send(url: str) -> None:
    async def opened() -> None:
        with await open_response(Call("POST", url, body=b"{}"), Policy()):
            pass

    asyncio.run(opened())


def test_a_connection_is_opened_only_below_an_allowed_address(hub: str, elsewhere: str) -> None:
    for url in (
        f"{elsewhere}/chat/completions",
        f"{hub}er/chat/completions",  # begins like it
        hub.rpartition("/")[0] + "/other/chat/completions",  # another path at its origin
        f"{hub}/../other/chat/completions",
        f"{hub}/%2E%2e/other/chat/completions",
        f"{hub}/x/.%2e/../other",
    ):
        with pytest.raises(JmuzError) as caught:
            send(url)
        assert str(caught.value) == LINE
    send(f"{hub}/chat/completions")


def test_a_list_of_models_may_stand_beside_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", "https://work.databricks.example")
    only("databricks")
    allowed.check_url("https://work.databricks.example/api/2.0/serving-endpoints?page=2")
    allowed.check_url("https://work.databricks.example/serving-endpoints/chat/completions")
    with pytest.raises(JmuzError, match="only databricks"):
        allowed.check_url("https://work.databricks.example/api/2.0/clusters")


def test_an_address_may_have_a_query() -> None:
    home = "https://campus.openai.azure.com/openai/deployments/small"
    only("demo")
    allowed.allow_at(Demo, f"{home}?api-version=2024-10-21")
    allowed.check_url(f"{home}/chat/completions?api-version=2024-10-21")
    with pytest.raises(JmuzError, match="only demo"):
        allowed.check_url(f"{home}er/chat/completions?api-version=2024-10-21")


def test_the_connection_is_checked_even_if_nothing_was_resolved(hub: str, elsewhere: str) -> None:
    class Round(OpenAI):
        """Goes round the check of the endpoint."""

        @classmethod
        def _endpoint(cls, connection: Any) -> Endpoint:
            return Endpoint(cls, elsewhere)

    with pytest.raises(JmuzError) as caught:
        Round.get_models()
    assert str(caught.value) == LINE


def test_the_list_is_narrowed_and_never_widened(hub: str) -> None:
    for names in (["openai", "anthropic"], ["anthropic"], [], [" "]):
        with pytest.raises(JmuzError) as caught:
            allowed.narrow(names, "JmuzMagics.only")
        assert str(caught.value) == LINE
    allowed.administer(["anthropic"])
    allowed.administer(["anthropic", "openai"])
    assert allowed.allowed_names() == ("openai",)


def test_what_is_narrowed_says_who_did_it() -> None:
    only("openai", "demo")
    allowed.narrow(["demo"], "JmuzMagics.only")
    assert str(allowed.refusal()) == "only demo may be asked (set by JmuzMagics.only)"
    with pytest.raises(JmuzError, match="only demo may be asked"):
        resolve_endpoint(OpenAI)


def test_a_list_for_scripts_comes_from_the_environment(
    server: FaultServer, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.add("script", reply("scripted")))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake")
    monkeypatch.setenv("JMUZ_ONLY", " OpenAI , anthropic")
    assert allowed.allowed_names() == ("openai", "anthropic")
    assert Conversation(model="m", provider="openai").ask("Hello").text == "scripted"
    line = "only openai, anthropic may be asked (set by JMUZ_ONLY)"
    for change in ("jmuz", ""):
        os.environ["JMUZ_ONLY"] = change
        with pytest.raises(JmuzError) as caught:
            Conversation(model="m", api_base=elsewhere).ask("Hello")
        assert str(caught.value) == line
    assert nothing_configured() == "no endpoint is chosen, so nothing was sent; name one: openai, anthropic"


def test_an_administrator_counts_more_than_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JMUZ_ONLY", "jmuz")
    only("openai", "demo")
    assert allowed.allowed_names() == ("openai", "demo")


def test_the_variable_narrows_what_an_administrator_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JMUZ_ONLY", "demo,jmuz")
    only("openai", "demo")
    assert allowed.allowed_names() == ("demo",)


def test_a_name_without_an_endpoint_asks_nobody_and_is_named(elsewhere: str) -> None:
    only("campos")
    line = (
        "this hub asks only campos (set by its administrator); there is no endpoint called campos, so nothing is asked"
    )
    for way in (
        lambda: find_provider("campos"),
        lambda: find_provider("openai"),
        lambda: resolve_endpoint(OpenaiTemplate, api_base=elsewhere),
        lambda: Conversation(model="m").ask("Hello"),
        lambda: send(f"{elsewhere}/chat/completions"),
    ):
        with pytest.raises(JmuzError) as caught:
            way()
        assert str(caught.value) == line


def test_settings_that_cannot_be_read_ask_nobody(elsewhere: str) -> None:
    allowed.refuse_all("/etc/ipython/ipython_config.py raised SyntaxError")
    for way in (
        lambda: resolve_endpoint(OpenAI, api_base=elsewhere),
        lambda: Conversation(model="m", api_base=elsewhere).ask("Hello"),
        lambda: send(f"{elsewhere}/chat/completions"),
    ):
        with pytest.raises(
            JmuzError, match="nothing is asked, since the administrator's settings cannot be read: /etc"
        ):
            way()
    assert known_names() == []


def test_a_recording_answers_for_whom_may_not_be_asked(
    hub: str, server: FaultServer, elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    forget_limits()
    other = server.add("other", reply("recorded"))
    Conversation(model="m", api_base=other, recording=path).ask("Hello")
    only("openai")
    replayed = Conversation(model="m", api_base=elsewhere, recording=path)
    assert replayed.ask("Hello").text == "recorded"
    with pytest.raises(JmuzError) as caught:
        replayed.ask("Something that was not recorded")
    assert str(caught.value) == LINE
    monkeypatch.setenv("JMUZ_RECORDING", str(path))
    assert Conversation(model="m", provider="anthropic").ask("Hello").text == "recorded"
    with pytest.raises(JmuzError) as caught:
        Conversation(model="m", provider="anthropic").ask("Hello again")
    assert str(caught.value) == LINE


def test_what_a_user_described_is_not_what_an_administrator_named() -> None:
    only("campus")
    allowed.introduce("campus", Own, administered=False)
    with pytest.raises(JmuzError, match="there is no endpoint called campus"):
        resolve_endpoint(Own, api_base="http://127.0.0.1:9/v1")
    allowed.introduce("campus", Anthropic)
    allowed.introduce("campus", Own)
    assert resolve_endpoint(Anthropic).provider is Anthropic


def test_not_even_after_a_user_has_narrowed_the_list() -> None:
    only("openai", "campos")
    allowed.narrow(["campos"], "JmuzMagics.only")
    assert not allowed.introduce("campos", Own, administered=False)
    with pytest.raises(JmuzError, match="only campos may be asked"):
        resolve_endpoint(Own, api_base="http://127.0.0.1:9/v1")


def test_the_demo_is_allowed_where_it_was_started() -> None:
    only("demo")
    allowed.allow_at(Demo, "http://127.0.0.1:8001/v1")
    resolve_endpoint(Demo, api_base="http://127.0.0.1:8001/v1")
    with pytest.raises(JmuzError, match="only demo"):
        resolve_endpoint(Demo, api_base="http://127.0.0.1:8002/v1")
    settle()
    assert get_selection().choice is None
