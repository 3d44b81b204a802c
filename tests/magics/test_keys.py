"""`%jmuz_key`, in a shell whose `getpass` answers as the test says."""

from __future__ import annotations

import getpass
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import StdinNotImplementedError

from jmuz_magic.conversation.selection import get_selection
from jmuz_magic.demo import DemoServer
from jmuz_magic.magics.line.values import KEY_ON_LINE
from tests.magics.loaded import UserShell

KEY = "sk-fake-0123456789abcdef"
OPENAI = "https://api.openai.com"


@pytest.fixture
def type_key(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`type_key(text)`: what the user types where a key is asked for; an exception is raised instead."""
    asked: list[str] = []

    def answer_with(answer: str | BaseException) -> list[str]:
        def ask(prompt: str = "") -> str:
            asked.append(prompt)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        monkeypatch.setattr(getpass, "getpass", ask)
        return asked

    return answer_with


def key_in_use() -> str:
    endpoint = get_selection().endpoint
    assert endpoint is not None
    return endpoint.key.reveal() if endpoint.key else ""


def all_files(folder: Path) -> Iterator[str]:
    return (path.read_text("utf-8", "replace") for path in folder.rglob("*") if path.is_file())


def test_a_key_is_asked_for_and_sent_to_its_origin_only(
    user: UserShell, type_key: Any, demo_endpoint: DemoServer
) -> None:
    with DemoServer(deltas_per_second=0, keep_requests=10) as stranger:
        asked = type_key(KEY)
        user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
        said = user.line("%jmuz_key")
        assert asked == [f"Key for OpenaiTemplate at {demo_endpoint.api_base.removesuffix('/v1')}: "]
        assert said.endswith("is in use until the kernel ends")
        user.line("%jmuz -m demo-echo hi")
        assert demo_endpoint.requests[-1].headers["Authorization"] == f"Bearer {KEY}"
        assert user.line("%jmuz_use").endswith("key: %jmuz_key")
        user.line(f"%jmuz_use --api-base {stranger.api_base}")
        user.line("%jmuz -m demo-echo hi")
        assert "Authorization" not in stranger.requests[-1].headers


def test_a_typed_key_goes_before_the_environment(user: UserShell, type_key: Any) -> None:
    os.environ["OPENAI_API_KEY"] = "sk-from-the-environment"
    type_key(f"  '{KEY}'\n")
    user.line("%jmuz_use openai")
    assert key_in_use() == "sk-from-the-environment"
    user.line("%jmuz_key openai")
    assert key_in_use() == KEY
    said = user.line("%jmuz_key --forget")
    assert said == f"forgot the key for {OPENAI}; the key from env OPENAI_API_KEY remains"
    assert key_in_use() == "sk-from-the-environment"
    assert user.line("%jmuz_key openai --forget").startswith("no key was kept for")


def test_a_named_variable_goes_before_a_typed_key_and_that_is_said(user: UserShell, type_key: Any) -> None:
    os.environ["MY_KEY"] = "sk-named"
    type_key(KEY)
    user.line("%jmuz_use openai --key-env MY_KEY")
    assert "takes its key from the variable MY_KEY" in user.line("%jmuz_key")
    assert key_in_use() == "sk-named"


@pytest.mark.fault(54)
@pytest.mark.parametrize("error", [StdinNotImplementedError("getpass was called"), EOFError()])
def test_where_nobody_can_type_the_variable_is_named(user: UserShell, type_key: Any, error: BaseException) -> None:
    type_key(error)
    said = user.refusal("%jmuz_key openai")
    assert said == (
        "%jmuz_key: this front end cannot ask for input; "
        "set the environment variable OPENAI_API_KEY before the kernel starts"
    )
    said = user.refusal("%jmuz_key --api-base http://localhost:1/v1")
    assert "%jmuz_use --api-base http://localhost:1/v1 --key-env NAME" in said


def test_a_terminal_that_would_show_the_key_is_not_asked(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(prompt: str = "") -> str:
        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
        return KEY

    monkeypatch.setattr(getpass, "getpass", ask)
    assert "this terminal cannot hide what is typed" in user.refusal("%jmuz_key openai")
    user.line("%jmuz_use openai")
    assert key_in_use() == ""


def test_an_interrupt_while_typing_is_one_line(user: UserShell, type_key: Any) -> None:
    type_key(KeyboardInterrupt())
    ran = user.run("%jmuz_key openai")
    assert not ran.ok
    assert ran.text == "KeyboardInterrupt: no key entered; nothing changed"


@pytest.mark.fault(59)
@pytest.mark.parametrize(
    ("typed", "says"),
    [("", "no key entered"), ("  \n", "no key entered"), ("sk-1 2", "cannot be sent"),
     ("sk-é", "cannot be sent"), ("a\nb", "cannot be sent")],
)  # fmt: skip
def test_what_is_no_key_is_refused_and_not_repeated(user: UserShell, type_key: Any, typed: str, says: str) -> None:
    type_key(typed)
    said = user.refusal("%jmuz_key openai")
    assert says in said
    assert not typed.strip() or typed.strip() not in said


@pytest.mark.threat(10)
@pytest.mark.parametrize("line", [f"%jmuz_key {KEY}", f"%jmuz_key openai {KEY}", f"%jmuz_key openai --save {KEY}",
                                  f"%jmuz_key --api-key {KEY}"])  # fmt: skip
def test_a_key_typed_on_the_line_is_not_repeated(user: UserShell, type_key: Any, line: str) -> None:
    asked = type_key(KEY)
    said = user.refusal(line)
    assert "revoke it" in said
    assert KEY not in said
    assert not asked


@pytest.mark.parametrize(("word", "meant"), [("opena", "openai"), ("Antropic", "anthropic"), ("lm-studio", "lmstudio")])
def test_a_provider_typed_wrongly_is_taken_for_no_key(user: UserShell, type_key: Any, word: str, meant: str) -> None:
    asked = type_key(KEY)
    said = user.refusal(f"%jmuz_key {word}")
    assert said == f"%jmuz_key: there is no provider {word!r}; did you mean {meant}?"
    assert not asked


@pytest.mark.threat(10)
@pytest.mark.parametrize("word", ["sk-openai", "sk_openai", "openai-4f7Q0vZ2mX8k", "opena1", "openaiopenaiopenai"])
def test_what_may_be_a_key_is_not_repeated_however_near_to_a_provider(user: UserShell, word: str) -> None:
    said = user.refusal(f"%jmuz_key {word}")
    assert "If you typed a key" in said or said == f"%jmuz_key: {KEY_ON_LINE}"
    assert word not in said


@pytest.mark.threat(14)
def test_the_free_third_party_gets_no_key_of_the_user(user: UserShell, type_key: Any) -> None:
    asked = type_key(KEY)
    assert "yours is never sent there" in user.refusal("%jmuz_key jmuz")
    assert not asked


@pytest.mark.threat(16)
def test_no_key_is_asked_for_where_it_would_travel_readable(user: UserShell, type_key: Any) -> None:
    asked = type_key(KEY)
    assert "plain http" in user.refusal("%jmuz_key --api-base http://models.example/v1")
    assert not asked
    user.line("%jmuz_use --api-base http://models.example/v1 --allow-http")
    assert user.line("%jmuz_key").endswith("until the kernel ends")


def test_with_nothing_chosen_it_says_what_to_choose(user: UserShell) -> None:
    assert "no endpoint is configured" in user.refusal("%jmuz_key")
    assert "%jmuz_key: --save and --forget cannot be combined" in user.refusal("%jmuz_key openai --save --forget")


@pytest.mark.threat(21)
def test_without_a_keyring_a_saved_key_stays_in_memory(user: UserShell, type_key: Any, tmp_path: Path) -> None:
    type_key(KEY)  # the tests' backend is keyring.backends.fail, as on a machine without a keyring
    said = user.line("%jmuz_key openai --save")
    assert said == (f"the key for {OPENAI} is kept in memory only, until the kernel ends: this system has no keyring")
    user.line("%jmuz_use openai")
    assert key_in_use() == KEY
    assert not any(KEY in text for text in all_files(tmp_path))


def test_without_the_keyring_package_it_says_what_to_install(
    user: UserShell, type_key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    type_key(KEY)
    assert "pip install keyring" in user.line("%jmuz_key openai --save")


@pytest.mark.threat(21)
def test_a_saved_key_is_in_the_keyring_and_in_no_file(
    user: UserShell, type_key: Any, keyring_in_memory: dict[tuple[str, str], str], tmp_path: Path
) -> None:
    type_key(KEY)
    assert user.line("%jmuz_key openai --save").endswith("is in use and saved in the system keyring")
    assert keyring_in_memory == {("jmuz_magic", OPENAI): KEY}
    written = list(all_files(tmp_path / "config"))
    assert any(OPENAI in text for text in written)
    assert not any(KEY in text for text in written)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "config" / "jmuz_magic").iterdir())
    assert user.line("%jmuz_key openai --forget") == f"forgot the key for {OPENAI}"
    assert keyring_in_memory == {}
    assert not any(OPENAI in text for text in all_files(tmp_path / "config"))


def test_a_saved_key_is_found_in_a_later_session(
    user: UserShell, type_key: Any, keyring_in_memory: dict[tuple[str, str], str], demo_endpoint: DemoServer,
    new_session: Any,
) -> None:  # fmt: skip
    type_key(KEY)
    user.line(f"%jmuz_key --api-base {demo_endpoint.api_base} --save")
    new_session()
    assert user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}").endswith("key: keyring")
    user.line("%jmuz -m demo-echo hi")
    assert demo_endpoint.requests[-1].headers["Authorization"] == f"Bearer {KEY}"


def test_where_nothing_is_chosen_a_key_is_for_the_address_of_the_environment(
    user: UserShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JMUZ_API_BASE", "http://192.0.2.1/v1")
    assert "plain http would send the key to http://192.0.2.1 unencrypted" in user.refusal("%jmuz_key")


@pytest.mark.threat(10)
@pytest.mark.parametrize(
    "line",
    [
        "%jmuz_use openai:sk-abc",
        "%jmuz_use openai --key-env 0aB1cD2eF3gH4iJ5kL6mN7oP",
        "%jmuz_alias fast sk-abc",
        "%jmuz_alias fast gpt-4o -p openai --key-env sk_abc-1",
        "%jmuz_models -p sk-abc",
        "%%jmuz -m sk-abc\nhello",
    ],
)
def test_a_key_in_the_place_of_a_name_is_neither_taken_nor_repeated(user: UserShell, line: str) -> None:
    said = user.refusal(line)
    assert said.endswith(f": {KEY_ON_LINE}") or "expected the name of an environment variable" in said
    assert not any(word in said for word in line.split()[2:] if not word.startswith("-") and word != "openai")


@pytest.mark.finding("B26")
@pytest.mark.threat(10)
@pytest.mark.parametrize(
    "line",
    [
        "%jmuz_use ollama llama3.2 sk-abc",
        "%jmuz_models llama sk-abc",
        "%jmuz_log -n sk-abc",
        "%jmuz_history sk-abc sk-def",
        "%%jmuz --max-tokens sk-abc\nhello",
        "%jmuz_use --save=sk-abc",
        "%jmuz_use --nonsense=sk-abc",
        "%jmuz_use 'sk-abc",
        "%jmuz_insert sk-abc",
        "%%jmuz -o stop {sk-abc}\nhello",
    ],
)
def test_a_key_that_is_a_word_too_many_or_no_value_is_not_repeated(user: UserShell, line: str) -> None:
    said = user.refusal(line)
    assert said == f"{line.split(maxsplit=1)[0]}: {KEY_ON_LINE}"
    assert "sk-" not in said


@pytest.mark.parametrize(
    "model", ["meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8", "claude-3-5-sonnet-20241022", "xai-grok-2-vision"]
)
def test_a_long_name_of_a_model_is_no_key(user: UserShell, model: str) -> None:
    assert f"; model {model}; " in user.line(f"%jmuz_use vllm:{model}")
