"""`%jmuz_log` in a shell: this notebook's exchanges, and turns that took several requests."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jmuz_magic import Conversation
from jmuz_magic.log.log import exchange_log
from tests.conversation.test_steps import FIRST, LAST, Correction, Tools, ask, counting
from tests.exchanges import new_log, write
from tests.fault_server import FaultServer, delta
from tests.fault_server import reply as plain
from tests.magics.loaded import UserShell

pytestmark = pytest.mark.finding("C18")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "log.sqlite3"
    monkeypatch.setenv("JMUZ_LOG", str(path))
    monkeypatch.setattr(exchange_log, "on_message", lambda _: None)
    yield path
    exchange_log.close()


def named(path: Path, notebook: str, *prompts: str) -> None:
    """Exchanges of another kernel with that notebook."""
    log, _ = new_log(path)
    log.notebook = lambda: notebook
    for prompt in prompts:
        write(log, prompt)
    log.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE exchanges SET writer = 'another 1' WHERE notebook = ?", (notebook,))


def prompts_of(listing: str) -> list[str]:
    return [line.rpartition("  ")[2] for line in listing.splitlines()[1:]]


def test_here_is_this_notebook_whichever_kernel_asked(
    user: UserShell, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(path, "a.ipynb", "one", "two")
    named(path, "b.ipynb", "three")
    monkeypatch.setenv("JPY_SESSION_NAME", "work/a.ipynb")
    user.line("%jmuz_use demo:demo-echo")
    user.line("%jmuz four")
    assert prompts_of(user.line("%jmuz_log --here")) == ["four", "two", "one"]
    assert prompts_of(user.line("%jmuz_log --here -n 2")) == ["four", "two"]
    assert prompts_of(user.line("%jmuz_log --here --search O")) == ["four", "two", "one"]
    assert prompts_of(user.line("%jmuz_log")) == ["four", "three", "two", "one"]
    assert user.line("%jmuz_log --here --search three") == "no exchange of this notebook contains 'three'"


def test_the_list_of_all_names_the_notebooks(user: UserShell, path: Path) -> None:
    named(path, "a.ipynb", "one")
    assert user.line("%jmuz_log").split()[:3] == ["id", "asked", "notebook"]
    assert "a.ipynb" in user.line("%jmuz_log")


def test_where_the_name_is_unknown_here_is_this_process(
    user: UserShell, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    named(path, "a.ipynb", "one")
    assert user.line("%jmuz_log --here") == "nothing was asked in this notebook yet"
    user.line("%jmuz_use demo:demo-echo")
    user.line("%jmuz two")
    user.line("%reload_ext jmuz_magic")
    assert prompts_of(user.line("%jmuz_log --here")) == ["two"]
    with closing(sqlite3.connect(path)) as connection, connection:  # an earlier process had the same number
        connection.execute("UPDATE exchanges SET asked_at = '2001-01-01T00:00:00.000+00:00' WHERE prompt = 'two'")
    assert user.line("%jmuz_log --here") == "nothing was asked in this notebook yet"


@pytest.mark.parametrize("other", ["--show=last", "--delete 1", "--export x.jsonl"])
def test_here_is_only_for_lists(user: UserShell, path: Path, other: str) -> None:
    assert user.refusal(f"%jmuz_log --here {other}").endswith(" and --here cannot be combined")
    assert user.refusal(f"%jmuz_log -n 3 {other}").endswith(" and -n cannot be combined")


def test_a_turn_of_several_requests_is_listed_once(user: UserShell, path: Path, server: FaultServer) -> None:
    ask(Conversation("m", api_base=server.add("s", plain("Hi."))))
    ask(Conversation("m", api_base=server.add("s", FIRST, FIRST, LAST)), Tools())
    Conversation("m", api_base=server.add("s", plain("Bye."))).ask("Later")
    lines = user.line("%jmuz_log").splitlines()
    assert [line.split()[0] for line in lines] == ["id", "5", "2", "1"]
    assert "complete, 3 requests" in lines[2]
    assert "requests" not in lines[1] + lines[3]
    assert [line.split()[0] for line in user.line("%jmuz_log -n 2").splitlines()] == ["id", "5", "2"]


def test_the_words_of_any_request_find_the_turn(user: UserShell, path: Path, server: FaultServer) -> None:
    ask(Conversation("m", api_base=server.add("s", FIRST, LAST)), Tools())
    for words in ("let me see", "is 22", "warm"):
        assert "complete, 2 requests" in user.line(f"%jmuz_log --search {words}")
    assert user.line("%jmuz_log --search nothing") == "no logged exchange contains 'nothing'"


def test_the_whole_turn_is_shown(user: UserShell, path: Path, server: FaultServer) -> None:
    ask(Conversation("m", api_base=server.add("s", FIRST, LAST)), Tools())
    shown = user.line("%jmuz_log --show=last")
    assert user.line("%jmuz_log --show=1") == user.line("%jmuz_log --show=2") == shown
    order = [
        "> How warm is it?",
        "Let me see.",
        "[request 1 of 2]",
        "> tool: 22 °C",
        "It is 22 °C.",
        "[request 2 of 2]",
    ]
    places = [shown.index(part) for part in order]
    assert places == sorted(places)


def test_a_corrected_reply_is_shown_with_what_was_wrong_before(
    user: UserShell, path: Path, server: FaultServer
) -> None:
    ask(Conversation("m", api_base=server.add("s", counting(1, delta("Hm.")), counting(2, delta("42")))), Correction())
    assert user.line("%jmuz_log --show=1") == (
        "> How warm is it?\n\nHm.\n[request 1 of 2]\n\n> user: Say 42.\n\n42\n[request 2 of 2]"
    )


def test_deleting_takes_the_whole_turn(user: UserShell, path: Path, server: FaultServer) -> None:
    ask(Conversation("m", api_base=server.add("s", FIRST, LAST)), Tools())
    ask(Conversation("m", api_base=server.add("s", plain("Hi."))))
    assert user.line("%jmuz_log --delete 2") == "2 exchanges deleted"
    assert [line.split()[0] for line in user.line("%jmuz_log").splitlines()] == ["id", "3"]


def test_a_day_alone_deletes_nothing_and_says_how(user: UserShell, path: Path) -> None:
    named(path, "a.ipynb", "one", "two")
    for line in ("--before 2999-01-31", "--before=2999-01-31 -n 5", "--here --before 2999-01-31"):
        assert user.refusal(f"%jmuz_log {line}") == (
            "%jmuz_log: --before only says what to delete; nothing was deleted: to delete all exchanges asked before "
            "that day, write --delete --before 2999-01-31"
        )
    assert prompts_of(user.line("%jmuz_log")) == ["two", "one"]
    assert user.line("%jmuz_log --before 2999-01-31 --delete --yes") == "2 exchanges deleted"


@pytest.mark.parametrize("day", ["2999-01-31", "2999-01-31T00:00+00:00"])
def test_a_day_that_takes_all_of_the_log_asks_first(
    user: UserShell, path: Path, monkeypatch: pytest.MonkeyPatch, day: str
) -> None:
    asked: list[str] = []
    answers = ["n", "y"]

    def answer(question: str) -> str:
        asked.append(question)
        return answers.pop(0)

    monkeypatch.setattr("builtins.input", answer)
    named(path, "a.ipynb", "one", "two")
    assert user.line("%jmuz_log --delete --before 2001-01-31") == "0 exchanges deleted"
    assert asked == []
    assert user.refusal(f"%jmuz_log --delete --before {day}") == "%jmuz_log: nothing was deleted"
    assert prompts_of(user.line("%jmuz_log")) == ["two", "one"]
    assert asked[0].startswith("that is all of the log, up to 20")
    assert asked[0].endswith("; delete it for good? [y/N] ")
    assert user.line(f"%jmuz_log --delete --before {day}") == "2 exchanges deleted"
    assert user.line(f"%jmuz_log --delete --before {day}") == "0 exchanges deleted"
    assert len(asked) == 2


def test_yes_without_the_question_is_refused(user: UserShell, path: Path) -> None:
    named(path, "a.ipynb", "one")
    for line in ("--yes", "--delete 1 --yes"):
        assert user.refusal(f"%jmuz_log {line}") == (
            "%jmuz_log: --yes answers the question of --delete --before DATE; add --delete --before DATE, "
            "or leave --yes out"
        )
    assert prompts_of(user.line("%jmuz_log")) == ["one"]


@pytest.mark.parametrize("line", ["--delete", "--delete 1 --before 2999-01-31", "--delete=1 --before=2999-01-31"])
def test_what_to_delete_is_said_once(user: UserShell, path: Path, line: str) -> None:
    named(path, "a.ipynb", "one")
    said = user.refusal(f"%jmuz_log {line}")
    assert said == "%jmuz_log: --delete: expected either an exchange's number or --before DATE"
    assert prompts_of(user.line("%jmuz_log")) == ["one"]
    assert user.line("%jmuz_log --delete=1") == "1 exchange deleted"


def test_a_turn_whose_beginning_is_gone_is_listed_all_the_same(
    user: UserShell, path: Path, server: FaultServer
) -> None:
    ask(Conversation("m", api_base=server.add("s", FIRST, FIRST, LAST)), Tools())
    exchange_log.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM exchanges WHERE id = 1")
    assert "complete, 2 requests" in user.line("%jmuz_log")
    assert "request 2 of 2" in user.line("%jmuz_log --show=2")


def test_turns_are_found_without_reading_the_whole_log(user: UserShell, path: Path) -> None:
    log, _ = new_log(path)
    write(log)
    log.close()
    with closing(sqlite3.connect(path)) as connection:
        query = "EXPLAIN QUERY PLAN SELECT * FROM exchanges WHERE id = 1 OR turn = 1 ORDER BY id"
        plan = " ".join(str(row[3]) for row in connection.execute(query))
    assert "SCAN" not in plan
    assert "exchanges_by_turn" in plan


def test_the_history_says_where_other_replies_are(user: UserShell, path: Path) -> None:
    user.line("%jmuz_use demo:demo-echo")
    user.line("%jmuz not in a conversation")
    assert "%jmuz_log --here" in user.refusal("%jmuz_history")
    assert "%jmuz_log --here" in " ".join(user.line("%jmuz_history --help").split())
    assert prompts_of(user.line("%jmuz_log --here")) == ["not in a conversation"]


def test_a_list_shows_what_was_typed_and_a_number_what_was_sent(
    user: UserShell, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("milk")
    user.line("%jmuz_use demo:demo-echo")
    user.shell.run_cell("earlier = 1", store_history=True)
    user.line("%jmuz --context prev what is it?")
    user.shell.run_cell("1 / 0", store_history=True)
    user.run("%jmuz_fix be brief")
    user.run("%jmuz_fix")
    user.line("%jmuz -a notes.txt what is in it?")
    asked = ["what is in it?", "%jmuz_fix", "%jmuz_fix be brief", "what is it?"]
    assert prompts_of(user.line("%jmuz_log")) == asked
    whole = user.line("%jmuz_log 1")
    assert whole.startswith("> Earlier cells of this notebook, oldest first:\n> \n> In [")
    assert "> earlier = 1\n" in whole
    assert "> what is it?\n\n" in whole
    assert "ZeroDivisionError" in user.line("%jmuz_log 2")
    assert "> [file: notes.txt, 4 bytes, sha256 " in user.line("%jmuz_log last")


def test_an_exchange_that_is_not_there_and_one_too_many(user: UserShell, path: Path) -> None:
    named(path, "a.ipynb", "one")
    assert "7" in user.refusal("%jmuz_log 7")
    assert user.refusal("%jmuz_log 1 --delete 1") == "%jmuz_log: ID and --delete cannot be combined"
    assert prompts_of(user.line("%jmuz_log")) == ["one"]
