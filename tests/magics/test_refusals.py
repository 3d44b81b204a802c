"""How magics refuse a line: under the name that was typed, naming options as typed, with the next step."""

from __future__ import annotations

import pytest

from jmuz_magic.demo import DemoServer
from tests.magics.loaded import UserShell


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("%%jmuz --xyzzy\nhi", "%%jmuz: unknown option '--xyzzy' ("),
        ("%%jmuz -p opnai\nhi", "%%jmuz: there is no provider 'opnai'"),
        ("%jmuz -p opnai hi", "%jmuz: there is no provider 'opnai'"),
        ("%%jmuz\nhi", "%%jmuz: no endpoint is configured"),
        ("%jmuz_log --show 99", "%jmuz_log: "),
        ("%jmuz_log --delete 99", "%jmuz_log: "),
        ("%jmuz_log -n 5 --delete 1", "%jmuz_log: --delete and -n cannot be combined"),
        ("%jmuz_history --undo", "%jmuz_history: there is no conversation"),
        ("%jmuz_use opnai", "%jmuz_use: there is no provider 'opnai'"),
    ],
)
def test_a_refusal_begins_with_the_magic_as_typed(user: UserShell, cell: str, says: str) -> None:
    said = user.refusal(cell)
    assert said.startswith(says)
    assert said.count("%jmuz_log: ") == says.count("%jmuz_log: ")


def test_a_conversation_has_a_name(user: UserShell, demo_endpoint: DemoServer) -> None:
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    for cell in ("%%jmuz --chat=\nhi", "%%jmuz --chat=''\nhi"):
        assert user.refusal(cell) == "%%jmuz: --chat: expected a name after =, got nothing"
    assert not demo_endpoint.requests
    assert "there are none yet" in user.refusal("%jmuz_history trip")


@pytest.mark.parametrize("line", ["%jmuz_use --key-env=", "%jmuz_history --export=", "%jmuz_key --api-base="])
def test_nothing_after_an_equals_sign_is_no_value(user: UserShell, line: str) -> None:
    assert "after =, got nothing" in user.refusal(line)


def test_a_flag_takes_no_value(user: UserShell) -> None:
    assert "argument --save: expected no value, got ''" in user.refusal("%jmuz_use openai --save=")


@pytest.mark.parametrize(
    ("line", "written"),
    [("%jmuz_key -p openai", "%jmuz_key openai"), ("%jmuz_use --provider=openai", "%jmuz_use openai")],
)
def test_a_provider_that_is_an_argument_is_written_without_its_option(user: UserShell, line: str, written: str) -> None:
    assert f"; write {written} (" in user.refusal(line)


@pytest.mark.parametrize("option", ["--api-base http://h/v1", "--key-env=X", "--header X-A b", "--dialect chat"])
@pytest.mark.parametrize("magic", ["%jmuz", "%jmuz_models", "%jmuz_fix"])
def test_what_belongs_to_an_endpoint_is_given_to_it(user: UserShell, magic: str, option: str) -> None:
    assert "; give it to %jmuz_use or %jmuz_alias (" in user.refusal(f"{magic} {option}")


def test_an_option_of_our_own_is_not_written_with_o(user: UserShell) -> None:
    assert "did you mean --temperature?" in user.refusal("%jmuz --temperatur 0 hi")
    assert "-o" not in user.refusal("%jmuz_use --seed 5")
