from __future__ import annotations

import asyncio
import hashlib
import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.content import data_url, image_part, pdf_part, text_file_part, text_part
from jmuz_magic.errors import JmuzError
from jmuz_magic.log import rows as log_rows
from jmuz_magic.log import store as log_store
from jmuz_magic.log import thread as log_thread
from jmuz_magic.log.exchange import Exchange
from jmuz_magic.log.log import ExchangeLog
from jmuz_magic.log.store import connect
from jmuz_magic.messages import Message, Reasoning, ToolCall, Usage
from jmuz_magic.providers.endpoint.connection import Connection
from jmuz_magic.providers.endpoint.endpoint import Endpoint, resolve_endpoint
from jmuz_magic.providers.jmuz import Jmuz
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.request.request import Request
from jmuz_magic.storage import database
from jmuz_magic.storage.database import transaction
from tests.exchanges import ENDPOINT, KEY, new_log, reply, request, write
from tests.providers.asking import ask
from tests.strict_services import refuses_deprecated, refuses_old_limit, strict_service
from tests.waiting import wait_until


def test_an_exchange_is_logged_with_all_that_is_known(log: ExchangeLog) -> None:
    log.notebook = lambda: "analysis.ipynb"
    before = datetime.now(UTC) - timedelta(seconds=1)
    asked = request("Hello", options={"temperature": 0}, system="Be brief.")
    writer = log.open(asked)
    whole = reply(
        "Hi!",
        reasoning="They greet.",
        usage=Usage(3, 2, 5),
        elapsed=1.25,
        removed_adverts=("Join",),
        tool_calls=(ToolCall("1", "f", "{}"),),
        messages=asked.messages,
    )
    writer.close("complete", whole)

    (exchange,) = log.rows()

    assert before < exchange.asked_at < datetime.now(UTC) + timedelta(seconds=1)
    assert exchange == Exchange(
        id=1,
        asked_at=exchange.asked_at,
        state="complete",
        gone=False,
        provider="OpenaiTemplate",
        origin="http://127.0.0.1:9",
        model="gpt-4o",
        prompt="Hello",
        request=exchange.request,
        text="Hi!",
        reasoning="They greet.",
        finish_reason="stop",
        usage=Usage(3, 2, 5),
        seconds=1.25,
        notebook="analysis.ipynb",
        removed_adverts=("Join",),
        tool_calls=(ToolCall("1", "f", "{}"),),
    )
    assert exchange.request["messages"][0] == {"role": "system", "content": "Be brief."}
    assert exchange.request["temperature"] == 0
    assert exchange.reply == whole


def test_of_a_prompt_with_an_image_its_text_is_the_prompt(log: ExchangeLog) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    parts: list[dict[str, Any]] = [{"type": "text", "text": "What is"}, image, {"type": "text", "text": "this?"}]
    log.open(Request(Connection(ENDPOINT), "gpt-4o", ({"role": "user", "content": parts},))).close("complete", reply())
    assert log.get("last").prompt == "What is\nthis?"


def test_of_a_file_the_log_keeps_name_size_and_hash(log: ExchangeLog) -> None:
    png, pdf, text = b"\x89PNG\r\n\x1a\nzz", b"%PDF-1.7 zz", b"a,b\n1,2\n"
    image = image_part(data_url(png, "image/png"), "plot.png")
    parts = [text_part("Compare"), image, pdf_part(pdf, "paper.pdf"), text_file_part("a,b 1,2", "table.csv", text)]
    linked = image_part("https://plots.example/a.png")
    messages: list[Message] = [{"role": "user", "content": parts}, {"role": "user", "content": [*parts, linked]}]
    log.open(Request(Connection(ENDPOINT), "gpt-4o", tuple(messages))).close("complete", reply())
    kept = log.get("last").request["messages"]
    hashes = [hashlib.sha256(data).hexdigest() for data in (png, pdf, text)]
    names = ["image: plot.png, 10 bytes", "file: paper.pdf, 11 bytes", "file: table.csv, 8 bytes"]
    words = ["Compare", *(f"[{name}, sha256 {digest}]" for name, digest in zip(names, hashes, strict=True))]
    assert kept[0]["content"] == "\n\n".join(words)
    assert kept[1]["content"] == [*map(text_part, words), linked]
    assert log.get("last").prompt == "Compare"
    assert list(log.get("last").messages) == kept
    raw = log.path.read_bytes() + log.path.with_name(log.path.name + "-wal").read_bytes() if log.path else b""
    assert b"base64" not in raw
    assert b"1,2" not in raw


