"""The lines of a recording: what people edit in them, what is no part of their key, how often they are read."""

from __future__ import annotations

import inspect
import json
import os
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.recordings import file as recording_file
from jmuz_magic.recordings.recording import Recording
from jmuz_magic.request.asked import Asked
from jmuz_magic.request.written import written_options
from tests.conversation.exchanges import ask
from tests.legacy.cells import PICTURE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.jmuz.jsonl"


WRONG = [
    ("finish_reason", ["stop"]),
    ("usage", {"prompt_tokens": "three"}),
    ("tool_calls", [{"id": 1, "name": "f", "arguments": {}}]),
    ("removed_adverts", [1]),
    ("removed_adverts", "Join"),
    ("seconds", "1.5"),
    ("text", {"content": "Hi!"}),
    ("reasoning", 3),
    ("model", None),
]
REFUSED_BEFORE = [("usage", [1, 2]), ("usage", "many"), ("tool_calls", {"id": "1"}), ("tool_calls", [["f", "{}"]])]


@pytest.mark.parametrize(
    ("member", "value"), [*(pytest.param(*each, marks=pytest.mark.finding("D8")) for each in WRONG), *REFUSED_BEFORE]
)
def test_a_line_edited_into_wrong_types_is_refused_in_one_line(path: Path, member: str, value: Any) -> None:
    ask(Recording(path), "Hello", "Hi!")
    line = json.loads(path.read_text())
    line["reply"][member] = value
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(JmuzError, match=r"^line 1 of chat\.jmuz\.jsonl is no") as refused:
        Recording(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "facts",
    [
        3,
        {"answered_by": 1},
        {"usage": {"cost": "free"}},
        {"images": ["iVBORw0KGgo="]},
    ],
)
def test_facts_of_wrong_types_are_refused_in_one_line(path: Path, facts: Any) -> None:
    ask(Recording(path), "Hello", "Hi!")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"facts": facts}) + "\n")
    with pytest.raises(JmuzError, match=r"line 1 of chat\.jmuz\.jsonl is not a recorded exchange \(.*`\$"):
        Recording(path)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("allow_http", marks=pytest.mark.finding("B27")),
        "api_base",
        "api_key",
        "endpoint",
        "headers",
        "on_notice",
        "timeout",
    ],
)
def test_how_a_request_travels_is_no_part_of_its_key(path: Path, name: str) -> None:
    plain, travelling = Recording(path), Recording(path)
    ask(plain, "Hello", "Hi!", options={"temperature": 0})
    assert ask(travelling, "Hello", "other", options={"temperature": 0, name: True}) == "Hi!"
    assert len(plain.exchanges()) == 1


@pytest.mark.finding("B27")
def test_what_says_how_a_request_travels_is_what_the_signature_says() -> None:
    parameters = inspect.signature(OpenaiTemplate.create_async_generator).parameters.values()
    named = {each.name for each in parameters if each.kind is not each.VAR_KEYWORD} - {"model", "messages", "stream"}
    assert named >= {"allow_http", "api_base", "timeout"}
    assert written_options(dict.fromkeys([*named, "temperature"], 1)) == {"temperature": 1}


@pytest.mark.finding("B33")
def test_images_are_attached_to_the_prompt_once() -> None:
    """By `Conversation.turn`, before there is a request; a request is known by what stands in it."""
    image = b64decode(PICTURE)
    turn = Conversation("m", api_base="http://127.0.0.1:9/v1").turn("Look", images=[image])
    assert "images" not in turn.request.options
    assert len(turn.request.messages[-1]["content"] or "") == 2
    stray = replace(turn.request, options={"images": [image]})
    assert Asked.of(stray).messages == Asked.of(turn.request).messages


def test_a_recording_that_0_1_made_with_such_an_option_still_answers(path: Path) -> None:
    ask(Recording(path), "Hello", "Hi!", options={"seed": 1})
    line = json.loads(path.read_text())
    line["request"]["options"]["allow_http"] = True
    line["key"] = "as 0.1 counted it in"
    path.write_text(json.dumps(line) + "\n")
    before = path.read_bytes()
    assert ask(Recording(path, "only"), "Hello", options={"seed": 1, "allow_http": True}) == "Hi!"
    ask(Recording(path), "Hello", "Hi!", fresh=True, options={"seed": 1})
    assert path.read_bytes() == before


@pytest.mark.finding("B31")
def test_a_file_is_parsed_once_however_often_it_is_asked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        ask(Recording(path), f"question {number}", f"reply {number}")
    os.utime(path, (0, 0))
    parsed = []
    loads = json.loads

    def counting(text: Any, **how: Any) -> Any:
        parsed.append(text)
        return loads(text, **how)

    monkeypatch.setattr(json, "loads", counting)
    recording = Recording(path)
    for number in range(30):
        assert ask(recording, f"question {number}") == f"reply {number}"
    lines = [text for text in parsed if b'"jmuz"' in (text if isinstance(text, bytes) else text.encode())]
    assert len(lines) == 30


def test_what_others_write_is_seen_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when size and, by its resolution, time of the file stay the same."""
    monkeypatch.setattr(recording_file, "SETTLED", 10**18)  # however slow the machine is
    recording = Recording(path)
    ask(recording, "Hello", "Hi!")
    for old, new in (("Hi!", "Ho!"), ("Ho!", "Hu!"), ("Hu!", "Hi!")):
        time = path.stat().st_mtime_ns
        path.write_bytes(path.read_bytes().replace(f'"{old}"'.encode(), f'"{new}"'.encode()))
        os.utime(path, ns=(time, time))
        assert [line.reply.text for line in recording.exchanges()] == [new]
    with path.open("ab") as file:
        file.write(b"\n")
    assert len(recording.exchanges()) == 1
    path.unlink()
    assert recording.exchanges() == []
