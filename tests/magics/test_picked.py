"""A cell that names no model, asked of stand-ins for each service of the catalog: what is sent, what the user sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.conversation.selection import get_selection
from jmuz_magic.messages import Messages
from jmuz_magic.providers.catalog import CATALOG
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.providers.openai_template import OpenaiTemplate
from tests.hosted_services import SERVICES, HostedService, Service, entries, hosted
from tests.magics.loaded import UserShell

Use = Callable[..., HostedService]

PICKED = {
    "openai": "gpt-6-luna",
    "anthropic": "claude-sonnet-4-6",
    "gemini": "gemini-3.8-flash",
    "deepseek": "deepseek-v4-flash",
    "xai": "grok-4.6",
    "groq": "openai/gpt-oss-20b",
    "ollama": "llama3.2:3b",
    "lmstudio": "qwen3-8b",
    "llamacpp": "ggml-org/gpt-oss-20b-GGUF",
    "vllm": "Qwen/Qwen3-8B",
}
KEPT_CURRENT = {"mistral": "mistral-small-latest", "openrouter": "openrouter/auto"}
RETIRED = {
    "openai": "o1-mini",
    "anthropic": "claude-3-5-sonnet-20241022",
    "gemini": "gemini-2.5-flash",
    "mistral": "open-mistral-7b",
    "deepseek": "deepseek-chat",
    "xai": "grok-4-0709",
    "groq": "llama-3.3-70b-versatile",
    "openrouter": "openai/gpt-3.5-turbo",
}


@pytest.fixture
def use(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Use]:
    """`use(name)`: choose the stand-in of that service, as its users would choose the service."""
    with ExitStack() as running:

        def start(name: str, service: Service | None = None) -> HostedService:
            service = service or SERVICES[name]
            stand_in = running.enter_context(hosted(service))
            if service.key_variable:
                monkeypatch.setenv(service.key_variable, "sk-fake-0123456789")
            if service.base_variable:
                monkeypatch.setenv(service.base_variable, stand_in.api_base)
                user.line(f"%jmuz_use {name}")
            else:
                key = f" --key-env {service.key_variable}" if service.key_variable else ""
                user.line(f"%jmuz_use {name} --api-base {stand_in.api_base}{key}")
            return stand_in

        yield start


def failure(user: UserShell, cell: str) -> str:
    """The one line of a cell that failed without a reply."""
    ran = user.run(cell)
    assert not ran.ok
    return ran.text


@pytest.mark.parametrize(("name", "model"), PICKED.items())
def test_the_small_general_model_is_picked_from_the_list(user: UserShell, use: Use, name: str, model: str) -> None:
    service = use(name)
    how = f"%jmuz_use {name}:MODEL" if service.service.base_variable else "-m MODEL"
    said = user.line("%jmuz who are you?")
    assert f"I am {model}." in said.splitlines()
    assert said.splitlines()[-1] == f"using {model}, picked from the list; choose another with {how}"
    assert [body["model"] for body in service.asked] == [model]
    assert user.shell.user_ns["_jmuz"].model == model
    assert "picked" not in user.line("%jmuz and now?")
    assert len(service.listed) == max(1, -(-len(service.service.models) // (service.service.page_size or 100)))


@pytest.mark.parametrize(("name", "model"), KEPT_CURRENT.items())
def test_a_name_that_the_service_keeps_current_is_sent_without_a_list(
    user: UserShell, use: Use, name: str, model: str
) -> None:
    service = use(name)
    assert f"; model {model} (default);" in user.line("%jmuz_use")
    assert f"I am {model}." in user.line("%jmuz who are you?").splitlines()
    assert not service.listed


@pytest.mark.parametrize(("name", "model"), RETIRED.items())
def test_a_retired_model_is_refused_with_how_to_find_another(user: UserShell, use: Use, name: str, model: str) -> None:
    use(name)
    said = failure(user, f"%jmuz -m {model} hi")
    assert said.startswith("ModelNotFoundError: http://127.0.0.1:")
    assert said.endswith("(%jmuz_models lists its models)")


def test_what_is_in_use_and_what_is_listed_say_that_the_model_is_picked_when_sent(user: UserShell, use: Use) -> None:
    service = use("openai")
    assert "; model: picked from the list when sent; " in user.line("%jmuz_use")
    assert not service.listed  # choosing asks nobody
    said = user.line("%jmuz_models")
    assert said.splitlines()[0].endswith(
        f"(model: picked from the list when sent): {len(service.service.models)} models"
    )
    assert "  gpt-6-luna  (picked if none is chosen)" in said.splitlines()
    assert "(default)" not in said


def test_a_dry_run_asks_no_network_and_says_that_the_model_is_picked(user: UserShell, use: Use) -> None:
    service = use("openai")
    said = user.line("%jmuz --dry-run hi")
    assert '"model": ""' in said
    assert "model: picked from the list when sent; choose one with %jmuz_use openai:MODEL" in said
    assert (service.listed, service.asked) == ([], [])


class NamesModelTwice(OpenaiTemplate):
    @classmethod
    def build_request(cls, model: str, messages: Messages, stream: bool = True, **options: Any) -> dict[str, Any]:
        assert model, "no model"
        return super().build_request(model, messages, stream, **options) | {"deployment": model}


def test_a_class_that_builds_its_own_body_is_given_the_picked_model(user: UserShell, use: Use) -> None:
    service = use("ollama", replace(SERVICES["ollama"], models=entries("phi4")))
    user.shell.user_ns["Mine"] = NamesModelTwice
    user.line(f"%jmuz_use Mine --api-base {service.api_base}")
    user.line("%jmuz hi")
    user.line("%jmuz -m phi4 hi")
    assert [body["deployment"] for body in service.asked] == ["phi4", "phi4"]


def test_save_keeps_what_was_typed(user: UserShell, use: Use, new_session: Callable[[], None], tmp_path: Path) -> None:
    service = use("openai")
    user.line("%jmuz_use openai --save")
    user.line("%jmuz hi")
    assert "luna" not in "".join(path.read_text() for path in (tmp_path / "config").rglob("*.json"))
    new_session()
    user.line("%jmuz hi")
    assert [body["model"] for body in service.asked] == ["gpt-6-luna"] * 2


def test_a_list_that_leaves_it_open_is_answered_with_five_ids_and_nothing_is_sent(user: UserShell, use: Use) -> None:
    ids = ("embed-x", "llama3.2:3b", "qwen3:8b", "gemma3:4b", "phi4", "mistral:7b", "granite4")
    service = use("ollama", replace(SERVICES["ollama"], models=entries(*ids)))
    assert failure(user, "%jmuz hi") == (
        "ModelNotFoundError: no model is chosen; choose one with -m MODEL, such as "
        "llama3.2:3b, qwen3:8b, gemma3:4b, phi4, mistral:7b (%jmuz_models lists all 7)"
    )
    assert not service.asked
    assert user.line("%jmuz -m phi4 hi") == "I am phi4."


def test_an_endpoint_without_a_list_says_what_to_type(user: UserShell) -> None:
    with hosted(Service("any", "/v1", (), SERVICES["vllm"].missing, unlisted=frozenset({"m"}))) as service:
        user.line(f"%jmuz_use --api-base {service.origin}/v1")
        assert "no model is chosen, and http://127.0.0.1" in failure(user, "%jmuz hi")
        user.line(f"%jmuz_use --api-base {service.origin}/elsewhere")
        said = failure(user, "%jmuz hi")
    assert "no model is chosen, and none can be picked: http://127.0.0.1" in said
    assert said.endswith("; choose one with -m MODEL")


def test_a_recording_knows_the_request_without_the_picked_model(user: UserShell, use: Use, tmp_path: Path) -> None:
    service = use("openai")
    file = tmp_path / "talk.jmuz.jsonl"
    user.line(f"%jmuz_record {file}")
    user.line("%jmuz hi")
    line = file.read_text()
    assert '"request": {"model": "", ' in line
    assert '"model": "gpt-6-luna"' in line
    listed, asked = len(service.listed), len(service.asked)
    user.line(f"%jmuz_record {file}")
    assert user.line("%jmuz hi") == "I am gpt-6-luna."
    user.line(f"%jmuz_record {file} --only")
    get_selection().set(choice=None)
    assert user.line("%jmuz hi") == "I am gpt-6-luna."
    assert (len(service.listed), len(service.asked)) == (listed, asked)
    assert file.read_text() == line


def test_the_log_names_the_picked_model(
    user: UserShell, use: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jmuz_magic import exchange_log

    use("openai")
    monkeypatch.setenv("JMUZ_LOG", str(tmp_path / "log.sqlite3"))
    try:
        user.run("%jmuz hi")
        last = exchange_log.get("last")
        assert (last.model, last.request["model"]) == ("gpt-6-luna", "gpt-6-luna")
    finally:
        exchange_log.close()


def test_a_background_job_is_told_of_by_the_next_cell(user: UserShell, use: Use) -> None:
    use("openai")
    said = user.line("job = get_ipython().run_line_magic('jmuz', '--background hi'); print(job.result().model)")
    assert said == "gpt-6-luna"
    said = user.line("%jmuz hi")
    assert said.endswith("using gpt-6-luna, picked from the list; choose another with %jmuz_use openai:MODEL")


# --- options that services refuse

REFUSED = {
    "openai": (
        ["temperature and top_p left out (the service refuses them)"],
        "Only the default (1) value is supported. (this model does not support temperature; leave -t out)",
    ),
    "anthropic": (["temperature left out (the service refuses it)"], ""),  # one of the two may stay
}
"""By service: the lines below the reply of a profile with both, and what is said of a typed `-t 0`; "" for nothing."""


@pytest.mark.parametrize("name", [*PICKED, *KEPT_CURRENT])
def test_options_of_a_profile_never_fail_a_cell(user: UserShell, use: Use, name: str) -> None:
    service = use(name)
    user.line("%config JmuzMagics.options = {'temperature': 0.2, 'top_p': 0.9}")
    model = PICKED.get(name) or KEPT_CURRENT[name]
    lines, _ = REFUSED.get(name, ([], ""))
    for _ in range(2):
        said = user.line("%jmuz hi").replace(" · ", "\n").replace("[", "").replace("]", "").splitlines()
        assert f"I am {model}." in said
        assert set(lines) <= set(said)
        assert ("left out" in str(said)) == bool(lines)
    assert len(service.asked) == 2 + len(service.refused)  # what was refused once is not tried again
    sent = service.asked[-1]
    assert [sent.get("temperature"), sent.get("top_p")] == {
        "openai": [None, None],
        "anthropic": [None, 0.9],
    }.get(name, [0.2, 0.9])


@pytest.mark.parametrize("name", [*PICKED, *KEPT_CURRENT])
def test_a_typed_option_is_sent_or_fails_with_what_to_do(user: UserShell, use: Use, name: str) -> None:
    service = use(name)
    user.line("%jmuz what is picked is said here")
    _, refusal = REFUSED.get(name, ([], ""))
    if refusal:
        assert failure(user, "%jmuz -t 0 hi").endswith(refusal)
    else:
        user.line("%jmuz -t 0 hi")
    assert [body.get("temperature") for body in service.asked] == [None, 0.0]


@pytest.mark.parametrize("name", [*PICKED, *KEPT_CURRENT])
def test_a_limit_of_tokens_is_sent_by_the_name_that_the_service_knows(user: UserShell, use: Use, name: str) -> None:
    service = use(name)
    user.line("%jmuz --max-tokens 50 hi")
    known = "max_completion_tokens" if name == "openai" else "max_tokens"
    assert (service.asked[-1][known], service.refused) == (50, [])


def test_the_largest_model_takes_no_temperature_and_the_cell_says_so(user: UserShell, use: Use) -> None:
    use("anthropic")
    user.line("%config JmuzMagics.options = {'temperature': 0.2}")
    assert "temperature left out (the service refuses it)" in user.line("%jmuz -m claude-opus-5-5 hi")
    said = failure(user, "%jmuz -m claude-opus-5-5 -t 0 hi")
    assert said.endswith(
        "`temperature` is deprecated for this model. (this model does not support temperature; leave -t out)"
    )


def test_thoughts_that_a_service_wants_back_go_back_to_the_picked_model(user: UserShell, use: Use) -> None:
    service = use("deepseek")
    for _ in range(3):
        assert "I am deepseek-v4-flash." in user.line("%jmuz --chat who are you?")
    answers = [message for message in service.asked[-1]["messages"] if message["role"] == "assistant"]
    assert [message["reasoning_content"] for message in answers] == ["Who am I?"] * 2
    assert not service.refused


# --- models that are switched off


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`day("2027-01-02")`: for OpenAI's class it is that day."""
    from datetime import UTC, datetime

    def set_day(text: str) -> None:
        now = datetime.fromisoformat(text).replace(hour=12, tzinfo=UTC).timestamp()
        monkeypatch.setattr(CATALOG["openai"], "policy", Policy(wall=lambda: now))

    return set_day


