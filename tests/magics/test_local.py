"""`%jmuz_use --local`: what it says to type, and where it does not look."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from jmuz_magic.conversation.selection import NOTHING_CONFIGURED, get_selection
from jmuz_magic.request.cell import set_watcher
from tests.fault_server import FaultServer, json_answer
from tests.limits import only
from tests.magics.loaded import UserShell
from tests.providers.test_local import listening_as
from tests.waiting import wait_until


@pytest.fixture
def ollama(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """What listens where `OLLAMA_HOST` says."""
    monkeypatch.setenv("OLLAMA_HOST", server.api_base("ollama"))
    return server


def lists(server: FaultServer, *ids: str) -> None:
    server.add("ollama", json_answer({"data": [{"id": id_} for id_ in ids]}))


def found(user: UserShell, server: FaultServer, line: str = "%jmuz_use --local") -> str:
    """What follows the address of the server: it must be quick, and a busy machine may not be."""
    start = f"Ollama at {server.origin}: "
    said: list[str] = []

    def is_found() -> bool:
        said[:] = [each for each in user.line(line).splitlines() if each.startswith(start)]
        return bool(said)

    wait_until(is_found, "the server is found")
    return said[0].removeprefix(start)


def test_each_server_is_shown_with_what_to_type_and_none_is_chosen(user: UserShell, ollama: FaultServer) -> None:
    lists(ollama, "nomic-embed-text", "qwen3:8b", "phi4")
    assert found(user, ollama) == "%jmuz_use ollama:qwen3:8b (also phi4, nomic-embed-text)"
    assert get_selection().choice is None
    user.line("%jmuz_use ollama:qwen3:8b")
    assert get_selection().model == "qwen3:8b"


def test_with_nothing_configured_they_are_shown_without_being_asked_for(user: UserShell, ollama: FaultServer) -> None:
    lists(ollama, "phi4")
    assert found(user, ollama, "%jmuz_use") == "%jmuz_use ollama:phi4"
    assert user.line("%jmuz_use").startswith(NOTHING_CONFIGURED)
    assert "%jmuz_use --local" in NOTHING_CONFIGURED
    user.line("%jmuz_use demo")
    asked = len(ollama.requests)
    user.line("%jmuz_use")
    assert len(ollama.requests) == asked


def test_where_nothing_answers_it_says_where_it_looked(user: UserShell, ollama: FaultServer) -> None:
    said = user.line("%jmuz_use --local").splitlines()[-1]
    if said.startswith("no server answers"):  # unless this machine has one
        assert f"Ollama at {ollama.origin}, LM Studio at http://localhost:1234, llama.cpp at" in said
    assert f"Ollama at {ollama.origin}: " not in said


@pytest.mark.threat(8)
def test_ids_of_a_server_are_inert_and_few(user: UserShell, ollama: FaultServer) -> None:
    lists(ollama, "\x1b[31mred", "two\nlines", "\u202egnp", "m" * 500, "a b", "--save", *(f"m{n}" for n in range(200)))
    said = found(user, ollama)
    assert said == "%jmuz_use 'ollama:a b' (also --save, m0, m1, m2, 201 more)"
    user.line(said.partition(" (")[0])
    assert get_selection().model == "a b"
    user.line("%jmuz_use demo")
    lists(ollama, "two\nlines")
    assert found(user, ollama) == "%jmuz_use ollama:MODEL (it lists 1 model)"
    lists(ollama)
    assert found(user, ollama) == "%jmuz_use ollama:MODEL (it lists no models)"


@pytest.mark.parametrize("line", ["openai", "-m phi4", "--save", "--api-base http://localhost:1/v1"])
def test_it_goes_with_nothing_else(user: UserShell, ollama: FaultServer, line: str) -> None:
    refusal = user.refusal(f"%jmuz_use --local {line}")
    assert refusal == "%jmuz_use: --local only looks for servers; give it alone"
    assert not ollama.requests


@pytest.mark.parametrize("line", ["%jmuz_use --local", "%jmuz_use"])
def test_nobody_is_asked_while_only_a_recording_answers(
    user: UserShell, ollama: FaultServer, tmp_path: Path, line: str
) -> None:
    lists(ollama, "phi4")
    recording = tmp_path / "kept.jmuz.jsonl"
    user.line(f"%jmuz_use demo\n%jmuz_record {recording}\n%jmuz -m demo-echo hi")
    get_selection().set(choice=None)
    user.line("%jmuz_record --only")
    assert user.line(line) == (
        "servers on this machine were not looked for: only the recording may answer (the replay mode is only)"
        if "local" in line
        else NOTHING_CONFIGURED
    )
    assert not ollama.requests


@pytest.mark.parametrize("line", ["%jmuz_use --local", "%jmuz_use"])
def test_nobody_is_asked_while_only_a_recording_may_answer_and_there_is_none(
    user: UserShell, ollama: FaultServer, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    lists(ollama, "phi4")
    monkeypatch.setenv("JMUZ_REPLAY", "only")
    said = user.line(line)
    assert said == NOTHING_CONFIGURED or "no recording is named" in said
    assert not ollama.requests


@pytest.mark.parametrize("line", ["%jmuz_use --local", "%jmuz_use"])
def test_nobody_is_asked_while_only_some_endpoints_may_be(user: UserShell, ollama: FaultServer, line: str) -> None:
    lists(ollama, "phi4")
    only("openai", "ollama")
    said = user.line(line)
    assert "phi4" not in said
    if "local" in line:
        assert said == (
            "servers on this machine were not looked for: this hub asks only openai, ollama (set by its administrator)"
        )
    assert not ollama.requests


@pytest.mark.parametrize("line", ["%jmuz_use --local", "%jmuz_use"])
def test_nobody_is_asked_where_nobody_watches(user: UserShell, ollama: FaultServer, line: str) -> None:
    lists(ollama, "phi4")
    set_watcher(lambda: False)
    said = user.line(line)
    reason = "servers on this machine were not looked for: nobody may be watching this notebook"
    assert said == (reason if "local" in line else NOTHING_CONFIGURED)
    assert not ollama.requests


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root can be somebody else")
def test_a_server_of_another_user_is_named_and_not_suggested(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening_as(65534) as port:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{port}")
        for line in ("%jmuz_use --local", "%jmuz_use"):
            (said,) = (
                each for each in user.line(line).splitlines() if each.startswith(f"Ollama at http://127.0.0.1:{port}")
            )
            assert said.endswith(
                ": the user nobody listens there, not you; not suggested, since prompts would go there"
            )
