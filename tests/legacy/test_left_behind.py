"""A home and a folder that version 0.1 left behind (`make.py`): they open, replay and migrate with today's package."""

from __future__ import annotations

import json
import lzma
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jmuz_magic.log.log import ExchangeLog
from jmuz_magic.recordings.recording import Recording
from tests.exchanges import write
from tests.executing import execute
from tests.legacy.cells import ASKED, DEMO, OTHER
from tests.legacy.server import answer_chunks, scripted_endpoint
from tests.magics.loaded import UserShell

DATA = Path(__file__).resolve().parent / "data"
RECORDING = DATA / "replies.jmuz.jsonl"
LINES: list[dict[str, Any]] = [json.loads(line) for line in RECORDING.read_bytes().splitlines()]


def unpacked(name: str, folder: Path) -> Path:
    (folder / name).write_bytes(lzma.decompress((DATA / f"{name}.xz").read_bytes()))
    return folder / name


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ExchangeLog]:
    log, said = ExchangeLog(), list[str]()
    log.configure(unpacked("exchanges.sqlite3", tmp_path), max_age_days=100_000)
    log.on_message = said.append
    yield log
    log.close()
    assert said == []


def left_exchanges(folder: Path) -> list[dict[str, Any]]:
    """As 0.1 exported them, oldest first."""
    return [json.loads(line) for line in unpacked("exchanges.jsonl", folder).read_bytes().splitlines()]


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the notebook was, with its recording; the working directory."""
    shutil.copy(RECORDING, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JMUZ_RECORDING", RECORDING.name)
    return tmp_path


@pytest.fixture
def at_home(folder: Path, request: pytest.FixtureRequest) -> Callable[[dict[str, str]], UserShell]:
    """A new session with the saved choices, in which some words are replaced: addresses."""

    def begin(words: dict[str, str]) -> UserShell:
        home = folder / "config" / "jmuz_magic"  # where the fixture `user` looks
        home.mkdir(parents=True)
        (home / "choices.json").write_text(replaced((DATA / "choices.json").read_text("utf-8"), words), "utf-8")
        user: UserShell = request.getfixturevalue("user")
        return user

    return begin


def replaced(text: str, words: dict[str, str]) -> str:
    for old, new in words.items():
        text = text.replace(old, new)
    return text


def replies_of(user: UserShell, cells: list[str]) -> list[dict[str, Any]]:
    """Run the cells; what was replied, one for each that asks."""
    replies = []
    for cell in cells:
        user.line(cell)
        namespace = user.shell.user_ns
        name = "python_reply" if cell.startswith("python_reply") else "_jmuz"
        if cell.startswith(("%%jmuz -", "%%jmuz\n", "%jmuz -", "python_reply", "job.result")):
            replies.append(namespace[name])
    return [
        {
            "text": reply.text,
            "reasoning": reply.reasoning,
            "finish_reason": reply.finish_reason,
            "calls": [[call.id, call.name, call.arguments] for call in reply.tool_calls],
        }
        for reply in replies
    ]


def recorded_replies() -> list[dict[str, Any]]:
    return [
        {
            "text": line["reply"]["text"],
            "reasoning": line["reply"].get("reasoning", ""),
            "finish_reason": line["reply"]["finish_reason"],
            "calls": [list(call.values()) for call in line["reply"].get("tool_calls", ())],
        }
        for line in LINES
    ]


def test_the_log_reads_as_it_did(log: ExchangeLog, tmp_path: Path) -> None:
    exchanges = log.rows(-1)
    before = left_exchanges(tmp_path)
    assert len(exchanges) == len(before) == 1_000
    for exchange, old in zip(reversed(exchanges), before, strict=True):
        now = as_json(exchange.as_dict())
        assert {name: now.get(name) for name in old} == old
        assert exchange.reply.text == old.get("text", "")
    assert {exchange.state for exchange in exchanges} == {"complete", "interrupted", "failed", "streaming"}
    assert exchanges[0].gone
    assert len(log.search("東京の天気", -1)) > 100


def test_reading_the_log_changes_no_byte(log: ExchangeLog, tmp_path: Path) -> None:
    before = (tmp_path / "exchanges.sqlite3").read_bytes()
    assert len(log.search("bidi", -1)) > 100
    assert log.conversations() == []  # 0.1 kept none
    assert (tmp_path / "exchanges.sqlite3").read_bytes() == before


def test_the_log_migrates_and_goes_on(log: ExchangeLog, tmp_path: Path) -> None:
    write(log, "The first after the update", "Hi!")
    exchanges = log.rows(-1)
    assert (exchanges[0].id, exchanges[0].prompt) == (1_001, "The first after the update")
    assert [as_json(each.as_dict())["request"] for each in reversed(exchanges[1:])] == [
        old["request"] for old in left_exchanges(tmp_path)
    ]
    log.export(tmp_path / "again.jsonl")
    assert len((tmp_path / "again.jsonl").read_bytes().splitlines()) == 1_001
    assert log.delete(7)
    assert len(log.rows(-1)) == 1_000


def test_a_command_brings_the_log_to_the_present_schema(log: ExchangeLog, tmp_path: Path) -> None:
    before = log.rows(-1)
    for said in ("added facts, messages, turn, tool_results, conversation_id, cell", "nothing to add"):
        command = [sys.executable, "-m", "jmuz_magic.log.migrate", str(tmp_path / "exchanges.sqlite3")]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.stdout.rpartition(": ")[2], done.stderr) == (f"{said}\n", "")
    assert log.rows(-1) == before
    assert [each.messages for each in before] == [tuple(each.request["messages"]) for each in before]
    missing = subprocess.run([*command[:-1], str(tmp_path / "other")], capture_output=True, text=True)
    assert (missing.returncode, missing.stderr.startswith("there is no log ")) == (1, True)
    assert not (tmp_path / "other").exists()


def test_the_choices_load(at_home: Callable[[dict[str, str]], UserShell]) -> None:
    user = at_home({})
    in_use = user.line("%jmuz_use")
    assert "jmuz" in in_use.lower()
    assert "127.0.0.1:8471" in in_use
    assert "demo-echo" in in_use
    aliases = user.line("%jmuz_alias")
    for words in ("brief: demo-echo", "temperature=0.3, max_tokens=40", "thinker: demo-reasoning", "top_p=0.5"):
        assert words in aliases
    assert "far: gpt-4o of https://llm.example/v1" in aliases.replace(" at ", " ")
    assert "LEGACY_KEY" in aliases


def test_the_keys_of_recorded_requests_are_what_they_were() -> None:
    for exchange, line in zip(Recording(RECORDING).exchanges(), LINES, strict=True):
        assert exchange.asked.key == exchange.key == line["key"]


@pytest.mark.parametrize("mode", ["only", "auto"])
def test_the_recording_replays(
    mode: str, at_home: Callable[[dict[str, str]], UserShell], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JMUZ_REPLAY", mode)
    with socket.create_server(("127.0.0.1", 0)) as taken:  # bound and then closed: nobody answers there
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    words = {DEMO: dead, OTHER: dead}
    user = at_home(words)
    user.line("%load_ext jmuz_magic")
    assert replies_of(user, [replaced(cell, words) for cell in ASKED]) == recorded_replies()
    assert "not yet used" not in user.line("%jmuz_record")
    assert Path(RECORDING.name).read_bytes() == RECORDING.read_bytes()


def test_recording_again_changes_no_byte(at_home: Callable[[dict[str, str]], UserShell]) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0.5}
    answers = [
        answer_chunks({**line["reply"], "usage": usage}, model="somebody-else", system_fingerprint="fp_new")
        for line in LINES
    ]
    with scripted_endpoint(answers) as api_base:
        words = {DEMO: api_base, OTHER: api_base, "seed=3": "seed=3, fresh=True"}
        user = at_home(words)
        cells = [replaced(cell, words) for cell in ASKED]
        fresh = [cell.replace("%jmuz -", "%jmuz --fresh -").replace("%jmuz\n", "%jmuz --fresh\n") for cell in cells]
        fresh = [cell.replace("job << ", "job << --fresh ") for cell in fresh]
        assert replies_of(user, fresh) == recorded_replies()
    assert answers == []  # each was asked for
    assert Path(RECORDING.name).read_bytes() == RECORDING.read_bytes()


def test_the_notebook_opens_and_its_transcript_reads(tmp_path: Path) -> None:
    notebook = nbformat.read(unpacked("notebook.ipynb", tmp_path), as_version=4)
    nbformat.validate(notebook)
    widget, transcript = notebook.cells[-1].outputs
    state = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    assert widget.data["application/vnd.jupyter.widget-view+json"]["model_id"] in state
    for words in ("The first turn", "The second turn, which knows the <strong>first</strong>", "You wrote:"):
        assert words in transcript.data["text/html"]
    assert "> The third one, with the default model" in transcript.data["text/plain"]


def plain_text(notebook: Any) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "\n".join(output.data.get("text/plain", "") for output in outputs if "data" in output)


@pytest.mark.kernel
def test_the_notebook_runs_again_without_an_endpoint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JMUZ_REPLAY", "only")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    path = unpacked("notebook.ipynb", folder)
    before, after = (nbformat.read(path, as_version=4) for _ in range(2))
    execute(after, folder)
    shown, shown_again = plain_text(before), plain_text(after)
    texts = [line["reply"]["text"].strip() for line in LINES if line["reply"]["text"].strip() in shown]
    assert len(texts) > 15
    assert [text for text in texts if text not in shown_again] == []
    assert Path(RECORDING.name).read_bytes() == RECORDING.read_bytes()
