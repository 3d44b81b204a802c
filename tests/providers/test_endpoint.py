"""Addresses, keys, and which key goes where."""

from __future__ import annotations

import pytest

from jmuz_magic.errors import JmuzError, MissingAuthError
from jmuz_magic.providers.endpoint.address import is_loopback, normalise_api_base
from jmuz_magic.providers.endpoint.endpoint import Endpoint, check_key, resolve_endpoint
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.secret import Secret
from tests.fault_server import FaultServer, reply
from tests.providers.asking import FAKE_KEY, Patient, ask


class Service(Patient):
    api_base = "https://service.example/v1"
    api_base_env = ("SERVICE_BASE_URL",)
    api_key_env = ("SERVICE_API_KEY", "SERVICE_OLD_KEY")


@pytest.mark.fault(58)
@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("https://host.example/v1", "https://host.example/v1"),
        ("  https://host.example/v1/ ", "https://host.example/v1"),
        ("https://host.example/v1///", "https://host.example/v1"),
        ("https://host.example", "https://host.example"),
        ("https://host.example/v1/chat/completions", "https://host.example/v1"),
        ("https://host.example/v1/chat/completions/", "https://host.example/v1"),
        ("HTTPS://HOST.Example:443/V1", "https://host.example/V1"),
        ("http://host.example:80/v1", "http://host.example/v1"),
        ("http://host.example:8080/v1", "http://host.example:8080/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("http://[::1]", "http://[::1]"),
        ("https://bücher.example/v1", "https://xn--bcher-kva.example/v1"),
        ("https://аpple.example/v1", "https://xn--pple-43d.example/v1"),  # a Cyrillic а shows for what it is
        ("https://host.example/a%20b", "https://host.example/a%20b"),
    ],
)
def test_addresses_are_normalised(given: str, address: str) -> None:
    assert normalise_api_base(given) == address
    assert normalise_api_base(address) == address


