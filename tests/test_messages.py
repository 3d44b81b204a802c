"""Replies read as JSON, and secrets that stay where they are."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from jmuz_magic.messages import Reply, ToolCall, Usage
from jmuz_magic.secret import Secret


@pytest.mark.parametrize(
    "text", ['{"a": [1]}', ' {"a": [1]}\n', 'Here:\n\n```json\n{"a": [1]}\n```\n', '```\nno\n```\n```\n{"a": [1]}\n```']
)
def test_json_is_the_text_or_the_first_block_that_is(text: str) -> None:
    assert Reply(text).json() == {"a": [1]}


def test_a_reply_without_json_says_how_it_begins() -> None:
    with pytest.raises(ValueError, match=r"expected JSON, got 'Sorry\.'; the full text is in reply\.text"):
        Reply("Sorry.").json()
    with pytest.raises(ValueError, match=r"got 'x{80}…'; the full"):
        Reply("x" * 1000).json()


@pytest.mark.threat(12)
def test_a_secret_is_not_pickled_and_nothing_makes_a_second_one() -> None:
    secret = Secret("hush")
    for keep in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="a Secret cannot be pickled"):
            keep(secret)
    assert copy.deepcopy({"headers": {"X-Key": secret}})["headers"]["X-Key"] is secret  # traitlets copies settings


@pytest.mark.finding("A25")
@pytest.mark.parametrize(
    "facts",
    [{}, {"messages": ({"role": "user", "content": [{"type": "text", "text": "Hello"}]},)}, {"usage": Usage(1, 2, 3)}],
)
def test_a_reply_can_be_hashed(facts: dict[str, Any]) -> None:
    reply, same = (Reply("Hi!", **{"messages": ({"role": "user", "content": "Hello"},), **facts}) for _ in range(2))
    assert hash(reply) == hash(same)
    assert {reply: "seen"}[same] == "seen"


def test_a_reply_with_values_of_a_service_can_be_hashed_too() -> None:
    from jmuz_magic.messages import Unshown

    calls = (ToolCall("1", "f", "{}", {"extra_content": {"google": {"thought_signature": "c2ln"}}}),)
    assert hash(Reply("Hi!", tool_calls=calls, unshown=(Unshown("audio", {"data": []}),)))


@pytest.mark.parametrize("count", [-1, -38, True, float("nan"), "38", [38]])
def test_what_is_no_count_counts_as_not_said(count: Any) -> None:
    assert Usage(count, count, 5, count, count) == Usage(None, None, 5)


@pytest.mark.parametrize("cost", [-0.1, float("inf"), float("nan"), True])
def test_what_is_no_cost_counts_as_not_said(cost: Any) -> None:
    assert Usage(1, 2, 3, cost=cost).cost is None
    assert Usage(1, 2, 3, cost=0).as_dict()["cost"] == 0
