"""The code of a reply, where it holds none."""

from __future__ import annotations

import pytest

from tests.magics.loaded import UserShell


@pytest.fixture
def asked(user: UserShell) -> UserShell:
    user.line("%jmuz_use demo:demo-echo")
    return user


def test_a_reply_without_code_says_just_that(asked: UserShell) -> None:
    assert asked.line("%jmuz -x no code").endswith("\nthe reply holds no code block")
    assert asked.line("%jmuz_insert") == "the reply holds no code block"
    assert asked.refusal("%jmuz_insert 1") == "%jmuz_insert: the reply holds no code block"


def test_a_reply_with_other_code_says_which(asked: UserShell) -> None:
    assert asked.line("%%jmuz -x\n```sql\nSELECT 1\n```\n").endswith("holds no Python code block; blocks: sql")
    assert asked.refusal("%jmuz_insert 2") == "%jmuz_insert: expected a block from 1 to 1, got 2"
