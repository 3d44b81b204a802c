"""What stands around a reply's text: the foot, the bundle, the metadata."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from jmuz_magic.display.bundle import reply_bundle
from jmuz_magic.display.reply import calls_html, calls_text, facts, foot_lines, footer_lines, reply_metadata
from jmuz_magic.messages import Reply, ToolCall, Usage
from tests.allow_list import problems
from tests.display.screen import unframed


@pytest.mark.fault(37)
@pytest.mark.parametrize(
    ("reply", "error", "lines"),
    [
        (Reply("x", finish_reason="stop"), None, []),
        (Reply("x"), None, []),
        (Reply("x", finish_reason="tool_calls"), None, []),
        (Reply("x", finish_reason="stop", removed_adverts=("a",)), None, ["1 advert removed"]),
        (Reply("x", finish_reason="stop", removed_adverts=("a", "b")), None, ["2 adverts removed"]),
        (Reply("x", finish_reason="length"), None, ["cut by length: --max-tokens N allows more"]),
        (
            Reply("x", finish_reason="content_filter"), None,
            ["filtered: the service's content filter stopped the reply"],
        ),
        (Reply("x", finish_reason="refusal"), None, ["refused: the model declined to answer"]),
        (Reply("", finish_reason="refusal"), None, ["refused: the model declined to answer"]),
        (Reply("x", finish_reason="interrupted"), None, ["interrupted: the reply is incomplete"]),
        (Reply("", finish_reason="interrupted"), None, ["interrupted before the reply began"]),
        (Reply("", "thought", finish_reason="interrupted"), None, ["interrupted: the reply is incomplete"]),
        (Reply(" \n", finish_reason="stop"), None, ["empty reply (finish_reason=stop)"]),
        (Reply(""), None, ["empty reply (finish_reason=none)"]),
        (Reply("", finish_reason="a\x1b\nb"), None, ["empty reply (finish_reason=a␛ b)"]),
        (Reply("x", finish_reason="error"), "idle for 120 s", ["incomplete: idle for 120 s"]),
        (Reply("", finish_reason="error"), "refused", ["refused"]),
        (Reply("", finish_reason="error"), None, ["no reply"]),
        (Reply("", tool_calls=(ToolCall("1", "f", "{}"),), finish_reason="tool_calls"), None, []),
    ],
)  # fmt: skip
def test_the_foot_says_only_what_the_text_does_not(reply: Reply, error: str | None, lines: list[str]) -> None:
    assert footer_lines(reply, error) == lines


@pytest.mark.fault(21, 37)
def test_a_truncated_empty_reply_says_both() -> None:
    lines = footer_lines(Reply("", finish_reason="truncated"))
    assert lines[0] == "empty reply (finish_reason=truncated)"
    assert lines[1].startswith("truncated: ")


def test_bundle_of_a_reply() -> None:
    reply = Reply("*Hi*", "because", finish_reason="length", tool_calls=(ToolCall("1", "f", '"<b>"'),))
    bundle = reply_bundle(reply)
    assert set(bundle) == {"text/html", "text/latex", "text/plain"}
    assert bundle["text/plain"] == "*Hi*\n[cut by length: --max-tokens N allows more]"
    assert unframed(bundle["text/html"]).startswith("<details><summary>Reasoning</summary>")
    assert "<em>Hi</em>" in bundle["text/html"]
    assert "cut by length" in bundle["text/html"]
    assert problems(bundle["text/html"]) == []


def test_bundle_without_reasoning() -> None:
    assert "because" not in reply_bundle(Reply("x", "because"), show_reasoning=False)["text/html"]


def test_text_of_an_empty_reply_is_what_there_is_to_say() -> None:
    assert reply_bundle(Reply("", finish_reason="stop"))["text/plain"] == "empty reply (finish_reason=stop)"


def test_long_arguments_of_a_tool_call_are_cut() -> None:
    calls = (ToolCall("1", "write", "x" * 10_000),)
    assert calls_text(calls) == f"tool call: write({'x' * 2000}…)\n"
    assert len(calls_html(calls)) < 2_200


@pytest.mark.parametrize(
    ("usage", "line"),
    [
        (None, "m · 2.0 s"),
        (Usage(3, None, 5), "m · 2.0 s"),
        (Usage(None, 8, None), "m · ? + 8 tokens · 2.0 s"),
        (Usage(3, 8, 11), "m · 3 + 8 tokens · 2.0 s"),
    ],
)
def test_the_foot_begins_with_who_answered_the_tokens_and_the_seconds(usage: Usage | None, line: str) -> None:
    reply = Reply("x", model="m", usage=usage, elapsed=2.0, finish_reason="length")
    assert " · ".join(facts(reply)) == line
    assert f">{line} · cut by length: --max-tokens N allows more</div>" in reply_bundle(reply)["text/html"]
    assert line not in reply_bundle(reply, show_footer=False)["text/html"]
    assert line not in reply_bundle(reply)["text/plain"]


def test_the_foot_names_the_service_behind_a_gateway_inertly() -> None:
    assert facts(Reply("x", model="m\x1b", upstream="Fast\nHost")) == ["m␛ via Fast Host"]
    assert facts(Reply("x")) == []


@pytest.mark.threat(8)
def test_text_of_a_bundle_is_inert() -> None:
    assert reply_bundle(Reply("a\x1b[31m\u202eb"))["text/plain"] == "a␛[31m<U+202E>b"


@pytest.mark.finding("D11")
@pytest.mark.parametrize(
    ("reply", "error", "last"),
    [
        (Reply("Half", finish_reason="length"), None, "[cut by length: --max-tokens N allows more]"),
        (Reply("Half", finish_reason="interrupted"), None, "[interrupted: the reply is incomplete]"),
        (
            Reply("Half\n", finish_reason="content_filter"), None,
            "[filtered: the service's content filter stopped the reply]",
        ),
        (Reply("Half", finish_reason="error"), "no data for 120 s", "[incomplete: no data for 120 s]"),
        (Reply("Half", finish_reason="error"), None, "[incomplete: the reply broke off]"),
        (Reply("Half", finish_reason="stop"), "bad \x1b[31m\nnews", "[incomplete: bad ␛[31m news]"),
    ],
)  # fmt: skip
def test_the_text_of_a_reply_says_that_it_is_not_whole(reply: Reply, error: str | None, last: str) -> None:
    assert reply_bundle(reply, error=error)["text/plain"] == f"Half\n{last}"


@pytest.mark.finding("D11")
def test_the_text_of_a_truncated_reply_says_so() -> None:
    said = reply_bundle(Reply("a\n\nb", finish_reason="truncated"))["text/plain"]
    assert said.startswith("a\n\nb\n[truncated: ")
    calls = (ToolCall("1", "f", "{}"),)
    assert reply_bundle(Reply("", tool_calls=calls, finish_reason="interrupted"))["text/plain"].endswith("]")


@pytest.mark.parametrize("reason", ["stop", "tool_calls", "refusal", None])
def test_the_text_of_a_whole_reply_is_its_source(reason: str | None) -> None:
    reply = Reply("*Hi*\n", finish_reason=reason, removed_adverts=("Join",))
    assert reply_bundle(reply)["text/plain"] == "*Hi*\n"


def test_a_failed_reply_without_text_is_no_empty_one() -> None:
    assert reply_bundle(Reply("", finish_reason="error"))["text/plain"] == "no reply"


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"cached_tokens": 2}, "3 (2 cached) + 8 tokens · 2.0 s"),
        ({"reasoning_tokens": 5}, "3 + 8 tokens (5 reasoning) · 2.0 s"),
        (
            {"cached_tokens": 0, "reasoning_tokens": 0, "cost": 0.00085},
            "3 + 8 tokens · 2.0 s · cost 0.00085",
        ),
        ({"cost": 1.2e-07}, "3 + 8 tokens · 2.0 s · cost 0.00000012"),
        ({"cost": 0.1 + 0.2}, "3 + 8 tokens · 2.0 s · cost 0.3"),
        ({"completion_tokens": None, "cost": 12.5}, "2.0 s · cost 12.5"),
        ({"cost": 0}, "3 + 8 tokens · 2.0 s · cost 0"),
    ],
)
def test_cached_and_reasoning_tokens_and_cost_are_shown_where_they_are_stated(more: dict[str, Any], line: str) -> None:
    counts = {"prompt_tokens": 3, "completion_tokens": 8, "total_tokens": 11}
    assert " · ".join(facts(Reply("x", usage=Usage(**{**counts, **more}), elapsed=2.0))) == line


@pytest.mark.finding("A25")
@pytest.mark.parametrize("usage", [(3, -38, -35), (-1, -1, -2), (0, -1, 0)])
def test_a_negative_count_is_no_count(usage: tuple[int, int, int]) -> None:
    assert facts(Reply("x", usage=Usage(*usage), elapsed=1.0)) == ["1.0 s"]


def test_another_family_that_answered_is_named_in_the_foot() -> None:
    reply = Reply("x", model="gemini-2.5-flash", answered_by="gemini-3.5-flash-lite", finish_reason="stop")
    assert footer_lines(reply) == ["answered by gemini-3.5-flash-lite, not gemini-2.5-flash"]
    assert footer_lines(Reply("x", model="gpt-5", answered_by="gpt-5-2026-08-01")) == []
    assert footer_lines(Reply("x", model="gpt-5")) == []
    hostile = footer_lines(Reply("x", model="gpt-5", answered_by="claude-3\x1b[31m\n" + "x" * 1_000))[0]
    assert len(hostile) < 200
    assert hostile.startswith("answered by claude-3␛[31m xxx")


def test_a_reply_that_took_several_requests_says_so() -> None:
    assert footer_lines(Reply("x", requests=2)) == ["2 requests"]
    assert footer_lines(Reply("", requests=3, finish_reason="error"), "refused") == ["refused", "3 requests"]


def test_metadata_hold_the_facts_that_came_and_nothing_that_another_run_would_change() -> None:
    plain = Reply("x", model="m", provider="P", finish_reason="stop")
    assert reply_metadata(plain) == {"jmuz": {"model": "m", "provider": "P", "finish_reason": "stop", "usage": None}}
    whole = Reply(
        "x", model="gpt-5", provider="P", usage=Usage(3, 8, 11, cost=0.5), elapsed=1.5, requests=2,
        answered_by="gpt-5-2026-08-01", system_fingerprint="fp_1", upstream="Azure", left_out=("seed",),
    )  # fmt: skip
    assert reply_metadata(whole)["jmuz"] == {
        "model": "gpt-5",
        "provider": "P",
        "finish_reason": None,
        "usage": {"prompt_tokens": 3, "completion_tokens": 8, "total_tokens": 11, "cost": 0.5},
        "answered_by": "gpt-5-2026-08-01",
        "system_fingerprint": "fp_1",
        "upstream": "Azure",
        "left_out": ["seed"],
    }


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("1 of 3 earlier cells", "1 of 3 earlier cells was sent"),
        ("12 of 40 rows of `df`", "12 of 40 rows of `df` were sent"),
    ],
)
def test_what_was_sent_in_part(part: str, said: str) -> None:
    assert footer_lines(Reply("x", sent_in_part=(part,))) == [said]


@pytest.mark.finding("D11")
def test_a_recording_that_was_edited_cannot_break_the_foot() -> None:
    lines = foot_lines(Reply("x", left_out=("a" * 5_000,)), recorded="2026\x9b31m\u202e\n" + "y" * 5_000)
    assert lines[-1].startswith("from the recording of 2026<U+009B>31m<U+202E> yy")
    assert max(map(len, lines)) < 1_100
    assert foot_lines(Reply("x"), recorded=" ") == ["from the recording"]


@pytest.mark.finding("D11")
@pytest.mark.parametrize("said", ["stop\x1b[2K", "odd\x9b31m reason", "two\nlines\x07"])
def test_metadata_that_are_stored_hold_no_control_character(said: str) -> None:
    facts = reply_metadata(Reply("x", model=said, finish_reason=said, provider=said, left_out=(said,)))["jmuz"]
    for value in (facts["model"], facts["finish_reason"], facts["provider"], *facts["left_out"]):
        assert not [character for character in value if unicodedata.category(character) == "Cc"]
        assert value.startswith(said.split("\x1b", maxsplit=1)[0][:3])
    assert reply_metadata(Reply("x"))["jmuz"]["finish_reason"] is None