def test_a_request_that_cannot_be_built_is_logged_as_it_was_asked(log: ExchangeLog) -> None:
    log.open(request("Hello", options={"images": ["no image"]})).close("failed", None, "no image")
    (exchange,) = log.rows()
    assert exchange.request["messages"] == [{"role": "user", "content": "Hello"}]
    assert exchange.request["images"] == ["no image"]
    assert exchange.error == "no image"


def test_a_class_that_fails_while_it_builds_a_request_does_not_stop_the_log(log: ExchangeLog) -> None:
    class Mine(OpenaiTemplate):
        @classmethod
        def build_request(cls, *_: Any, **__: Any) -> dict[str, Any]:
            raise LookupError("mine")

    mine = Request(Connection(Endpoint(Mine, "http://127.0.0.1:9/v1")), "phi4", ({"role": "user", "content": "Hi"},))
    log.open(mine).close("failed", None, "mine")
    log.open(request("Hello")).close("complete", reply())
    assert [(exchange.prompt, exchange.model) for exchange in log.rows()] == [("Hello", "gpt-4o"), ("Hi", "phi4")]


@pytest.mark.parametrize("state", ["truncated", "interrupted", "failed"])
def test_other_ends_are_logged_as_what_they_are(log: ExchangeLog, state: str) -> None:
    writer = log.open(request())
    writer.append("half a ")
    writer.append(Reasoning("hm"))
    writer.append("sentence")
    writer.close(state, None, "it broke")  # type: ignore[arg-type]  # one of the literals
    (exchange,) = log.rows()
    assert (exchange.state, exchange.text, exchange.reasoning) == (state, "half a sentence", "hm")
    assert exchange.error == "it broke"


def test_the_exchange_is_on_disk_before_the_request_leaves(log: ExchangeLog) -> None:
    async def ask() -> None:
        await log.open(request()).stored()

    asyncio.run(ask())
    assert log.path
    connection = log_store.connect_to_read(log.path)
    assert connection
    assert connection.execute("SELECT state FROM exchanges").fetchone()[0] == "streaming"
    connection.close()


def test_text_is_on_disk_while_it_streams(log: ExchangeLog) -> None:
    writer = log.open(request())
    writer.append("so ")
    writer.append("far")
    assert log.path
    path = log.path
    other, _ = new_log(path)
    wait_until(path.exists, "the log is there")
    wait_until(lambda: [exchange.text for exchange in other.rows()] == ["so far"], "another reader sees the text", 5)
    assert (other.get("last").state, other.get("last").gone) == ("streaming", False)


def test_appending_never_waits_for_the_disk(log: ExchangeLog) -> None:
    write(log)
    log.flush()
    assert log.path
    blocker, _ = connect(log.path)
    with transaction(blocker):
        writer = log.open(request())
        for _ in range(10_000):
            writer.append("x")
        writer.close("complete", reply("x" * 10_000))
    blocker.close()
    assert log.flush(30)
    assert [len(exchange.text) for exchange in log.rows()] == [10_000, 3]


