"""Proxies and authorities of a company: credentials reach the proxy and nobody else, and NO_PROXY holds on the wire."""

from __future__ import annotations

import base64
import socket
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trustme

from jmuz_magic.errors import ProviderConnectionError
from jmuz_magic.providers.http.proxies import find_proxy
from tests.fault_server import FaultServer, json_answer, reply
from tests.providers.asking import FAKE_KEY, ask
from tests.providers.conftest import tls_context
from tests.proxy_server import AskingProxy


def credentials(proxy: AskingProxy) -> tuple[str, ...]:
    """Every spelling in which something could repeat them."""
    encoded = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
    return proxy.password, quote(proxy.password), quote(proxy.password, safe=""), encoded


def address(proxy: AskingProxy, *, password: str | None = None) -> str:
    given = quote(proxy.password if password is None else password, safe="")
    return f"http://{proxy.user}:{given}@127.0.0.1:{proxy.port}"


@pytest.fixture
def upstream() -> Iterator[FaultServer]:
    """A service in plain http."""
    with FaultServer() as running:
        yield running


@pytest.fixture
def secure(authority: tuple[trustme.CA, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    """A service with a certificate for models.example, whose authority is the user's own."""
    ca, path = authority
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with FaultServer(tls=tls_context(ca, "models.example")) as running:
        yield running


@pytest.mark.fault(13)
@pytest.mark.threat(11)
def test_credentials_open_a_tunnel_and_do_not_travel_through_it(
    secure: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure.add("s", reply("through the tunnel"))
    with AskingProxy(secure.port) as proxy:
        monkeypatch.setenv("https_proxy", address(proxy))
        answer = ask(api_base="https://models.example/v1/s", api_key=FAKE_KEY)
        seen = proxy.seen
    assert answer.text == "through the tunnel"
    assert [passage.line for passage in seen] == ["CONNECT models.example:443 HTTP/1.1"]
    assert seen[0].authorization == proxy.expected
    assert "proxy-authorization" not in secure.requests[0].headers
    assert FAKE_KEY not in repr(seen)


@pytest.mark.fault(13)
def test_credentials_reach_the_proxy_of_a_plain_address(upstream: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    upstream.add("s", reply("by proxy"))
    with AskingProxy(upstream.port) as proxy:
        monkeypatch.setenv("http_proxy", address(proxy))
        answer = ask(api_base="http://models.example/v1/s")
        assert answer.text == "by proxy"
        assert [passage.authorization for passage in proxy.seen] == [proxy.expected]
    assert "proxy-authorization" not in upstream.requests[0].headers


@pytest.mark.fault(13)
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("given", ["none", "wrong"])
def test_a_407_is_one_clear_line_without_credentials(
    upstream: FaultServer, monkeypatch: pytest.MonkeyPatch, scheme: str, given: str
) -> None:
    with AskingProxy(upstream.port) as proxy:
        password = {"none": None, "wrong": "wr0ng-p@ssword"}[given]
        plain = f"http://127.0.0.1:{proxy.port}"
        monkeypatch.setenv("all_proxy", plain if password is None else address(proxy, password=password))
        answer = ask(api_base=f"{scheme}://models.example/v1")
    advice = {
        "none": f"it asks for a user name and password; set ALL_PROXY to http://USER:PASSWORD@127.0.0.1:{proxy.port}",
        "wrong": "it rejected its user name or password; correct them in ALL_PROXY",
    }
    assert type(answer.error) is ProviderConnectionError
    assert str(answer.error) == f"the proxy 127.0.0.1:{proxy.port} answered 407: {advice[given]}"
    assert answer.error.attempts == 1
    assert len(proxy.seen) == 1


@pytest.mark.fault(13)
def test_a_proxy_that_wants_another_scheme_is_told(upstream: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with AskingProxy(upstream.port, scheme="NTLM") as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        answer = ask(api_base="https://models.example/v1")
    assert "it asks for NTLM, which is not supported; only Basic is" in str(answer.error)


@pytest.mark.threat(11)
def test_what_repeats_the_credentials_is_redacted(upstream: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with AskingProxy(upstream.port) as proxy:
        said = {"error": {"message": f"got {' and '.join(credentials(proxy))}"}}
        upstream.add("s", json_answer(said, "400 Bad Request"))
        monkeypatch.setenv("http_proxy", address(proxy))
        answer = ask(api_base="http://models.example/v1/s")
        assert "got *** and *** and *** and ***" in str(answer.error)
        shown = "".join(traceback.format_exception(answer.error)) + repr(find_proxy("http://models.example/v1"))
        assert not [each for each in credentials(proxy) if each in shown]
        assert proxy.user not in shown


@pytest.mark.threat(11)
@pytest.mark.parametrize("password", ["pa/ssw0rd-1", "pa?ssw0rd-1", "pa#ssw0rd-1"])
def test_a_malformed_proxy_is_refused_without_its_password(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", f"http://ann:{password}@proxy.example:3128")
    answer = ask(api_base="https://models.example/v1")
    assert isinstance(answer.error, ProviderConnectionError)
    assert "in HTTPS_PROXY, but the address is malformed; in a password write %40 for @, %2F for /" in str(answer.error)
    trace = traceback.TracebackException.from_exception(answer.error, capture_locals=True)
    shown = "".join(trace.format())
    assert "ssw0rd" not in shown
    assert "\n" not in str(answer.error)


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("0.0.0.0/8", "0.0.0.0"),
        ("*.corp.example", "models.corp.example"),
        ("corp.example", "models.corp.example"),
        ("10.0.0.0/8, *.corp.example", "a.b.corp.example"),
    ],
)
def test_what_no_proxy_names_is_asked_directly(
    upstream: FaultServer, monkeypatch: pytest.MonkeyPatch, no_proxy: str, host: str
) -> None:
    upstream.add("s", reply("direct"))
    lead_to_loopback(monkeypatch)
    with AskingProxy(upstream.port) as proxy:
        monkeypatch.setenv("all_proxy", address(proxy))
        monkeypatch.setenv("no_proxy", no_proxy)
        assert ask(api_base=f"http://{host}:{upstream.port}/v1/s").text == "direct"
        assert proxy.seen == []
        monkeypatch.setenv("no_proxy", "192.0.2.0/24,*.other.example")
        assert ask(api_base=f"http://{host}:{upstream.port}/v1/s").text == "direct"
        assert len(proxy.seen) == 1


def lead_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names below .example exist nowhere, so here they are this machine."""
    known = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        return known("127.0.0.1" if str(host).endswith(".example") else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.fault(12)
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_an_authority_of_ones_own_is_accepted(
    authority: tuple[trustme.CA, Path], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    ca, path = authority
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with FaultServer(tls=tls_context(ca, "127.0.0.1")) as server:
        base = server.add("s", reply("secure"))
        assert "SSL_CERT_FILE" in str(ask(api_base=base).error)
        monkeypatch.setenv(variable, str(path))
        assert ask(api_base=base).text == "secure"


@pytest.mark.fault(12)
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize(
    ("content", "problem"), [(None, "No such file or directory"), ("nothing of the kind", "it contains no certificate")]
)
def test_a_bad_file_of_certificates_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, content: str | None, problem: str
) -> None:
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "corp.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(variable, str(path))
    answer = ask(api_base="https://127.0.0.1:9/v1")
    assert isinstance(answer.error, ProviderConnectionError)
    expected = (
        f"expected a file of certificates in {variable}, but {path} cannot be used ({problem}); correct or unset it"
    )
    assert str(answer.error) == expected
