"""Servers on this machine: which are looked for, what harm they can do, and whose they are."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jmuz_magic.providers import LMStudio, Ollama, OpenAI, OpenaiTemplate, Provider
from jmuz_magic.providers.local import LARGEST_LIST, LocalServer, find_servers, local_servers, other_users
from jmuz_magic.providers.registry import known_providers
from jmuz_magic.streaming.bridge import get_bridge
from tests.fault_server import FaultServer, Step, closed_port, head, json_answer

HERE, STRANGER = 4242, 4243  # user ids that no system has

LINE = "   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {uid:>5}        0 7 1 0 100 0 0 10 0\n"
HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def at(address: str) -> type[OpenaiTemplate]:
    class Here(OpenaiTemplate):
        api_base = address

    return Here


def asked(*providers: Provider, patience: float = 10) -> list[LocalServer]:
    return get_bridge().run(find_servers(local_servers(providers), patience))


def listed(*ids: str) -> list[Step]:
    return json_answer({"object": "list", "data": [{"id": id_} for id_ in ids]})


def ids(server: LocalServer) -> list[str] | None:
    return None if server.models is None else [model.id for model in server.models]


def test_the_known_servers_of_a_machine_are_looked_for_at_their_ports() -> None:
    found = [(server.provider.spoken_name, server.api_base) for server in local_servers(known_providers().values())]
    assert found == [
        ("ollama", "http://localhost:11434/v1"),
        ("lmstudio", "http://localhost:1234/v1"),
        ("llamacpp", "http://localhost:8080/v1"),
        ("vllm", "http://localhost:8000/v1"),
    ]


def test_an_address_of_the_environment_counts_if_it_is_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "0.0.0.0:4711")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://[::1]:4712/v1")
    found = [server.api_base for server in local_servers([OpenAI, Ollama, LMStudio])]
    assert found == ["http://[::1]:4712/v1", "http://localhost:4711/v1", "http://localhost:1234/v1"]
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1234/v1")
    for elsewhere in ("gpu.example", "http://192.168.0.7:11434", "http://localhost.example", "http://["):
        monkeypatch.setenv("OLLAMA_HOST", elsewhere)
        (server,) = local_servers([OpenAI, Ollama, LMStudio])
        assert (server.provider, server.api_base) == (OpenAI, "http://localhost:1234/v1")  # each address once


def test_each_server_is_asked_once_for_its_models_without_key_and_proxy(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", server.add("ollama", listed("qwen3", "phi4")))
    monkeypatch.setenv("OLLAMA_API_KEY", "sk-fake-0123456789abcdef")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    first, second, third = asked(
        Ollama,
        at(server.add("pages", json_answer({"data": [{"id": "a"}], "has_more": True, "last_id": "a"}))),
        at(f"http://127.0.0.1:{closed_port()}/v1"),
    )
    assert (ids(first), ids(second), ids(third)) == (["qwen3", "phi4"], ["a"], None)
    assert sorted((request.method, request.target) for request in server.requests) == [
        ("GET", "/v1/ollama/v1/models"),
        ("GET", "/v1/pages/models"),
    ]
    assert all("authorization" not in request.headers and not request.body for request in server.requests)


def test_all_are_asked_at_once(server: FaultServer) -> None:
    waits: list[Step] = [("wait_requests", 3), *listed("m")]
    servers = asked(*(at(server.add(name, waits)) for name in ("a", "b", "c")))
    assert [ids(found) for found in servers] == [["m"]] * 3


MEGABYTES = b'{"data":[{"id":"' + b"m" * 4 * LARGEST_LIST + b'"}]}'
BOMB = gzip.compress(bytes(64 * 2**20))


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([("accept_only",)], id="silent"),
        pytest.param([("send", head(Content_Length="99")), ("accept_only",)], id="stops"),
        pytest.param([("eof",)], id="closes"),
        pytest.param([("rst",)], id="resets"),
        pytest.param([("send", b"+OK POP3 server ready\r\n"), ("accept_only",)], id="something else"),
        pytest.param([("send", head(content_type="text/html", Content_Length="6") + b"<html>")], id="a page"),
        pytest.param(json_answer({"models": 1}), id="other JSON"),
        pytest.param(json_answer(b"[" * 100_000), id="deep JSON"),
        pytest.param(json_answer({"error": "no"}, "401 Unauthorized"), id="wants a key"),
        pytest.param(json_answer({"error": "loading"}, "503 Service Unavailable"), id="loading"),
        pytest.param(json_answer(MEGABYTES), id="megabytes"),
        pytest.param([("send", head(Content_Encoding="gzip", Content_Length=str(len(BOMB))) + BOMB)], id="a bomb"),
    ],
)
def test_a_server_that_answers_otherwise_is_absent_and_holds_up_no_other(
    server: FaultServer, script: list[Step]
) -> None:
    bad = at(server.add("bad", script))
    good = at(server.add("good", listed("m")))
    began = time.monotonic()
    found = asked(bad, good, patience=0.5)
    assert time.monotonic() - began < 5
    assert ids(found[0]) is None
    assert ids(found[1]) == ["m"]
    # aiohttp sends a GET once more on a connection that was closed without an answer.
    assert [request.target for request in server.requests].count("/v1/bad/models") <= 2


def test_a_redirect_is_not_followed(server: FaultServer) -> None:
    other = server.add("other", listed("m"))
    moved = server.add("moved", [("send", head("307 Temporary Redirect", Location=f"{other}/models"))])
    (found,) = asked(at(moved), patience=1)
    assert ids(found) is None
    assert len(server.requests) == 1


def test_the_user_is_not_kept_waiting(server: FaultServer) -> None:
    bases = [server.add(f"s{number}", [("accept_only",)]) for number in range(8)]
    began = time.monotonic()
    found = get_bridge().run(find_servers(local_servers(map(at, bases))))  # with the patience that users get
    assert time.monotonic() - began < 5
    assert [ids(each) for each in found] == [None] * 8
    server.wait_for_close(8)  # nothing stays open


# Whose server it is


def row(address: str, port: int, uid: int, state: str = "0A") -> str:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    words = [packed[start : start + 4] for start in range(0, len(packed), 4)]
    local = "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
    return LINE.format(local=f"{local}:{port:04X}", remote=f"{'0' * len(local)}:0000", state=state, uid=uid)


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "geteuid", lambda: HERE)
    (tmp_path / "tcp").write_text(
        HEADING
        + row("127.0.0.1", 1, HERE)
        + row("127.0.0.1", 2, STRANGER)
        + row("0.0.0.0", 3, STRANGER)
        + row("127.0.0.2", 4, STRANGER)
        + row("192.168.0.7", 5, STRANGER)  # connections to loopback do not arrive there
        + row("127.0.0.1", 6, 0)
        + row("127.0.0.1", 7, HERE)
        + row("127.0.0.1", 8, STRANGER, state="01")  # a connection, as are all that follow
    )
    (tmp_path / "tcp6").write_text(
        HEADING
        + row("::", 11, STRANGER)
        + row("::1", 7, STRANGER)  # `localhost` may lead there, too
        + row("::ffff:127.0.0.1", 12, STRANGER)
        + row("fe80::1", 13, STRANGER)
    )
    return tmp_path


def test_listeners_of_other_users_are_found_in_the_tables_of_linux(tables: Path) -> None:
    stranger = f"with the id {STRANGER}"
    expected = dict.fromkeys((2, 3, 4, 7, 11, 12), stranger) | {6: "root"}
    assert other_users(tables) == expected


def test_a_connection_is_no_listener_and_ends_the_listeners(tables: Path) -> None:
    with (tables / "tcp").open("a") as table:
        table.write(row("127.0.0.1", 9, STRANGER))
    assert {8, 9}.isdisjoint(other_users(tables))


def test_without_tables_nothing_is_known(tmp_path: Path) -> None:
    assert other_users(tmp_path) == {}
    (tmp_path / "tcp").write_text(HEADING + "what another system writes\n")
    (tmp_path / "tcp6").write_bytes(b"\xff\n\xff")
    assert other_users(tmp_path) == {}


LISTEN = """
import os, select, socket, sys
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
print("connected" if select.select([listener], [], [], 0)[0] else "left alone")
"""


@contextmanager
def listening_as(uid: int) -> Iterator[int]:
    """The port of a process of another user, to which nobody may connect."""
    command = [sys.executable, "-c", LISTEN, str(uid)]  # it becomes that user only then, who may not read our Python
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        assert process.communicate()[0] == "left alone\n"


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root can be somebody else")
def test_a_server_of_another_user_is_named_and_not_asked() -> None:
    with listening_as(65534) as port:
        (found,) = asked(at(f"http://127.0.0.1:{port}/v1"))
        assert (found.owner, found.models) == ("nobody", None)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says who listens")
def test_a_server_of_ones_own_is_nobody_elses(server: FaultServer) -> None:
    assert server.port not in other_users()
