from __future__ import annotations

import pytest
from IPython.core.error import UsageError

from jmuz_magic.magics.prompt.limits import check_text

pytestmark = pytest.mark.fault(56)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        (" \n\t ", "is empty"),
        ("a\nb\0c", "a NUL character in line 2"),
        ("a \ud83d b", r"half of a surrogate pair \(U\+D83D\) in line 1"),
        ("é" * 2**19 + "a", "1,048,577 bytes, more than the 1,048,576 that %config JmuzMagics.max_prompt_bytes allows"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        check_text(text)
    assert caught.type is UsageError
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["a", "é" * 2**19, "\x1b \x7f \u202e \U0001f642 \ufffe"])
def test_anything_else_passes(text: str) -> None:
    check_text(text)


def test_the_bound_and_the_name_are_given() -> None:
    with pytest.raises(UsageError, match="the system message has 3 bytes, more than the 2"):
        check_text("abc", what="system message", max_bytes=2)
