"""What a message holds, in every shape that its content may have."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from jmuz_magic.content import (
    data_url,
    described,
    file_words,
    files_of,
    image_part,
    image_type,
    images_of,
    parts_of,
    pdf_part,
    size_words,
    text_file_part,
    text_of,
    text_part,
    without_files,
)

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
    lines = [
        "one",
        f"[image: image/png, 16 bytes, sha256 {hashlib.sha256(PNG).hexdigest()}]",
        "[image: https://plots.example/a.png]",
        "[input_audio]",
        "[part]",
    ]
    assert described({"content": parts}).split("\n") == lines


def test_files_are_parts_that_are_no_text_of_the_prompt() -> None:
    table, paper = text_file_part("a,b", "a.csv", b"a,b" * 500), pdf_part(b"%PDF-", "b.pdf")
    content = [text_part("one"), HELD, table, paper]
    assert files_of({"content": content}) == [HELD, table, paper]
    assert text_of({"content": content}) == "one"
    named = image_part(data_url(PNG, "image/png"), "c.png")
    assert [file_words(part) for part in (named, table, paper)] == ["c.png, 16 bytes", "a.csv, 1 kB", "b.pdf, 5 bytes"]


def test_without_files_their_names_sizes_and_hashes_are_left() -> None:
    plain = {"role": "user", "content": [text_part("one"), LINKED, {"type": "input_audio"}]}
    assert without_files(plain) == plain
    left = without_files({"role": "user", "content": [text_part("one"), pdf_part(b"%PDF-", "b.pdf")]})
    assert left == {
        "role": "user",
        "content": f"one\n\n[file: b.pdf, 5 bytes, sha256 {hashlib.sha256(b'%PDF-').hexdigest()}]",
    }


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1 kB"),
        (348_160, "340 kB"),
        (1_258_291, "1.2 MB"),
        (5 * 2**20, "5 MB"),
    ],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert size_words(size) == words


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
