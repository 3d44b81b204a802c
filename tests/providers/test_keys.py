"""Keys by origin, and when the system keyring is asked."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.base import only_known
from jmuz_magic.providers.catalog import Ollama, OpenAI
from jmuz_magic.providers.endpoint import keys
from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint
from jmuz_magic.secret import Secret
from tests.keyrings import MemoryKeyring, keyring_in_use
from tests.waiting import wait_until

OPENAI = "https://api.openai.com"
LOCAL = "http://localhost:11434"


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_given", "_answers", "_expected"):
        monkeypatch.setattr(keys, name, type(getattr(keys, name))())


@pytest.fixture
def keyring() -> Iterator[MemoryKeyring]:
    backend = MemoryKeyring()
    with keyring_in_use(backend):
        yield backend


def source_of(provider: type[OpenAI] | type[Ollama] = OpenAI, **given: Any) -> str:
    return resolve_endpoint(provider, **given).key_source


def test_the_nearer_word_wins(keyring: MemoryKeyring) -> None:
    class Own(OpenAI):
        api_key = "sk-class"

    keyring.stored["jmuz_magic", OPENAI] = "sk-keyring"
    keys.expect_saved([OPENAI])
    assert source_of(Own) == "keyring"
    os.environ["OPENAI_API_KEY"] = "sk-environment"
    assert source_of(Own) == "env OPENAI_API_KEY"
    keys.remember_key(OPENAI, Secret("sk-typed"))
    assert source_of(Own) == "%jmuz_key"
    os.environ["MY_KEY"] = "sk-named"
    assert source_of(Own, key_env="MY_KEY") == "env MY_KEY"
    assert source_of(Own, key_env="MY_KEY", api_key="sk-argument") == "argument"


def test_a_class_with_its_own_key_needs_no_keyring(keyring: MemoryKeyring) -> None:
    class Own(OpenAI):
        api_key = "sk-class"

    assert source_of(Own) == "class Own"
    assert keyring.asked == 0


def test_the_keyring_is_asked_once_and_only_where_a_key_is_needed(keyring: MemoryKeyring) -> None:
    keyring.stored["jmuz_magic", OPENAI] = "sk-keyring"
    assert source_of(Ollama) == "none"
    os.environ["OPENAI_API_KEY"] = "sk-environment"
    assert source_of() == "env OPENAI_API_KEY"
    assert keyring.asked == 0
    del os.environ["OPENAI_API_KEY"]
    assert [source_of(), source_of()] == ["keyring", "keyring"]
    assert keyring.asked == 1


@pytest.mark.threat(14)
def test_the_key_of_the_keyring_goes_to_its_origin_only(keyring: MemoryKeyring) -> None:
    keyring.stored["jmuz_magic", OPENAI] = "sk-keyring"
    assert source_of(api_base="https://stranger.example/v1") == "none"


def test_a_key_saved_for_an_origin_that_needs_none_is_found(keyring: MemoryKeyring) -> None:
    keyring.stored["jmuz_magic", LOCAL] = "sk-local"
    assert source_of(Ollama) == "none"
    keys.expect_saved([LOCAL])
    assert source_of(Ollama) == "keyring"


def test_the_keyring_can_be_left_alone(keyring: MemoryKeyring) -> None:
    keyring.stored["jmuz_magic", OPENAI] = "sk-keyring"
    with only_known():
        assert source_of() == "none"
    assert keyring.asked == 0
    assert source_of() == "keyring"
    with only_known():
        assert source_of() == "keyring"


def test_a_keyring_that_hangs_stops_nobody_and_its_late_answer_counts(
    keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "PATIENCE", 0.05)
    answer = threading.Event()

    def get_password(service: str, username: str) -> str:
        answer.wait(30)
        return "sk-late"

    monkeypatch.setattr(keyring, "get_password", get_password)
    assert source_of() == "none"
    answer.set()
    wait_until(lambda: source_of() == "keyring", "the late answer is used")


def test_what_a_keyring_raises_is_one_error_that_repeats_nothing(
    keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(service: str, username: str, password: str) -> None:
        raise RuntimeError(f"cannot store {password}")

    monkeypatch.setattr(keyring, "set_password", fail)
    with pytest.raises(JmuzError, match=r"^the system keyring failed \(RuntimeError\)$") as caught:
        keys.save_key(OPENAI, Secret("sk-fake"))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.threat(21)
def test_a_keyring_that_writes_readable_files_is_not_used(
    keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "priority", 0.5)
    with pytest.raises(JmuzError, match="does not protect what it stores"):
        keys.save_key(OPENAI, Secret("sk-fake"))
    assert keyring.stored == {}


@pytest.mark.threat(21)
def test_a_system_without_a_keyring_has_no_saved_keys() -> None:
    assert source_of() == "none"
    with pytest.raises(JmuzError, match="this system has no keyring"):
        keys.save_key(OPENAI, Secret("sk-fake"))


def test_a_forgotten_key_is_gone_everywhere(keyring: MemoryKeyring) -> None:
    keys.remember_key(OPENAI, Secret("sk-typed"))
    keys.save_key(OPENAI, Secret("sk-typed"))
    assert keys.forget_key(OPENAI)
    assert keyring.stored == {}
    assert source_of() == "none"
    assert not keys.forget_key(OPENAI)
