"""Colours of code, and lexers that a stranger cannot make slow."""

from __future__ import annotations

import re
import time
from html import unescape

import pytest

from jmuz_magic.display.html.highlighting import _LANGUAGES, _lexer, can_highlight, highlight

HARD_TEXTS = [
    "a", "'", '"', "`", "\\", "(", "[", "{", "<", "/*", "*/", "//", "#", "$", "@", "%", "&", " ", "\t", "\n",
    "a ", "a\n", "'''", '"""', "<a ", "<!--", "${", "#{", "{{", "0", "0x", "1e", "=>", "::", "r'", 'f"{',
    "a=", "a(", "--", "\\x", "\\\n", "`${", ">>> ", "$ ", "|", "~",
]  # fmt: skip


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def one_name_for_each_lexer() -> list[str]:
    return sorted({type(_lexer(name)): name for name in sorted(_LANGUAGES)}.values())


@pytest.mark.threat(24)
@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", one_name_for_each_lexer())
def test_no_text_makes_a_lexer_slow_or_loses_a_character(language: str) -> None:
    for unit in HARD_TEXTS:
        code = unit * (2000 // len(unit))
        began = time.process_time()
        html = highlight(code, language)
        assert time.process_time() - began < 5, unit
        assert text_of(html) == code


@pytest.mark.threat(24)
def test_a_lexer_that_takes_too_long_is_left() -> None:
    code = "\n" * 49_000
    began = time.process_time()
    assert highlight(code, "c") == code
    assert not can_highlight(code, "c")
    assert time.process_time() - began < 30


@pytest.mark.parametrize("language", ["python", "Python", "PY", "js", "c++", "bash", "json", "sql"])
def test_known_languages(language: str) -> None:
    assert can_highlight("x", language)
    assert '<span class="' in highlight("x = 'a' # b\nselect 1;\n", language)


@pytest.mark.parametrize("language", ["", "klingon", "../x", "python3.12"])
def test_other_languages_are_plain(language: str) -> None:
    assert highlight("<x>", language) == "&lt;x&gt;"
    assert not can_highlight("<x>", language)


def test_code_keeps_its_blank_lines_and_has_none_added() -> None:
    assert text_of(highlight("\n\nx = 1\n\n\n", "python")) == "\n\nx = 1\n\n\n"
    assert text_of(highlight("x", "python")) == "x"


def test_long_code_and_long_lines_are_plain() -> None:
    assert "<span" not in highlight("x = 1\n" * 40_000, "python")
    assert "<span" not in highlight("x = 1; " * 1_000, "python")
