"""Conversations in the log: which turns they show, whose they are, and that no path leaves the log."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from jmuz_magic.log.log import ExchangeLog
from jmuz_magic.log.store import connect
from jmuz_magic.log.writer import ExchangeWriter, FromLog
from tests.exchanges import KEY, new_log, reply, request, write

FIRST, SECOND = "/home/ada/one/Untitled.ipynb", "/home/ada/two/Untitled.ipynb"


def ask(log: ExchangeLog, prompt: str, conversation: str = "c1", text: str = "Hi!") -> ExchangeWriter:
    writer = log.open(replace(request(prompt), conversation_id=conversation))
    writer.close("complete", reply(text))
    return writer


def talk(log: ExchangeLog, *prompts: str, key: str = "c1", name: str | None = "main") -> list[ExchangeWriter]:
    """A conversation that shows a turn for each prompt."""
    writers = [ask(log, prompt, key) for prompt in prompts]
    log.show(key, name, writers)
    log.flush()
    return writers


def names(log: ExchangeLog, words: str = "", *, here: bool = False) -> list[str | None]:
    return [each.name for each in log.conversations(words, here=here)]


def test_a_conversation_is_kept_with_the_turns_that_it_shows(log: ExchangeLog) -> None:
    log.notebook = lambda: FIRST
    one, two = talk(log, "one", "two")
    (found,) = log.conversations()
    assert (found.id, found.name, found.notebook, found.prompt) == ("c1", "main", "Untitled.ipynb", "one")
    assert found.turns == (one.number, two.number)
    assert log.turns_of(found, lambda turn: turn[0].prompt) == ["one", "two"]


def test_what_is_no_longer_shown_stays_away_and_the_order_is_that_of_the_transcript(log: ExchangeLog) -> None:
    one, two, three = talk(log, "one", "two", "three")
    log.show("c1", "main", [three, one])
    (found,) = log.conversations()
    assert found.turns == (three.number, one.number)
    log.show("c1", "main", [])
    assert log.conversations() == []
    log.show("c1", "main", [two])
    assert log.conversations()[0].turns == (two.number,)


def test_the_one_that_changed_last_comes_first(log: ExchangeLog) -> None:
    for name in ("a", "b", "c"):
        talk(log, "x", key=name, name=name)
    assert names(log) == ["c", "b", "a"]
    log.show("a", "a", [ask(log, "y", "a")])
    assert names(log) == ["a", "c", "b"]
    assert [each.name for each in log.conversations(limit=1)] == ["a"]


def test_two_notebooks_of_one_name_are_two(log: ExchangeLog) -> None:
    for path, name in ((FIRST, "one"), (SECOND, "two"), (None, "script")):
        log.notebook = lambda path=path: path  # type: ignore[misc]  # mypy infers no type for the default
        talk(log, "x", key=name, name=name)
    for path, name in ((FIRST, "one"), (SECOND, "two"), (None, "script")):
        log.notebook = lambda path=path: path  # type: ignore[misc]
        assert names(log, here=True) == [name]
    assert {each.notebook for each in log.rows(-1)} == {"Untitled.ipynb", None}


def test_the_path_is_in_no_export_and_in_no_conversation_as_read(log: ExchangeLog, tmp_path: Path) -> None:
    log.notebook = lambda: FIRST
    talk(log, "one")
    log.export(tmp_path / "all.jsonl")
    assert "ada" not in (tmp_path / "all.jsonl").read_text(encoding="utf-8")
    assert "ada" not in repr(log.conversations()) + repr(log.rows())
    assert log.path
    with closing(connect(log.path)[0]) as connection:
        assert connection.execute("SELECT notebook FROM conversations").fetchone()[0] == FIRST


@pytest.mark.parametrize(
    ("words", "found"),
    [("kalman", ["a"]), ("KAL filter", ["a"]), ("кошка", ["b"]), ("100%", ["b"]), ("gone", []), ("filter кошка", [])],
)
def test_words_are_found_in_the_turns_that_are_shown(log: ExchangeLog, words: str, found: list[str]) -> None:
    talk(log, "What is a Kalman", "A filter?", key="a", name="a")
    one, _ = talk(log, "КОШКА 100%", "gone", key="b", name="b")
    log.show("b", "b", [one])
    assert names(log, words) == found


def test_without_a_name_the_second_turn_makes_a_conversation(log: ExchangeLog) -> None:
    one = ask(log, "one")
    log.show("c1", None, [one])
    assert log.conversations() == []
    two = ask(log, "two")
    log.show("c1", None, [one, two])
    assert log.conversations()[0].turns == (one.number, two.number)
    log.show("c1", None, [one])
    assert log.conversations()[0].turns == (one.number,)


def test_a_deleted_conversation_leaves_nothing_in_the_files(log: ExchangeLog) -> None:
    log.notebook = lambda: FIRST
    outside = ask(log, "outside-secret", "other")
    first, _ = talk(log, "shown-secret", "undone-secret")
    log.show("c1", "main", [outside, first])
    kept = ask(log, "kept", "c2")
    assert log.delete_conversation("c1") == 2
    assert [each.id for each in log.rows()] == [kept.number]
    assert log.conversations() == []
    log.close()
    assert log.path
    content = b"".join(file.read_bytes() for file in log.path.parent.iterdir())
    assert b"secret" not in content
    assert b"ada" not in content
    assert log.delete_conversation("c1") == 0


def test_a_conversation_goes_with_its_last_exchange(log: ExchangeLog) -> None:
    one, two = talk(log, "one", "two")
    assert one.number
    assert two.number
    log.delete(one.number)
    assert log.conversations()[0].turns == (two.number,)
    log.delete(two.number)
    assert log.conversations() == []
    assert log.path
    with closing(connect(log.path)[0]) as connection:
        assert connection.execute("SELECT count(*) FROM conversations").fetchone()[0] == 0


def test_turns_of_another_log_are_not_shown(log: ExchangeLog, tmp_path: Path) -> None:
    one = ask(log, "one")
    log.flush()
    log.configure(tmp_path / "other.sqlite3")
    two = ask(log, "two")
    log.show("c1", "main", [one, two, FromLog(tmp_path / "third.sqlite3", 1)])
    assert log.conversations()[0].turns == (two.number,)
    log.show("c1", "main", [FromLog(tmp_path / "other.sqlite3", 1)])
    assert log.conversations()[0].turns == (1,)


def test_without_a_log_nothing_is_kept(tmp_path: Path) -> None:
    log, said = new_log(tmp_path / "log.sqlite3")
    log.configure("off")
    log.show("c1", "main", [ask(log, "one")])
    assert (list(tmp_path.iterdir()), said) == ([], [])


def test_reading_a_log_without_conversations_adds_none(log: ExchangeLog) -> None:
    write(log)
    assert log.path
    log.flush()
    with closing(connect(log.path)[0]) as connection:
        connection.execute("DROP TABLE conversations")
    assert log.conversations() == []
    assert log.delete_conversation("c1") == 0
    log.close()  # the next exchange opens it again, and adds what is missing
    talk(log, "one")
    assert names(log) == ["main"]


def test_the_cell_that_asked_is_kept_without_keys(log: ExchangeLog) -> None:
    wording = {"role": "user", "content": f"{{{{x}}}} {KEY}"}
    log.open(request(), cell={"id": "a", "run": "r", "wording": wording}).close("complete", reply())
    cell = log.get("last").cell
    assert cell
    assert (cell["id"], cell["run"], cell["wording"]["content"][:5]) == ("a", "r", "{{x}}")
    assert KEY not in json.dumps(cell)


def test_a_turn_that_another_conversation_shows_is_not_deleted_with_the_first(log: ExchangeLog) -> None:
    alone = ask(log, "alone", "none")
    for key in ("c1", "c2"):
        log.show(key, key, [alone, ask(log, f"on in {key}", key)])
    log.flush()
    assert log.delete_conversation("c1") == 2
    (left,) = log.conversations()
    assert log.turns_of(left, lambda turn: turn[0].prompt) == ["alone", "on in c2"]
    log.delete_conversation("c2")
    assert log.rows() == []
