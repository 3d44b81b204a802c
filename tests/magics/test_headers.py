"""Headers of an endpoint, typed on a line: to their origin alone, never a key, in no key of a recording."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.conversation.selection import get_selection
from jmuz_magic.demo import DemoServer
from jmuz_magic.magics.extension import load, unload
from tests.fault_server import FaultServer, head, reply
from tests.magics.loaded import UserShell, forget_all

FAKE = "sk-fake-0123456789abcdef0123456789"


@pytest.fixture
def other() -> Iterator[DemoServer]:
    """Another origin."""
    with DemoServer(deltas_per_second=0, keep_requests=100) as server:
        yield server


@pytest.fixture
def gateway_key(monkeypatch: pytest.MonkeyPatch) -> str:
    """A key in a variable whose name does not say so."""
    monkeypatch.setenv("GATEWAY", "hunter2-of-the-gateway")
    return "hunter2-of-the-gateway"


@pytest.fixture
def new_session(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A restart of the kernel, which has no configuration file."""

    def restart() -> None:
        unload(user.shell)
        user.shell.config.pop("JmuzMagics", None)
        forget_all(monkeypatch)
        load(user.shell)

    return restart


def headers_of(endpoint: DemoServer) -> dict[str, str]:
    return {name.lower(): value for name, value in endpoint.requests[-1].headers.items()}


def test_a_typed_header_and_one_of_a_variable_are_sent(
    user: UserShell, demo_endpoint: DemoServer, gateway_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = user.line(
        f"%jmuz_use --api-base {demo_endpoint.api_base} -m demo-echo --header X-Tenant 'physics dept' "
        "--header X-Course 101 --header-env X-Gateway-Key GATEWAY"
    )
    assert said.endswith("; no key; headers X-Tenant, X-Course, X-Gateway-Key (env GATEWAY)")
    user.line("%jmuz hello")
    sent = headers_of(demo_endpoint)
    assert (sent["x-tenant"], sent["x-course"], sent["x-gateway-key"]) == ("physics dept", "101", gateway_key)
    monkeypatch.setenv("GATEWAY", "changed")
    user.line("%jmuz_models")
    assert headers_of(demo_endpoint)["x-gateway-key"] == "changed"  # read when it is sent
    monkeypatch.delenv("GATEWAY")
    ran = user.run("%jmuz hello")
    assert not ran.ok
    assert "the header X-Gateway-Key needs the environment variable GATEWAY, which is unset or empty" in ran.text
    assert len(demo_endpoint.requests) == 2
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base} -m demo-echo")
    user.line("%jmuz hello")
    assert "x-tenant" not in headers_of(demo_endpoint)


