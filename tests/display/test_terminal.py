"""Replies in terminals and pipes: live, and nothing but text."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmuz_magic.display.bundle import reply_bundle
from jmuz_magic.display.views.make import make_view
from jmuz_magic.display.views.terminal import TextView
from jmuz_magic.display.views.view import QuietView
from jmuz_magic.messages import Reasoning, Reply, ToolCall, Unshown, Usage
from jmuz_magic.text import clean_text
from tests.hostile import hostile_replies

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
RICH_CODES = re.compile(r"\x1b\[[0-9;]*m")
"""What rich writes for colours; nothing else may begin with an escape."""


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def rich_view(terminal: Terminal, **options: Any) -> Any:
    pytest.importorskip("rich", exc_type=ImportError)
    from jmuz_magic.display.views.rich_view import RichView

    return RichView(terminal, **options)


def test_deltas_are_written_as_they_come() -> None:
    pipe = io.StringIO()
    view = TextView(pipe)
    view.append("Hel")
    assert pipe.getvalue() == "Hel"
    view.append("lo\x1b[")
    assert pipe.getvalue() == "Hello␛["
    view.close(Reply("Hello\x1b[1m", finish_reason="stop"))
    assert pipe.getvalue() == "Hello␛[1m\n"


@pytest.mark.threat(8)
@given(st.text(alphabet="a\x1b[]8;\x07\x9b\r\n\u202e\u2066", max_size=40), st.data())
def test_text_is_the_same_however_it_is_cut(text: str, data: st.DataObject) -> None:
    pipe, rest = io.StringIO(), text
    view = TextView(pipe)
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        view.append(rest[:size])
        rest = rest[size:]
    view.close(Reply(text, finish_reason="tool_calls", tool_calls=(ToolCall("1", "f", "{}"),)))
    shown = clean_text(text)
    end = "" if not shown or shown.endswith("\n") else "\n"
    assert pipe.getvalue() == f"{shown}{end}tool call: f({{}})\n"


EVERYTHING = Reply(
    "Yes",
    model="gemini-2.5-flash",
    upstream="Fast Host",
    answered_by="gpt-5",
    usage=Usage(3, 8, 11, cached_tokens=2, reasoning_tokens=5, cost=0.00085),
    elapsed=1.25,
    finish_reason="length",
    removed_adverts=("x", "y"),
    left_out=("temperature",),
    sent_in_part=("20 of 400 rows of `df`",),
    requests=2,
    unshown=(Unshown("audio", None),),
)
FOOT = (
    "[gemini-2.5-flash via Fast Host · 3 (2 cached) + 8 tokens (5 reasoning) · 1.2 s · cost 0.00085 · 2 adverts removed"
    " · cut by length: --max-tokens N allows more · not shown: audio (in reply.unshown)"
    " · 20 of 400 rows of `df` were sent · temperature left out (the service refuses it)"
    " · answered by gpt-5, not gemini-2.5-flash · 2 requests · from the recording of 2026-11-22]"
)


@pytest.mark.parametrize("make", [TextView, rich_view])
def test_a_terminal_shows_the_foot_that_a_notebook_shows(make: Any) -> None:
    terminal = Terminal()
    make(terminal, recorded="2026-11-22").close(EVERYTHING)
    assert RICH_CODES.sub("", terminal.getvalue()).splitlines()[-1] == FOOT
    html = reply_bundle(EVERYTHING, recorded="2026-11-22")["text/html"]
    assert FOOT[1:-1] in html


def test_a_file_gets_the_same_text_from_a_recording_as_from_the_model() -> None:
    pipe = io.StringIO()
    TextView(pipe, recorded="2026-11-22").close(Reply("Yes", model="m", elapsed=1.0))
    assert pipe.getvalue() == "Yes\n"


def test_an_error_without_a_reply_has_no_foot() -> None:
    terminal = Terminal()
    TextView(terminal).close(Reply("", model="m", finish_reason="error", elapsed=1.0), "refused")
    assert terminal.getvalue() == ""


def test_reasoning_and_reply_are_told_apart() -> None:
    pipe = io.StringIO()
    view = TextView(pipe)
    view.append(Reasoning("Let me "))
    view.append(Reasoning("see"))
    view.append("Yes")
    view.close(Reply("Yes", "Let me see", finish_reason="length", removed_adverts=("x",)))
    foot = "[1 advert removed · cut by length: --max-tokens N allows more]\n"
    assert pipe.getvalue() == f"[reasoning]\nLet me see\n[reply]\nYes\n{foot}"


def test_reasoning_can_be_hidden() -> None:
    pipe = io.StringIO()
    view = TextView(pipe, show_reasoning=False)
    view.append(Reasoning("secret"))
    view.append("Yes")
    view.close(Reply("Yes", "secret", finish_reason="stop"))
    assert pipe.getvalue() == "Yes\n"


def test_what_was_not_streamed_is_written_at_the_end() -> None:
    pipe = io.StringIO()
    TextView(pipe).close(Reply("All of it", "why", finish_reason="stop"))
    assert pipe.getvalue() == "[reasoning]\nwhy\n[reply]\nAll of it\n"


def test_another_reply_than_was_streamed_is_written_on_its_own() -> None:
    pipe = io.StringIO()
    view = TextView(pipe)
    view.append("draft")
    view.close(Reply("final", finish_reason="stop"))
    assert pipe.getvalue() == "draft\nfinal\n"


def test_an_error_stands_below() -> None:
    pipe = io.StringIO()
    view = TextView(pipe)
    view.append("Half")
    view.close(Reply("Half", finish_reason="error"), "no data\x1b[2J for 120 s")
    assert pipe.getvalue() == "Half\n[incomplete: no data␛[2J for 120 s]\n"


def test_waiting_line_is_taken_away_in_a_terminal_and_never_in_a_pipe() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        view = TextView(stream)
        view.wait("waiting\x1b[2J …")
        view.append("Hi")
        view.close(Reply("Hi", finish_reason="stop"))
    assert terminal.getvalue() == "waiting␛[2J …\r" + " " * len("waiting␛[2J …") + "\rHi\n"
    assert pipe.getvalue() == "Hi\n"


def test_the_waiting_line_counts_the_seconds_in_a_terminal() -> None:
    terminal, now = Terminal(), [0.0]
    view = TextView(terminal, clock=lambda: now[0])
    view.wait("waiting …")
    for seconds in (1.0, 3.0, 3.2):
        now[0] = seconds
        view.tick()
    view.append("Hi")
    line = "waiting … 3 s (Ctrl-C stops)"
    assert terminal.getvalue() == f"waiting …\r{' ' * 9}\r{line}\r{' ' * len(line)}\rHi"


def test_a_narrow_encoding_loses_characters_not_the_reply() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    view = TextView(stream)
    view.append("naïve ☃")
    view.close(Reply("naïve ☃", finish_reason="stop"))
    stream.flush()
    assert raw.getvalue() == b"na?ve ?\n"


def test_rich_prints_a_block_when_it_is_finished() -> None:
    terminal = Terminal()
    view = rich_view(terminal)
    view.append("# Title\n\nSome **bold**\n")
    view.tick()
    assert "Title" in terminal.getvalue()
    assert "Some" not in terminal.getvalue()
    view.append("text.\n\n- one\n- two\n")
    view.tick()
    assert "bold" in RICH_CODES.sub("", terminal.getvalue())
    view.close(Reply("# Title\n\nSome **bold**\ntext.\n\n- one\n- two\n", finish_reason="length"))
    plain = RICH_CODES.sub("", terminal.getvalue())
    assert re.search(r"• one *\n • two *\n", plain)
    assert plain.endswith("[cut by length: --max-tokens N allows more]\n")


def test_rich_shows_all_that_markdown_can_hold() -> None:
    terminal = Terminal()
    text = (
        "Costs $5, $x^2$ and \\(y\\).\n\n$$\nz = 1\n$$\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        "- [x] done\n\n```python\nx = 1\n```\n\n"
        "![pic](https://pics.example/x.png) [text](https://a.example/y) <b>raw</b> ~~gone~~ [^1]\n\n[^1]: note\n"
    )
    view = rich_view(terminal)
    view.close(Reply(text, finish_reason="stop"))
    plain = " ".join(RICH_CODES.sub("", terminal.getvalue()).split())
    for part in ("Costs $5, $x^2$ and \\(y\\).", "z = 1", "☑ done", "x = 1", "[image: pic] (https://pics.example/x.png)",
                 "text (https://a.example/y)", "<b>raw</b>", "gone", "[^1]: note"):  # fmt: skip
        assert part in plain


@pytest.mark.threat(24)
def test_rich_shows_a_paragraph_that_is_no_prose_as_it_is() -> None:
    terminal = Terminal()
    rich_view(terminal).close(Reply("*a* " * 20_000, finish_reason="stop"))
    assert RICH_CODES.sub("", terminal.getvalue()).count("*a*") == 20_000


@pytest.mark.threat(8)
@pytest.mark.parametrize("name", hostile_replies("http://127.0.0.1:9"))
def test_rich_writes_no_control_character_of_a_reply(name: str) -> None:
    text = hostile_replies("http://127.0.0.1:9")[name]
    terminal = Terminal()
    view = rich_view(terminal)
    for character in text:
        view.append(character)
        view.tick()
    view.close(Reply(text, finish_reason="stop"))
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", RICH_CODES.sub("", terminal.getvalue())
    )


@pytest.mark.threat(8)
@given(st.text(alphabet="&#x12b79;027\x1b[]m8\r\n\x9b`*$\\", max_size=60))
@settings(max_examples=100, deadline=None)
def test_rich_lets_no_escape_through_entities(text: str) -> None:
    terminal = Terminal()
    view = rich_view(terminal)
    view.close(Reply(text, finish_reason="stop"))
    assert not CONTROLS.search(RICH_CODES.sub("", terminal.getvalue()))


class Shell:
    """As much of a shell as a view looks at."""

    kernel: Any = None


class KernelShell(Shell):
    kernel = object()


@pytest.mark.parametrize(
    ("kind", "shell", "stream", "view"),
    [
        ("auto", KernelShell(), io.StringIO(), "HtmlView"),
        ("auto", Shell(), io.StringIO(), "TextView"),
        ("auto", None, io.StringIO(), "TextView"),
        ("auto", Shell(), Terminal(), "RichView"),
        ("text", KernelShell(), io.StringIO(), "TextView"),
        ("text", Shell(), Terminal(), "TextView"),
        ("html", Shell(), Terminal(), "HtmlView"),
        ("once", KernelShell(), io.StringIO(), "OnceView"),
        ("once", Shell(), Terminal(), "OnceView"),
        ("quiet", KernelShell(), io.StringIO(), "QuietView"),
    ],
)
def test_the_view_fits_the_place(kind: Any, shell: Any, stream: Any, view: str) -> None:
    if view == "RichView":
        pytest.importorskip("rich", exc_type=ImportError)
    assert type(make_view(kind, shell=shell, stream=stream)).__name__ == view


def test_a_terminal_without_rich_gets_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert type(make_view("auto", shell=Shell(), stream=Terminal())) is TextView


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    view = QuietView()
    view.wait("x")
    view.append("x")
    view.tick()
    view.close(Reply("x"))
    assert capsys.readouterr() == ("", "")
