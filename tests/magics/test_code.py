"""The code of a reply, where it holds none."""

from __future__ import annotations

import pytest

from tests.magics.loaded import UserShell


@pytest.fixture
def asked(user: UserShell) -> UserShell:
    user.line("%jmuz_use demo:demo-echo")
    return user


def test_a_reply_without_code_says_just_that(asked: UserShell) -> None:
    asked.line("%%jmuz -x\n```python\nx = 1\n```\n")
    assert asked.line("%jmuz -x no code").endswith("\nthe reply contains no code block")
    assert asked.line("%jmuz_insert") == "the reply contains no code block"
    assert "_jmuz_code" not in asked.shell.user_ns
    assert asked.refusal("%jmuz_insert 1") == "%jmuz_insert: the reply contains no code block"


def test_without_a_reply_there_is_nothing_to_insert(asked: UserShell) -> None:
    assert asked.refusal("%jmuz_insert").startswith("%jmuz_insert: there is no reply yet")


def test_a_terminal_has_no_cells_and_is_told_where_the_code_is(asked: UserShell) -> None:
    asked.line("%%jmuz\n```python\nx = 1\n```\n```sql\nSELECT 1\n```\n")
    assert asked.line("%jmuz_insert") == "the code is in _jmuz_code; %edit _jmuz_code opens it"
    assert asked.shell.user_ns["_jmuz_code"] == "x = 1"
    asked.line("%jmuz_insert 2")
    assert asked.shell.user_ns["_jmuz_code"] == "SELECT 1"


def test_a_reply_with_other_code_says_which(asked: UserShell) -> None:
    assert asked.line("%%jmuz -x\n```sql\nSELECT 1\n```\n").endswith("contains no Python code block; blocks: sql")
    assert asked.refusal("%jmuz_insert 2") == "%jmuz_insert: expected a block from 1 to 1, got 2"