@pytest.mark.threat(11)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "'Bearer hunter2'"),
        ("authorization", "hunter2"),
        ("Proxy-Authorization", "hunter2"),
        ("x-api-key", "hunter2"),
        ("api-key", "hunter2"),
        ("X-Goog-Api-Key", "hunter2"),
        ("Ocp-Apim-Subscription-Key", "hunter2"),
        ("Cookie", "session=hunter2"),
        ("X-Auth-Token", "hunter2"),
        ("X-Client-Secret", "hunter2"),
        ("X-Password", "hunter2"),
        ("X-Custom", FAKE),
        ("X-Custom", "'Bearer hunter2'"),
        ("X-Custom", "'Basic aHVudGVyMg=='"),
        (FAKE, "x"),
    ],
)
@pytest.mark.parametrize("line", ["%jmuz_use --api-base http://127.0.0.1:9/v1", "%jmuz_alias a m -p ollama"])
def test_a_typed_key_is_refused(user: UserShell, line: str, name: str, value: str) -> None:
    said = user.refusal(f"{line} --header {name} {value}")
    assert "keys are not accepted on the line, and this one is already in the notebook" in said
    assert "revoke it where you got it" in said
    assert "--key-env" in said
    if name != FAKE and value != FAKE:
        assert f"use --header-env {name} VARIABLE, or --key-env VARIABLE" in said
    for secret in ("hunter2", "aHVudGVyMg", FAKE[:12]):
        assert secret not in said
    assert get_selection().choice is None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            "--header X-User '$HOME'",
            "--header sends X-User as typed, without the values of variables; use --header-env",
        ),
        ("--header X-User 'a ${HOME}'", "use --header-env X-User VARIABLE"),
        ("--header X-Tenant", "argument --header: expected NAME VALUE, got 'X-Tenant'"),
        ("--header-env X-Tenant", "argument --header-env: expected NAME VARIABLE, got 'X-Tenant'"),
        ("--header-env X-Tenant a-b", "--header-env: expected the name of an environment variable"),
        (f"--header-env X-Tenant {FAKE}", "keys are not accepted on the line"),
        (f"--header-env {FAKE} HOME", "keys are not accepted on the line"),
        ("--header 'X Tenant' a", "expected the name of a header, such as X-Tenant, without a colon or spaces"),
        ("--header X-Tenant: a", "expected the name of a header, such as X-Tenant, without a colon or spaces"),
        ("--header X-Tenant 'é'", "the header 'X-Tenant' cannot be sent: expected ASCII"),
        ("--header Host a", "the header Host is the connection's own and cannot be set"),
        ("--header Content-Length 3", "the header Content-Length is the connection's own and cannot be set"),
        ("--header X-A 1 --header x-a 2", "each header is given once"),
        ("--header X-A 1 --header-env X-A HOME", "each header is given once"),
        ("--dialect chatt", "there is no dialect 'chatt'; did you mean chat? expected chat"),
    ],
)
def test_a_wrong_header_is_one_line(user: UserShell, options: str, says: str) -> None:
    said = user.refusal(f"%jmuz_use --api-base http://127.0.0.1:9/v1 {options}")
    assert says in said
    assert said.count("%jmuz_use: ") == 1
    assert FAKE not in said
    assert get_selection().choice is None


def test_headers_need_an_address(user: UserShell) -> None:
    assert "expected a provider or --api-base too" in user.refusal("%jmuz_use --header X-Tenant a")
    assert "expected a provider or --api-base too" in user.refusal("%jmuz_use --dialect chat")
    assert user.refusal("%jmuz_alias a m --header X-Tenant a") == "%jmuz_alias: --header needs -p or --api-base"
    assert user.refusal("%jmuz_alias a m --dialect chat") == "%jmuz_alias: --dialect needs -p or --api-base"


