"""What is known of a reply beside its words: kept by log and recordings, and given back."""

from __future__ import annotations

import base64
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.log.exchange import FACTS, Exchange
from jmuz_magic.log.log import ExchangeLog
from jmuz_magic.messages import (
    Answered,
    Citation,
    Citations,
    FinishReason,
    Image,
    ReasoningItems,
    Reply,
    ToolCall,
    Unshown,
    Usage,
)
from jmuz_magic.recordings.recording import Recording
from jmuz_magic.request import facts
from jmuz_magic.request.facts import facts_of, with_facts
from tests.exchanges import KEY, reply, request
from tests.legacy.cells import PICTURE

PNG = base64.b64decode(PICTURE)
SIGNATURE = {"google": {"thought_signature": "c2lnbmVk"}}
CALL = ToolCall("call_1", "weather", '{"city": "Paris"}', {"extra_content": SIGNATURE})
WHOLE: dict[str, Any] = {
    "usage": Usage(3, 8, 11, cached_tokens=2, reasoning_tokens=5, cost=0.00085),
    "tool_calls": (ToolCall("call_0", "now", "{}"), CALL),
    "answered_by": "gpt-5-2026-08-01",
    "system_fingerprint": "fp_1",
    "upstream": "Azure",
    "citations": (Citation("https://example.org/a", "A"), Citation("https://example.org/b")),
    "images": (Image(PNG, "image/png"),),
    "unshown": (Unshown("audio", {"id": "a", "data": "…"}),),
    "left_out": ("temperature",),
    "sent_in_part": ("20 of 400 rows of `df`",),
    "finish_said": "end_turn",
    "reasoning_items": ReasoningItems(
        ({"type": "reasoning", "encrypted_content": "gA==", "summary": []},), "responses"
    ),
}
PLAIN = {name: getattr(Reply(""), name) for name in WHOLE}


def kept(path: Path, whole: Reply) -> Reply:
    """The reply as a recording gives it back."""
    Recording(path).ask(request()).close("complete", whole)
    recorded = Recording(path, "only").ask(request()).recorded
    assert recorded
    return recorded.reply


@pytest.mark.parametrize("given", [WHOLE, PLAIN, *({name: value} for name, value in WHOLE.items())])
def test_a_recording_gives_all_of_it_back(tmp_path: Path, given: dict[str, Any]) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    whole = reply("Hi!", messages=request().messages, **given)
    assert kept(path, whole) == whole


def test_nothing_that_a_reply_may_bring_is_forgotten() -> None:
    words = {"text", "reasoning", "model", "provider", "finish_reason", "elapsed", "removed_adverts", "messages"}
    brought = {each.name for each in fields(Reply)} - words
    assert brought == {*WHOLE, "requests"} == set(FACTS)
    assert brought <= {each.name for each in fields(Exchange)}


def test_a_replay_yields_it_in_chunks(tmp_path: Path) -> None:
    Recording(tmp_path / "chat").ask(request()).close("complete", reply("Hi!", **WHOLE))
    recorded = Recording(tmp_path / "chat").ask(request()).recorded
    assert recorded
    chunks = recorded.chunks()
    assert chunks[0] == Answered("gpt-5-2026-08-01", "fp_1", "Azure")
    assert [chunk for chunk in chunks if isinstance(chunk, Image | Citations | Unshown)] == [
        *WHOLE["images"],
        Citations(WHOLE["citations"]),
        *WHOLE["unshown"],
    ]
    assert chunks[-3:] == [WHOLE["reasoning_items"], WHOLE["usage"], FinishReason("stop", "end_turn")]


def test_what_only_this_run_knows_is_not_recorded(tmp_path: Path) -> None:
    assert kept(tmp_path / "chat", reply("Hi!", requests=3)).requests == 1


