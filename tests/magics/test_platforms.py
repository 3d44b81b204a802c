"""Platforms through a cell: each against a stand-in that is as strict as its documentation."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from jmuz_magic.providers import platforms
from tests.fault_server import FaultServer, event, finish, reply
from tests.magics.loaded import UserShell
from tests.providers.conftest import tls_context
from tests.providers.responses_events import completed, happened
from tests.proxy_server import AskingProxy
from tests.stand_ins import FILTERS, StandIn, listed, streamed

KEY = "0123456789abcdef0123456789abcdef"
BEARER = {"authorization": f"Bearer {KEY}"}


def one(server: StandIn, method: str = "POST") -> str:
    """The target of the only request of that kind."""
    (request,) = [request for request in server.requests if request.method == method]
    return request.target


RESPONSES = b"".join([happened("output_text.delta", delta="from Azure"), completed()])


@contextmanager
def azure(*targets: str) -> Iterator[StandIn]:
    """A resource of Azure: a key only in `api-key`, and these paths."""
    chat = streamed("from ", "Azure", before=FILTERS)
    routes = {f"POST {target}": RESPONSES if target.endswith("/responses") else chat for target in targets}
    with StandIn(routes, wanted={"api-key": KEY}, refused=("authorization",)) as running:
        yield running


def test_azure_in_its_v1_form(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    with azure("/openai/v1/responses", "/openai/v1/chat/completions") as server:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.origin + "/")
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
        said = user.line("%jmuz_use azure:mine")
        assert said == f"Azure at {server.origin}/openai/v1; model mine; key: env AZURE_OPENAI_API_KEY"
        assert "from Azure" in user.line("%jmuz hi")
        assert "from Azure" in user.line("%jmuz -o seed 1 hi")
        user.line("%jmuz_use azure:mine --dialect chat")
        assert "from Azure" in user.line("%jmuz hi")
    ways = ["responses", "chat/completions", "chat/completions"]
    assert [request.target for request in server.requests] == [f"/openai/v1/{way}" for way in ways]
    assert {request.json["model"] for request in server.requests} == {"mine"}


def test_azure_in_its_classic_form_by_its_variables(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    with azure("/openai/deployments/mine/chat/completions?api-version=2024-10-21") as server:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.origin)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
        user.line("%jmuz_use azure:mine")
        assert "from Azure" in user.line("%jmuz hi")
        assert one(server) == "/openai/deployments/mine/chat/completions?api-version=2024-10-21"


@pytest.mark.parametrize("provider", ["azure", ""])
def test_azure_by_the_address_that_its_portal_shows(
    user: UserShell, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    target = "/openai/deployments/mine/chat/completions?api-version=2024-10-21"
    with azure(target, target.replace("mine", "other%2Fone")) as server:
        monkeypatch.setenv("CORP_KEY", KEY)
        said = user.line(f"%jmuz_use {provider} --api-base {server.origin}{target} --key-env CORP_KEY")
        assert f"{server.origin}/openai/deployments/mine?api-version=2024-10-21; model mine (default)" in said
        assert "from Azure" in user.line("%jmuz hi")
        assert "from Azure" in user.line("%jmuz -m other/one hi")
        shown = user.line("%jmuz --dry-run hi")
        assert f"POST {server.origin}{target}" in shown
        assert KEY not in shown + said
    assert [request.json["model"] for request in server.requests] == ["mine", "other/one"]


def test_azure_without_a_deployment_says_how_to_name_one(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    with azure() as server:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.origin)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
        assert "model: none chosen yet" in user.line("%jmuz_use azure")
        said = user.run("%jmuz hi").text
    assert said.endswith(
        "no model is chosen, and Azure OpenAI lists none to pick; choose one with %jmuz_use azure:MODEL"
    )
    assert server.requests == []


def test_azure_lists_beside_its_deployments(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = {"GET /openai/models?api-version=2024-10-21": listed("gpt-a", "gpt-b")}
    with StandIn(routes, wanted={"api-key": KEY}) as server:
        address = f"{server.origin}/openai/deployments/mine?api-version=2024-10-21"
        monkeypatch.setenv("CORP_KEY", KEY)
        user.line(f"%jmuz_use azure --api-base {address} --key-env CORP_KEY")
        assert "gpt-b" in user.line("%jmuz_models")


def test_a_token_of_entra_goes_as_a_bearers(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    token = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2lnbmF0dXJl"
    routes = {"POST /openai/v1/responses": RESPONSES}
    with StandIn(routes, wanted={"authorization": f"Bearer {token}"}, refused=("api-key",)) as server:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.origin)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
        monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", token)
        assert "key: env AZURE_OPENAI_AD_TOKEN" in user.line("%jmuz_use azure:mine")
        assert "from Azure" in user.line("%jmuz hi")


@pytest.mark.threat(10)
def test_the_version_goes_to_no_other_host(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    with StandIn({"POST /v1/chat/completions": streamed("ok")}) as server:
        monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://res.openai.azure.com")
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
        user.line(f"%jmuz_use azure:m --api-base {server.origin}/v1")
        assert "ok" in user.line("%jmuz hi")
    assert one(server) == "/v1/chat/completions"
    assert KEY not in str(server.requests[0].headers)


@pytest.fixture
def colab(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Colab's proxy of models, and a kernel that hands out its key."""
    routes = {
        "POST /models/openapi/chat/completions": streamed("from ", "Colab"),
        "GET /models": listed("google/gemini-2.5-pro", "google/gemini-9.9-flash", "google/gemini-9.8-flash"),
    }
    userdata = types.ModuleType("google.colab.userdata")
    setattr(userdata, "get", {"MODEL_PROXY_API_KEY": KEY}.get)  # noqa: B010 - a module's attribute
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setitem(sys.modules, "google.colab.userdata", userdata)
    monkeypatch.setattr(platforms, "_handed_out", None)
    with StandIn(routes, wanted=BEARER) as server:
        monkeypatch.setenv("MODEL_PROXY_HOST", server.origin)
        yield server