def test_headers_go_to_no_other_address(
    user: UserShell, demo_endpoint: DemoServer, other: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", demo_endpoint.api_base.removesuffix("/v1"))
    user.line("%jmuz_use ollama:demo-echo --header X-Tenant a")
    user.line("%jmuz hello")
    assert headers_of(demo_endpoint)["x-tenant"] == "a"
    monkeypatch.setenv("OLLAMA_HOST", other.api_base.removesuffix("/v1"))
    said = user.refusal("%jmuz hello")
    assert "the header X-Tenant was given for http://127.0.0.1:" in said
    assert "choose again with %jmuz_use" in said
    assert not other.requests


@pytest.mark.threat(11)
def test_headers_follow_no_redirect(user: UserShell, server: FaultServer, other: DemoServer, gateway_key: str) -> None:
    away = [("send", head("307 X", Location=f"{other.api_base}/chat/completions", Content_Length="0"))]
    base = server.add("s", away)
    user.line(f"%jmuz_use --api-base {base} -m m --header X-Tenant a --header-env X-Gateway-Key GATEWAY")
    assert not user.run("%jmuz hello").ok
    assert not other.requests


def test_the_classs_own_headers_stay_at_its_own_address(
    user: UserShell, demo_endpoint: DemoServer, other: DemoServer, gateway_key: str
) -> None:
    user.line(
        "from jmuz_magic import OpenaiTemplate\n"
        "class Gateway(OpenaiTemplate):\n"
        f"    api_base = {demo_endpoint.api_base!r}\n"
        "    models = ['demo-echo', 'demo-chat']\n"
        "    headers = {'X-Tenant': 'a $HOME'}\n"
        "    header_env = {'X-Gateway-Key': 'GATEWAY'}\n"
        "    says = 'stays here'\n"
    )
    said = user.line("%jmuz_use Gateway:demo-echo")
    assert said.splitlines()[1] == "Gateway: stays here (says its description)"
    user.line("%jmuz hello")
    sent = headers_of(demo_endpoint)
    assert (sent["x-tenant"], sent["x-gateway-key"]) == ("a $HOME", gateway_key)  # only an administrator's expands
    assert "demo-reasoning" not in user.line("%jmuz_models")
    assert user.refusal("%jmuz_use Gateway:m --header x-tenant b") == (
        "%jmuz_use: Gateway sets the header x-tenant itself; leave it out"
    )
    assert "Gateway sets the header X-Tenant itself" in user.refusal("%jmuz_alias a m -p Gateway --header X-Tenant b")
    user.line(f"%jmuz_use Gateway:demo-echo --api-base {other.api_base}")
    assert "stays here" not in user.line("%jmuz hello")
    sent = headers_of(other)
    assert not {"x-tenant", "x-gateway-key"} & sent.keys()
    assert "demo-reasoning" in user.line("%jmuz_models")


def test_a_saved_choice_keeps_names_and_variables(
    user: UserShell,
    demo_endpoint: DemoServer,
    gateway_key: str,
    new_session: Callable[[], None],
    tmp_path: Path,
) -> None:
    user.line(
        f"%jmuz_use --api-base {demo_endpoint.api_base} -m demo-echo --header X-Tenant a "
        "--header-env X-Gateway-Key GATEWAY --dialect chat --save"
    )
    (path,) = tmp_path.rglob("choices.json")
    text = path.read_text()
    assert gateway_key not in text
    kept = json.loads(text)["use"]
    assert kept["headers"] == {"X-Tenant": "a"}
    assert kept["header_env"] == {"X-Gateway-Key": "GATEWAY"}
    assert kept["header_origin"] == demo_endpoint.api_base.removesuffix("/v1")
    assert kept["dialect"] == "chat"
    new_session()
    assert user.line("%jmuz_use").endswith("; headers X-Tenant, X-Gateway-Key (env GATEWAY); dialect chat")
    user.line("%jmuz hello")
    sent = headers_of(demo_endpoint)
    assert (sent["x-tenant"], sent["x-gateway-key"]) == ("a", gateway_key)


def test_a_saved_choice_sends_its_headers_to_no_other_address(
    user: UserShell,
    demo_endpoint: DemoServer,
    other: DemoServer,
    new_session: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", demo_endpoint.api_base.removesuffix("/v1"))
    user.line("%jmuz_use ollama:demo-echo --header X-Tenant a --save")
    monkeypatch.setenv("OLLAMA_HOST", other.api_base.removesuffix("/v1"))
    new_session()
    assert "the header X-Tenant was given for" in user.refusal("%jmuz hello")
    assert not other.requests


def test_a_saved_choice_of_the_demo_keeps_its_headers_though_its_port_differs(
    user: UserShell, new_session: Callable[[], None]
) -> None:
    user.line("%jmuz_use demo:demo-echo --header X-Tenant a --save")
    new_session()
    assert "hello" in user.line("%jmuz hello")


@pytest.mark.parametrize(
    ("edited", "says"),
    [
        ({"headers": ["a"]}, "expected headers and header_env by name"),
        ({"headers": {"X Y": "a"}}, "expected the name of a header"),
        ({"header_env": {"X": "a"}, "header_origin": 7}, "expected headers and header_env by name"),
    ],
)
def test_an_edited_file_is_refused_in_one_line(
    user: UserShell, new_session: Callable[[], None], tmp_path: Path, edited: dict[str, Any], says: str
) -> None:
    user.line("%jmuz_use ollama:m --header X-Tenant a --save")
    (path,) = tmp_path.rglob("choices.json")
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "use": {**data["use"], **edited}}))
    new_session()
    said = user.refusal("%jmuz hello")
    assert "the saved choice cannot be used" in said
    assert says in said


