from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import FinishReason, Reasoning, ToolCall, ToolCalls, Usage, copy_messages
from jmuz_magic.providers.dialects.sending import attach_images
from jmuz_magic.providers.endpoint.connection import Connection
from jmuz_magic.recordings import file as recording_file
from jmuz_magic.recordings import line as recording_line
from jmuz_magic.recordings.line import RecordedExchange, read_line
from jmuz_magic.recordings.recording import Recorder, Recording
from jmuz_magic.request.cell import Cell, find_cell, set_cell_finder
from jmuz_magic.request.request import Request
from jmuz_magic.secret import Secret
from tests.exchanges import ENDPOINT, ask, reply, request


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.jmuz.jsonl"


def prompts(path: Path) -> list[str]:
    return [json.loads(line)["request"]["messages"][-1]["content"] for line in path.read_bytes().splitlines()]


def test_a_recorded_reply_comes_back_whole(path: Path) -> None:
    first = Recording(path).ask(request("Hello"))
    assert first.recorded is None
    whole = reply(
        "Hi!\n",
        reasoning="They greet.",
        usage=Usage(3, None, 5),
        elapsed=1.25,
        removed_adverts=("Join",),
        tool_calls=(ToolCall("1", "f", "{}"),),
        messages=request("Hello").messages,
    )
    first.close("complete", whole)

    again = Recording(path, "only").ask(request("Hello", endpoint=None)).recorded

    assert again
    assert again.reply == whole
    assert again.origin == "http://127.0.0.1:9"
    assert again.chunks() == [
        Reasoning("They greet."),
        "Hi!\n",
        ToolCalls((ToolCall("1", "f", "{}"),)),
        Usage(3, None, 5),
        FinishReason("stop"),
    ]


def test_the_nth_asking_gets_the_nth_reply(path: Path) -> None:
    first = Recording(path)
    assert [ask(first, "Toss a coin", side) for side in ("heads", "tails", "heads")] == ["heads", "tails", "heads"]
    restarted = Recording(path)
    assert [ask(restarted, "Toss a coin", "edge") for _ in range(4)] == ["heads", "tails", "heads", "edge"]
    assert len(Recording(path).exchanges()) == 4


@pytest.mark.parametrize("state", ["truncated", "interrupted", "failed"])
def test_only_complete_replies_are_recorded(path: Path, state: Any) -> None:
    recording = Recording(path)
    asking = recording.ask(request("Hello"))
    asking.close(state, reply("Hel"))
    assert not path.exists()
    assert ask(recording, "Hello", "Hi!") == "Hi!"
    assert ask(Recording(path, "only"), "Hello") == "Hi!"


def test_an_asking_that_never_begins_does_not_count(path: Path) -> None:
    ask(Recording(path), "Hello", "Hi!")
    only = Recording(path, "only")
    only.ask(request("Hello"))  # as `--dry-run` does
    assert ask(only, "Hello") == "Hi!"


def test_lines_stand_in_order_of_asking(path: Path) -> None:
    recording = Recording(path)
    early, late = recording.ask(request("asked first")), recording.ask(request("asked second"))
    early.begin()
    late.begin()
    late.close("complete", reply())
    early.close("complete", reply())
    ask(recording, "asked third", "…")
    assert prompts(path) == ["asked first", "asked second", "asked third"]


def test_the_same_request_twice_at_once_is_recorded_in_order_of_asking(path: Path) -> None:
    recording = Recording(path)
    early, late = recording.ask(request("Toss a coin")), recording.ask(request("Toss a coin"))
    early.begin()
    late.begin()
    late.close("complete", reply("second"))
    early.close("complete", reply("first"))
    again = Recording(path, "only")
    assert [ask(again, "Toss a coin") for _ in range(2)] == ["first", "second"]