@pytest.mark.parametrize(
    "change",
    [
        {"system_fingerprint": "fp_2"},
        {"answered_by": "gpt-6-luna", "upstream": "Elsewhere"},
        {"usage": Usage(1, 2, 3, cost=9.9)},
        {"model": "gpt-4o-2024-08-06", "elapsed": 9.0, "requests": 2},
        {"citations": (), "unshown": (), "left_out": (), "sent_in_part": (), "finish_said": ""},
        {"reasoning_items": None},
        {"tool_calls": (WHOLE["tool_calls"][0], replace(CALL, extra={}))},
        {"removed_adverts": ("Join",)},
    ],
)
def test_recording_the_same_words_again_changes_no_byte(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    whole = reply("Hi!", **WHOLE)
    Recording(path).ask(request()).close("complete", whole)
    before = path.read_bytes().replace(b'"date": "20', b'"date": "19')
    path.write_bytes(before)
    Recording(path).ask(request(), fresh=True).close("complete", replace(whole, **change))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Hello!"},
        {"reasoning": "Hm."},
        {"finish_reason": "length"},
        {"tool_calls": (CALL,)},
        {"images": (Image(PNG + b"another", "image/png"),)},
    ],
)
def test_other_words_take_the_place_of_the_recorded_ones(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    whole = reply("Hi!", messages=request().messages, **WHOLE)
    Recording(path).ask(request()).close("complete", whole)
    changed = replace(whole, **change)
    Recording(path).ask(request(), fresh=True).close("complete", changed)
    assert [line.reply for line in Recording(path).exchanges()] == [changed]


def test_a_plain_reply_is_recorded_as_0_1_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    Recording(path).ask(request()).close("complete", reply("Hi!", usage=Usage(3, 2, 5)))
    line = json.loads(path.read_text())
    assert list(line) == ["request", "reply", "provider", "origin", "date", "key", "jmuz"]
    assert line["reply"]["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def test_members_that_a_newer_version_adds_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    whole = reply("Hi!", messages=request().messages, **WHOLE)
    Recording(path).ask(request()).close("complete", whole)
    line = json.loads(path.read_text())
    for part in (line, line["reply"], line["facts"], line["reply"]["usage"], line["reply"]["tool_calls"][0]):
        part["mood"] = {"of": "the model"}
    path.write_text(json.dumps(line) + "\n")
    recorded = Recording(path, "only").ask(request()).recorded
    assert recorded
    assert recorded.reply == whole


def test_the_log_gives_all_of_it_back(log: ExchangeLog, tmp_path: Path) -> None:
    whole = reply("Hi!", messages=request().messages, requests=2, **WHOLE)
    log.open(request()).close("complete", whole)
    (exchange,) = log.rows()
    assert exchange.reply == whole
    assert {name: getattr(exchange, name) for name in WHOLE} == WHOLE
    assert exchange.requests == 2
    log.export(tmp_path / "all.jsonl")
    exported = json.loads((tmp_path / "all.jsonl").read_text())
    assert exported["usage"] == WHOLE["usage"].as_dict()
    assert exported["answered_by"] == "gpt-5-2026-08-01"
    assert exported["requests"] == 2
    assert exported["tool_calls"][1]["extra"] == {"extra_content": SIGNATURE}
    assert "extra" not in exported["tool_calls"][0]
    assert exported["images"][0]["media_type"] == "image/png"
    assert exported["citations"] == [
        {"url": "https://example.org/a", "title": "A"},
        {"url": "https://example.org/b", "title": ""},
    ]


@pytest.mark.parametrize("state", ["failed", "interrupted", "truncated"])
def test_usage_of_a_reply_that_broke_off_is_logged(log: ExchangeLog, state: Any) -> None:
    log.open(request()).close(state, reply("Hi", usage=WHOLE["usage"], answered_by="m"), "broken off")
    (exchange,) = log.rows()
    assert (exchange.state, exchange.usage, exchange.answered_by) == (state, WHOLE["usage"], "m")


def test_the_key_is_in_no_fact(log: ExchangeLog, tmp_path: Path) -> None:
    telling = reply(
        "Hi!",
        answered_by=KEY,
        upstream=f"with {KEY}",
        citations=(Citation(f"https://example.org/?key={KEY}"),),
        unshown=(Unshown("audio", {"key": KEY, "list": [KEY]}),),
        tool_calls=(replace(CALL, extra={"google": KEY}),),
        reasoning_items=ReasoningItems(({"id": KEY},), "responses"),
    )
    log.open(request()).close("complete", telling)
    assert KEY not in str(log.rows())
    Recording(tmp_path / "chat").ask(request()).close("complete", telling)
    assert KEY not in (tmp_path / "chat").read_text()


def test_images_and_unshown_things_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "MAX_IMAGE_BYTES", 300)
    images = tuple(Image(PNG + b"x" * (size - len(PNG)), "image/png") for size in (180, 180, 120, 77))
    whole = reply("Hi!", images=images, unshown=(Unshown("audio", "x" * 64_001), Unshown("odd", {1, 2})))
    again = with_facts(reply("Hi!"), json.loads(json.dumps(facts_of(whole))))
    assert again.images == (images[0], images[2])
    assert again.unshown == (
        Unshown("audio", None),
        Unshown("odd", None),
        *[Unshown("image too large to keep", None)] * 2,
    )


@pytest.mark.parametrize("data", ["<script>alert(1)</script>", "<svg onload=alert(1)>", "no base64: \u00e4", ""])
@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "image/png"])
def test_an_image_in_a_recording_from_somebody_else_is_what_its_bytes_say(data: str, media_type: str) -> None:
    encoded = data if "base64" in data else base64.b64encode(data.encode()).decode()
    image = {"data": base64.b64encode(PNG).decode(), "media_type": media_type}
    again = with_facts(reply("Hi!"), {"images": [{"data": encoded, "media_type": media_type}, image]})
    assert again.images == (Image(PNG, "image/png"),)
    assert [each.kind.partition(" ")[0] for each in again.unshown] == ["image"]


def test_no_more_images_are_read_than_a_reply_may_have() -> None:
    image = {"data": base64.b64encode(PNG).decode(), "media_type": "image/png"}
    assert len(with_facts(reply("Hi!"), {"images": [image] * 100}).images) == 8
