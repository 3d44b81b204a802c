"""`%jmuz_use` and `%jmuz_models`: lines that are nearly right get one that says how it is written."""

from __future__ import annotations

import sys

import pytest

from jmuz_magic.conversation.selection import get_selection
from tests.fault_server import FaultServer, closed_port, json_answer
from tests.interrupting import interrupted_wait
from tests.magics.loaded import UserShell
from tests.replies import reply_endpoint

KEY = "sk-fake-0123456789abcdef"


@pytest.mark.finding("C14")
@pytest.mark.fault(57)
@pytest.mark.parametrize(
    ("line", "place", "model"),
    [
        ("openai gpt-4o", "OpenAI at https://api.openai.com/v1", "gpt-4o"),
        ("openai --save gpt-4o", "OpenAI at https://api.openai.com/v1", "gpt-4o"),
        ("openai -m gpt-4o", "OpenAI at https://api.openai.com/v1", "gpt-4o"),
        ("openai --model=gpt-4o", "OpenAI at https://api.openai.com/v1", "gpt-4o"),
        ("-m gpt-4o openai", "OpenAI at https://api.openai.com/v1", "gpt-4o"),
        ("openai/gpt-4o", "OpenAI at https://api.openai.com/v1", "gpt-4o"),
        ("openrouter/meta/llama:free", "OpenRouter at https://openrouter.ai/api/v1", "meta/llama:free"),
        ("openrouter/openrouter/auto", "OpenRouter at https://openrouter.ai/api/v1", "openrouter/auto"),
        ("openrouter/auto", "OpenRouter at https://openrouter.ai/api/v1", "openrouter/auto"),
        ("openrouter meta/llama:free", "OpenRouter at https://openrouter.ai/api/v1", "meta/llama:free"),
        ("--api-base http://localhost:1/v1 -m llama", "OpenaiTemplate at http://localhost:1/v1", "llama"),
        ("ollama --api-base http://localhost:1/v1 -m llama", "Ollama at http://localhost:1/v1", "llama"),
    ],
)
def test_a_model_is_taken_however_it_is_written(user: UserShell, line: str, place: str, model: str) -> None:
    assert user.line(f"%jmuz_use {line}").startswith(f"{place}; model {model};")
    assert get_selection().model == model


@pytest.mark.finding("C14")
def test_a_model_alone_is_one_of_the_endpoint_in_use(user: UserShell) -> None:
    said = user.refusal("%jmuz_use -m llama")
    assert said == "%jmuz_use: expected a provider too, such as %jmuz_use openai:llama"
    user.line("%jmuz_use ollama:phi4")
    assert user.line("%jmuz_use -m llama").startswith("Ollama at http://localhost:11434/v1; model llama;")


@pytest.mark.parametrize("line", ["openai:a b", "openai a -m b", "openai/a -m b"])
def test_two_models_are_one_too_many(user: UserShell, line: str) -> None:
    assert user.refusal(f"%jmuz_use {line}") == "%jmuz_use: expected one model, got 'a' and 'b'"
    assert get_selection().choice is None


@pytest.mark.parametrize(
    ("line", "model"),
    [("openrouter:meta/llama", "meta/llama"), (":llama --api-base http://localhost:1/v1", "llama")],
)
def test_behind_the_colon_a_model_is_taken_as_it_stands(user: UserShell, line: str, model: str) -> None:
    assert f"; model {model};" in user.line(f"%jmuz_use {line}")


@pytest.mark.threat(10)
@pytest.mark.parametrize("line", [f"openai {KEY}", f"openai -m {KEY}", f"openai/{KEY}"])
def test_a_key_in_the_place_of_a_model_is_not_repeated(user: UserShell, line: str) -> None:
    said = user.refusal(f"%jmuz_use {line}")
    assert "revoke it" in said
    assert KEY not in said