def test_a_new_prompt_is_recorded_where_it_is_asked(path: Path) -> None:
    first = Recording(path)
    for prompt in ("one", "two", "three"):
        ask(first, prompt, prompt)
    restarted = Recording(path)
    for prompt in ("one", "two, changed", "three", "four"):
        ask(restarted, prompt, prompt)
    assert prompts(path) == ["one", "two, changed", "two", "three", "four"]


def test_an_unchanged_line_is_kept_byte_for_byte(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Recording(path)
    for prompt in ("one", "two", "one"):
        ask(first, prompt, f"reply to {prompt}")
    old = path.read_bytes().replace(b'"date": "20', b'"date": "19')
    # By hand: other blanks, a blank line, a member that nobody knows.
    old = old.replace(b'"jmuz": 1}', b'"jmuz":1,  "note": "mine"}', 1) + b"\n"
    path.write_bytes(old)
    restarted = Recording(path)
    for prompt in ("one", "two", "one"):
        asking = restarted.ask(request(prompt), fresh=True)
        assert asking.recorded is None
        asking.close("complete", reply(f"reply to {prompt}", elapsed=9.0))
    assert path.read_bytes() == old


def test_a_fresh_reply_takes_the_place_of_the_recorded_one(path: Path) -> None:
    first = Recording(path)
    for answer in ("heads", "tails"):
        ask(first, "Toss a coin", answer)
    before = path.read_bytes().splitlines()
    restarted = Recording(path)
    ask(restarted, "Toss a coin")
    ask(restarted, "Toss a coin", "edge", fresh=True)
    after = path.read_bytes().splitlines()
    assert after[0] == before[0]
    assert len(after) == 2
    again = Recording(path, "only")
    assert [ask(again, "Toss a coin") for _ in range(2)] == ["heads", "edge"]


def test_a_fresh_reply_also_replaces_the_first_of_two(path: Path) -> None:
    first = Recording(path)
    for answer in ("heads", "tails"):
        ask(first, "Toss a coin", answer)
    ask(Recording(path), "Toss a coin", "edge", fresh=True)
    again = Recording(path, "only")
    assert [ask(again, "Toss a coin") for _ in range(2)] == ["edge", "tails"]


def test_a_cell_that_is_run_again_asks_what_it_asked_before(path: Path) -> None:
    cell = Cell("", "0")
    set_cell_finder(lambda: cell)
    try:
        recording = Recording(path)
        cell = Cell("a", "1")
        ask(recording, "Toss a coin", "heads")
        ask(recording, "Toss a coin", "tails")
        cell = Cell("b", "2")
        ask(recording, "Toss a coin", "edge")
        cell = Cell("a", "3")
        assert [ask(recording, "Toss a coin", "?") for _ in range(3)] == ["heads", "tails", "?"]
        cell = Cell("b", "4")
        assert ask(recording, "Toss a coin") == "edge"
        cell = Cell("b", "5")
        assert ask(recording, "Toss a coin", "new", fresh=True) == "new"
    finally:
        set_cell_finder(None)
    again = Recording(path, "only")
    assert [ask(again, "Toss a coin") for _ in range(4)] == ["heads", "tails", "new", "?"]


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "gpt-4o-mini"},
        {"options": {"temperature": 0.0, "seed": 1}},
        {"system": "Be brief."},
        {"options": {"temperature": 1}},
    ],
)
def test_model_messages_and_options_tell_requests_apart(path: Path, changed: dict[str, Any]) -> None:
    recording = Recording(path)
    ask(recording, "Hello", "Hi!", options={"temperature": 0.0})
    asked = {"options": {"temperature": 0.0}} | changed
    assert recording.ask(request("Hello", **asked)).recorded is None


@pytest.mark.parametrize("option", ["timeout", "headers", "api_key"])
def test_how_a_request_travels_does_not(path: Path, option: str) -> None:
    ask(Recording(path), "Hello", "Hi!", options={option: "a"})
    assert ask(Recording(path), "Hello", options={option: "b"}) == "Hi!"
    assert option not in path.read_text()


