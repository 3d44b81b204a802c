"""Gateways and Azure: which addresses and headers are taken, and what is said of the others."""

from __future__ import annotations

import pytest

from jmuz_magic.conversation.conversation import Conversation
from tests.fault_server import FaultServer, json_answer, reply
from tests.magics.loaded import UserShell

CLASSIC = "https://res.openai.azure.com/openai/deployments/mine/chat/completions?api-version=2024-10-21"
BASE = "https://res.openai.azure.com/openai/deployments/mine?api-version=2024-10-21"


@pytest.mark.finding("A12")
@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (CLASSIC, BASE),
        (CLASSIC.replace("api-version", "API-Version"), BASE),
        (
            "https://gateway.corp.example/openai/deployments/mine/chat/completions?api-version=2024-06-01",
            "https://gateway.corp.example/openai/deployments/mine?api-version=2024-06-01",
        ),
    ],
)
def test_the_classic_form_of_azure_is_taken_with_its_deployment_as_the_model(
    user: UserShell, address: str, shown: str
) -> None:
    assert user.line(f"%jmuz_use --api-base {address}") == f"OpenaiTemplate at {shown}; model mine (default); no key"


def test_the_classic_form_of_azure_is_also_taken_from_a_class(user: UserShell) -> None:
    user.line(f"from jmuz_magic import OpenaiTemplate\nclass Mine(OpenaiTemplate):\n    api_base = {CLASSIC!r}")
    assert user.line("%jmuz_use Mine") == f"Mine at {BASE}; model mine (default); no key"


def test_a_deployment_without_a_version_is_refused_with_what_to_add(user: UserShell) -> None:
    said = user.refusal("%jmuz_use --api-base https://res.openai.azure.com/openai/deployments/mine")
    assert "without the version of the API; add it (…/deployments/NAME?api-version=2024-10-21)" in said
    assert "https://RESOURCE.openai.azure.com/openai/v1, with the deployment's name as the model" in said


@pytest.mark.threat(11)
@pytest.mark.parametrize(
    "query", ["api-version=2024-10-21&api-key=s3cret-key-1", "api-key=s3cret-key-1", "api-version=s3cret-key-1&x=1"]
)
def test_a_key_in_the_query_is_refused_and_not_repeated(user: UserShell, query: str) -> None:
    said = user.refusal(f"%jmuz_use --api-base https://res.openai.azure.com/openai/deployments/mine?{query}")
    assert "give the part before the ? or # (only api-version=… may stay)" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    "address",
    ["https://res.openai.azure.com/openai/v1", "https://gateway.corp.example/openai/deployments/mine"],
)
def test_other_addresses_of_the_kind_are_taken(user: UserShell, address: str) -> None:
    assert address in user.line(f"%jmuz_use --api-base {address}")


def test_any_other_query_is_refused_as_before(user: UserShell) -> None:
    assert "give the part before the ?" in user.refusal("%jmuz_use --api-base https://x.example/v1?tenant=a")


def test_an_address_of_azure_that_is_not_served_hints_at_its_own_form(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jmuz_magic.providers.http import failures

    monkeypatch.setattr(failures, "is_azure", lambda _: True)  # no loopback address has such a name
    with pytest.raises(Exception, match="Azure's ends in /openai/v1"):
        Conversation("m", api_base=server.add("s", json_answer({}, "405 X"))).ask("Hello")


@pytest.mark.finding("A12")
@pytest.mark.parametrize(
    "line",
    [
        '%jmuz -o headers \'{"X-Tenant": "a"}\' hi',
        '%jmuz -o extra_headers \'{"X-Tenant": "a"}\' hi',
        '%jmuz_alias tenant gpt-x -o headers \'{"X-Tenant": "a"}\'',
    ],
)
def test_headers_are_refused_with_what_works_today(user: UserShell, line: str) -> None:
    user.line("%jmuz_use --api-base http://127.0.0.1:9/v1")
    said = user.refusal(line)
    assert "headers cannot be set here" in said
    assert "%jmuz_use … --header NAME VALUE sends one, --header-env NAME VARIABLE one with a key" in said


def test_what_the_refusal_names_works(server: FaultServer, user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_KEY", "gateway-key-1")
    base = server.add("s", reply("x"))
    user.line(
        "from jmuz_magic import OpenaiTemplate\n"
        "class Gateway(OpenaiTemplate):\n"
        f"    api_base = {base!r}\n"
        "    api_key_env = ('GATEWAY_KEY',)\n"
        "    @classmethod\n"
        "    def auth_headers(cls, key):\n"
        "        return {'api-key': key, 'X-Tenant': 'a'}\n"
    )
    user.line("%jmuz_use Gateway:m")
    user.line("%jmuz hi")
    user.line(f"%jmuz_use --api-base {base} -m m --header X-Tenant c --header-env api-key GATEWAY_KEY")
    user.line("%jmuz hi")
    Conversation("m", api_base=base, options={"headers": {"X-Tenant": "b"}}).ask("Hello")
    first, second, third = (request.headers for request in server.requests)
    assert (first["x-tenant"], first["api-key"]) == ("a", "gateway-key-1")
    assert "authorization" not in first
    assert (second["x-tenant"], second["api-key"]) == ("c", "gateway-key-1")
    assert third["x-tenant"] == "b"
