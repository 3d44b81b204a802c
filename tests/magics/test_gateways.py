"""Gateways and Azure: what is not supported yet is said plainly, and what the line names instead works."""

from __future__ import annotations

import pytest

from jmuz_magic.conversation.conversation import Conversation
from tests.fault_server import FaultServer, json_answer, reply
from tests.magics.loaded import UserShell

CLASSIC = "https://res.openai.azure.com/openai/deployments/mine/chat/completions?api-version=2024-10-21"


@pytest.mark.finding("A12")
@pytest.mark.parametrize(
    "address",
    [
        CLASSIC,
        "https://res.openai.azure.com/openai/deployments/mine",
        "https://gateway.corp.example/openai/deployments/mine/chat/completions?API-Version=2024-06-01",
        "https://res.cognitiveservices.azure.com/openai/deployments/mine?api-version=2024-10-21&x=1",
    ],
)
def test_the_older_form_of_azure_is_named_with_the_one_that_works(user: UserShell, address: str) -> None:
    said = user.refusal(f"%jmuz_use --api-base {address}")
    assert "Azure's older form (…/deployments/NAME/…?api-version=…), which is not supported" in said
    assert "https://RESOURCE.openai.azure.com/openai/v1, with the deployment's name as the model" in said
    assert "part before the ?" not in said


def test_the_older_form_of_azure_is_also_named_for_a_class(user: UserShell) -> None:
    user.line(f"from jmuz_magic import OpenaiTemplate\nclass Azure(OpenaiTemplate):\n    api_base = {CLASSIC!r}")
    assert "which is not supported" in user.refusal("%jmuz_use Azure")


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
    assert "a subclass of OpenaiTemplate whose auth_headers() returns them" in said


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
    Conversation("m", api_base=base, options={"headers": {"X-Tenant": "b"}}).ask("Hello")
    first, second = (request.headers for request in server.requests)
    assert (first["x-tenant"], first["api-key"]) == ("a", "gateway-key-1")
    assert "authorization" not in first
    assert second["x-tenant"] == "b"