def test_only_takes_the_recorded_model_where_none_is_named(path: Path) -> None:
    recording = Recording(path)
    for model in ("a", "b", "a"):
        ask(recording, "Hello", f"from {model}", model=model)
    only = Recording(path, "only")
    assert [ask(only, "Hello", model="") for _ in range(2)] == ["from a", "from a"]
    assert ask(only, "Hello", model="") == "from b"
    with pytest.raises(JmuzError, match="has 2 recorded replies to this request, which is asked a 3rd time;"):
        ask(only, "Hello", model="")
    assert Recording(path).ask(request("Hello", model="")).recorded is None


def test_a_missing_recording_names_the_nearest_and_how_it_differs(path: Path) -> None:
    recording = Recording(path)
    ask(recording, "What is a Kalman filter, in two sentences?", "…", options={"temperature": 0})
    ask(recording, "Translate to French: good morning", "…")
    only = Recording(path, "only")

    def complaint(prompt: str, **asked: Any) -> str:
        with pytest.raises(JmuzError) as caught:
            only.ask(request(prompt, **asked))
        assert "\n" not in str(caught.value)
        said, _, next_step = str(caught.value).rpartition("; ")
        assert next_step == "%jmuz_record --auto asks and records it (in Python: replay='auto')"
        return said

    assert complaint("What is a Kalman filter, in one sentence?", options={"temperature": 0}) == (
        "chat.jmuz.jsonl has no reply to this request; the closest is exchange 1, which differs: "
        "prompt “…a Kalman filter, in one sentence?” instead of “…a Kalman filter, in two sentences?”"
    )
    prompt = "Translate to French: good morning"
    assert complaint(prompt, model="x").endswith("exchange 2, which differs: model x instead of gpt-4o")
    assert complaint(prompt, options={"temperature": 1}).endswith("differs: option temperature 1 instead of none")
    assert complaint(prompt, system="Be brief.").endswith("differs: system message “Be brief.” instead of “”")
    assert Recording(path, "only").unused() == recording.exchanges()


def test_a_missing_recording_of_a_conversation_says_what_of_it_differs(path: Path) -> None:
    def talk(*earlier: str, content: Any = "And now?") -> Request:
        messages: list[Any] = [{"role": "user", "content": text} for text in earlier]
        return Request(Connection(ENDPOINT), "gpt-4o", (*messages, {"role": "user", "content": content}))

    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    Recording(path).ask(talk("One")).close("complete", reply())
    only = Recording(path, "only")

    def complaint(asked: Request) -> str:
        with pytest.raises(JmuzError) as caught:
            only.ask(asked)
        return str(caught.value).partition("differs: ")[2].rpartition("; ")[0]

    assert complaint(talk()) == "1 messages instead of 2"
    assert complaint(talk("Two")) == "earlier messages of the conversation"
    assert complaint(talk("One", content=[{"type": "text", "text": "And now?"}, image])) == "attachments"


def test_an_empty_recording_says_so(path: Path) -> None:
    path.write_bytes(b"\n")
    with pytest.raises(JmuzError, match="has no exchanges yet"):
        Recording(path, "only").ask(request())


def test_only_needs_a_file(path: Path) -> None:
    with pytest.raises(JmuzError, match="there is no recording"):
        Recording(path, "only")


def test_a_file_that_is_missing_is_named_as_it_is_typed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    elsewhere = path.parent.parent / "no such" / "chat.jmuz.jsonl"
    for named, directory in (("no/such/chat.jmuz.jsonl", "no/such"), (str(elsewhere), str(elsewhere.parent))):
        with pytest.raises(JmuzError) as caught:
            Recording(named, "only")
        assert str(caught.value) == f"there is no recording {named}; there is no directory {directory} either"
        with pytest.raises(JmuzError, match=f"there is no directory {directory}; create it first"):
            Recording(named, "auto")
    with pytest.raises(JmuzError) as caught:
        Recording("chat.jmuz.jsonl", "only")
    assert str(caught.value) == (
        "there is no recording chat.jmuz.jsonl; %jmuz_record --auto creates it from an endpoint's replies "
        "(in Python: replay='auto')"
    )


