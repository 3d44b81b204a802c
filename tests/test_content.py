"""What a message holds, in every shape that its content may have."""

from __future__ import annotations

from typing import Any

import pytest

from jmuz_magic.content import data_url, described, image_part, image_type, images_of, parts_of, text_of, text_part

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8
LINKED = image_part("https://plots.example/a.png")
HELD = image_part(data_url(PNG, "image/png"))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("one\ntwo", "one\ntwo"),
        ("", ""),
        (None, ""),
        ([text_part("one"), HELD, text_part("two")], "one\ntwo"),
        ([{"type": "input_text", "text": "one"}, {"type": "text", "text": 2}, "two"], "one"),
        (7, ""),
    ],
)
def test_the_text_of_a_message(content: Any, text: str) -> None:
    assert text_of({"role": "user", "content": content}) == text


def test_text_alone_is_one_part_and_no_text_is_none() -> None:
    assert parts_of({"content": "one"}) == [text_part("one")]
    assert parts_of({"content": ""}) == parts_of({"content": None}) == parts_of({}) == []


def test_the_images_of_a_message() -> None:
    assert images_of({"content": [text_part("one"), HELD, LINKED]}) == [HELD, LINKED]
    assert images_of({"content": "one"}) == []


def test_what_is_no_text_is_described() -> None:
    parts = [text_part("one"), HELD, LINKED, {"type": "input_audio"}, {}]
    lines = ["one", "[image: image/png]", "[image: https://plots.example/a.png]", "[input_audio]", "[part]"]
    assert described({"content": parts}).split("\n") == lines


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", ""),
        (b"<svg>", ""),
        (b"", ""),
    ],
)
def test_the_first_bytes_say_which_image_it_is(start: bytes, kind: str) -> None:
    assert image_type(start) == kind
