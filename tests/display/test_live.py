"""The live view: what is sent to a front end, how often, and what stays in the end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jmuz_magic.demo.scripts import long_text
from jmuz_magic.display.html.markdown import render_html
from jmuz_magic.display.reply import framed_html
from jmuz_magic.display.views.replay import OnceView
from jmuz_magic.messages import FinishReason, Reasoning, Reply, ToolCall, ToolCalls, Usage
from tests.display.screen import Screen

LONG = long_text()
UNFINISHED = "<small>incomplete; the whole reply will be in _jmuz</small>\n"


def streamed(text: str, *, size: int = 4, per_second: float = 1000.0) -> Screen:
    screen = Screen()
    view = screen.view()
    screen.stream(view, text, size=size, per_second=per_second)
    view.close(Reply(text, finish_reason="stop"))
    return screen


@pytest.mark.parametrize(("kilobytes", "most"), [(4, 1), (20, 4), (100, 14)])
def test_a_reply_is_a_few_outputs(kilobytes: int, most: int) -> None:
    screen = streamed(LONG[: kilobytes * 1000])
    assert most * 0.7 <= len(screen.outputs) <= most + 1


@given(st.integers(1, 4000), st.sampled_from([50.0, 1000.0, 1e6]))
@settings(max_examples=25, deadline=None)
def test_what_stays_does_not_depend_on_the_network(size: int, per_second: float) -> None:
    text = LONG[:20_000]
    screen, reference = streamed(text, size=size, per_second=per_second), streamed(text, size=len(text))
    assert list(screen.outputs.values()) == list(reference.outputs.values())
    assert screen.html == render_html(text)
    assert screen.plain == text


@pytest.mark.fault(55)
def test_updates_keep_the_pace() -> None:
    screen = streamed(LONG[:20_000], per_second=100)
    shown = [message for message in screen.sent if message.at < 50]
    open_group = [message for message in shown if "text/plain" not in message.data]
    gaps = [later.at - earlier.at for earlier, later in pairwise(open_group)]
    assert min(gaps) > 0.09
    assert max(gaps) < 0.6
    assert len(shown) < 10 * 50


def test_bytes_are_linear_in_the_reply() -> None:
    small, large = streamed(LONG[:20_000], per_second=100).size, streamed(LONG, per_second=100).size
    assert large <= 6 * small


def test_a_closed_group_is_sent_no_more_and_has_its_source() -> None:
    screen = streamed(LONG[:20_000])
    closed: set[str] = set()
    for message in screen.sent:
        assert message.display_id not in closed
        if "text/plain" in message.data:
            closed.add(message.display_id)
    assert closed == set(screen.outputs)


@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize("size", [4, 1_000_000])
def test_a_reply_that_ends_with_a_full_group_is_stored_once(blocks: int, size: int) -> None:
    text = "\n\n".join(["word " * 1400] * blocks)
    screen = streamed(text, size=size)
    assert screen.plain == text
    assert len(screen.outputs) == blocks


def test_the_open_part_is_sent_without_its_source() -> None:
    screen = Screen()
    view = screen.view()
    view.append("*hel")
    view.tick()
    assert screen.sent[0].data == {"text/html": framed_html("<p><em>hel</em></p>\n" + UNFINISHED)}


@pytest.mark.threat(2)
def test_nothing_is_markdown_for_another_renderer() -> None:
    screen = streamed(LONG[:8_000])
    assert {kind for message in screen.sent for kind in message.data} == {"text/html", "text/latex", "text/plain"}


def test_metadata_stand_on_the_last_output_and_hold_nothing_of_the_run() -> None:
    screen = Screen()
    view = screen.view()
    screen.stream(view, LONG[:14_000])
    view.append(Usage(3, 4, 7))
    view.append(FinishReason("stop"))
    view.close(Reply(LONG[:14_000], model="m", provider="P", usage=Usage(3, 4, 7), finish_reason="stop", elapsed=1.23))
    *others, last = screen.metadata.values()
    assert others == [{}] * len(others)
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    assert last == {"jmuz": {"model": "m", "provider": "P", "finish_reason": "stop", "usage": usage}}


def test_waiting_line_comes_after_a_moment_and_goes_with_the_first_text() -> None:
    screen = Screen()
    view = screen.view()
    view.wait("waiting for <m> $x$ …")
    view.tick()
    assert screen.sent == []
    screen.now += 0.25
    view.tick()
    assert "waiting for &lt;m&gt; <span>$</span>x<span>$</span> …" in screen.html
    view.wait("429; trying again in 2 s …")
    view.tick()
    assert "trying again" in screen.html
    view.append("Hello")
    view.tick()
    assert screen.html == "<p>Hello</p>\n" + UNFINISHED
    assert len(screen.outputs) == 1


def test_the_waiting_line_counts_the_seconds_and_says_how_to_stop() -> None:
    for background, stop in ((False, "interrupt the kernel to stop"), (True, ".cancel() stops it")):
        screen = Screen()
        view = screen.view(background=background)
        view.wait("waiting for m …")
        for _ in range(46):
            screen.now += 0.1
            view.tick()
        lines = [message.data["text/plain"] for message in screen.sent]
        assert lines == ["waiting for m …", *(f"waiting for m … {seconds} s ({stop})" for seconds in (2, 3, 4))]


def test_a_growing_reply_says_that_it_is_incomplete_and_where_the_rest_will_be() -> None:
    for chunk in ("Hello", Reasoning("so")):
        screen = Screen()
        view = screen.view()
        view.append(chunk)
        view.tick()
        assert screen.html.endswith(UNFINISHED)
        view.close(Reply("Hello", "so", finish_reason="stop"))
        assert "<small>" not in screen.html


def test_reasoning_is_open_while_it_streams_and_folded_when_the_reply_begins() -> None:
    screen = Screen()
    view = screen.view()
    view.append(Reasoning("First *this*"))
    view.tick()
    assert screen.html.startswith("<details open><summary>Reasoning</summary>")
    assert "<em>this</em>" in screen.html
    screen.now += 1
    view.append("Reply")
    view.tick()
    assert screen.html.startswith("<details><summary>")
    assert screen.html.endswith("<p>Reply</p>\n" + UNFINISHED)
    view.close(Reply("Reply", "First *this*", finish_reason="stop"))
    assert [data["text/plain"] for data in screen.outputs.values()] == ["First *this*", "Reply"]


def test_long_reasoning_shows_its_tail_and_in_the_end_all() -> None:
    screen = Screen()
    view = screen.view()
    for start in range(0, 50_000, 50):
        view.append(Reasoning(LONG[start : start + 50]))
        view.tick()
        screen.now += 0.05
    assert max(len(message.data["text/html"]) for message in screen.sent) < 30_000
    view.append("x")
    view.tick()
    assert "".join(screen.outputs[screen.sent[0].display_id]["text/plain"]) == LONG[:50_000]


def test_reasoning_can_be_hidden() -> None:
    screen = Screen()
    view = screen.view(show_reasoning=False)
    view.append(Reasoning("secret"))
    view.tick()
    view.append("Reply")
    view.close(Reply("Reply", "secret", finish_reason="stop"))
    assert "secret" not in screen.html + screen.plain


def test_an_interrupted_reply_keeps_its_reasoning_open() -> None:
    screen = Screen()
    view = screen.view()
    view.append(Reasoning("so far"))
    view.tick()
    view.close(Reply("", "so far", finish_reason="interrupted"))
    assert screen.html.startswith("<details open>")
    assert "interrupted: the reply is incomplete" in screen.html


def test_close_shows_what_was_not_shown_yet() -> None:
    screen = Screen()
    view = screen.view()
    view.append("Hel")
    view.close(Reply("Hello **you**", finish_reason="stop"))
    assert screen.html == "<p>Hello <strong>you</strong></p>\n"


def test_close_believes_the_reply_where_it_differs_from_the_deltas() -> None:
    screen = Screen()
    view = screen.view()
    screen.stream(view, LONG[:20_000])
    view.close(Reply("Something else", finish_reason="stop"))
    assert screen.html == "<p>Something else</p>\n"
    assert screen.plain == "Something else"


def test_close_believes_the_reasoning_where_it_differs_from_the_deltas() -> None:
    screen = Screen()
    view = screen.view()
    view.append(Reasoning("a draft"))
    view.append("Reply")
    view.tick()
    view.close(Reply("Reply", "the thought", finish_reason="stop"))
    assert [data["text/plain"] for data in screen.outputs.values()] == ["the thought", "Reply"]
    assert "draft" not in screen.html


def test_a_late_definition_reaches_groups_already_closed() -> None:
    text = f"See [it][r].\n\n{LONG[:20_000]}\n\n[r]: https://r.example\n"
    screen = streamed(text)
    assert '<a href="https://r.example"' in screen.html
    assert screen.html == render_html(text)
    assert screen.plain == text


def test_tool_calls_are_a_readable_list() -> None:
    calls = (ToolCall("1", "get_weather", '{"city": "<b>$\\n"}'), ToolCall("2", "get_time", "{}"))
    screen = Screen()
    view = screen.view()
    view.append(ToolCalls(calls))
    view.close(Reply("", tool_calls=calls, finish_reason="tool_calls"))
    assert "<li><code>get_weather({&quot;city&quot;: &quot;&lt;b&gt;$\\n&quot;})</code></li>" in screen.html
    assert screen.html.count("<li>") == 2
    assert screen.plain.splitlines()[1] == "tool call: get_time({})"
    assert "empty" not in screen.html


def test_an_error_before_anything_was_shown_leaves_no_output() -> None:
    screen = Screen()
    view = screen.view()
    view.wait("waiting …")
    view.tick()
    view.close(Reply("", finish_reason="error"), "cannot connect")
    assert screen.sent == []


def test_an_error_takes_the_waiting_line_away() -> None:
    screen = Screen()
    view = screen.view()
    view.wait("waiting …")
    screen.now += 1
    view.tick()
    view.close(Reply("", model="m", finish_reason="error", elapsed=1.0), "cannot connect")
    assert screen.html == screen.plain == ""  # the cell says the error, once


def test_an_error_of_a_job_stands_where_its_reply_would_be() -> None:
    screen = Screen()
    view = screen.view(background=True)
    view.close(Reply("", model="m", finish_reason="error", elapsed=1.0), "cannot <connect>")
    assert "m · 1.0 s · cannot &lt;connect&gt;" in screen.html
    assert screen.plain == "cannot <connect>"


@pytest.mark.fault(6)
def test_an_error_after_some_text_stands_below_it() -> None:
    screen = Screen()
    view = screen.view()
    view.append("Half a rep")
    view.tick()
    view.close(Reply("Half a rep", finish_reason="error"), "no data for <120> s")
    assert "<p>Half a rep</p>" in screen.html
    assert "incomplete: no data for &lt;120&gt; s" in screen.html


def test_sent_once_a_reply_is_one_output_at_its_end() -> None:
    screen = Screen()
    view = OnceView(publish=screen.publish)
    view.wait("waiting …")
    screen.now += 1
    view.append(Reasoning("thought"))
    screen.stream(view, LONG[:20_000])
    assert screen.sent == []
    view.close(Reply(LONG[:20_000], "thought", finish_reason="stop"))
    assert [message.update for message in screen.sent] == [False]
    assert screen.html.endswith(render_html(LONG[:20_000]))


def test_sent_once_an_error_without_text_shows_nothing_more() -> None:
    screen = Screen()
    OnceView(publish=screen.publish).close(Reply("", finish_reason="error"), "no data for 120 s")
    assert screen.sent == []
    OnceView(publish=screen.publish).close(Reply("Half a rep", finish_reason="error"), "no data for 120 s")
    assert "incomplete: no data for 120 s" in screen.html


def test_one_giant_block_costs_no_update_of_everything_each_time() -> None:
    fence = "```python\n" + "value = 'some text'  # with a comment\n" * 5_000  # 180 kB
    screen = streamed(fence, size=100, per_second=100)
    # 15 kB of source a second for the 19 s that it takes, times what the markup adds.
    assert screen.size < 19 * 15_000 * 8 + 10 * len(fence)


def test_same_state_is_not_sent_twice() -> None:
    screen = Screen()
    view = screen.view()
    view.append("Hello")
    view.tick()
    for _ in range(20):
        screen.now += 1
        view.tick()
    assert len(screen.sent) == 1
