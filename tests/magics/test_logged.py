"""`%jmuz_history` on the conversations of the log."""

from __future__ import annotations

import builtins

import pytest

from jmuz_magic.log.log import exchange_log
from tests.magics.loaded import UserShell
from tests.magics.test_resuming import answering

pytestmark = pytest.mark.usefixtures("logged")

FIRST, SECOND = "/home/ada/one/Untitled.ipynb", "/home/ada/two/Other.ipynb"

LISTS = "%jmuz_history --all lists them"


@pytest.fixture
def talks(user: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two conversations of this notebook and one of another."""
    user.line("%jmuz_use demo:demo-echo")
    monkeypatch.setenv("JPY_SESSION_NAME", SECOND)
    user.line("%jmuz --chat=far elsewhere")
    monkeypatch.setenv("JPY_SESSION_NAME", FIRST)
    user.line("%jmuz --chat about cats")
    user.line("%jmuz --chat about Dogs")
    user.line("%jmuz --chat=trip to Rome")


def key_of(name: str) -> str:
    return next(each.id[:8] for each in exchange_log.conversations(limit=-1) if each.name == name)


def rows(table: str) -> list[list[str]]:
    """The cells of a table, without id and time."""
    return [line.split(maxsplit=3)[3].split() for line in table.splitlines()[1:]]


def test_those_of_this_notebook_are_listed_the_latest_first(user: UserShell, talks: None) -> None:
    table = user.line("%jmuz_history --list")
    assert table.splitlines()[0].split() == ["id", "changed", "name", "turns", "first", "prompt"]
    assert rows(table) == [["trip", "1", "to", "Rome"], ["main", "2", "about", "cats"]]
    assert table.splitlines()[1].startswith(key_of("trip"))


def test_those_of_all_notebooks_are_listed_by_file_name(user: UserShell, talks: None) -> None:
    table = user.line("%jmuz_history --all")
    assert [row[:2] for row in rows(table)] == [["Untitled.ipynb", "trip"], ["Untitled.ipynb", "main"],
                                                ["Other.ipynb", "far"]]  # fmt: skip
    assert "ada" not in table


@pytest.mark.parametrize(
    ("line", "names"),
    [("--search dogs", ["main"]), ("--search ABOUT dogs", ["main"]), ("--all --search e", ["trip", "far"])],
)
def test_words_are_found(user: UserShell, talks: None, line: str, names: list[str]) -> None:
    found = user.line(f"%jmuz_history {line}")
    assert [name for name in ("trip", "main", "far") if f" {name} " in found] == names


def test_an_empty_list_says_so(user: UserShell, talks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert user.line("%jmuz_history --search elsewhere") == (
        "no conversation in the log of this notebook contains 'elsewhere'"
    )
    assert user.line("%jmuz_history --all --search nowhere") == "no conversation in the log contains 'nowhere'"
    monkeypatch.setenv("JPY_SESSION_NAME", "/third.ipynb")
    assert user.line("%jmuz_history --list") == "there is no conversation in the log of this notebook yet"


def test_deleting_asks_and_says_what_stays(user: UserShell, talks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, "y")
    said = user.line(f"%jmuz_history --delete {key_of('main')}")
    assert asked[0].startswith("delete the conversation 'main', 2 turns of 20")
    assert said == "deleted from the log; its turns stay in this kernel until it ends"
    assert [each.name for each in exchange_log.conversations()] == ["trip", "far"]
    assert {row.prompt for row in exchange_log.rows()} == {"to Rome", "elsewhere"}
    user.line("%jmuz --chat and now")
    assert [(each.name, len(each.turns)) for each in exchange_log.conversations(limit=1)] == [("main", 1)]


@pytest.mark.parametrize("answer", ["", "no", EOFError])
def test_without_a_yes_nothing_is_deleted(
    user: UserShell, talks: None, monkeypatch: pytest.MonkeyPatch, answer: str | type[BaseException]
) -> None:
    answering(monkeypatch, answer)
    refused = user.refusal(f"%jmuz_history --delete {key_of('main')}")
    assert "nothing was deleted" in refused
    assert ("--yes answers yes" in refused) == (answer is EOFError)
    assert len(exchange_log.conversations()) == 3


def test_yes_is_no_question(user: UserShell, talks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(builtins, "input")
    key = key_of("far")
    user.line("%jmuz_history far --undo")
    user.line("%jmuz --chat=far elsewhere")
    assert user.line(f"%jmuz_history --delete {key} --yes").startswith("deleted from the log")
    assert len(exchange_log.conversations()) == 2


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("--delete zzzzzzzz", f"--delete: no conversation has an id that begins with 'zzzzzzzz'; {LISTS}"),
        ("--list --delete x", "--list and --delete cannot be combined"),
        ("--all --undo", "--all and --undo cannot be combined"),
        ("--delete x --clear", "--delete and --clear cannot be combined"),
        ("trip --list", "--list takes no name of a conversation, got 'trip'"),
        ("--yes", "--yes answers the question of --delete; add --delete, or leave --yes out"),
    ],
)
def test_what_does_not_go_together_is_refused(user: UserShell, talks: None, line: str, why: str) -> None:
    assert user.refusal(f"%jmuz_history {line}") == f"%jmuz_history: {why}"


def test_an_id_that_could_be_two_deletes_nothing(user: UserShell, talks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.urandom", lambda count: b"\xab" * (count - 1) + bytes([len(made)]))
    made: list[int] = []
    for name in ("one", "two"):
        user.line(f"%jmuz --chat={name} x")
        made.append(1)
    assert user.refusal("%jmuz_history --delete abab --yes").startswith(
        "%jmuz_history: --delete: more than one conversation has an id that begins with 'abab'"
    )


def test_without_a_log_there_is_nothing_to_list(user: UserShell, talks: None) -> None:
    user.line("%config JmuzMagics.log = 'off'")
    assert user.refusal("%jmuz_history --list").startswith("%jmuz_history: the log is off;")
