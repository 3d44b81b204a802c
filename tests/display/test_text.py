"""Characters that steer a screen are shown, not obeyed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmuz_magic.display.text import TextCleaner, escape_html
from jmuz_magic.text import clean_text

pytestmark = pytest.mark.threat(8)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ä 日本 🏴\u200d☠️\n\ttab", "plain text, ä 日本 🏴\u200d☠️\n\ttab"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("\x1b]8;;https://evil.example\x1b\\x\x1b]8;;\x1b\\", "␛]8;;https://evil.example␛\\x␛]8;;␛\\"),
        ("\x1b]52;c;ZXZpbA==\x07", "␛]52;c;ZXZpbA==␇"),
        ("\x1b[2J\x1b[H", "␛[2J␛[H"),
        ("\x9b31m \x90 \x85", "<U+009B>31m <U+0090> <U+0085>"),
        ("good\rbad", "good␍bad"),
        ("a\r\nb\r\r\nc\r", "a\nb␍\nc␍"),
        ("abc\b\b\bxyz\x7f", "abc␈␈␈xyz␡"),
        ("a\x00b\x0bc\x0cd", "a␀b␋c␌d"),
        ("\u202eexe.txt\u202c \u2066x\u2069 \u206a", "<U+202E>exe.txt<U+202C> <U+2066>x<U+2069> <U+206A>"),
        ("\ud83d alone", "\ufffd alone"),
    ],
)
def test_clean_text(text: str, shown: str) -> None:
    assert clean_text(text) == shown


def test_marks_of_right_to_left_writing_stay() -> None:
    assert clean_text("\u200fשלום\u200e") == "\u200fשלום\u200e"


@given(st.text(alphabet=st.sampled_from("a\r\n\x1b[\u202e\x9b\ud800"), max_size=30), st.data())
def test_any_cutting_gives_the_same_text(text: str, data: st.DataObject) -> None:
    cleaner, rest, parts = TextCleaner(), text, []
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        parts.append(cleaner.feed(rest[:size]))
        rest = rest[size:]
    assert "".join(parts) + cleaner.flush() == clean_text(text)


@given(st.text(alphabet=st.characters(codec=None)))
def test_what_is_clean_can_be_written_and_stays_as_it_is(text: str) -> None:
    cleaned = clean_text(text)
    cleaned.encode()
    assert clean_text(cleaned) == cleaned


def test_html_is_escaped_for_content_and_attributes() -> None:
    assert escape_html("<a b=\"c\" d='e'>&\x1b") == "&lt;a b=&quot;c&quot; d=&#x27;e&#x27;&gt;&amp;␛"
