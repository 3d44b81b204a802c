"""Connections, timers, retries: what must happen when the network or the server misbehaves."""

from __future__ import annotations

import asyncio
import gc
import gzip
import os
import re
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trustme

from jmuz_magic.errors import (
    MissingAuthError,
    ProviderConnectionError,
    ProviderTimeoutError,
    RateLimitError,
    ResponseError,
    ResponseStatusError,
    StreamError,
)
from jmuz_magic.messages import Retry
from jmuz_magic.providers.endpoint.address import normalise_api_base
from jmuz_magic.providers.http import sessions
from jmuz_magic.providers.http.call import Call
from jmuz_magic.providers.http.policy import Policy, asked_delay
from jmuz_magic.providers.http.proxies import find_proxy
from tests.fault_server import (
    DONE,
    FaultServer,
    Step,
    chunked,
    closed_port,
    cut,
    delta,
    event,
    finish,
    head,
    json_answer,
    reply,
    stream,
)
from tests.providers.asking import FAKE_KEY, HELLO, Answer, Patient, ask, collect, no_wait
from tests.providers.conftest import self_signed_context, tls_context
from tests.waiting import wait_until

T = TypeVar("T")

CHUNKED = head(Transfer_Encoding="chunked")
OPEN = head()  # no length: the body ends with the connection


def impatient(**changes: Any) -> type[Patient]:
    """The template with other timers."""

    class Impatient(Patient):
        policy = Policy(sleep=no_wait, dice=lambda: 0.0, **changes)

    return Impatient


# --- network


@pytest.mark.fault(1)
def test_an_unknown_host_is_named_after_two_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    answer = ask(api_base="http://nonexistent.invalid/v1")
    assert type(answer.error) is ProviderConnectionError
    assert "cannot resolve host nonexistent.invalid" in str(answer.error)
    assert answer.error.attempts == 3


@pytest.mark.fault(2)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_refused_connection_names_host_and_port(host: str) -> None:
    port = closed_port()
    answer = ask(api_base=f"http://{host}:{port}/v1")
    assert type(answer.error) is ProviderConnectionError
    assert f"connection refused by {host}:{port}; is the server running?" in str(answer.error)
    assert [retry.attempt for retry in answer.retries] == [2, 3]
    assert answer.error.attempts == 3
    assert "\n" not in str(answer.error)


@pytest.mark.fault(2)
def test_any_other_failure_to_connect_is_named_as_the_system_names_it() -> None:
    answer = ask(api_base="http://[fe80::1]:9/v1")  # a link-local address that names no link
    assert type(answer.error) is ProviderConnectionError
    assert re.fullmatch(r"cannot connect to \S*fe80::1\S*:9: [\w ]+", str(answer.error))
    assert answer.error.attempts == 3


@pytest.mark.fault(3)
def test_a_connection_that_never_stands_times_out_without_a_retry() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(8)]  # with the queue full, the kernel answers no further SYN
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        try:
            answer = ask(impatient(connect=0.3), api_base=f"http://127.0.0.1:{port}/v1")
        finally:
            for filler in fillers:
                filler.close()
    assert type(answer.error) is ProviderTimeoutError
    assert "connect timeout" in str(answer.error)
    assert answer.error.attempts == 1


@pytest.mark.fault(4)
def test_a_server_that_only_accepts_runs_into_the_first_data_timer(server: FaultServer) -> None:
    base = server.add("s", [("accept_only",)])
    answer = ask(api_base=base, timeout=0.3)
    assert type(answer.error) is ProviderTimeoutError
    assert "no data within 0.3 s" in str(answer.error)
    assert "--timeout" in str(answer.error)
    assert answer.error.attempts == 1
    server.wait_for_close()
    assert len(server.requests) == 1


# Bytes that keep a connection alive and are no data, as services send them.
KEEP_ALIVE = {
    "comments": b": OPENROUTER PROCESSING\n\n",
    "roles": event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}),
    "empty deltas": event({"choices": [{"index": 0, "delta": {"content": None}}]}),
    "empty deltas of any kind": event({"choices": [{"index": 0, "delta": {"tool_calls": [], "reasoning": ""}}]}),
    "no delta": event({"choices": [{"index": 0, "delta": None}]}),
    "comments without a word": b":\n\n",
    "retry": b"retry: 3000\n\n",
    "progress": event({"choices": [], "prompt_progress": {"processed": 50, "total": 100}}),
}


def pinging(ping: bytes, seconds: float) -> list[Step]:
    """Steps that keep the connection alive for that long."""
    return [step for _ in range(round(seconds / 0.05)) for step in (("send", ping), ("sleep", 0.05))]


@pytest.mark.fault(5)
@pytest.mark.parametrize(
    "name",
    # In 0.1 whatever came as an event kept the connection alive, and for ever.
    [
        pytest.param(name, marks=pytest.mark.finding("A7")) if name.startswith(("comments", "retry")) else name
        for name in KEEP_ALIVE
    ],
)
def test_a_model_that_thinks_long_is_waited_for_while_its_connection_lives(server: FaultServer, name: str) -> None:
    script = [("send", OPEN), *pinging(KEEP_ALIVE[name], 2.2), ("send", delta("ab") + DONE), ("eof",)]
    answer = ask(impatient(first_data=1.2, idle=1.2), api_base=server.add("s", script))
    assert answer.error is None
    assert answer.text == "ab"


@pytest.mark.finding("A7")
@pytest.mark.fault(6)
def test_a_model_that_thinks_in_mid_reply_is_waited_for(server: FaultServer) -> None:
    pings = pinging(b": ping\n\n", 2.2)
    script = [("send", OPEN), ("send", delta("ab")), *pings, ("send", delta("cd") + DONE), ("eof",)]
    assert ask(impatient(idle=1.2), api_base=server.add("s", script)).text == "abcd"


