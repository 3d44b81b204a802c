"""Replies read as JSON, and secrets that stay where they are."""

from __future__ import annotations

import copy
import pickle

import pytest

from jmuz_magic.messages import Reply, Secret


@pytest.mark.parametrize(
    "text", ['{"a": [1]}', ' {"a": [1]}\n', 'Here:\n\n```json\n{"a": [1]}\n```\n', '```\nno\n```\n```\n{"a": [1]}\n```']
)
def test_json_is_the_text_or_the_first_block_that_is(text: str) -> None:
    assert Reply(text).json() == {"a": [1]}


def test_a_reply_without_json_says_how_it_begins() -> None:
    with pytest.raises(ValueError, match=r"expected JSON, got 'Sorry\.'; the whole text is in reply\.text"):
        Reply("Sorry.").json()
    with pytest.raises(ValueError, match=r"got 'x{80}…'; the whole"):
        Reply("x" * 1000).json()


@pytest.mark.threat(12)
def test_a_secret_is_neither_pickled_nor_copied() -> None:
    for keep in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError, match="a Secret is not pickled"):
            keep(Secret("hush"))