@pytest.mark.fault(58)
@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("ftp://host.example/v1", "starts with ftp://"),
        ("file:///etc/passwd", "starts with file://"),
        ("host.example/v1", "did you mean https://host.example/v1?"),
        ("localhost:1234/v1", "did you mean http://localhost:1234/v1?"),
        ("127.0.0.1:1234", "did you mean http://127.0.0.1:1234?"),
        ("//host.example/v1", "has no http:// or https://"),
        ("https:host.example", "has no http:// or https://"),
        ("https://", "has no host"),
        ("https:///v1", "has no host"),
        ("https://:8080/v1", "has no host"),
        (f"https://me:{FAKE_KEY}@host.example/v1", "user name or password"),
        (f"https://{FAKE_KEY}@host.example/v1", "user name or password"),
        (f"me:{FAKE_KEY}@host.example/v1", "user name or password"),
        (f"https://host.example/v1?key={FAKE_KEY}", "a query"),
        (f"host.example/v1?key={FAKE_KEY}", "a query"),
        (f"https://host.example/v1#{FAKE_KEY}", "a query or a fragment"),
        (f"https://host.example/{FAKE_KEY} x", "space"),
        ("https://host.example\\@evil.example/", "backslash"),
        ("https://host.example/\x00", "control"),
        ("https://[::1/v1", "malformed host"),
        ("https://host.example:99999/v1", "port"),
        (f"https://host.example:{FAKE_KEY}/v1", "port"),
        ("https://straße.example/v1", "xn--"),
        (f"https://{'a' * 70}.example/v1", "an invalid host name"),
        ("https://a..example/v1", "an invalid host name"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(given: str, reason: str) -> None:
    with pytest.raises(JmuzError) as caught:
        normalise_api_base(given)
    assert reason in str(caught.value)
    assert FAKE_KEY not in repr(caught.value)
    assert caught.value.__context__ is None
    assert "\n" not in str(caught.value)


@pytest.mark.fault(59)
@pytest.mark.parametrize("given", [FAKE_KEY, f"  {FAKE_KEY}\n", f'"{FAKE_KEY}"', f"' {FAKE_KEY} '", Secret(FAKE_KEY)])
def test_a_key_loses_what_came_along_when_it_was_copied(given: str | Secret) -> None:
    assert check_key(given, "argument") == Secret(FAKE_KEY)


@pytest.mark.fault(59)
@pytest.mark.parametrize("given", ["", " \n", '""', "' '"])
def test_an_empty_key_is_none(given: str) -> None:
    assert check_key(given, "argument") is None


@pytest.mark.fault(59)
@pytest.mark.parametrize(
    "given", [f"{FAKE_KEY} x", f"{FAKE_KEY}\nx", f"{FAKE_KEY}ü", f"{FAKE_KEY}\x00", f"{FAKE_KEY}\x7f"]
)
def test_a_key_that_is_no_header_value_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(MissingAuthError, match="env SERVICE_API_KEY cannot be sent") as caught:
        check_key(given, "env SERVICE_API_KEY")
    assert FAKE_KEY[:8] not in repr(caught.value)
    frames = []
    trace = caught.value.__traceback__
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    assert FAKE_KEY not in repr(frames[-1].f_locals)


@pytest.mark.threat(14)
def test_the_argument_is_a_key_for_any_address() -> None:
    endpoint = resolve_endpoint(Service, api_base="https://other.example/v1", api_key=FAKE_KEY)
    assert (endpoint.key, endpoint.key_source) == (Secret(FAKE_KEY), "argument")
    assert resolve_endpoint(Service, api_key=FAKE_KEY, key_source="%jmuz_key").key_source == "%jmuz_key"


@pytest.mark.threat(14)
def test_the_environment_s_key_goes_to_the_service_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_API_KEY", FAKE_KEY)
    own = resolve_endpoint(Service)
    assert (own.key, own.key_source) == (Secret(FAKE_KEY), "env SERVICE_API_KEY")
    for address in (
        "https://stranger.example/v1",
        "https://service.example.stranger.example/v1",
        "https://service.example:8443/v1",
        "http://service.example/v1",
    ):
        endpoint = resolve_endpoint(Service, api_base=address)
        assert (endpoint.key, endpoint.key_source) == (None, "none")
    assert resolve_endpoint(Service, api_base="https://SERVICE.example/other").key is not None


@pytest.mark.threat(14)
def test_the_environment_s_key_belongs_to_the_environment_s_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_API_KEY", FAKE_KEY)
    monkeypatch.setenv("SERVICE_BASE_URL", "https://gateway.example/v1/")
    endpoint = resolve_endpoint(Service)
    assert (endpoint.api_base, endpoint.key) == ("https://gateway.example/v1", Secret(FAKE_KEY))
    assert resolve_endpoint(Service, api_base="https://service.example/v1").key is None


@pytest.mark.threat(14)
def test_key_env_is_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_API_KEY", FAKE_KEY)
    endpoint = resolve_endpoint(Service, api_base="https://other.example/v1", key_env="SERVICE_API_KEY")
    assert (endpoint.key, endpoint.key_source) == (Secret(FAKE_KEY), "env SERVICE_API_KEY")
    with pytest.raises(MissingAuthError, match="NOT_SET"):
        resolve_endpoint(Service, key_env="NOT_SET")


@pytest.mark.threat(14)
def test_a_stranger_s_server_sees_no_key(
    server: FaultServer, stranger: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Configured(Patient):
        api_base = server.add("s", reply("own"))
        api_key_env = ("SERVICE_API_KEY",)

    monkeypatch.setenv("SERVICE_API_KEY", FAKE_KEY)
    assert ask(Configured).text == "own"
    assert ask(Configured, api_base=stranger.add("s", reply("other"))).text == "other"
    assert server.requests[0].headers["authorization"] == f"Bearer {FAKE_KEY}"
    assert FAKE_KEY not in str(stranger.requests)


def test_the_second_variable_is_read_where_the_first_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_API_KEY", " ")
    monkeypatch.setenv("SERVICE_OLD_KEY", FAKE_KEY)
    assert resolve_endpoint(Service).key_source == "env SERVICE_OLD_KEY"


def test_a_key_of_the_class_belongs_to_its_address() -> None:
    class Mine(OpenaiTemplate):
        api_base = "https://mine.example/v1"
        api_key = FAKE_KEY

    assert resolve_endpoint(Mine).key_source == "class Mine"
    assert resolve_endpoint(Mine, api_base="https://other.example/v1").key is None


def test_a_provider_without_an_address_says_what_to_do() -> None:
    with pytest.raises(JmuzError, match="--api-base"):
        resolve_endpoint(OpenaiTemplate)


@pytest.mark.threat(16)
def test_plain_http_with_a_key_is_refused_beyond_loopback() -> None:
    with pytest.raises(JmuzError, match="--allow-http") as caught:
        resolve_endpoint(Service, api_base="http://10.0.0.5:8000/v1", api_key=FAKE_KEY)
    assert FAKE_KEY not in str(caught.value)
    allowed = resolve_endpoint(Service, api_base="http://10.0.0.5:8000/v1", api_key=FAKE_KEY, allow_http=True)
    assert allowed.allow_http
    assert allowed.unencrypted
    for host in ("localhost", "127.0.0.1", "127.1.2.3", "[::1]", "my.localhost"):
        assert resolve_endpoint(Service, api_base=f"http://{host}:8000/v1", api_key=FAKE_KEY).key


@pytest.mark.threat(16)
def test_plain_http_without_a_key_is_allowed_and_can_be_warned_of() -> None:
    endpoint = resolve_endpoint(Service, api_base="http://10.0.0.5:8000/v1")
    assert endpoint.unencrypted
    assert not resolve_endpoint(Service, api_base="http://localhost:8000/v1").unencrypted
    assert not resolve_endpoint(Service).unencrypted


@pytest.mark.threat(16)
@pytest.mark.parametrize(
    "host", ["127.0.0.1.evil.example", "localhost.evil.example", "notlocalhost", "127.1", "2130706433"]
)
def test_what_only_looks_like_loopback_is_none(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.threat(13)
def test_an_endpoint_shows_no_key() -> None:
    endpoint = Endpoint(Service, "https://service.example/v1", Secret(FAKE_KEY), "argument")
    assert FAKE_KEY not in repr(endpoint)
    assert endpoint.origin == "https://service.example"
    assert endpoint.own_origin