def test_a_slash_behind_no_known_provider_is_part_of_the_name(user: UserShell) -> None:
    assert user.refusal("%jmuz_use nobody/gpt-4o").startswith("%jmuz_use: there is no provider 'nobody/gpt-4o'")


def test_a_pattern_that_no_model_holds_is_repeated(user: UserShell) -> None:
    user.line("%jmuz_use demo")
    count = len(user.line("%jmuz_models").splitlines()) - 1
    said = user.line("%jmuz_models nope")
    assert said == f"Demo in this process (no language model): none of its {count} models matches 'nope'"
    with reply_endpoint({"llama": "hi"}) as api_base:
        user.line(f"%jmuz_use --api-base {api_base}")
        assert user.line("%jmuz_models 'g*'") == f"OpenaiTemplate at {api_base}: its only model does not match 'g*'"
        assert "llama" in user.line("%jmuz_models 'l*'")


@pytest.mark.finding("C15")
def test_several_words_are_one_pattern(user: UserShell) -> None:
    with FaultServer() as server:
        ids = ["gpt-6-vision-11b", "llama-vision-11", "llama-vision-90", "gpt-6"]
        user.line(f"%jmuz_use --api-base {server.add('s', json_answer({'data': [{'id': id_} for id_ in ids]}))}")
        for pattern, found in {
            "VISION 11": ids[:2],
            "'vision 11'": ids[:2],
            "vision gpt-*": ids[:1],
            "gpt* *6": ids[3:],
        }.items():
            shown = user.line(f"%jmuz_models {pattern}").splitlines()
            assert [line.strip() for line in shown[1:]] == found
        assert user.line("%jmuz_models vision 12").endswith("none of its 4 models matches 'vision 12'")
        assert len(server.requests) == 1


@pytest.mark.finding("C15")
def test_an_endpoint_that_lists_no_models_says_how_to_choose_one(user: UserShell) -> None:
    with FaultServer() as server:
        api_base = server.add("s", json_answer({"data": []}))
        user.line(f"%jmuz_use --api-base {api_base}")
        for line in ("%jmuz_models", "%jmuz_models gpt"):
            said = user.line(line)
            assert said == f"OpenaiTemplate at {api_base} lists no models; choose one by its id with -m MODEL"


@pytest.mark.finding("C15")
def test_a_missing_key_names_the_variable_and_the_command_for_that_provider(
    user: UserShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    user.line("%jmuz_use demo")
    said = user.run("%jmuz_models -p openai").text
    assert said.endswith("OpenAI needs a key: set OPENAI_API_KEY, or use %jmuz_key openai")


def test_models_that_cannot_be_listed_cost_one_line(user: UserShell) -> None:
    user.line(f"%jmuz_use --api-base http://127.0.0.1:{closed_port()}/v1")
    ran = user.run("%jmuz_models")
    assert not ran.ok
    assert "connection refused by 127.0.0.1" in ran.text
    assert "\n" not in ran.text


@pytest.mark.fault(41)
@pytest.mark.skipif(sys.platform == "win32", reason="no signals to a thread on this system")
def test_waiting_for_the_models_can_be_interrupted(user: UserShell) -> None:
    with FaultServer() as server:
        user.line(f"%jmuz_use --api-base {server.add('s', [('accept_only',)])}")
        with interrupted_wait(lambda: server.requests):
            ran = user.run("%jmuz_models")
        server.wait_for_close()
    assert ran.text == "KeyboardInterrupt: stopped waiting for the list of models"


def test_what_belongs_to_an_address_is_not_taken_without_one(user: UserShell) -> None:
    assert "expected a provider or --api-base too" in user.refusal("%jmuz_use --save")


def test_a_class_of_the_session_cannot_be_saved(user: UserShell) -> None:
    user.run("from jmuz_magic import OpenaiTemplate\nclass Mine(OpenaiTemplate): api_base = 'http://127.0.0.1:9/v1'")
    assert "Mine is a class of this session and cannot be saved" in user.refusal("%jmuz_use Mine --save")