def test_fresh_and_only_exclude_each_other(path: Path) -> None:
    ask(Recording(path), "Hello", "Hi!")
    with pytest.raises(JmuzError, match="a fresh reply needs an endpoint"):
        Recording(path, "only").ask(request(), fresh=True)


def test_off_neither_reads_nor_writes(path: Path) -> None:
    path.write_text("no recording at all")
    recording = Recording(path, "off")
    assert ask(recording, "Hello", "Hi!") == "Hi!"
    assert path.read_text() == "no recording at all"


def test_unused_recordings_are_listed(path: Path) -> None:
    recording = Recording(path)
    for prompt in ("one", "two", "two"):
        ask(recording, prompt, prompt)
    restarted = Recording(path)
    ask(restarted, "two")
    assert [line.asked.prompt for line in restarted.unused()] == ["one", "two"]
    assert recording.unused() == []


@pytest.mark.parametrize(
    "line",
    [
        b"<<<<<<< HEAD",
        b"{}",
        b"[1]",
        b'{"jmuz": "one"}',
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"jmuz": 1, "request": {"model": "m", "messages": 3}, "reply": {}}',
        b'{"jmuz": 1, "request": {"model": "m", "messages": ["Hello"]}, "reply": {}}',
        b'{"jmuz": 1, "request": {"model": "m", "messages": [], "options": 3}, "reply": {}}',
    ],
)
def test_a_line_that_is_none_is_named_and_nothing_is_overwritten(path: Path, line: bytes) -> None:
    ask(Recording(path), "Hello", "Hi!")
    recording = Recording(path)
    asking = recording.ask(request("two"))
    spoiled = path.read_bytes() + line + b"\n"
    path.write_bytes(spoiled)
    for use in (lambda: Recording(path), lambda: recording.ask(request()), lambda: asking.close("complete", reply())):
        with pytest.raises(JmuzError, match=r"line 2 of chat\.jmuz\.jsonl is not a recorded exchange"):
            use()
    assert path.read_bytes() == spoiled


def test_a_newer_recording_is_refused(path: Path) -> None:
    ask(Recording(path), "Hello", "Hi!")
    path.write_bytes(path.read_bytes().replace(b'"jmuz": 1', b'"jmuz": 2'))
    with pytest.raises(JmuzError, match="newer jmuz_magic"):
        Recording(path)


def test_a_file_with_other_line_ends_and_without_the_last_is_read(path: Path) -> None:
    for prompt in ("one", "two"):
        ask(Recording(path), prompt, prompt)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n").removesuffix(b"\r\n"))
    before = path.read_bytes()
    recording = Recording(path)
    assert [ask(recording, prompt) for prompt in ("one", "two")] == ["one", "two"]
    ask(recording, "three", "three")
    assert path.read_bytes().startswith(before)
    assert prompts(path) == ["one", "two", "three"]


def test_attachments_are_known_by_their_hash(path: Path, tmp_path: Path) -> None:
    def look(image: Path | bytes) -> Recorder:
        messages = attach_images(request("What is this?").messages, [image])
        return Recording(path).ask(Request(Connection(ENDPOINT), "gpt-4o", copy_messages(messages)))

    image = tmp_path / "plot.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    look(image).close("complete", reply("A plot"))
    moved = image.rename(tmp_path / "moved.png")
    assert look(moved).recorded
    assert look(moved.read_bytes()).recorded
    text = path.read_text()
    assert "data:image/png;sha256," in text
    assert len(text) < 1_000
    assert "plot.png" not in text
    moved.write_bytes(b"\x89PNG\r\n\x1a\nother")
    assert look(moved).recorded is None