def test_an_alias_has_headers_and_a_dialect(
    user: UserShell,
    demo_endpoint: DemoServer,
    other: DemoServer,
    gateway_key: str,
    new_session: Callable[[], None],
) -> None:
    said = user.line(
        f"%jmuz_alias quick demo-echo --api-base {demo_endpoint.api_base} --header X-Tenant a "
        "--header-env X-Gateway-Key GATEWAY --dialect chat --save"
    )
    assert said.endswith(", header X-Tenant: a, header X-Gateway-Key: env GATEWAY, dialect chat (saved)")
    user.line(f"%jmuz_use --api-base {other.api_base}")
    for _ in range(2):
        user.line("%jmuz -m quick hello")
        sent = headers_of(demo_endpoint)
        assert (sent["x-tenant"], sent["x-gateway-key"]) == ("a", gateway_key)
        new_session()
    assert len(demo_endpoint.requests) == 2
    assert not other.requests


@pytest.mark.threat(11)
def test_a_dry_run_shows_headers_and_no_secret(
    user: UserShell, demo_endpoint: DemoServer, gateway_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", FAKE)
    user.line(
        f"%jmuz_use --api-base {demo_endpoint.api_base} -m demo-echo --key-env MY_KEY --header X-Tenant a "
        "--header-env X-Trace GATEWAY"
    )
    shown = user.line("%jmuz --dry-run hello").splitlines()
    assert shown[0] == f"POST {demo_endpoint.api_base}/chat/completions"
    assert {"Authorization: ***", "X-Tenant: a", "X-Trace: ***", "Content-Type: application/json"} <= set(shown)
    assert not any(secret in line for line in shown for secret in (gateway_key, FAKE))
    monkeypatch.delenv("GATEWAY")
    assert "the header X-Trace needs the environment variable GATEWAY" in user.line("%jmuz --dry-run hello")
    assert not demo_endpoint.requests


def test_headers_are_no_part_of_a_recordings_key(
    user: UserShell, demo_endpoint: DemoServer, other: DemoServer, gateway_key: str, tmp_path: Path
) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    user.line(
        f"%jmuz_use --api-base {demo_endpoint.api_base} -m demo-echo --header X-Tenant a --header-env X-K GATEWAY"
    )
    user.line(f"%jmuz_record {path}")
    user.line("%jmuz hello")
    text = path.read_text()
    assert not any(word in text for word in ("Tenant", "GATEWAY", gateway_key))
    user.line(f"%jmuz_use --api-base {other.api_base} -m demo-echo --header X-Tenant b --dialect chat")
    user.line(f"%jmuz_record {path} --only")
    assert "hello" in user.line("%jmuz hello")
    assert not other.requests


@pytest.mark.threat(11)
def test_a_secret_header_that_a_server_repeats_is_in_no_log_and_no_error(
    user: UserShell, server: FaultServer, logged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jmuz_magic.log.log import exchange_log

    monkeypatch.setenv("GATEWAY_KEY", "hunter2-of-the-gateway")
    base = server.add("s", reply("your header is hunter2-of-the-gateway"))
    user.line(f"%jmuz_use --api-base {base} -m m --header-env X-Gateway GATEWAY_KEY")
    user.line("%jmuz hello")
    exchange_log.close()
    assert b"hunter2" not in b"".join(path.read_bytes() for path in logged.parent.glob(f"{logged.name}*"))
