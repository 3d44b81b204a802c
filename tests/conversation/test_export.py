"""A conversation as a file: `cat` shows it and obeys nothing in it."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic import Conversation
from jmuz_magic.conversation.export import exported, write_export
from jmuz_magic.demo import DemoServer
from jmuz_magic.log.log import ExchangeLog
from jmuz_magic.messages import Reply
from tests.conversation.exchanges import write

HOSTILE = [
    "red \x1b[31mtext\x9b0m\x1b]0;title\x07",
    "a C1 introducer \x9b2J and \x85 a next line",
    "two back\b\bspace, bell \a, delete \x7f, \u202eoverride",
]


def controls(text: str) -> list[str]:
    """Characters that a terminal obeys, or that reorder what is read."""
    obeyed = [c for c in text if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    return obeyed + [c for c in text if unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "LRE", "PDF")]


@pytest.fixture
def talk(demo_endpoint: DemoServer) -> Conversation:
    return Conversation("demo-echo", api_base=demo_endpoint.api_base, name="talk")


@pytest.mark.finding("D11")
@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", ["md", "json", "ipynb"])
def test_no_export_of_a_conversation_holds_a_control_character(
    talk: Conversation, tmp_path: Path, kind: Any, text: str
) -> None:
    talk.name = f"talk {text}"
    talk.configure(system=f"System {text}")
    talk.ask(text)  # echoed: prompt and reply
    content = write_export(talk, tmp_path / f"talk.{kind}").read_bytes().decode()
    assert controls(content) == []
    assert controls(exported(talk, kind)) == []
    assert text.split(maxsplit=1)[0] in content


@pytest.mark.finding("D11")
@pytest.mark.parametrize("text", HOSTILE)
def test_a_json_export_holds_what_was_said(talk: Conversation, text: str) -> None:
    talk.ask(text)
    raw = exported(talk, "json")
    (turn,) = json.loads(raw)["turns"]
    assert (turn["prompt"]["content"], turn["reply"]) == (text, text)
    assert controls(raw) == []


def test_an_export_leaves_ordinary_text_as_it_is(talk: Conversation) -> None:
    text = "Ünïcode 日本語 \U0001f642\n\n```python\nif x:\n\tprint('tab')\n```\n\nعربي"
    talk.ask(text)
    assert text in exported(talk, "md")
    notebook = json.loads(exported(talk, "ipynb", lambda reply: {"text/plain": reply.text}))
    assert notebook["cells"][1]["outputs"][0]["data"]["text/plain"] == text


def test_half_a_surrogate_makes_no_export_fail(talk: Conversation) -> None:
    talk.ask("hi")
    text = exported(talk, "ipynb", lambda _: {"text/plain": "a \ud800 b"})
    assert json.loads(text)["cells"][1]["outputs"][0]["data"]["text/plain"] == "a \ufffd b"


@pytest.mark.finding("D11")
@pytest.mark.parametrize("text", HOSTILE)
def test_the_exported_log_holds_no_control_character(log: ExchangeLog, tmp_path: Path, text: str) -> None:
    write(log, f"prompt {text}", f"reply {text}")
    assert log.export(tmp_path / "log.jsonl") == 1
    content = (tmp_path / "log.jsonl").read_bytes().decode()
    assert controls(content) == []
    exchange = json.loads(content)
    assert (exchange["prompt"], exchange["text"]) == (f"prompt {text}", f"reply {text}")


def test_a_reply_is_stored_as_inert_text_where_nobody_renders_it(talk: Conversation) -> None:
    talk.ask("a\x1bb")
    output = json.loads(exported(talk, "ipynb"))["cells"][1]["outputs"][0]
    assert output["data"] == {"text/plain": "a␛b"}
    assert isinstance(talk.turns[0].reply, Reply)
    assert talk.turns[0].reply.text == "a\x1bb"