def test_a_log_that_other_kernels_keep_busy_is_tried_again(log: ExchangeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY", 0.01)
    write(log)
    log.flush()
    assert log.path
    assert log._thread
    entries = log._thread._entries
    blocker, _ = connect(log.path)
    with transaction(blocker):
        write(log)
        wait_until(lambda: any(entry.attempts > 2 for entry in list(entries.values())), "it was tried three times")
    blocker.close()
    assert len(log.rows()) == 2


def test_rows_are_newest_first_and_as_many_as_asked_for(log: ExchangeLog) -> None:
    for number in range(5):
        write(log, f"prompt {number}")
    assert [exchange.prompt for exchange in log.rows(2)] == ["prompt 4", "prompt 3"]
    assert len(log.rows(-1)) == 5


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("kalman", ["Kalman-Filter"]),
        ("filter alm", ["Kalman-Filter"]),
        ("kalman nothing", []),
        ("ÄRGER", ["Ärger mit Öl"]),
        ("100%", ["100% sure_ly"]),
        ("e_l", ["100% sure_ly"]),
        ("%", ["100% sure_ly"]),
        ("語の", ["日本語の質問"]),
        ("answered", ["日本語の質問", "100% sure_ly", "Ärger mit Öl", "Kalman-Filter"]),
    ],
)
def test_search_finds_parts_of_words_in_any_case(log: ExchangeLog, words: str, found: list[str]) -> None:
    for prompt in ("Kalman-Filter", "Ärger mit Öl", "100% sure_ly", "日本語の質問"):
        write(log, prompt, f"answered: {prompt}")
    assert [exchange.prompt for exchange in log.search(words)] == found


def test_an_exchange_is_found_by_number_and_as_the_last(log: ExchangeLog) -> None:
    write(log, "one")
    write(log, "two")
    assert log.get(1).prompt == log.get("1").prompt == "one"
    assert log.get("last").prompt == "two"
    with pytest.raises(JmuzError, match="no exchange 7"):
        log.get(7)
    with pytest.raises(JmuzError, match="expected an exchange's number or last, got 'first'"):
        log.get("first")


def test_deleted_exchanges_are_gone_from_the_files_too(log: ExchangeLog) -> None:
    write(log, "a secret plan", "xyzzy " * 2000)
    write(log, "something else")
    assert log.delete(1)
    assert not log.delete(1)
    assert [exchange.prompt for exchange in log.rows()] == ["something else"]
    assert log.path
    for file in log.path.parent.iterdir():
        content = file.read_bytes()
        assert b"xyzzy" not in content, file
        assert b"secret plan" not in content, file


def test_a_number_is_never_given_twice(log: ExchangeLog) -> None:
    write(log)
    log.flush()
    log.delete(1)
    write(log)
    assert log.get("last").id == 2


def test_what_was_asked_before_a_day_is_deleted(log: ExchangeLog) -> None:
    for _ in range(3):
        write(log)
    _age(log, 1, days=40)
    _age(log, 2, days=2)
    assert log.delete_before(date.today() - timedelta(days=10)) == 1  # noqa: DTZ011  # a user's day is local
    assert log.delete_before(datetime.now(UTC) - timedelta(days=1)) == 1
    assert [exchange.id for exchange in log.rows()] == [3]


def test_an_exchange_deleted_while_it_streams_stays_away(log: ExchangeLog) -> None:
    writer = log.open(request())
    log.flush()
    log.delete(1)
    writer.close("complete", reply())
    assert log.rows() == []


