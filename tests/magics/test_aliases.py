"""`%jmuz_alias`, and what an alias does to a request."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.conversation.selection import get_selection
from jmuz_magic.demo import DemoServer
from tests.magics.loaded import UserShell


def last_body(server: DemoServer) -> dict[str, Any]:
    body: dict[str, Any] = server.requests[-1].body
    return body


def choices(tmp_path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((tmp_path / "config" / "jmuz_magic" / "choices.json").read_text("utf-8"))
    return data


def test_an_alias_brings_model_endpoint_key_and_options(user: UserShell, demo_endpoint: DemoServer) -> None:
    os.environ["MY_KEY"] = "sk-fake"
    user.line(
        f"%jmuz_alias fast demo-echo --api-base {demo_endpoint.api_base} --key-env MY_KEY "
        "-o temperature 0 -o stop '[\"x\"]' -o seed 7 -o store false -o user me"
    )
    user.line("%%jmuz -m fast\nhi\n")  # with no endpoint chosen
    body = last_body(demo_endpoint)
    assert demo_endpoint.requests[-1].headers["Authorization"] == "Bearer sk-fake"
    assert body["model"] == "demo-echo"
    sent = {name: body[name] for name in ("temperature", "stop", "seed", "store", "user")}
    assert sent == {"temperature": 0, "stop": ["x"], "seed": 7, "store": False, "user": "me"}


def test_what_the_cell_says_wins(user: UserShell, demo_endpoint: DemoServer) -> None:
    with DemoServer(deltas_per_second=0, keep_requests=5) as other:
        os.environ["OLLAMA_HOST"] = other.api_base
        user.line(f"%jmuz_alias fast demo-echo --api-base {demo_endpoint.api_base} -o temperature 0.3 -o seed 7")
        user.line("%%jmuz -m fast -t 0.9\nhi\n")
        assert (last_body(demo_endpoint)["temperature"], last_body(demo_endpoint)["seed"]) == (0.9, 7)
        user.line("%%jmuz -m fast -p ollama\nhi\n")
        assert last_body(other)["model"] == "demo-echo"
        assert len(demo_endpoint.requests) == 1


def test_an_alias_without_an_endpoint_is_for_the_one_in_use(user: UserShell, demo_endpoint: DemoServer) -> None:
    user.line("%jmuz_alias fast demo-echo")
    assert "no endpoint is configured" in user.refusal("%jmuz -m fast hi")
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    user.line("%jmuz -m fast hi")
    assert last_body(demo_endpoint)["model"] == "demo-echo"


def test_an_alias_for_a_provider_keeps_the_address_chosen_for_it(user: UserShell, demo_endpoint: DemoServer) -> None:
    user.line(f"%jmuz_use openai --api-base {demo_endpoint.api_base}")
    user.line("%jmuz_alias fast demo-echo -p openai")
    user.line("%jmuz -m fast hi")
    assert last_body(demo_endpoint)["model"] == "demo-echo"


def test_an_alias_can_be_the_selected_model(user: UserShell, demo_endpoint: DemoServer) -> None:
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    user.line("%jmuz_alias fast demo-echo -o seed 7")
    get_selection().set(model="fast")
    user.line("%jmuz hi")
    assert (last_body(demo_endpoint)["model"], last_body(demo_endpoint)["seed"]) == ("demo-echo", 7)


def test_another_provider_is_not_asked_for_the_selected_model(user: UserShell, demo_endpoint: DemoServer) -> None:
    user.shell.run_cell(
        "from jmuz_magic import OpenaiTemplate\n"
        "class Mine(OpenaiTemplate):\n"
        f"    api_base = {demo_endpoint.api_base!r}\n"
        "    default_model = 'demo-echo'\n"
    )
    user.line("%jmuz_use openai:gpt-4o")
    user.line("%jmuz -p Mine hi")
    assert last_body(demo_endpoint)["model"] == "demo-echo"


def test_aliases_are_listed(user: UserShell) -> None:
    assert user.line("%jmuz_alias").startswith("no aliases")
    user.line("%jmuz_alias small llama3.2 -p ollama --save")
    user.line("%jmuz_alias far m1 --api-base https://host.example/v1 --key-env MY_KEY -o temperature 0")
    assert user.line("%jmuz_alias").splitlines() == [
        "far: m1 of https://host.example/v1, key: env MY_KEY, temperature=0",
        "small: llama3.2 of ollama (saved)",
    ]


def test_only_saved_aliases_outlive_the_session(
    user: UserShell, demo_endpoint: DemoServer, new_session: Callable[[], None]
) -> None:
    user.line(f"%jmuz_alias kept demo-echo --api-base {demo_endpoint.api_base} -o seed 7 --save")
    user.line("%jmuz_alias gone demo-echo")
    new_session()
    assert user.line("%jmuz_alias").startswith("kept: ")
    assert "gone" not in user.line("%jmuz_alias")
    user.line("%jmuz -m kept hi")
    assert (last_body(demo_endpoint)["model"], last_body(demo_endpoint)["seed"]) == ("demo-echo", 7)


def test_aliases_of_the_session_outlive_a_reload(user: UserShell, demo_endpoint: DemoServer) -> None:
    user.line(f"%jmuz_alias fast demo-echo --api-base {demo_endpoint.api_base} -o seed 7")
    user.line("%jmuz_alias small llama3.2 -p ollama --save")
    user.line("%jmuz_alias small --remove")
    get_selection().set(model="fast")
    user.line("%reload_ext jmuz_magic")
    assert user.line("%jmuz_alias").startswith("fast: demo-echo of http")
    user.line("%jmuz hi")
    assert (last_body(demo_endpoint)["model"], last_body(demo_endpoint)["seed"]) == ("demo-echo", 7)
    assert "small" not in user.line("%jmuz_alias")


def test_removing_leaves_the_file_alone_unless_told(user: UserShell, tmp_path: Path) -> None:
    user.line("%jmuz_alias a m1 --save")
    user.line("%jmuz_alias b m2 --save")
    assert user.line("%jmuz_alias a --remove") == (
        "alias a removed; later sessions still have it (--remove --save removes it there too)"
    )
    assert list(choices(tmp_path)["aliases"]) == ["a", "b"]
    assert user.line("%jmuz_alias a --remove --save") == "alias a removed"
    assert choices(tmp_path)["aliases"] == {"b": {"model": "m2"}}
    assert "there is no alias 'a'; there are: b" in user.refusal("%jmuz_alias a --remove")
    user.line("%jmuz_alias b --remove")
    assert user.refusal("%jmuz_alias a --remove") == (
        "%jmuz_alias: there is no alias 'a'; there are none yet: %jmuz_alias NAME MODEL creates one"
    )


def test_saving_keeps_what_another_session_saved_meanwhile(user: UserShell, tmp_path: Path) -> None:
    user.line("%jmuz_alias mine m1 --save")
    file = tmp_path / "config" / "jmuz_magic" / "choices.json"
    data = choices(tmp_path)
    data["aliases"]["theirs"] = {"model": "m2"}
    file.write_text(json.dumps(data), "utf-8")
    user.line("%jmuz_alias more m3 --save")
    assert sorted(choices(tmp_path)["aliases"]) == ["mine", "more", "theirs"]


def test_a_line_of_the_file_that_is_no_alias_is_passed_over(user: UserShell, tmp_path: Path) -> None:
    file = tmp_path / "config" / "jmuz_magic" / "choices.json"
    file.parent.mkdir(parents=True)
    entries = {"good": {"model": "m1", "provider": 3}, "a": "text", "b": {"model": 7}, "c": {}}
    file.write_text(json.dumps({"version": 1, "aliases": entries}), "utf-8")
    assert user.line("%jmuz_alias") == "good: m1 of the endpoint in use (saved)"


@pytest.mark.fault(57)
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%jmuz_alias fast", "expected NAME and MODEL"),
        ("%jmuz_alias -p openai", "expected NAME and MODEL"),
        ("%jmuz_alias 'a b' m", "expected a name without spaces"),
        ("%jmuz_alias a m -p opnai", "did you mean openai?"),
        ("%jmuz_alias a m --api-base ftp://x", "expected an address"),
        ("%jmuz_alias a m --key-env MY_KEY", "--key-env needs -p or --api-base"),
        ("%jmuz_alias a m -o", "expected KEY VALUE, got nothing"),
        ("%jmuz_alias a m -o model x", "cannot be set as an option"),
        ("%jmuz_alias a m --nonsense", "unknown option '--nonsense'"),
        ("%jmuz_alias --remove", "--remove expects one NAME"),
    ],
)
def test_a_wrong_line_is_one_line_and_changes_nothing(user: UserShell, line: str, says: str) -> None:
    assert says in user.refusal(line)
    assert user.line("%jmuz_alias").startswith("no aliases")


@pytest.mark.threat(10)
@pytest.mark.parametrize("name", ["api_key", "api-key", "headers", "Authorization"])
def test_a_key_is_no_option(user: UserShell, name: str) -> None:
    said = user.refusal(f"%jmuz_alias a m -o {name} sk-fake --save")
    assert "revoke it" in said
    assert "sk-fake" not in said


def test_a_class_of_the_session_can_be_used_but_not_saved(user: UserShell, demo_endpoint: DemoServer) -> None:
    user.shell.run_cell(
        "from jmuz_magic import OpenaiTemplate\n"
        f"class Mine(OpenaiTemplate):\n    api_base = {demo_endpoint.api_base!r}\n"
    )
    user.line("%jmuz_alias fast demo-echo -p Mine")
    user.line("%jmuz -m fast hi")
    assert last_body(demo_endpoint)["model"] == "demo-echo"
    assert "cannot be saved; use --api-base URL" in user.refusal("%jmuz_alias fast demo-echo -p Mine --save")


@pytest.mark.fault(61)
def test_where_nothing_can_be_written_an_alias_holds_for_the_session(user: UserShell, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where a directory should be")
    with (
        pytest.warns(UserWarning, match="not saved, valid for this session only"),
        pytest.warns(match="cannot be read"),
    ):
        said = user.line("%jmuz_alias fast demo-echo --save")
    assert said == "fast: demo-echo of the endpoint in use"
    assert user.line("%jmuz_alias").startswith("fast: demo-echo")
