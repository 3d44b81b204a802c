"""The catalog: known names, and what differs between the services."""

from __future__ import annotations

import pytest

import jmuz_magic.providers as providers
from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.catalog import CATALOG, Anthropic, Demo, Mistral, Ollama, OpenAI
from jmuz_magic.providers.endpoint.address import normalise_api_base
from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint
from jmuz_magic.providers.jmuz import Jmuz
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.providers.registry import find_provider
from jmuz_magic.secret import Secret
from tests.fault_server import FaultServer, reply
from tests.providers.asking import FAKE_KEY, HELLO, ask

NAMES = [
    *("openai", "anthropic", "gemini", "mistral", "deepseek", "xai", "groq", "openrouter"),
    *("huggingface", "azure", "bedrock", "databricks", "colab", "kaggle"),
    *("ollama", "lmstudio", "llamacpp", "vllm", "demo", "jmuz"),
]
OF_PLATFORMS = {"azure", "bedrock", "databricks", "colab", "kaggle"}
"""Those whose address only a variable names: `test_platforms.py` has their tests."""


def test_the_catalog_knows_these_names() -> None:
    assert list(CATALOG) == NAMES
    assert all(issubclass(provider, OpenaiTemplate) for provider in CATALOG.values())
    assert all(provider.name == name for name, provider in CATALOG.items())


def test_a_provider_is_found_whatever_the_case() -> None:
    assert find_provider(" OpenAI ") is OpenAI


def test_an_unknown_provider_gets_the_nearest_name() -> None:
    with pytest.raises(JmuzError, match="did you mean openai"):
        find_provider("opnai")
    with pytest.raises(JmuzError, match=r"known providers: openai, .*, jmuz$"):
        find_provider("zzz")


@pytest.mark.parametrize("key", ["sk-proj-abc", " gsk_0123456789abcdefghijklmnop", "0123456789abcdef01234567"])
def test_a_key_in_the_place_of_a_provider_is_not_repeated(key: str) -> None:
    with pytest.raises(JmuzError, match="there is no provider of that name") as caught:
        find_provider(key)
    assert key.strip() not in str(caught.value)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OF_PLATFORMS | {"demo"}])
def test_every_address_is_in_normal_form_and_safe(name: str) -> None:
    provider = CATALOG[name]
    assert normalise_api_base(provider.api_base) == provider.api_base
    assert provider.api_base.startswith(("https://", "http://localhost:"))
    assert provider.needs_auth == (provider.api_base.startswith("https://") and provider is not Jmuz)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OF_PLATFORMS | {"jmuz", "demo", "lmstudio"}])
def test_every_key_of_the_environment_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in CATALOG[name].api_key_env:
        with monkeypatch.context() as patch:
            patch.setenv(variable, FAKE_KEY)
            assert resolve_endpoint(CATALOG[name]).key_source == f"env {variable}"


@pytest.mark.parametrize(
    ("name", "variable", "value", "address"),
    [
        ("openai", "OPENAI_BASE_URL", "https://gateway.example/v1/", "https://gateway.example/v1"),
        ("anthropic", "ANTHROPIC_BASE_URL", "https://gateway.example", "https://gateway.example/v1"),
        ("anthropic", "ANTHROPIC_BASE_URL", "https://gateway.example/v1/", "https://gateway.example/v1"),
        ("groq", "GROQ_BASE_URL", "https://api.groq.com", "https://api.groq.com/openai/v1"),
        ("jmuz", "JMUZ_API_BASE", "http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1"),
        ("ollama", "OLLAMA_HOST", "0.0.0.0", "http://localhost:11434/v1"),
        ("ollama", "OLLAMA_HOST", "0.0.0.0:9000", "http://localhost:9000/v1"),
        ("ollama", "OLLAMA_HOST", ":9000", "http://localhost:9000/v1"),
        ("ollama", "OLLAMA_HOST", "box", "http://box:11434/v1"),
        ("ollama", "OLLAMA_HOST", "[::1]", "http://[::1]:11434/v1"),
        ("ollama", "OLLAMA_HOST", "http://box:9000/", "http://box:9000/v1"),
        ("ollama", "OLLAMA_HOST", "https://box.example", "https://box.example/v1"),
        ("ollama", "OLLAMA_HOST", "https://box.example/ollama/v1", "https://box.example/ollama/v1"),
    ],
)
def test_addresses_of_the_environment_are_read_as_their_own_tools_read_them(
    name: str, variable: str, value: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert resolve_endpoint(CATALOG[name]).api_base == address


def test_openai_calls_max_tokens_by_its_new_name_and_mistral_is_not_asked_for_usage() -> None:
    assert OpenAI.build_request("m", HELLO, max_tokens=1)["max_completion_tokens"] == 1
    assert "stream_options" not in Mistral.build_request("m", HELLO)


def test_anthropic_gets_the_headers_of_both_its_apis(server: FaultServer) -> None:
    ask(Anthropic, api_base=server.add("s", reply("x")), api_key=FAKE_KEY)
    sent = server.requests[0].headers
    assert (sent["authorization"], sent["x-api-key"]) == (f"Bearer {FAKE_KEY}", FAKE_KEY)
    assert sent["anthropic-version"] == "2023-06-01"


@pytest.mark.threat(11)
def test_no_header_shows_a_key() -> None:
    for provider in CATALOG.values():
        assert FAKE_KEY not in repr(provider.auth_headers(Secret(FAKE_KEY)))


def test_the_demo_says_how_it_is_started_and_cleans_as_jmuz_does() -> None:
    with pytest.raises(JmuzError, match="%jmuz_use demo"):
        resolve_endpoint(Demo)
    assert Demo.adverts is Jmuz.adverts
    assert Demo.get_model("deepseek-chat") == "deepseek-v3"
    assert resolve_endpoint(Demo, api_base="http://127.0.0.1:1/v1").notice is None


def test_local_servers_need_no_key() -> None:
    assert resolve_endpoint(Ollama).key is None


def test_the_package_holds_all_providers() -> None:
    held = [getattr(providers, name) for name in (*providers.__all__, *(each.__name__ for each in CATALOG.values()))]
    assert all(provider in held for provider in CATALOG.values())
    assert set(providers.__all__) <= set(dir(providers))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = providers.Nothing


def test_a_class_of_the_catalog_is_held_without_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "__all__", [])
    monkeypatch.delitem(vars(providers), "Groq", raising=False)
    assert vars(providers)["__getattr__"]("Groq") is CATALOG["groq"]