def test_the_log_is_bounded_by_age(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    old, _ = new_log(path)
    write(old)
    write(old)
    _age(old, 1, days=40)
    old.close()
    log = ExchangeLog()
    log.configure(path, max_age_days=30)
    log.on_message = lambda _: None
    write(log)
    assert [exchange.id for exchange in log.rows()] == [3, 2]
    log.close()


@pytest.mark.parametrize("days", [1e6, 1e300, float("inf")])
def test_an_age_beyond_the_calendar_keeps_everything(tmp_path: Path, days: float) -> None:
    log = ExchangeLog()
    log.configure(tmp_path / "log.sqlite3", max_age_days=days)
    log.on_message = lambda _: None
    for number in range(3):
        write(log, f"prompt {number}")
        assert log.flush()
    assert len(log.rows()) == 3
    with pytest.raises(JmuzError, match="out of range"):
        log.get(10**30)
    log.close()


def test_the_log_is_bounded_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_thread, "PRUNE_EVERY", 10)
    log = ExchangeLog()
    log.configure(tmp_path / "log.sqlite3", max_bytes=500_000)
    log.on_message = lambda _: None
    for number in range(100):
        write(log, f"prompt {number}", "x" * 20_000)
        log.flush()
    kept = log.rows(-1)
    assert kept[0].prompt == "prompt 99"
    assert 10 <= len(kept) <= 35
    assert [exchange.id for exchange in kept] == sorted((exchange.id for exchange in kept), reverse=True)
    log.close()
    assert (tmp_path / "log.sqlite3").stat().st_size < 1_000_000


def test_a_bound_below_the_size_of_an_empty_log_empties_it(tmp_path: Path) -> None:
    log = ExchangeLog()
    log.configure(tmp_path / "log.sqlite3", max_bytes=1)
    log.on_message = lambda _: None
    write(log)
    assert log.flush(10)
    assert log.rows() == []
    log.close()


def test_the_export_is_json_lines_for_the_user_alone(log: ExchangeLog, tmp_path: Path) -> None:
    write(log, "one", "eins")
    write(log, "zwei", "größer \u2028")
    target = tmp_path / "log.jsonl"
    assert log.export(target) == 2
    lines = [json.loads(line) for line in target.read_bytes().split(b"\n") if line]
    assert [(line["id"], line["prompt"], line["text"]) for line in lines] == [
        (1, "one", "eins"),
        (2, "zwei", "größer \u2028"),
    ]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_an_export_to_nowhere_says_why(log: ExchangeLog, tmp_path: Path) -> None:
    target = tmp_path / "missing" / "log.jsonl"
    with pytest.raises(JmuzError) as caught:
        log.export(target)
    assert str(caught.value) == (
        f"the log cannot be exported to {target}: there is no directory {target.parent}; create it first"
    )