def test_the_day_of_its_end_is_shown_beside_a_model(user: UserShell, use: Use, day: Callable[[str], None]) -> None:
    use("openai")
    day("2026-12-11")
    lines = user.line("%jmuz_models").splitlines()
    assert "  gpt-5-mini  (will be switched off on 2026-12-11, today)" in lines
    assert "  gpt-4.1-mini  (will be switched off on 2027-01-14, in 34 days)" in lines
    assert "  gpt-6-sol" in lines
    day("2026-12-12")
    assert "gpt-5-mini  (was to be switched off on 2026-12-11)" in user.line("%jmuz_models")


@pytest.mark.parametrize(
    ("today", "said"),
    [
        ("2026-12-14", ""),
        ("2026-12-15", "in 30 days"),
        ("2027-01-13", "tomorrow"),
        ("2027-01-14", "today"),
    ],
)
def test_thirty_days_ahead_a_cell_warns_once(
    user: UserShell, use: Use, day: Callable[[str], None], today: str, said: str
) -> None:
    use("openai")
    day(today)
    user.line("%jmuz_models --refresh")
    warning = f"\ngpt-4o will be switched off on 2027-01-14, {said}; %jmuz_models lists the alternatives"
    assert user.line("%jmuz -m gpt-4o hi") == "I am gpt-4o." + (warning if said else "")
    assert user.line("%jmuz -m gpt-4o hi") == "I am gpt-4o."


def test_no_list_is_asked_for_only_to_warn(user: UserShell, use: Use, day: Callable[[str], None]) -> None:
    service = use("openai")
    day("2027-01-14")
    assert user.line("%jmuz -m gpt-4o hi") == "I am gpt-4o."
    assert not service.listed
