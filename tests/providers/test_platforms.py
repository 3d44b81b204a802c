"""Platforms: where their variables lead, whose key goes there, and what is said if one is missing."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable

import pytest

from jmuz_magic.errors import JmuzError, MissingAuthError
from jmuz_magic.providers import platforms
from jmuz_magic.providers.base import only_known
from jmuz_magic.providers.catalog import CATALOG, Azure, Bedrock, Colab, Databricks, HuggingFace, Kaggle, OpenAI
from jmuz_magic.providers.dialects.choosing import usual_dialect
from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint
from jmuz_magic.providers.listing import read_page
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.secret import Secret
from tests.providers.asking import FAKE_KEY, ask

ALL = [Azure, Bedrock, Colab, Databricks, HuggingFace, Kaggle]


@pytest.mark.parametrize(
    ("name", "variable", "value", "address"),
    [
        ("colab", "MODEL_PROXY_HOST", "https://mp.example", "https://mp.example/models/openapi"),
        ("colab", "MODEL_PROXY_HOST", "mp.example/", "https://mp.example/models/openapi"),
        ("kaggle", "MODEL_PROXY_URL", "https://mp.example/models", "https://mp.example/models/openapi"),
        ("kaggle", "MODEL_PROXY_URL", "https://mp.example/models/openapi/", "https://mp.example/models/openapi"),
        ("databricks", "DATABRICKS_HOST", "https://w.example", "https://w.example/serving-endpoints"),
        ("databricks", "DATABRICKS_HOST", "w.example", "https://w.example/serving-endpoints"),
        ("databricks", "DATABRICKS_HOST", "https://w.example/?o=12", "https://w.example/serving-endpoints"),
        ("azure", "AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com/", "https://r.openai.azure.com/openai/v1"),
        ("azure", "AZURE_OPENAI_ENDPOINT", "r.openai.azure.com", "https://r.openai.azure.com/openai/v1"),
        ("azure", "AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.us", "https://r.openai.azure.us/openai/v1"),
        ("azure", "AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.cn", "https://r.openai.azure.cn/openai/v1"),
        ("azure", "AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com/openai", "https://r.openai.azure.com/openai/v1"),
        (
            *("azure", "AZURE_OPENAI_ENDPOINT"),
            *("https://r.openai.azure.com/openai/v1/", "https://r.openai.azure.com/openai/v1"),
        ),
        ("bedrock", "AWS_REGION", "eu-west-1", "https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1"),
        (
            "bedrock",
            "AWS_DEFAULT_REGION",
            "us-gov-west-1",
            "https://bedrock-runtime.us-gov-west-1.amazonaws.com/openai/v1",
        ),
        ("bedrock", "AWS_BEDROCK_BASE_URL", "https://gateway.example/v1", "https://gateway.example/v1"),
    ],
)
def test_a_platform_is_found_by_its_variable(
    name: str, variable: str, value: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = CATALOG[name]
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv(provider.api_key_env[0], FAKE_KEY)
    endpoint = resolve_endpoint(provider)
    assert (endpoint.api_base, endpoint.key) == (address, Secret(FAKE_KEY))
    assert endpoint.own_origin


@pytest.mark.parametrize(
    ("provider", "address", "dialect"),
    [
        (Azure, "https://mine.openai.azure.com/openai/v1", "responses"),
        (Azure, "https://other.openai.azure.us/openai/v1?api-version=preview", "responses"),
        (OpenAI, "https://mine.openai.azure.com/openai/v1", "responses"),
        (Azure, "https://mine.openai.azure.com/openai/deployments/a?api-version=2024-10-21", "chat"),
        (Azure, "https://mine.openai.azure.com/openai?api-version=2024-10-21", "chat"),
        (Azure, "https://gateway.example/v1", "chat"),
        (OpenaiTemplate, "https://mine.openai.azure.com/openai/v1", "chat"),
    ],
)
def test_azure_speaks_responses_in_its_v1_form(
    provider: type[OpenaiTemplate], address: str, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com")
    assert usual_dialect(resolve_endpoint(provider, api_base=address)).name == dialect


def test_the_region_of_the_sdk_comes_before_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert "bedrock-runtime.eu-west-1." in resolve_endpoint(Bedrock).api_base


@pytest.mark.parametrize("region", ["evil.example/", "us-east-1.evil.example", "us-east-1@evil.example#", "x y"])
def test_a_region_cannot_lead_to_another_host(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", region)
    with pytest.raises(JmuzError, match="expected a region such as us-east-1 in AWS_REGION, got"):
        resolve_endpoint(Bedrock)


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("azure", "AZURE_OPENAI_ENDPOINT"),
        ("bedrock", "AWS_REGION or AWS_DEFAULT_REGION"),
        ("colab", "MODEL_PROXY_HOST"),
        ("databricks", "DATABRICKS_HOST"),
        ("kaggle", "MODEL_PROXY_URL"),
    ],
)
def test_a_missing_address_names_its_variable_in_one_line(name: str, variable: str) -> None:
    with pytest.raises(JmuzError) as caught:
        resolve_endpoint(CATALOG[name])
    said = str(caught.value)
    assert "has no default address: expected" in said
    assert variable in said
    assert "\n" not in said


@pytest.mark.parametrize("provider", ALL)
def test_a_missing_key_names_its_variable_and_nothing_is_sent(
    provider: type[platforms.Azure], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("MODEL_PROXY_HOST", "MODEL_PROXY_URL", "DATABRICKS_HOST", "AZURE_OPENAI_ENDPOINT"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_BEDROCK_BASE_URL", "http://127.0.0.1:9")
    answer = ask(provider)
    assert isinstance(answer.error, MissingAuthError)
    assert f"needs a key: set {provider.api_key_env[0]}, or" in str(answer.error)


@pytest.mark.threat(10)
@pytest.mark.parametrize("provider", [each for each in ALL if each is not HuggingFace])
def test_the_key_of_a_platform_goes_to_its_own_address_only(
    provider: type[platforms.Azure], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(provider.api_key_env[0], FAKE_KEY)
    assert resolve_endpoint(provider, api_base="https://elsewhere.example/v1").key is None
    monkeypatch.setenv(provider.api_base_env[0], "https://mine.example")
    assert resolve_endpoint(provider, api_base="https://elsewhere.example/v1").key is None
    assert resolve_endpoint(provider).key == Secret(FAKE_KEY)


@pytest.mark.parametrize("provider", ALL)
def test_each_class_says_on_what_its_facts_rest(provider: type[platforms.Azure]) -> None:
    said = " ".join((provider.__doc__ or "").split())
    assert "Not tried live." in said
    assert "By the documentation" in said or "By the source" in said
    assert "2026-" in said
    for variable in (*provider.api_base_env, *provider.api_key_env):
        assert f"`{variable}`" in said, f"{provider.__name__} does not name {variable}"


def test_the_proxy_of_colab_and_kaggle_lists_one_level_up() -> None:
    assert Colab.list_url("https://mp.example/models/openapi") == "https://mp.example/models"
    assert Kaggle.list_url("https://mp.example/models/openapi") == "https://mp.example/models"


@pytest.mark.parametrize("path", ["serving-endpoints", "ai-gateway/mlflow/v1"])
def test_a_workspace_lists_in_one_place_whatever_is_asked(path: str) -> None:
    assert Databricks.list_url(f"https://w.example/{path}") == "https://w.example/api/2.0/serving-endpoints"


def test_of_a_workspace_only_what_chats_is_listed() -> None:
    page = read_page(
        b'{"endpoints": [{"name": "a", "task": "llm/v1/chat"}, {"name": "b", "task": "llm/v1/embeddings"}, '
        b'{"name": "c"}, {"name": "d", "task": "agent/v1/chat"}, 5]}'
    )
    assert page is not None
    assert [model.id for model in page.models] == ["a", "d"]


@pytest.fixture
def in_colab(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], str]], list[str]]:
    """Puts modules called `google.colab` into this process, as Colab's kernel does; returns which keys were asked."""
    asked: list[str] = []

    def enter(get: Callable[[str], str]) -> list[str]:
        def handed_out(name: str) -> str:
            asked.append(name)
            return get(name)

        userdata = types.ModuleType("google.colab.userdata")
        setattr(userdata, "get", handed_out)  # noqa: B010 - a module's attribute
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
        monkeypatch.setitem(sys.modules, "google.colab.userdata", userdata)
        return asked

    monkeypatch.setattr(platforms, "_handed_out", None)
    monkeypatch.setenv("MODEL_PROXY_HOST", "https://mp.example")
    return enter