@pytest.mark.parametrize("name", ["notebook.ipynb", "chat.jmuz.jsonl", "log"])
def test_an_export_never_takes_the_place_of_another_kind_of_file(log: ExchangeLog, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(JmuzError, match="expected a file name that ends"):
        log.export(tmp_path / name)
    assert (tmp_path / name).read_text() == "precious"


@pytest.mark.parametrize("there", ["file", "link to nothing"])
def test_an_export_overwrites_nothing(log: ExchangeLog, tmp_path: Path, there: str) -> None:
    write(log)
    target, elsewhere = tmp_path / "data.jsonl", tmp_path / "elsewhere"
    if there == "file":
        target.write_text("precious")
    else:
        target.symlink_to(elsewhere)
    with pytest.raises(JmuzError, match="already exists; give another name, or remove it first"):
        log.export(target)
    assert not elsewhere.exists()
    assert there != "file" or target.read_text() == "precious"


def test_an_export_that_breaks_off_leaves_no_file(
    log: ExchangeLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(log)
    exchange, before = log.get("last"), sorted(tmp_path.iterdir())

    def latest(*_: object, **__: object) -> Iterator[Exchange]:
        yield exchange
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(log_rows, "latest", latest)
        log.export(tmp_path / "log.jsonl")
    assert sorted(tmp_path.iterdir()) == before
    assert log.export(tmp_path / "log.jsonl") == 1


@pytest.mark.threat(21)
def test_only_the_user_may_read_the_files(log: ExchangeLog) -> None:
    write(log)
    log.flush()
    assert log.path
    assert stat.S_IMODE(log.path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in log.path.parent.iterdir()} == {0o600}


def test_one_line_says_where_a_new_log_is_and_how_to_turn_it_off(tmp_path: Path) -> None:
    for expected in (1, 0):
        log, said = new_log(tmp_path / "log.sqlite3")
        write(log)
        log.close()
        assert len(said) == expected
        assert all("log.sqlite3" in line and "JMUZ_LOG=off" in line for line in said)


def test_the_home_directory_is_not_named(clean_environment: Path) -> None:
    log, said = new_log(clean_environment / "somewhere" / "log.sqlite3")
    write(log)
    log.close()
    assert "~/somewhere/log.sqlite3" in said[0]
    assert str(clean_environment) not in said[0]


@pytest.mark.parametrize("word", ["off", "0", "OFF", "false"])
def test_the_log_can_be_turned_off(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JMUZ_LOG", word)
    log = ExchangeLog()
    assert log.path is None
    write(log)
    asyncio.run(log.open(request()).stored())
    assert log._thread is None
    with pytest.raises(JmuzError, match="the log is off"):
        log.rows()


def test_a_variable_moves_the_log_and_a_setting_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JMUZ_LOG", str(tmp_path / "a.sqlite3"))
    log = ExchangeLog()
    log.on_message = lambda _: None
    write(log)
    log.flush()
    assert (tmp_path / "a.sqlite3").exists()
    log.configure(tmp_path / "b.sqlite3")
    write(log)
    write(log)
    assert len(log.rows()) == 2
    log.configure()
    assert len(log.rows()) == 1


def test_a_variable_that_changes_moves_the_log_with_the_next_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ExchangeLog()
    log.on_message = lambda _: None
    for name in "ab":
        monkeypatch.setenv("JMUZ_LOG", str(tmp_path / f"{name}.sqlite3"))
        write(log, name)
        assert [exchange.prompt for exchange in log.rows()] == [name]
    log.close()


def test_without_settings_the_log_is_in_the_data_directory(
    clean_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JMUZ_LOG")
    assert ExchangeLog().path == clean_environment / ".local/share/jmuz_magic/exchanges.sqlite3"


def test_reading_makes_no_log(log: ExchangeLog) -> None:
    assert log.rows() == []
    assert log.delete(1) == 0
    with pytest.raises(JmuzError, match="nothing is logged yet"):
        log.get("last")
    assert log.path
    assert not log.path.parent.exists()


def test_closing_ends_the_thread_and_marks_what_has_not_ended(log: ExchangeLog) -> None:
    writer = log.open(request())
    writer.append("so far")
    thread = log._thread
    assert thread
    log.close()
    assert not thread._thread.is_alive()
    (exchange,) = log.rows()
    assert (exchange.state, exchange.text) == ("interrupted", "so far")
    writer.close("complete", reply())  # too late, and harmless
    write(log)
    assert len(log.rows()) == 2


def test_a_second_close_changes_nothing(log: ExchangeLog) -> None:
    writer = write(log)
    writer.close("failed", None, "what?")
    assert log.get("last").state == "complete"


def test_lone_surrogates_and_nul_can_be_stored(log: ExchangeLog) -> None:
    writer = log.open(request("a\ud83d b"))
    writer.append("x\ud83d")
    writer.append("\ude00y\x00z \ud800")
    writer.close("interrupted")
    (exchange,) = log.rows()
    assert exchange.text == "x😀y\x00z \ufffd"
    assert exchange.prompt == "a\ufffd b"


def test_importing_the_package_opens_no_database() -> None:
    program = (
        "import sys, jmuz_magic; from jmuz_magic import exchange_log, Conversation; "
        "Conversation(); assert 'sqlite3' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_a_database_of_an_older_schema_is_brought_up_to_date(log: ExchangeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    write(log, "old")
    log.close()
    monkeypatch.setattr(
        log_store, "MIGRATIONS", [*log_store.MIGRATIONS, "ALTER TABLE exchanges ADD COLUMN stars INTEGER;\n"]
    )
    assert [exchange.prompt for exchange in log.rows()] == ["old"]
    write(log, "new")
    assert [exchange.prompt for exchange in log.rows()] == ["new", "old"]
    assert log.path
    connection = log_store.connect_to_read(log.path)
    assert connection
    assert connection.execute("PRAGMA user_version").fetchone()[0] == 2
    assert connection.execute("SELECT stars FROM exchanges").fetchall()
    connection.close()


def _age(log: ExchangeLog, number: int, days: int) -> None:
    log.flush()
    assert log.path
    connection, _ = connect(log.path)
    moment = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds")
    connection.execute("UPDATE exchanges SET asked_at = ? WHERE id = ?", (moment, number))
    connection.close()


@pytest.mark.finding("D5")
@pytest.mark.parametrize("count", [200, 1_000])
def test_the_file_gets_smaller_when_exchanges_are_deleted(log: ExchangeLog, count: int) -> None:
    for number in range(count):
        write(log, f"question {number}", f"{number} " * 1_000)
    assert log.flush(60)
    assert log.path
    log.close()
    before = log.path.stat().st_size
    assert log.delete_before(datetime.now(UTC) + timedelta(days=1)) == count
    assert log.path.stat().st_size < before / 10


@pytest.mark.finding("D5")
def test_the_file_gets_smaller_when_old_exchanges_leave(log: ExchangeLog) -> None:
    for number in range(300):
        write(log, f"question {number}", f"{number} " * 2_000)
    assert log.flush(60)
    assert log.path
    log.close()
    before = log.path.stat().st_size
    connection, _ = connect(log.path)
    log_rows.prune(connection, before // 4, 1_000)
    connection.close()
    assert log.path.stat().st_size < before / 3


@pytest.mark.finding("B27")
def test_how_a_request_travels_is_not_logged(log: ExchangeLog) -> None:
    log.open(request(options={"temperature": 0, "allow_http": True, "timeout": 5})).close("complete", reply())
    (exchange,) = log.rows()
    assert exchange.request["temperature"] == 0
    assert not {"allow_http", "timeout"} & exchange.request.keys()


def test_the_request_is_logged_as_it_was_sent_in_the_end(log: ExchangeLog) -> None:
    with strict_service(refuses_deprecated("temperature"), refuses_old_limit) as service:
        endpoint = resolve_endpoint(OpenaiTemplate, api_base=service.api_base)
        options = {"temperature": 0.2, "max_tokens": 5}
        writer = log.open(request("Hello", model="m", options=options, endpoint=endpoint))
        log.flush()
        begun = log.get("last").request
        ask(OpenaiTemplate, api_base=service.api_base, model="m", typed={}, **options)
        writer.close("complete", reply(requests=3, left_out=("temperature",)))
        assert log.get("last").request == service.requests[-1]
    assert (begun["temperature"], begun["max_tokens"]) == (0.2, 5)


def test_messages_are_kept_as_they_were_asked_whatever_is_sent(log: ExchangeLog, tmp_path: Path) -> None:
    folding = replace(ENDPOINT, provider=Jmuz)
    for endpoint in (folding, ENDPOINT):
        log.open(request("Hello", system="Be brief.", endpoint=endpoint)).close("complete", reply())
    plain, folded = log.rows()
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    assert list(plain.messages) == list(folded.messages) == list(folded.reply.messages) == asked
    assert plain.request["messages"] == asked
    assert [message["role"] for message in folded.request["messages"]] == ["user"]
    log.export(tmp_path / "all.jsonl")
    exported = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [line.get("messages") for line in exported] == [asked, None]  # once is enough
    assert log.path
    connection = log_store.connect_to_read(log.path)
    assert connection
    kept = connection.execute("SELECT messages IS NULL FROM exchanges ORDER BY id").fetchall()
    assert [tuple(row) for row in kept] == [(0,), (1,)]
    connection.close()


def test_the_key_is_in_no_message_as_asked(log: ExchangeLog) -> None:
    folding = replace(ENDPOINT, provider=Jmuz)
    log.open(request(f"my key is {KEY}", system=KEY, endpoint=folding)).close("complete", reply())
    assert KEY not in str(log.get("last"))
    assert "my key is ***" in str(log.get("last").messages)
