"""Further headers of an endpoint: which are secret, what may be sent, and that no error or repr shows a value."""

from __future__ import annotations

import asyncio
import copy
from typing import Any, ClassVar

import pytest

from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.configured import make_provider
from jmuz_magic.providers.description import read_description
from jmuz_magic.providers.endpoint.connection import Connection
from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint
from jmuz_magic.providers.endpoint.headers import (
    Header,
    is_secret_header,
    is_secret_variable,
    read_headers,
    written_headers,
)
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.request.written import without_key
from jmuz_magic.secret import Secret
from tests.fault_server import FaultServer, json_answer, reply
from tests.providers.asking import FAKE_KEY, HELLO, Patient, ask
from tests.providers.test_secrecy import check_error, raised_by


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("Authorization", "", True),
        ("X-Authorization", "", True),
        ("api-key", "", True),
        ("X-APIKEY", "", True),
        ("Cookie", "", True),
        ("X-Auth-Request-User", "", True),
        ("X-Token", "", True),
        ("X-Passwd", "", True),
        ("X-Tenant", FAKE_KEY, True),
        ("X-Tenant", "Bearer x", True),
        ("X-Tenant", "physics", False),
        ("X-Author", "ada", False),
        ("X-Keyword", "a", False),
        ("X-Max-Tokens", "5", False),
        ("X-Request-Id", "123e4567-e89b-12d3-a456-426614174000", False),
    ],
)
def test_what_looks_like_a_secret(name: str, value: str, secret: bool) -> None:
    assert is_secret_header(name, value) == secret


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("CAMPUS_KEY", True),
        ("hf_token", True),
        ("CLIENT_SECRET", True),
        ("PGPASSWORD", True),
        ("GH_PAT", True),
        ("JUPYTERHUB_USER", False),
        ("USER", False),
        ("PATH", False),
        ("PWD", False),
        ("COURSE", False),
    ],
)
def test_a_variable_that_looks_like_a_secret(name: str, secret: bool) -> None:
    assert is_secret_variable(name) == secret


class Gateway(Patient):
    """A gateway's class with headers of every kind."""

    api_base = "http://127.0.0.1:1/v1"
    headers: ClassVar = {"X-Tenant": "physics", "X-Api-Key": "hunter2", "Cookie": "session=hunter2"}
    header_env: ClassVar = {"X-Gateway": "GATEWAY"}


def test_no_repr_shows_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY", "hunter2")
    endpoint = resolve_endpoint(Gateway)
    assert {header.name for header in endpoint.headers} == {"X-Tenant", "X-Api-Key", "Cookie", "X-Gateway"}
    shown = [
        repr(endpoint),
        *map(str, endpoint.headers),
        repr(Connection(endpoint)),
        repr(written_headers(endpoint.headers)),
    ]
    assert not any("hunter2" in text for text in shown)
    assert Secret("hunter2") in endpoint.secrets
    assert hash(endpoint) == hash(resolve_endpoint(Gateway))


@pytest.mark.threat(11)
def test_of_a_scheme_with_a_key_the_key_alone_is_a_secret_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY", "Bearer hunter2-hunter2")
    headers = read_headers({}, {"Authorization": "GATEWAY"})
    endpoint = resolve_endpoint(Patient, api_base="http://127.0.0.1:1/v1", headers=headers)
    assert endpoint.secrets == (Secret("Bearer hunter2-hunter2"), Secret("hunter2-hunter2"))
    assert without_key({"said": "it is hunter2-hunter2"}, endpoint) == {"said": "it is ***"}


def test_a_file_never_gets_a_secret() -> None:
    headers = resolve_endpoint(Gateway).headers
    assert written_headers(headers) == {
        "headers": {"X-Tenant": "physics"},
        "header_env": {"X-Gateway": "GATEWAY"},
        "header_origin": "http://127.0.0.1:1",
    }
    assert written_headers(()) == {}


@pytest.mark.threat(11)
@pytest.mark.parametrize("headers", [{"X-Api-Key": f"{FAKE_KEY}\n"}, {"X Api Key": FAKE_KEY}, {"Host": FAKE_KEY}])
def test_no_error_of_a_class_shows_the_value_of_a_header(server: FaultServer, headers: dict[str, str]) -> None:
    class Wrong(Patient):
        api_base = server.add("s", reply("x"))

    Wrong.headers = headers

    async def main() -> None:
        async for _ in Wrong.create_async_generator("m", HELLO):
            pass

    check_error(raised_by(lambda: asyncio.run(main(), debug=True)))
    check_error(raised_by(Wrong.get_models))
    assert not server.requests


