"""`answer = %jmuz …`: the reply is bound where Python binds, and only there is it returned."""

from __future__ import annotations

from typing import Any

import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.messages import Reply
from tests.magics.loaded import UserShell

pytestmark = pytest.mark.finding("C16")


@pytest.fixture
def names(user: UserShell, demo_endpoint: DemoServer) -> dict[str, Any]:
    """The notebook's variables; its cells ask the demo endpoint, which sends prompts back."""
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base} --model demo-echo")
    found: dict[str, Any] = user.shell.user_ns
    return found


def test_the_reply_is_assigned_and_shown(user: UserShell, names: dict[str, Any]) -> None:
    assert user.line("answer = %jmuz is it assigned?") == "is it assigned?"
    assert isinstance(names["answer"], Reply)
    assert names["answer"].text == "is it assigned?"
    assert names["answer"] is names["_jmuz"]


@pytest.mark.parametrize("cell", ["%jmuz hi", "%jmuz other << hi", "%%jmuz\nhi", "answer = %jmuz hi"])
def test_out_stays_empty(user: UserShell, names: dict[str, Any], cell: str) -> None:
    assert user.shell.run_cell(cell).result is None
    assert names["Out"] == {}


def test_a_function_binds_its_own_variable_and_inserts_it(user: UserShell, names: dict[str, Any]) -> None:
    user.line("def ask(word):\n    said = %jmuz --quiet is it {{word}}?\n    return said.text\nheard = ask('so')")
    assert names["heard"] == "is it so?"
    assert "said" not in names


def test_both_variables_are_bound(user: UserShell, names: dict[str, Any]) -> None:
    user.line("answer = %jmuz other << --quiet hi")
    assert names["answer"] is names["other"] is names["_jmuz"]


def test_a_job_is_assigned(user: UserShell, names: dict[str, Any]) -> None:
    user.line("job = %jmuz --background hi")
    assert names["job"].result(10).text == "hi"


def test_what_asks_nothing_assigns_none(user: UserShell, names: dict[str, Any], demo_endpoint: DemoServer) -> None:
    for cell in ("answer = %jmuz --dry-run hi", "answer = %jmuz --help"):
        names["answer"] = "before"
        user.line(cell)
        assert names["answer"] is None
    assert not demo_endpoint.requests


def test_what_fails_assigns_nothing(user: UserShell, names: dict[str, Any]) -> None:
    names["answer"] = "before"
    assert not user.run("answer = %jmuz -m no-such-model hi").ok
    assert user.refusal("answer = %jmuz").startswith("%jmuz: expected a prompt")
    assert names["answer"] == "before"


def test_a_fix_is_assigned(user: UserShell, names: dict[str, Any]) -> None:
    user.run("1 / 0")
    user.line("answer = %jmuz_fix is it zero?")
    assert names["answer"].text.endswith("is it zero?")
    assert user.shell.run_cell("%jmuz_fix").result is None


def test_a_cell_that_assigns_a_reply_is_not_the_notebooks_work(user: UserShell, names: dict[str, Any]) -> None:
    user.run("1 / 0")
    user.run("answer = %jmuz -m no-such-model hi")
    user.line("answer = %jmuz_fix")
    assert "1 / 0" in names["answer"].text
    assert "no-such-model" not in names["answer"].text


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("answer = %jmuz\nWhat is a monad?", "answer"),
        ('ran = True\nsaid = %jmuz -m m -x\nIt\'s one of "these"?\n', "said"),
        ("x.said = %jmuz\n\nWhy?", "answer"),
        ("answer = %jmuz\nprint(answer)", "answer"),
    ],
)
def test_a_prompt_below_the_line_is_refused_with_what_to_write(
    user: UserShell, names: dict[str, Any], demo_endpoint: DemoServer, cell: str, name: str
) -> None:
    assert user.refusal(cell) == (
        f"%jmuz: expected a prompt in the line of {name} = %jmuz; one of several lines takes a cell that begins with "
        f"%%jmuz {name} << (nothing was run)"
    )
    assert "ran" not in names
    assert not demo_endpoint.requests


@pytest.mark.parametrize(
    "cell",
    [
        "answer = %jmuz --quiet hi\nseen = answer.text",
        "answer = %jmuz --help\nseen = 1",
        "text = '''\nanswer = %jmuz\nhi'''\nseen = 1",
    ],
)
def test_other_lines_below_it_are_the_cells_own(user: UserShell, names: dict[str, Any], cell: str) -> None:
    user.line(cell)
    assert names["seen"] in ("hi", 1)


def test_a_fix_needs_no_prompt(user: UserShell, names: dict[str, Any]) -> None:
    user.run("1 / 0")
    user.line("answer = %jmuz_fix\nseen = answer.text")
    assert "1 / 0" in names["seen"]


def test_a_console_may_ask_whether_the_cell_is_complete(user: UserShell) -> None:
    manager = user.shell.input_transformer_manager
    assert manager.check_complete("answer = %jmuz\nWhat is a monad?")[0] in ("complete", "incomplete", "invalid")