def test_colab_needs_neither_a_key_nor_a_model(user: UserShell, colab: StandIn) -> None:
    said = user.line("%jmuz_use colab")
    assert said.endswith("model: picked from the list when sent; key: google.colab.userdata")
    assert "from Colab" in user.line("%jmuz hi")
    assert [request.target for request in colab.requests] == ["/models", "/models/openapi/chat/completions"]
    assert colab.requests[1].json["model"] == "google/gemini-9.9-flash"
    assert "google/gemini-2.5-pro" in user.line("%jmuz_models")
    assert KEY not in said


def test_kaggle_by_its_variables(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    with StandIn({"POST /models/openapi/chat/completions": streamed("from ", "Kaggle")}, wanted=BEARER) as server:
        monkeypatch.setenv("MODEL_PROXY_URL", f"{server.origin}/models/openapi")
        monkeypatch.setenv("MODEL_PROXY_API_KEY", KEY)
        user.line("%jmuz_use kaggle:google/gemini-9.9-flash")
        assert "from Kaggle" in user.line("%jmuz hi")


def test_databricks_by_its_variables(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 5 of the table of shapes: its contents are lists."""
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}
    deltas = [{"content": [thought]}, {"content": [{"type": "text", "text": "from Databricks"}]}]
    events = [event({"choices": [{"index": 0, "delta": delta}]}) for delta in deltas]
    serving = {"endpoints": [{"name": "dbx-chat", "task": "llm/v1/chat"}, {"name": "gte", "task": "llm/v1/embeddings"}]}
    routes = {
        "POST /serving-endpoints/chat/completions": b"".join([*events, finish()]),
        "GET /api/2.0/serving-endpoints": json.dumps(serving).encode(),
    }
    with StandIn(routes, wanted=BEARER) as server:
        monkeypatch.setenv("DATABRICKS_HOST", f"{server.origin}/?o=1")
        monkeypatch.setenv("DATABRICKS_TOKEN", KEY)
        user.line("%jmuz_use databricks")
        assert "from Databricks" in user.line("%jmuz hi")
    assert server.requests[1].json["model"] == "dbx-chat"


def test_bedrock_by_an_address_of_its_own(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 8 of the table of shapes: gpt-oss writes its reasoning in tags of another name."""
    routes = {"POST /openai/v1/chat/completions": streamed("<reasoning>hm", "</reasoning>from ", "Bedrock")}
    with StandIn(routes, wanted=BEARER) as server:
        monkeypatch.setenv("AWS_BEDROCK_BASE_URL", f"{server.origin}/openai/v1")
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", KEY)
        user.line("%jmuz_use bedrock:openai.gpt-oss-20b-1:0")
        user.line("%jmuz hi")
        assert user.line("print(_jmuz.text, '|', _jmuz.reasoning)") == "from Bedrock | hm"


@pytest.mark.parametrize("name", ["azure", "bedrock", "colab", "databricks", "kaggle"])
def test_a_platform_elsewhere_is_refused_in_one_line(user: UserShell, name: str) -> None:
    assert "has no default address: expected" in user.refusal(f"%jmuz_use {name}")
    assert "no endpoint is configured, so nothing was sent" in user.refusal("%jmuz hi")


def test_a_gateway_that_demands_a_header_of_its_own(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = {"POST /v1/chat/completions": streamed("from the gateway")}
    with StandIn(routes, wanted={"x-tenant": "physics"} | BEARER) as gateway, StandIn(routes) as other:
        monkeypatch.setenv("GATEWAY_KEY", KEY)
        use = f"%jmuz_use --api-base {gateway.origin}/v1 -m m --key-env GATEWAY_KEY"
        user.line(use)
        assert "answered 401" in user.run("%jmuz hi").text
        user.line(f"{use} --header X-Tenant physics")
        assert "from the gateway" in user.line("%jmuz hi")
        user.line(f"%jmuz_use --api-base {other.origin}/v1 -m m")
        assert "from the gateway" in user.line("%jmuz hi")
    assert "x-tenant" not in other.requests[0].headers


def test_azure_behind_a_gateway_that_has_a_key_of_its_own(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    target = "/aoai/deployments/mine/chat/completions?api-version=2024-10-21"
    with StandIn({f"POST {target}": streamed("from the gateway")}, wanted={"ocp-apim-subscription-key": KEY}) as server:
        monkeypatch.setenv("APIM_KEY", KEY)
        use = f"%jmuz_use --api-base {server.origin}{target} --header-env Ocp-Apim-Subscription-Key APIM_KEY"
        assert KEY not in user.line(use)
        assert "from the gateway" in user.line("%jmuz hi")


@pytest.mark.fault(12)
def test_a_cell_accepts_an_authority_of_ones_own(
    user: UserShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca, path = trustme.CA(), tmp_path / "corp.pem"
    ca.cert_pem.write_to_path(path)
    with FaultServer(tls=tls_context(ca, "127.0.0.1")) as server:
        user.line(f"%jmuz_use --api-base {server.add('s', reply('secure'))} -m m")
        assert "name the authority's certificate file in SSL_CERT_FILE" in user.run("%jmuz hi").text
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        assert "secure" in user.line("%jmuz hi")
        monkeypatch.setenv("SSL_CERT_FILE", str(path.with_name("missing.pem")))
        assert "expected a file of certificates in SSL_CERT_FILE, but" in user.run("%jmuz hi").text


@pytest.mark.fault(13)
@pytest.mark.threat(11)
def test_the_credentials_of_a_proxy_show_nowhere(
    user: UserShell, server: FaultServer, logged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add("s", reply("by proxy"))
    with AskingProxy(server.port, password="pr0xy-p@ssword") as proxy:
        monkeypatch.setenv("http_proxy", f"http://ann:pr0xy-p%40ssword@127.0.0.1:{proxy.port}")
        printed = user.line("%jmuz_use --api-base http://models.example/v1/s -m m")
        printed += user.line("%jmuz --dry-run hi") + user.line("%jmuz hi") + user.line("%jmuz_log")
        assert "by proxy" in printed
        monkeypatch.setenv("http_proxy", f"http://ann:other-p%40ssword@127.0.0.1:{proxy.port}")
        user.line("%jmuz_use --api-base http://other.example/v1/s -m m")
        printed += user.run("%jmuz hi").text + user.line("%jmuz_log")
        assert "answered 407: it rejected its user name or password; correct them in HTTP_PROXY" in printed
    hidden = (proxy.expected.removeprefix("Basic "), "p@ssword", "p%40ssword")
    written = b"".join(path.read_bytes() for path in logged.parent.iterdir() if path.name.startswith(logged.name))
    assert not [each for each in hidden if each in printed or each.encode() in written]