def test_colab_hands_out_its_key_once(in_colab: Callable[[Callable[[str], str]], list[str]]) -> None:
    asked = in_colab(lambda _: FAKE_KEY)
    for _ in range(2):
        endpoint = resolve_endpoint(Colab)
        assert (endpoint.key, endpoint.key_source) == (Secret(FAKE_KEY), "google.colab.userdata")
    assert asked == ["MODEL_PROXY_API_KEY"]


def test_a_key_in_the_environment_spares_colab_the_question(
    in_colab: Callable[[Callable[[str], str]], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = in_colab(lambda _: "another-key")
    monkeypatch.setenv("MODEL_PROXY_API_KEY", FAKE_KEY)
    assert resolve_endpoint(Colab).key == Secret(FAKE_KEY)
    assert asked == []


def test_colab_is_not_asked_for_another_address_nor_by_tab(
    in_colab: Callable[[Callable[[str], str]], list[str]],
) -> None:
    asked = in_colab(lambda _: FAKE_KEY)
    assert resolve_endpoint(Colab, api_base="https://elsewhere.example/v1").key is None
    with only_known():
        assert resolve_endpoint(Colab).key is None
    assert asked == []


def test_a_colab_that_refuses_is_told_in_one_line(in_colab: Callable[[Callable[[str], str]], list[str]]) -> None:
    class NotebookAccessError(Exception):
        """As `google.colab.userdata` calls it."""

    def refuse(name: str) -> str:
        raise NotebookAccessError(name)

    in_colab(refuse)
    with pytest.raises(MissingAuthError, match=r"did not hand out the key of its models \(NotebookAccessError\)"):
        resolve_endpoint(Colab)


def test_outside_of_colab_nothing_of_it_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_PROXY_HOST", "https://mp.example")
    assert resolve_endpoint(Colab).key is None
    assert not [name for name in sys.modules if name.startswith("google.colab")]