@pytest.mark.parametrize(
    "payload", ["no base64, not even nearly", "iVBORw0KGgo", "\ud800"], ids=["text", "padding", "surrogate"]
)
def test_an_attachment_that_is_no_base64_is_known_by_its_hash_too(path: Path, payload: str) -> None:
    def look(payload: str) -> Request:
        part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{payload}"}}
        return Request(Connection(ENDPOINT), "gpt-4o", ({"role": "user", "content": [part]},))

    Recording(path).ask(look(payload)).close("complete", reply("A plot"))
    assert payload not in path.read_text()
    recorded = Recording(path).ask(look(payload)).recorded
    assert recorded
    assert recorded.reply.text == "A plot"
    assert Recording(path).ask(look(payload + "x")).recorded is None


def test_options_of_a_users_provider_need_not_be_json(path: Path) -> None:
    ask(Recording(path), "Hello", "Hi!", options={"audio": b"RIFF", "pass": Secret("hush"), "codec": object()})
    text = path.read_text()
    assert '"codec": "object object"' in text
    assert '"pass": "***"' in text
    assert "RIFF" not in text
    assert "hush" not in text
    again = {"audio": b"RIFF", "pass": Secret("hush"), "codec": object()}
    assert ask(Recording(path), "Hello", options=again) == "Hi!"
    assert Recording(path).ask(request("Hello", options=again | {"audio": b"OggS"})).recorded is None


def test_hostile_text_cannot_forge_a_line_or_hide_in_a_diff(path: Path) -> None:
    text = "a\nb\r\u2028c\u202ed\x1b[2K\x9b\ud800 ﻿e ü 日本"
    ask(Recording(path), text, text)
    content = path.read_bytes()
    assert content.count(b"\n") == 1
    readable = content.decode()
    assert len(readable.splitlines()) == 1
    assert not set(readable) & set("\u202e\x1b\x9b\ufeff\r")
    assert "ü 日本" in readable
    assert ask(Recording(path), text) == text.replace("\ud800", "\ufffd")


def test_a_recording_has_no_name_of_this_machine(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.node", lambda: "bobs-laptop.example")
    assert recording_line._nameless("http://bobs-laptop.local:11434") == "http://localhost:11434"
    assert recording_line._nameless("https://api.openai.com") == "https://api.openai.com"
    monkeypatch.undo()
    ask(Recording(path), "Hello", "Hi!")
    content = path.read_text()
    for name in (str(tmp_path), str(Path.home()), socket.gethostname()):
        assert name not in content


def test_a_new_recording_is_readable_as_other_files_are(path: Path) -> None:
    before = os.umask(0o022)
    try:
        ask(Recording(path), "Hello", "Hi!")
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        path.chmod(0o664)
        ask(Recording(path), "Hello, too", "Hi!")
        assert stat.S_IMODE(path.stat().st_mode) == 0o664
    finally:
        os.umask(before)
    assert list(path.parent.iterdir()) == [path]


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.jsonl"
    real.touch()
    path.symlink_to(real)
    ask(Recording(path), "Hello", "Hi!")
    assert path.is_symlink()
    assert prompts(real) == ["Hello"]


def test_a_recording_that_cannot_be_read_is_named(path: Path) -> None:
    path.mkdir()
    with pytest.raises(JmuzError, match=r"the recording .*chat\.jmuz\.jsonl cannot be read: Is a directory"):
        Recording(path)


def test_a_directory_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(JmuzError, match="an existing directory, but there is no directory "):
        Recording(tmp_path / "missing" / "chat.jmuz.jsonl")


def test_what_a_place_is_nobody_asks_without_a_finder() -> None:
    assert find_cell() is None


def test_recording_parses_only_what_is_new(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def counting(raw: bytes, place: str) -> RecordedExchange:
        read.append(raw)
        return read_line(raw, place)

    monkeypatch.setattr(recording_file, "read_line", counting)
    recording = Recording(path)
    for number in range(30):
        ask(recording, f"question {number}", f"reply {number}")
    assert read == []  # each line is known since it was written
    assert len(Recording(path).exchanges()) == len(read) == 30