@pytest.mark.fault(5)
@pytest.mark.parametrize("name", KEEP_ALIVE)
def test_a_connection_that_is_only_kept_alive_is_given_up_at_last(server: FaultServer, name: str) -> None:
    base = server.add("s", [("send", OPEN), *pinging(KEEP_ALIVE[name], 5)])
    answer = ask(impatient(next_data=0.5), api_base=base)
    assert type(answer.error) is ProviderTimeoutError
    assert "no data for 0.5 s, only keep-alives; no reply came; to wait longer, use --timeout" in str(answer.error)
    server.wait_for_close()
    assert len(server.requests) == 1


@pytest.mark.fault(6)
@pytest.mark.parametrize("name", KEEP_ALIVE)
def test_a_reply_that_is_only_kept_alive_is_given_up_with_its_text(server: FaultServer, name: str) -> None:
    base = server.add("s", [("send", OPEN), ("send", delta("ab")), *pinging(KEEP_ALIVE[name], 5)])
    answer = ask(impatient(next_data=0.5), api_base=base)
    assert answer.text == "ab"
    assert "no data for 0.5 s, only keep-alives; the reply is incomplete" in str(answer.error)


@pytest.mark.finding("A7")
@pytest.mark.fault(5, 6)
@pytest.mark.parametrize("data", [b"", delta("ab")], ids=["first data", "next data"])
def test_a_timeout_governs_the_first_and_the_next_data_alike(server: FaultServer, data: bytes) -> None:
    base = server.add("s", [("send", OPEN + data), *pinging(b": ping\n\n", 5)])
    silent = server.add("silent", [("send", OPEN + data), ("accept_only",)])
    pinged, waited = ask(api_base=base, timeout=0.5), ask(api_base=silent, timeout=0.5)
    assert "no data for 0.5 s, only keep-alives" in str(pinged.error)
    assert ("nothing for 0.5 s" if data else "no data within 0.5 s") in str(waited.error)


@pytest.mark.finding("A7")
def test_a_timeout_is_also_longer_than_the_usual_patience(server: FaultServer) -> None:
    silent: list[Step] = [("send", OPEN), ("sleep", 1.0), ("send", delta("ab")), ("sleep", 1.0), ("send", DONE)]
    answer = ask(impatient(first_data=0.3, idle=0.3), api_base=server.add("s", [*silent, ("eof",)]), timeout=30)
    assert answer.error is None
    assert answer.text == "ab"


def test_how_long_is_waited_without_a_timeout() -> None:
    policy = Policy()
    assert (policy.first_data, policy.idle, policy.next_data) == (600, 120, 1800)
    from jmuz_magic.providers.http.connection_errors import keep_alive_error, silence_error

    call = Call("POST", "http://127.0.0.1/v1/chat/completions")
    assert "no data for 30 min, only keep-alives" in str(keep_alive_error(call, policy.next_data, began=True))
    assert "nothing for 120 s" in str(silence_error(call, policy.idle, began=True))


