"""Text from outside is made visible or escaped, and stays what it was otherwise."""

from __future__ import annotations

import json
import unicodedata

import pytest

from jmuz_magic.errors import JmuzError, RateLimitError, StreamError

HOSTILE = "a\x1b[2K\x07b\x7f\x9b31mc\u202ed\u2066e"


def test_inert_json_is_the_same_json() -> None:
    from jmuz_magic.text import inert_json

    value = {"text": HOSTILE, "plain": "ü 日本 \U0001f642", HOSTILE: 1}
    text = inert_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(text) == value
    assert "ü 日本 \U0001f642" in text
    assert not [character for character in text if unicodedata.category(character) in ("Cc", "Cf")]


def test_a_line_is_one_line() -> None:
    from jmuz_magic.text import clean_line

    assert clean_line(" a\tb\r\n\nc\x1b ") == "a b c␛"


def test_a_long_line_is_cut() -> None:
    from jmuz_magic.text import clean_line

    assert clean_line("a\n" * 5, 9) == "a a a a a"
    assert clean_line("a\n" * 6, 9) == "a a a a …"
    assert len(clean_line("ab" * 10**6, 9)) == 9


def test_everything_in_an_id_is_visible() -> None:
    from jmuz_magic.text import clean_id

    assert clean_id(" a\tb\nc\x1b\u202e") == " a␉b␊c␛<U+202E>"


@pytest.mark.parametrize(
    ("text", "stored"),
    [("plain", "plain"), ("😀", "😀"), ("\ud83d\ude00", "😀"), ("a\ud83db", "a\ufffdb"), ("\ude00", "\ufffd")],
)
def test_surrogates_are_paired_or_replaced(text: str, stored: str) -> None:
    from jmuz_magic.text import storable

    assert storable(text) == stored


@pytest.mark.finding("D11")
@pytest.mark.parametrize("said", ["\x1b]0;title\x07hi", "two\nlines\r\x9b2J", "tab\tand\x00\x7f"])
@pytest.mark.parametrize("kind", [JmuzError, StreamError, RateLimitError])
def test_the_message_of_an_error_holds_no_control_character(kind: type[JmuzError], said: str) -> None:
    message = str(kind(f"it answered 400: {said}"))
    assert message.startswith("it answered 400: ")
    assert not [character for character in message if unicodedata.category(character) == "Cc"]
    assert [word for word in message.split() if word.isascii()][:3] == ["it", "answered", "400:"]