@pytest.mark.threat(11)
def test_a_secret_header_crosses_no_network_in_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY", "hunter2")
    headers = read_headers({}, {"X-Gateway-Key": "GATEWAY"})
    with pytest.raises(JmuzError, match="plain http would send the header X-Gateway-Key to"):
        resolve_endpoint(OpenaiTemplate, api_base="http://10.1.2.3/v1", headers=headers)
    resolve_endpoint(OpenaiTemplate, api_base="http://10.1.2.3/v1", headers=headers, allow_http=True)
    resolve_endpoint(OpenaiTemplate, api_base="http://10.1.2.3/v1", headers=[Header("X-Tenant", "a")])


def test_headers_given_in_python_come_after_the_endpoints_but_not_after_the_administrators(
    server: FaultServer,
) -> None:
    base = server.add("s", reply("x"), reply("x"))
    described = {"api_base": base, "headers": {"X-Tenant": "physics", "Accept": "text/event-stream"}}
    for administered in (False, True):
        provider: Any = make_provider(read_description("campus", described, administered=administered))
        ask(provider, model="m", headers={"x-tenant": "chemistry"})
    users, administrators = (request.headers for request in server.requests)
    assert users["x-tenant"] == "chemistry"
    assert administrators["x-tenant"] == "physics"
    assert users["accept"] == administrators["accept"] == "text/event-stream"


def test_lists_differ_by_header(server: FaultServer) -> None:
    base = server.add("s", json_answer({"data": [{"id": "a"}]}), json_answer({"data": [{"id": "b"}]}))
    first, second = (
        resolve_endpoint(Patient, api_base=base, headers=[Header("X-Tenant", tenant)]) for tenant in ("a", "b")
    )
    assert (Patient.get_models(endpoint=first), Patient.get_models(endpoint=second)) == (["a"], ["b"])
    assert (Patient.cached_models(first), Patient.cached_models(second)) == (["a"], ["b"])


def test_a_secret_in_a_setting_can_be_copied() -> None:
    setting = {"headers": {"X-Api-Key": Secret("hunter2")}}
    assert copy.deepcopy(setting) == setting
    assert "hunter2" not in repr(copy.deepcopy(setting))


def test_the_same_description_gives_the_same_class() -> None:
    first, again, other = (
        make_provider(
            read_description("campus", {"api_base": "https://h.example/v1", "says": says}, administered=False)
        )
        for says in ("a", "a", "b")
    )
    assert first is again
    assert first is not other
    assert (first.name, first.spoken_name, first.label, first.__name__) == ("campus",) * 4


def test_a_class_that_states_its_models_offers_them_at_its_own_address(server: FaultServer) -> None:
    class Stated(Patient):
        api_base = server.add("s", json_answer({"data": [{"id": "fetched"}]}))
        models: ClassVar = ["stated"]

    class Elsewhere(Stated):
        api_base = "http://127.0.0.1:9/v1"

    assert Stated.get_models() == ["stated"] == Stated.cached_models()
    assert Elsewhere.cached_models() == []
    assert Stated.cached_models(resolve_endpoint(Stated, api_base="http://127.0.0.1:9/v1")) == []
    assert not server.requests
    assert Stated.get_models(refresh=True) == ["fetched"] == Stated.get_models() == Stated.models


def test_a_class_for_another_address_inherits_neither_headers_nor_promises() -> None:
    campus: Any = make_provider(
        read_description(
            "campus",
            {
                "api_base": "https://h.example/v1",
                "headers": {"X-A": "a"},
                "header_env": {"X-B": "B"},
                "says": "stays here",
            },
            administered=True,
        )
    )

    class Elsewhere(campus):  # type: ignore[misc]  # made at run time
        api_base = "https://other.example/v1"

    class Same(campus):  # type: ignore[misc]  # made at run time
        default_model = "m"

    made: tuple[Any, Any] = (Elsewhere, Same)
    elsewhere, same = (resolve_endpoint(each) for each in made)
    assert (elsewhere.headers, elsewhere.promise) == ((), "")
    assert [header.name for header in same.headers] == ["X-A", "X-B"]
    assert same.promise == "Same: stays here (says its description)"  # only an administrator's file speaks for one