@pytest.mark.parametrize(
    "data",
    [
        delta(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": "{"}}]),
        delta(reasoning_content="hm"),
        delta("<thin"),
        delta(" "),
        event({"choices": [{"index": 1, "delta": {"content": "x"}}]}),
    ],
    ids=["tool call", "reasoning", "held text", "blank", "second choice"],
)
def test_data_that_is_not_shown_at_once_is_data(server: FaultServer, data: bytes) -> None:
    steps: list[Step] = [step for _ in range(10) for step in (("send", data), ("sleep", 0.1))]
    base = server.add("s", [("send", OPEN), *steps, ("send", delta("end") + finish() + DONE), ("eof",)])
    answer = ask(impatient(next_data=0.7), api_base=base)
    assert answer.error is None


def test_blanks_keep_a_json_reply_alive_without_being_data(server: FaultServer) -> None:
    head_of_body = head(content_type="application/json") + b'{"choices":'
    base = server.add("s", [("send", head_of_body), *pinging(b"\n", 5)])
    assert "only keep-alives" in str(ask(impatient(next_data=0.5), api_base=base).error)


@pytest.mark.fault(6)
def test_silence_after_data_keeps_the_text_and_says_idle(server: FaultServer) -> None:
    base = server.add("s", [("send", OPEN), *[("send", delta("ab"))] * 3, ("accept_only",)])
    answer = ask(impatient(idle=0.3), api_base=base)
    assert answer.text == "ababab"
    assert type(answer.error) is ProviderTimeoutError
    assert "idle" in str(answer.error)
    server.wait_for_close()
    assert len(server.requests) == 1


@pytest.mark.fault(7)
def test_a_slow_but_steady_stream_never_times_out(server: FaultServer) -> None:
    steps: list[Step] = [step for _ in range(40) for step in (("send", delta("x")), ("sleep", 0.05))]
    base = server.add("s", [("send", OPEN), *steps, ("send", finish() + DONE), ("eof",)])
    answer = ask(impatient(first_data=1.0, idle=1.0), api_base=base)
    assert answer.error is None
    assert answer.text == "x" * 40


def test_a_slow_reader_is_no_idle_server(server: FaultServer) -> None:
    base = server.add(
        "s", [("send", OPEN), ("send", delta("a")), ("sleep", 0.6), ("send", delta("b") + DONE), ("eof",)]
    )

    async def read_slowly() -> list[Any]:
        chunks = []
        async for chunk in impatient(idle=0.4).create_async_generator("m", HELLO, api_base=base):
            chunks.append(chunk)
            await asyncio.sleep(0.5)
        return chunks

    assert asyncio.run(read_slowly()) == ["a", "b"]


@pytest.mark.fault(8)
def test_a_reset_in_an_unframed_body_keeps_the_text_and_is_not_retried(server: FaultServer) -> None:
    base = server.add("s", [("send", OPEN), ("send", delta("part")), ("sleep", 0.1), ("rst",)])
    answer = ask(api_base=base)
    assert answer.text == "part"
    assert type(answer.error) is StreamError
    assert "broke off" in str(answer.error)
    assert answer.finish_reason is None
    assert len(server.requests) == 1


@pytest.mark.fault(9)
@pytest.mark.parametrize(
    "body",
    [CHUNKED + chunked([delta("part")], ended=False), head(Content_Length="100000") + delta("part")],
    ids=["chunked", "length"],
)
def test_an_early_end_of_a_framed_body_keeps_the_text_and_is_not_retried(server: FaultServer, body: bytes) -> None:
    base = server.add("s", [("send", body), ("sleep", 0.1), ("eof",)])
    answer = ask(api_base=base)
    assert answer.text == "part"
    assert type(answer.error) is StreamError
    assert len(server.requests) == 1


@pytest.mark.fault(8, 9)
@pytest.mark.parametrize("framed", [True, False])
def test_what_came_before_the_break_reaches_a_slow_reader(server: FaultServer, framed: bool) -> None:
    texts = [delta(text) for text in "abcdef"]
    if framed:
        rest = chunked(texts[1:], ended=False)
        base = server.add(
            "s", [("send", CHUNKED + chunked(texts[:1], ended=False)), ("sleep", 0.1), ("send", rest), ("eof",)]
        )
    else:
        base = server.add(
            "s", [("send", OPEN + texts[0]), ("sleep", 0.1), ("send", b"".join(texts[1:])), ("sleep", 0.1), ("rst",)]
        )
    chunks: list[Any] = []

    async def read_slowly() -> None:
        async for chunk in Patient.create_async_generator("m", HELLO, api_base=base):
            chunks.append(chunk)
            await asyncio.sleep(0.5 if chunk == "a" else 0)

    with pytest.raises(StreamError):
        asyncio.run(read_slowly())
    assert chunks == list("abcdef")


@pytest.mark.fault(10)
@pytest.mark.parametrize(
    "script",
    [[("eof",)], [("rst",)], [("send", CHUNKED), ("sleep", 0.05), ("eof",)]],
    ids=["eof", "rst", "after the head"],
)
def test_a_connection_that_drops_before_any_byte_is_retried_twice(server: FaultServer, script: list[Step]) -> None:
    base = server.add("s", script)
    answer = ask(api_base=base)
    assert type(answer.error) is ProviderConnectionError
    assert "dropped the connection" in str(answer.error)
    assert len(server.requests) == 3


@pytest.mark.fault(10)
def test_a_retry_that_succeeds_is_a_whole_reply(server: FaultServer) -> None:
    base = server.add("s", [("eof",)], reply("fine"))
    answer = ask(api_base=base)
    assert answer.text == "fine"
    assert answer.error is None
    assert [(retry.attempt, retry.delay) for retry in answer.retries] == [(2, 0.5)]


@pytest.mark.fault(11)
@pytest.mark.threat(17)
@pytest.mark.parametrize(
    ("kind", "cause"),
    [("self-signed", "self-signed certificate"), ("expired", "expired"), ("another host", "mismatch")],
)
def test_a_certificate_that_is_not_accepted_names_the_cause(
    authority: tuple[trustme.CA, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, cause: str
) -> None:
    ca, path = authority
    if kind == "self-signed":
        context = self_signed_context(tmp_path, "127.0.0.1")
    else:
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        host = "127.0.0.1" if kind == "expired" else "elsewhere.example"
        context = tls_context(ca, host, expired=kind == "expired")
    with FaultServer(tls=context) as server:
        answer = ask(api_base=server.add("s", reply("never")), api_key=FAKE_KEY)
        assert server.requests == []
    assert type(answer.error) is ProviderConnectionError
    assert cause in str(answer.error)
    assert "SSL_CERT_FILE" in str(answer.error)
    assert answer.error.attempts == 1


@pytest.mark.fault(11)
def test_an_authority_in_ssl_cert_file_is_trusted_from_then_on(
    authority: tuple[trustme.CA, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ca, path = authority

    async def ask_twice(base: str) -> tuple[Answer, Answer]:
        before = await collect(Patient, api_base=base)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        return before, await collect(Patient, api_base=base)

    with FaultServer(tls=tls_context(ca, "127.0.0.1")) as server:
        before, after = asyncio.run(ask_twice(server.add("s", reply("secure"))))
    assert before.error is not None
    assert after.text == "secure"


@pytest.mark.fault(12)
def test_https_to_a_plain_port_hints_at_http(server: FaultServer) -> None:
    answer = ask(impatient(connect=0.5), api_base=server.add("s", reply("x")).replace("http:", "https:"))
    assert isinstance(answer.error, ProviderConnectionError)
    assert "http://" in str(answer.error)


@pytest.mark.fault(12)
def test_https_to_a_server_that_answers_in_plain_http_hints_at_http() -> None:
    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async def main() -> Answer:
        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            return await collect(Patient, api_base=f"https://127.0.0.1:{port}/v1")

    answer = asyncio.run(main())
    assert isinstance(answer.error, ProviderConnectionError)
    assert "http://" in str(answer.error)
    assert answer.error.attempts == 1


@pytest.mark.fault(13)
def test_a_proxy_of_the_environment_gets_the_whole_address(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add("s", reply("by proxy"))
    monkeypatch.setenv("HTTP_PROXY", "")
    monkeypatch.setenv("http_proxy", server.origin)
    answer = ask(api_base="http://models.example/v1/s")
    assert answer.text == "by proxy"
    assert server.requests[0].target == "http://models.example/v1/s/chat/completions"


@pytest.mark.fault(13)
def test_loopback_is_never_proxied(server: FaultServer, stranger: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", stranger.origin)
    monkeypatch.setenv("all_proxy", stranger.origin)
    assert ask(api_base=server.add("s", reply("direct"))).text == "direct"
    assert stranger.events == []


@pytest.mark.fault(13)
def test_no_proxy_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "internal.example,models.example:8443")
    found = find_proxy("https://api.example/v1")
    assert found is not None
    assert found.address == "http://proxy.example:3128"
    assert find_proxy("https://a.internal.example/v1") is None
    assert find_proxy("https://models.example:8443/v1") is None
    assert find_proxy("https://[::1]:8443/v1") is None
    assert find_proxy("https://localhost/v1") is None


@pytest.mark.finding("A13")
@pytest.mark.fault(13)
@pytest.mark.parametrize(
    ("no_proxy", "address"),
    [
        ("10.0.0.0/8", "http://10.1.2.3:8000/v1"),
        ("*.corp.example", "https://models.corp.example/v1"),
        ("192.168.0.0/16, 172.16.0.0/12", "http://172.20.0.9/v1"),
        ("fd00::/8", "http://[fd12:3456::1]:8000/v1"),
        ("example.org *.corp.example", "http://a.b.corp.example:8080/v1"),
        ("*.corp.example:8443", "https://models.corp.example:8443/v1"),
        ("*.CORP.example", "https://Models.Corp.Example/v1"),
        ("10.1.2.0/24", "http://[::ffff:10.1.2.3]/v1"),
        ("models.corp.example:443", "https://models.corp.example/v1"),
    ],
)
def test_networks_and_wildcards_of_no_proxy_are_obeyed(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, address: str
) -> None:
    monkeypatch.setenv("all_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert find_proxy(normalise_api_base(address)) is None


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    ("no_proxy", "address"),
    [
        ("corp.example", "https://corp.example/v1"),
        ("corp.example", "https://a.corp.example/v1"),
        (".corp.example", "https://a.corp.example/v1"),
        ("corp.example.", "https://a.corp.example./v1"),
        ("10.1.2.3", "http://10.1.2.3/v1"),
        ("10.1.2.3:8000", "http://10.1.2.3:8000/v1"),
        ("[fd12::1]:8443", "https://[fd12::1]:8443/v1"),
        ("fd12::1", "http://[fd12:0::1]/v1"),
        ("bücher.example", "https://bücher.example/v1"),
        ("*", "https://anything.example/v1"),
    ],
)
def test_hosts_and_addresses_of_no_proxy_are_obeyed(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, address: str
) -> None:
    monkeypatch.setenv("all_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert find_proxy(normalise_api_base(address)) is None


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    ("no_proxy", "address"),
    [
        ("10.0.0.0/8", "http://11.0.0.1/v1"),
        ("10.0.0.0/8", "http://ten.example/v1"),  # a name is not looked up for this
        ("*.corp.example", "https://corp.example/v1"),
        ("*.corp.example", "https://notcorp.example/v1"),
        ("corp.example", "https://notcorp.example/v1"),
        ("corp.example:8443", "https://corp.example/v1"),
        ("*.corp.example:8443", "https://a.corp.example/v1"),
        ("10.1.2.3:8000", "http://10.1.2.3/v1"),
        ("fd00::/8", "http://[fe80::1]/v1"),
        ("10.0.0.0/99, ::/x, :, *., /8, [", "http://10.1.2.3/v1"),
        (" , ,", "https://corp.example/v1"),
    ],
)
def test_what_no_proxy_does_not_name_goes_through_the_proxy(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, address: str
) -> None:
    monkeypatch.setenv("all_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", no_proxy)
    found = find_proxy(normalise_api_base(address))
    assert found is not None
    assert found.address == "http://proxy.example:3128"


@pytest.mark.fault(13)
def test_a_proxy_that_refuses_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    port = closed_port()
    monkeypatch.setenv("http_proxy", f"http://me:{FAKE_KEY}@127.0.0.1:{port}")
    answer = ask(api_base="http://models.example/v1")
    assert f"proxy 127.0.0.1:{port}" in str(answer.error)
    assert FAKE_KEY not in str(answer.error)


@pytest.mark.fault(13)
def test_a_proxy_that_declines_a_tunnel_is_named(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", server.origin)
    answer = ask(api_base="https://models.example/v1")  # the server knows no CONNECT and answers 404
    assert type(answer.error) is ProviderConnectionError
    assert f"proxy {server.host}:{server.port}: the proxy answered 404" in str(answer.error)
    assert len(server.requests) == 1


@pytest.mark.fault(13)
def test_a_socks_proxy_is_refused_instead_of_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9")
    answer = ask(api_base="http://models.example/v1")
    assert "SOCKS" in str(answer.error)


@pytest.mark.fault(14)
def test_a_netrc_entry_does_not_replace_the_key(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert ask(api_base=server.add("s", reply("x")), api_key=FAKE_KEY).error is None
    assert server.requests[0].headers["authorization"] == f"Bearer {FAKE_KEY}"


@pytest.mark.fault(15)
def test_ipv6_and_a_name_whose_ipv6_address_is_dead(server: FaultServer) -> None:
    try:
        ipv6 = FaultServer(host="::1").__enter__()
    except OSError:
        pytest.skip("no IPv6 on the loopback interface")
    try:
        assert ask(api_base=ipv6.add("s", reply("six"))).text == "six"
    finally:
        ipv6.__exit__(None, None, None)
    base = server.add("s", reply("four")).replace("127.0.0.1", "localhost")
    assert ask(api_base=base).text == "four"


@pytest.mark.fault(16)
@pytest.mark.threat(15)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed(server: FaultServer, stranger: FaultServer, status: int) -> None:
    target = f"{stranger.origin}/v1/s/chat/completions?token=abc"
    base = server.add("s", [("send", head(f"{status} Elsewhere", Location=target, Content_Length="0"))])
    answer = ask(api_base=base, api_key=FAKE_KEY)
    assert type(answer.error) is ResponseStatusError
    assert answer.error.status == status
    assert stranger.origin in str(answer.error)
    assert "chat/completions" not in str(answer.error)
    assert "token" not in str(answer.error)
    assert stranger.events == []
    assert len(server.requests) == 1


@pytest.mark.fault(17)
def test_a_redirect_on_the_same_origin_says_what_to_set(server: FaultServer) -> None:
    base = server.add("s", [("send", head("308 Moved", Location="/v2/chat/completions", Content_Length="0"))])
    answer = ask(api_base=base)
    assert f"set api_base to {server.origin}/v2" in str(answer.error)
    assert len(server.requests) == 1


def test_a_redirect_to_nowhere_is_an_error_as_well(server: FaultServer) -> None:
    base = server.add("s", [("send", head("302 Found", Location="javascript:alert(1)", Content_Length="0"))])
    assert "redirect without a valid target" in str(ask(api_base=base).error)


# --- the end of a body


@pytest.mark.fault(22)
def test_what_follows_done_is_ignored_and_an_open_body_is_closed(server: FaultServer) -> None:
    base = server.add("s", [("send", OPEN + delta("x") + DONE + delta("never")), ("accept_only",)])

    async def main() -> Answer:
        answer = await collect(Patient, api_base=base)
        await asyncio.to_thread(server.wait_for_close)  # while the loop goes on
        return answer

    answer = asyncio.run(main())
    assert answer.text == "x"
    assert answer.error is None


@pytest.mark.fault(22)
def test_a_body_that_goes_on_behind_done_is_drained_only_so_far(server: FaultServer) -> None:
    base = server.add("s", [("send", OPEN + delta("x") + DONE), *[("send", b": more\n" * 10_000)] * 200])

    async def main() -> Answer:
        answer = await collect(Patient, api_base=base)
        await asyncio.to_thread(server.wait_for_close)
        return answer

    assert asyncio.run(main()).text == "x"


def test_a_connection_is_used_again(server: FaultServer) -> None:
    base = server.add("s", reply("x"))

    async def main() -> None:
        for _ in range(5):
            assert (await collect(Patient, api_base=base)).text == "x"

    asyncio.run(main())
    assert server.count("request") == 5
    assert server.count("accept") == 1


def test_a_server_that_says_no_done_after_its_finish_reason_is_not_waited_for(server: FaultServer) -> None:
    base = server.add("s", [("send", OPEN + delta("x") + finish()), ("accept_only",)])
    answer = ask(impatient(after_finish=0.2), api_base=base)
    assert (answer.text, answer.finish_reason, answer.error) == ("x", "stop", None)
    server.wait_for_close()


def test_a_last_event_without_its_blank_line_is_read_where_it_is_whole(server: FaultServer) -> None:
    whole, half = delta("two").rstrip(), delta("two")[:-10]
    for rest, text in ((whole, "one, two"), (half, "one, ")):
        answer = ask(api_base=server.add("s", [("send", OPEN + delta("one, ") + rest), ("eof",)]))
        assert (answer.text, answer.finish_reason, answer.error) == (text, "truncated", None)


def test_a_connection_lost_after_the_finish_reason_is_no_error(server: FaultServer) -> None:
    base = server.add("s", [("send", CHUNKED + chunked([delta("x"), finish()], ended=False)), ("sleep", 0.1), ("eof",)])
    answer = ask(api_base=base)
    assert (answer.text, answer.finish_reason, answer.error) == ("x", "stop", None)


# --- leaving early


def left_early(server: FaultServer, leave: Any) -> None:
    base = server.add("s", [("send", OPEN), ("send", delta("a")), ("accept_only",)])

    async def main() -> None:
        await leave(Patient.create_async_generator("m", HELLO, api_base=base))
        await asyncio.to_thread(server.wait_for_close)

    asyncio.run(main())
    assert len(server.requests) == 1


def test_break_closes_the_connection(server: FaultServer) -> None:
    async def leave(chunks: Any) -> None:
        async for _ in chunks:
            break

    left_early(server, leave)


def test_aclose_closes_the_connection(server: FaultServer) -> None:
    async def leave(chunks: Any) -> None:
        async with aclosing(chunks):
            await anext(chunks)

    left_early(server, leave)


def test_cancelling_closes_the_connection(server: FaultServer) -> None:
    async def leave(chunks: Any) -> None:
        async def read() -> None:
            async for _ in chunks:
                first.set()

        first = asyncio.Event()
        task = asyncio.create_task(read())
        await first.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    left_early(server, leave)


def test_cancelling_before_the_answer_closes_the_connection(server: FaultServer) -> None:
    base = server.add("s", [("accept_only",)])

    async def main() -> None:
        task = asyncio.create_task(collect(Patient, api_base=base))
        await asyncio.to_thread(server.wait_for, "request")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(server.wait_for_close)

    asyncio.run(main())


def test_a_loop_that_ends_right_after_break_leaves_nothing_open(server: FaultServer) -> None:
    base = server.add("s", [("send", OPEN), ("send", delta("a")), ("accept_only",)])

    async def main() -> None:
        async for _ in Patient.create_async_generator("m", HELLO, api_base=base):
            break

    asyncio.run(main(), debug=True)
    server.wait_for_close()


# --- limits


@pytest.mark.fault(28)
def test_a_five_megabyte_event_passes(server: FaultServer) -> None:
    text = "x" * 5_000_000
    base = server.add(
        "s", [("send", OPEN), *[("send", piece) for piece in cut(delta(text), 1)], ("send", DONE), ("eof",)]
    )
    assert ask(api_base=base).text == text


@pytest.mark.fault(28)
@pytest.mark.threat(24)
@pytest.mark.parametrize("line", [b"x" * 2**20, b"data: " + b"x" * 2**20 + b"\n"], ids=["line", "event"])
def test_an_event_beyond_the_limit_stops_with_the_limit_named(server: FaultServer, line: bytes) -> None:
    base = server.add("s", [("send", OPEN + delta("before")), *[("send", line)] * 60])
    before = peak_memory()
    answer = ask(api_base=base)
    assert answer.text == "before"
    assert isinstance(answer.error, StreamError)
    assert "16" in str(answer.error)
    assert peak_memory() - before < 150 * 2**20
    server.wait_for_close()


@pytest.mark.fault(28)
@pytest.mark.threat(24)
def test_an_endless_stream_stops_with_the_limit_named(server: FaultServer) -> None:
    base = server.add("s", [("send", OPEN), *[("send", delta("x" * 1000) * 1000)] * 100])
    answer = ask(impatient(largest_body=4 * 2**20), api_base=base)
    assert isinstance(answer.error, StreamError)
    assert "4 MiB" in str(answer.error)
    assert 0 < len(answer.text) <= 4 * 2**20
    server.wait_for_close()


@pytest.mark.fault(28)
def test_a_json_body_beyond_the_limit_stops_with_the_limit_named(server: FaultServer) -> None:
    base = server.add("s", [("send", head(content_type="application/json") + b"{"), *[("send", b" " * 2**20)] * 40])
    answer = ask(api_base=base)
    assert isinstance(answer.error, ResponseError)
    assert "16 MiB" in str(answer.error)
    server.wait_for_close()


# --- broken HTTP

BROKEN = {
    "badgzip": [("send", head(Content_Encoding="gzip", Content_Length="10") + b"0123456789"), ("eof",)],
    "unknown encoding": [("send", head(Content_Encoding="snappy", Content_Length="3") + b"abc"), ("eof",)],
    "hugehdr": [("send", head(X_Echo=FAKE_KEY + "a" * 9000)), ("eof",)],
    "hugehdr2": [("send", head(X_Echo="a" * 80 + FAKE_KEY + "a" * 9000)), ("eof",)],
    "notHTTP": [("send", b"SSH-2.0-OpenSSH_9.7 " + FAKE_KEY.encode() + b"\r\n"), ("eof",)],
    "badchunk": [("send", CHUNKED + b"zz\r\nabc\r\n"), ("eof",)],
    "badhdr": [("send", b"HTTP/1.1 200 OK\r\nBad\x00Header: " + FAKE_KEY.encode() + b"\r\n\r\n"), ("eof",)],
    "bad status": [("send", b"HTTP/1.1 abc OK\r\n\r\n"), ("eof",)],
}


@pytest.mark.fault(29)
@pytest.mark.threat(11)
@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_http_is_a_response_error_without_the_key(server: FaultServer, name: str) -> None:
    answer = ask(api_base=server.add("s", BROKEN[name]), api_key=FAKE_KEY)
    assert type(answer.error) is ResponseError
    assert FAKE_KEY[:8] not in repr(answer.error)
    assert len(server.requests) == 1


@pytest.mark.fault(29)
def test_a_bad_chunk_in_the_middle_ends_the_reply_at_once(server: FaultServer) -> None:
    script: list[Step] = [
        ("send", CHUNKED + chunked([delta("part")], ended=False)),
        ("sleep", 0.1),
        ("send", b"zz\r\n"),
    ]
    started = time.monotonic()
    answer = ask(api_base=server.add("s", [*script, ("accept_only",)]))
    assert answer.text == "part"
    assert type(answer.error) is StreamError
    assert time.monotonic() - started < 10  # not the idle timer


def test_a_gzip_body_is_read_although_none_was_asked_for(server: FaultServer) -> None:
    body = gzip.compress(delta("zipped") + finish() + DONE)
    base = server.add("s", [("send", head(Content_Encoding="gzip", Content_Length=str(len(body))) + body)])
    assert ask(api_base=base).text == "zipped"
    assert server.requests[0].headers["accept-encoding"] == "identity"


# --- statuses and retries


@pytest.mark.fault(33)
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "1"}, 1.0),
        ({"Retry-After": "0"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "31"}, 31.0),
        ({"Retry-After": "86400"}, 86400.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:01:50 GMT"}, 10.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:50 GMT"}, None),
        ({"Retry-After": "Thu, 01 Jan 99999 00:00:50 GMT"}, None),
        ({"Retry-After-Ms": "250"}, 0.25),
        ({"Retry-After-Ms": "250", "Retry-After": "7"}, 0.25),
        ({"Retry-After-Ms": "x", "Retry-After": "7"}, 7.0),
    ],
)
def test_what_retry_after_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_delay(headers, now=100.0) == seconds


@pytest.mark.fault(33)
def test_delays_grow_with_jitter_and_end() -> None:
    policy = Policy(retries=6, dice=lambda: 0.0)
    assert [policy.delay(attempt, None) for attempt in range(1, 8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, None]
    assert Policy(dice=lambda: 1.0).delay(1, None) == 0.375
    assert policy.delay(1, 30.0) == 30.0
    assert policy.delay(1, 30.1) is None


@pytest.mark.fault(33)
def test_a_wait_that_the_service_asks_for_is_obeyed(server: FaultServer) -> None:
    busy = json_answer({"error": {"message": "slow down"}}, "429 Too Many Requests", Retry_After="7")
    answer = ask(api_base=server.add("s", busy, reply("then")))
    assert answer.text == "then"
    assert [type(notice) for notice in answer.notices] == [Retry]
    assert answer.retries[0].delay == 7.0
    assert "429" in answer.retries[0].reason


@pytest.mark.fault(33)
@pytest.mark.parametrize(("asked", "told"), [("31", "31 s"), ("600", "10 min"), ("86400", "24 h")])
def test_a_wait_beyond_the_cap_is_told_instead_of_waited(server: FaultServer, asked: str, told: str) -> None:
    base = server.add("s", json_answer({"error": {"message": "slow down"}}, "429 Too Many Requests", Retry_After=asked))
    answer = ask(api_base=base)
    assert type(answer.error) is RateLimitError
    assert answer.error.retry_after == float(asked)
    assert told in str(answer.error)
    assert len(server.requests) == 1


@pytest.mark.fault(34)
def test_an_exhausted_quota_is_not_retried(server: FaultServer) -> None:
    error = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
    answer = ask(api_base=server.add("s", json_answer(error, "429 Too Many Requests", Retry_After="1")))
    assert type(answer.error) is RateLimitError
    assert "billing" in str(answer.error)
    assert len(server.requests) == 1


@pytest.mark.fault(35)
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520, 529])
def test_a_server_error_is_retried_and_the_success_is_shown(server: FaultServer, status: int) -> None:
    answer = ask(api_base=server.add("s", json_answer({"error": "x"}, f"{status} Trouble"), reply("fine")))
    assert answer.text == "fine"
    assert len(answer.notices) == 1
    assert len(server.requests) == 2


@pytest.mark.fault(36)
def test_when_all_attempts_fail_the_last_error_counts_them(server: FaultServer) -> None:
    waited = []

    async def record(seconds: float) -> None:
        waited.append(seconds)

    class Recording(Patient):
        policy = Policy(sleep=record)

    answer = ask(Recording, api_base=server.add("s", json_answer({"error": "down"}, "503 Service Unavailable")))
    assert type(answer.error) is ResponseStatusError
    assert (answer.error.status, answer.error.attempts) == (503, 3)
    assert len(server.requests) == 3
    assert 0.375 + 0.75 <= sum(waited) <= 0.5 + 1.0


def test_nothing_is_retried_after_the_first_byte(server: FaultServer) -> None:
    base = server.add("s", [("send", OPEN + b": ping\n\n"), ("sleep", 0.1), ("rst",)])
    answer = ask(api_base=base)
    assert type(answer.error) is StreamError
    assert len(server.requests) == 1


@pytest.mark.fault(41)
def test_interrupting_a_retry_wait_ends_it(server: FaultServer) -> None:
    class Waiting(Patient):
        policy = Policy()

    base = server.add("s", json_answer({}, "503 X", Retry_After="20"))

    async def main() -> None:
        task = asyncio.create_task(collect(Waiting, api_base=base))
        await asyncio.to_thread(server.wait_for, "request")
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    started = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - started < 10
    assert len(server.requests) == 1


# --- loops, threads, leaks


@pytest.mark.fault(50)
def test_two_loops_in_two_threads_share_nothing(server: FaultServer) -> None:
    base = server.add("s", [("send", OPEN), *[("send", delta("x")), ("sleep", 0.01)] * 20, ("send", DONE), ("eof",)])
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(api_base=base))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [answer.text for answer in answers] == ["x" * 20] * 4
    assert server.count("accept") == 4


@contextmanager
def nothing_left_open() -> Iterator[None]:
    def count() -> tuple[int, int, int]:
        return len(list(Path("/dev/fd").iterdir())), threading.active_count(), len(sessions._sessions)

    before = count()
    yield
    wait_until(
        lambda: all(now <= then for now, then in zip(count(), before, strict=True)),
        "no file, thread or session is left",
        5,
    )


def peak_memory() -> int:
    """Bytes of this process's memory at its highest so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@pytest.mark.fault(51)
@pytest.mark.filterwarnings("error::ResourceWarning")
def test_a_hundred_requests_leave_nothing_open(server: FaultServer) -> None:
    base = server.add("s", reply("x"))
    left = server.add("left", [("send", OPEN), ("send", delta("a")), ("accept_only",)])

    async def main() -> None:
        for _ in range(100):
            assert (await collect(Patient, api_base=base)).text == "x"
        for _ in range(20):
            async for _ in Patient.create_async_generator("m", HELLO, api_base=left):
                break
        await asyncio.sleep(0)
        wait_for_tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await asyncio.gather(*wait_for_tasks)
        assert len(asyncio.all_tasks()) == 1

    ask(api_base=base)  # what is imported on first use may open files
    with nothing_left_open():
        asyncio.run(main(), debug=True)
        server.wait_for_close(20)


@pytest.mark.fault(51)
def test_sessions_end_with_their_loops(server: FaultServer) -> None:
    base = server.add("s", reply("x"))
    before = dict(sessions._sessions)  # the bridge may have one
    for _ in range(3):
        ask(api_base=base)
    assert sessions._sessions == before
    loop = asyncio.new_event_loop()
    loop.run_until_complete(collect(Patient, api_base=base))
    assert sessions._sessions.keys() - before.keys() == {loop}
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    assert sessions._sessions == before


@pytest.mark.fault(51)
def test_a_loop_that_ends_with_a_stream_open_closes_the_connection(server: FaultServer) -> None:
    base = server.add("s", [("send", OPEN), ("send", delta("a")), ("accept_only",)])
    streams = []

    async def main() -> None:
        streams.append(Patient.create_async_generator("m", HELLO, api_base=base))
        assert await anext(streams[0]) == "a"

    end_without_asyncio_run(main())
    server.wait_for_close()


@pytest.mark.fault(51)
def test_a_loop_that_ends_right_after_a_reply_waits_for_no_rest_of_its_body(
    server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    base = server.add("s", [("send", OPEN + delta("a") + DONE), ("accept_only",)])
    assert end_without_asyncio_run(collect(impatient(drain=60.0), api_base=base)).text == "a"
    gc.collect()
    assert caplog.messages == [], "asyncio tells of tasks that were pending"
    server.wait_for_close()


def end_without_asyncio_run(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a loop that then only shuts its generators down, which is what closes a session."""
    loop = asyncio.new_event_loop()
    result = loop.run_until_complete(work)
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    return result


@pytest.mark.fault(51)
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # asyncio's word about such a loop
def test_the_session_of_a_loop_that_was_closed_too_early_is_let_go_by_the_next(server: FaultServer) -> None:
    base = server.add("s", reply("x"))
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(collect(Patient, api_base=base)).text == "x"
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()  # without `shutdown_asyncgens()`
    assert loop in sessions._sessions
    assert ask(api_base=base).text == "x"
    assert loop not in sessions._sessions
    del loop
    gc.collect()
    server.wait_for_close(2)


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    ("rest", "leaving", "ending"),
    [
        (("send", b"0\r\n\r\n"), "pass", "loop.close()"),
        (("accept_only",), "pass", "loop.close()"),
        (("send", b"0\r\n\r\n"), "break", "pass"),
        (("send", b"0\r\n\r\n"), "break", "os.fork() or os._exit(0); os.wait()"),
    ],
    ids=["closed", "closed in mid-body", "never closed", "forked"],
)
def test_a_program_that_never_ends_its_loop_properly_ends_quietly(
    server: FaultServer, rest: Step, leaving: str, ending: str
) -> None:
    base = server.add("s", [*stream(delta("x"), DONE)[:-1], rest])
    code = (
        "import asyncio, os\n"
        "from jmuz_magic.providers import OpenaiTemplate\n"
        "async def main():\n"
        "    messages = [{'role': 'user', 'content': 'Hello'}]\n"
        f"    async for chunk in OpenaiTemplate.create_async_generator('m', messages, api_base={base!r}):\n"
        "        print(chunk, flush=True)\n"
        f"        {leaving}\n"
        "loop = asyncio.new_event_loop()\n"
        "loop.run_until_complete(main())\n"
        f"{ending}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "x\n", "")


CALLED = delta(tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}])
LEFT_BY_AN_ERROR = """
import asyncio
from jmuz_magic import Conversation, Jmuz, OpenaiTemplate
messages = [{{"role": "user", "content": "Hello"}}]
base = {base!r}

async def main():
    async for chunk in {source}:
        raise ValueError("mine")

try:
    asyncio.run(main())
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(f"{name}.create_async_generator('m', messages, api_base=base)", marks=pytest.mark.finding("D12"))
        for name in ("OpenaiTemplate", "Jmuz")
    ]
    + [
        "Conversation('m', api_base=base).stream('Hello')",
    ],
)
@pytest.mark.parametrize(
    "events",
    [
        (CALLED, finish("tool_calls"), DONE),
        (delta("a\n"), delta("b\nJoin"), delta("c"), finish(), DONE),
        (delta(reasoning="hm"), delta("a\nJoin for"), DONE),
    ],
    ids=["tool call", "text", "reasoning"],
)
def test_leaving_by_an_error_as_the_program_ends_is_quiet(
    server: FaultServer, source: str, events: tuple[bytes, ...]
) -> None:
    base = server.add("s", stream(b"".join(events)))
    code = LEFT_BY_AN_ERROR.format(base=base, source=source)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "mine\n", "")


def test_many_streams_run_at_once(server: FaultServer) -> None:
    base = server.add("s", [("send", OPEN + delta("a")), ("wait_requests", 150), ("send", delta("b") + DONE), ("eof",)])

    async def main() -> list[Answer]:
        return await asyncio.gather(*[collect(Patient, api_base=base) for _ in range(150)])

    assert [answer.text for answer in asyncio.run(main())] == ["ab"] * 150


@pytest.mark.threat(17)
def test_no_source_turns_certificate_checks_off() -> None:
    import jmuz_magic

    folder = Path(jmuz_magic.__file__).parent
    sources = [path.read_text() for path in folder.rglob("*.py")]
    assert sources
    for source in sources:
        for switch in ("ssl=False", "verify_ssl", "CERT_NONE", "check_hostname = False", "_create_unverified_context"):
            assert switch not in source


def test_the_environment_of_these_tests_has_no_proxy() -> None:
    assert not [name for name in os.environ if name.lower().endswith("_proxy")]


def test_a_rejected_key_is_not_tried_again(server: FaultServer) -> None:
    answer = ask(api_base=server.add("s", json_answer({"error": "no"}, "401 Unauthorized")), api_key=FAKE_KEY)
    assert type(answer.error) is MissingAuthError
    assert len(server.requests) == 1


def test_streams_come_in_pieces(server: FaultServer) -> None:
    base = server.add("s", stream(delta("a"), delta("b"), finish(), DONE))
    assert ask(api_base=base).chunks[:2] == ["a", "b"]
