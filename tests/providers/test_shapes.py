"""What services send in `chat/completions` (SERVICES, section 2 of what was collected on 2026-11-28), row by row.

Each literal is read over a socket, whole and cut; what came must be text, reasoning, or a thing that is kept.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from jmuz_magic.messages import Usage
from jmuz_magic.providers.catalog import Gemini
from jmuz_magic.providers.openai_template import OpenaiTemplate
from tests.fault_server import DONE, Cut, FaultServer, delta, event, finish, json_answer, stream
from tests.providers.asking import Answer, Patient, ask


def read(
    server: FaultServer, *events: bytes, provider: type[OpenaiTemplate] = Patient, how: Cut = "whole", **options: Any
) -> Answer:
    answer = ask(provider, api_base=server.add("s", stream(*events, finish(), DONE, how=how)), **options)
    assert answer.error is None
    return answer


def of_kind(answer: Answer, name: str) -> list[Any]:
    return [chunk for chunk in answer.chunks if type(chunk).__name__ == name]


def bare(**members: Any) -> bytes:
    """A delta as in the literals, with nothing around it."""
    return event({"choices": [{"delta": members}]})


# --- rows 1 to 11: reasoning

THOUGHTS = {
    "1 reasoning": [bare(reasoning="The"), bare(reasoning=" ball")],
    "2 reasoning_content": [bare(role="assistant", reasoning_content="The"), bare(reasoning_content=" ball")],
    "3 reasoning_details": [
        bare(content="", reasoning_details=[{"type": "reasoning.text", "index": 0, "text": text}])
        for text in ("The", " ball")
    ],
    "3 a summary": [bare(reasoning_details=[{"type": "reasoning.summary", "index": 0, "summary": "The ball"}])],
    "3 details beside the same reasoning": [
        bare(reasoning=text, reasoning_details=[{"type": "reasoning.text", "text": text}]) for text in ("The", " ball")
    ],
    "4 details of all so far": [
        bare(reasoning_details=[{"text": text}]) for text in ("The", "The ba", "The ball", "The ball")
    ],
    "4 tags and a member": [
        bare(content="<think>The", reasoning_content="The"),
        bare(content=" ball", reasoning_content=" ball"),
        bare(content="</think>\n"),
    ],
    "4 tags, then a member": [bare(content="<think>The ball</think>\n"), bare(reasoning_content="The ball\n")],
    "5 parts with a summary": [
        bare(content=[{"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}])
        for text in ("The", " ball")
    ],
    "6 an object": [bare(reasoning_content={"text": text}) for text in ("The", " ball")],
    "11 reasoning_text": [bare(reasoning_text="The"), bare(reasoning_text=" ball")],
}


@pytest.mark.parametrize("name", THOUGHTS)
@pytest.mark.parametrize("how", ["whole", "bytes", 1])
def test_reasoning_comes_once_from_wherever_it_stands(server: FaultServer, name: str, how: Cut) -> None:
    answer = read(server, *THOUGHTS[name], bare(content="Answer"), how=how)
    assert (answer.reasoning.rstrip(), answer.text) == ("The ball", "Answer")


@pytest.mark.parametrize("name", THOUGHTS)
def test_reasoning_of_a_reply_that_breaks_off_is_kept(server: FaultServer, name: str) -> None:
    answer = ask(api_base=server.add("s", stream(*THOUGHTS[name], event({"error": "gone"}))))
    assert answer.error is not None
    assert answer.reasoning.strip() == "The ball"


def test_text_in_parts_follows_reasoning_in_parts(server: FaultServer) -> None:
    thought = [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "The"}]}]
    answer = read(server, bare(content=thought), bare(content=[{"type": "text", "text": "Hello"}]))
    assert (answer.reasoning, answer.text) == ("The", "Hello")


def test_a_summary_and_the_thought_itself_are_two_paragraphs(server: FaultServer) -> None:
    details = [{"type": "reasoning.summary", "summary": "Short"}, {"type": "reasoning.text", "text": "Long"}]
    assert read(server, bare(reasoning_details=details)).reasoning == "Short\n\nLong"


@pytest.mark.parametrize("pieces", [["1", "5", "15"], ["15", "15"], ["a", "b", "ab"], ["\n", "\n1"]])
def test_details_that_are_new_are_all_kept(server: FaultServer, pieces: list[str]) -> None:
    deltas = [bare(reasoning_details=[{"type": "reasoning.text", "text": text}]) for text in pieces]
    assert read(server, *deltas).reasoning == "".join(pieces)


def test_what_two_places_say_differently_is_kept(server: FaultServer) -> None:
    answer = read(server, bare(content="<think>one</think>Answer", reasoning_content="two"))
    assert answer.reasoning == "two\n\none"
    assert answer.text == "Answer"


def test_encrypted_reasoning_is_kept_and_named(server: FaultServer) -> None:
    detail = {"type": "reasoning.encrypted", "index": 0, "data": "gAAA"}
    answer = read(server, bare(reasoning="The", reasoning_details=[detail]), bare(content="Answer"))
    (unshown,) = of_kind(answer, "Unshown")
    assert (unshown.kind, unshown.value) == ("encrypted reasoning", [detail])
    assert answer.reasoning == "The"


# --- rows 7 to 10: tags


class Bedrock(OpenaiTemplate):
    reasoning_tags = ("reasoning",)


class Prefilled(OpenaiTemplate):
    may_begin_in_thought = True


GEMINI = [
    bare(content="<thought>**Calc**", extra_content={"google": {"thought": True}}),
    bare(content=" it", extra_content={"google": {"thought": True}}),
    bare(content="</thought>The ball"),
    bare(content=" costs 5"),
]


@pytest.mark.finding("A9")
@pytest.mark.parametrize("how", ["whole", "bytes", 1])
@pytest.mark.parametrize("provider", [Gemini, Patient])
def test_row_7_the_thoughts_of_gemini(server: FaultServer, provider: type[OpenaiTemplate], how: Cut) -> None:
    answer = read(server, *GEMINI, provider=provider, how=how)
    assert (answer.reasoning, answer.text) == ("**Calc** it", "The ball costs 5")


@pytest.mark.finding("A9")
def test_row_7_is_known_without_its_flag_where_the_class_says_so(server: FaultServer) -> None:
    deltas = [bare(content=text) for text in ("<tho", "ught>Calc</tho", "ught>\nThe ball")]
    answer = read(server, *deltas, provider=Gemini)
    assert (answer.reasoning, answer.text) == ("Calc", "The ball")


def test_row_7_is_known_without_its_tags(server: FaultServer) -> None:
    flag = {"google": {"thought": True}}
    answer = read(server, bare(content="Calc", extra_content=flag), bare(content="The ball"), provider=Gemini)
    assert (answer.reasoning, answer.text) == ("Calc", "The ball")


@pytest.mark.finding("A9")
@pytest.mark.parametrize("how", ["whole", "bytes", 1])
def test_row_8_the_thoughts_of_bedrock(server: FaultServer, how: Cut) -> None:
    deltas = [bare(content=text) for text in ("<reasoning>User", " says", "</reasoning>", "Hello")]
    answer = read(server, *deltas, provider=Bedrock, how=how)
    assert (answer.reasoning, answer.text) == ("User says", "Hello")


@pytest.mark.parametrize(
    "text", ["<thought>x</thought>y", "<reasoning>x</reasoning>y", "x</think>y", "<thinking>x</thinking>"]
)
def test_other_tags_are_text_where_no_class_says_that_they_occur(server: FaultServer, text: str) -> None:
    answer = read(server, *(bare(content=piece) for piece in text))
    assert (answer.reasoning, answer.text) == ("", text)


@pytest.mark.finding("A9")
@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "thought", "said"),
    [
        ("so it is 5 </think>\n\nFive.", "so it is 5 ", "Five."),
        ("<think>so</think>Five.", "so", "Five."),
        ("x" * 3000 + "</think>Five.", "x" * 3000, "Five."),
        ("</think>\n\nFive.", "", "Five."),
        ("just an answer < 5", "", "just an answer < 5"),
        ("  \n", "", "  \n"),
    ],
)
def test_row_9_a_text_that_begins_in_mid_thought(
    server: FaultServer, text: str, thought: str, said: str, size: int
) -> None:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    answer = read(server, *(bare(content=piece) for piece in pieces), provider=Prefilled)
    assert (answer.reasoning, answer.text) == (thought, said)


def test_row_9_keeps_what_it_held_when_the_reply_breaks_off(server: FaultServer) -> None:
    answer = ask(Prefilled, api_base=server.add("s", stream(bare(content="so it"), event({"error": "gone"}))))
    assert answer.text == "so it"


BLOCKS = [
    ("<think>a</think><think> b</think>Answer", "a b", "Answer"),
    ("<think>a</think>\n\n<think>b</think>\n\nAnswer", "a\n\nb", "Answer"),
    ("<think>a</think>One.\n\n<think>b</think>\n\nTwo.", "a\n\nb", "One.\n\nTwo."),
    ("<think>a</think>\n<think>b</think>\n<think>c</think>\nAnswer", "a\n\nb\n\nc", "Answer"),
    ("<think>a</think>One.\n<think>never closed", "a\n\nnever closed", "One.\n"),
    ("<think>a</think>Say <think> to think.", "a", "Say <think> to think."),
    ("<think>a</think>Say\n`<think>`, then\n<thin", "a", "Say\n`<think>`, then\n<thin"),
    ("<think>a</think>Code:\n```\n<think>\nb\n```\nEnd", "a", "Code:\n```\n<think>\nb\n```\nEnd"),
    ("<think>a</think>\n\n~~~html\n<think>b</think>\n~~~\n", "a", "~~~html\n<think>b</think>\n~~~\n"),
    ("<think>a</think>```\nx\n```\n<think>b</think>c", "a\n\nb", "```\nx\n```\nc"),
    ("One.\n<think>b</think>\nTwo.", "", "One.\n<think>b</think>\nTwo."),
]


@pytest.mark.finding("A9")
@pytest.mark.parametrize(("text", "thought", "said"), BLOCKS[:5])
def test_row_10_each_block_is_reasoning(server: FaultServer, text: str, thought: str, said: str) -> None:
    answer = read(server, bare(content=text))
    assert (answer.reasoning, answer.text) == (thought, said)


@pytest.mark.parametrize(("text", "thought", "said"), BLOCKS)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_row_10_in_pieces(server: FaultServer, text: str, thought: str, said: str, size: int) -> None:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    answer = read(server, *(bare(content=piece) for piece in pieces))
    assert (answer.reasoning, answer.text) == (thought, said)


def test_text_after_a_thought_is_not_held() -> None:
    from jmuz_magic.messages import Reasoning
    from jmuz_magic.providers.dialects.chat.thoughts import ThoughtSplitter

    splitter = ThoughtSplitter()
    assert splitter.feed("<think>a</think>One") == [Reasoning("a"), "One"]
    for text in (" two", "\n", "three <", "think>", "\nfour"):
        assert splitter.feed(text) == [text]
    assert splitter.feed("\n<") == ["\n"]
    assert splitter.feed("5") == ["<5"]


def test_a_long_text_after_a_thought_takes_linear_time() -> None:
    from jmuz_magic.providers.dialects.chat.thoughts import ThoughtSplitter

    began = time.process_time()
    for line in ("a\n", "<\n", "\n"):
        assert ThoughtSplitter().feed("<think>a</think>b\n" + line * 150_000)[1:] == ["b\n" + line * 150_000]
    assert time.process_time() - began < 5


# --- row 12


def test_row_12_the_signature_of_a_call_is_kept(server: FaultServer) -> None:
    extra = {"google": {"thought_signature": "c2ln"}}
    call = {
        "index": 0,
        "id": "1",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
        "extra_content": extra,
    }
    (call_read,) = read(server, bare(tool_calls=[call]), provider=Gemini).tool_calls
    assert dict(call_read.extra) == {"extra_content": extra}


# Row 13, and all other ways of tool calls: `test_tool_calls.py`. Row 14, images: `test_pictures.py`.


# --- rows 15 and 16


@pytest.mark.parametrize("how", ["whole", "bytes"])
def test_row_15_a_transcript_is_text_and_the_sound_is_kept(server: FaultServer, how: Cut) -> None:
    deltas = [
        bare(audio={"id": "a", "transcript": "Hel", "data": "AAAA"}),
        bare(audio={"id": "a", "transcript": "lo"}),
        bare(audio={"id": "a", "data": "BBBB"}),
        bare(audio={"id": "a", "expires_at": 5}),
    ]
    answer = read(server, *deltas, how=how)
    assert answer.text == "Hello"
    (unshown,) = of_kind(answer, "Unshown")
    assert (unshown.kind, unshown.value) == ("audio", {"id": "a", "data": ["AAAA", "BBBB"], "expires_at": 5})


ANNOTATION = {"type": "url_citation", "url_citation": {"url": "https://a.example/x", "title": "A"}}


@pytest.mark.finding("A20")
@pytest.mark.parametrize(
    ("events", "cited"),
    [
        ([bare(annotations=[ANNOTATION])], [("https://a.example/x", "A")]),
        (
            [bare(annotations=[{"type": "url_citation", "url": "https://a.example/x", "title": " A\n b"}])],
            [("https://a.example/x", "A b")],
        ),
        (
            [event({"choices": [{"delta": {"content": "."}}], "citations": ["https://a.example", "https://b.example"]})]
            * 3,
            [("https://a.example", ""), ("https://b.example", "")],
        ),
        (
            [
                event({"choices": [{"delta": {"content": "."}}], "citations": ["https://a.example"]}),
                event({"choices": [], "search_results": [{"title": "A", "url": "https://a.example", "date": "2026"}]}),
            ],
            [("https://a.example", "A")],
        ),
        ([bare(citations=[{"url": "https://a.example", "title": "A"}])], [("https://a.example", "A")]),
        ([event({"choices": [{"delta": {}}], "citations": [None, 5, "", "no address", {}]})], []),
    ],
)
def test_row_16_sources_are_told_once_each(server: FaultServer, events: list[bytes], cited: list[Any]) -> None:
    answer = read(server, bare(content="x"), *events)
    told = [(source.url, source.title) for chunk in of_kind(answer, "Citations") for source in chunk.citations]
    assert told == cited


@pytest.mark.finding("A20")
def test_row_16_sources_of_a_whole_reply(server: FaultServer) -> None:
    message = {"content": "x", "annotations": [ANNOTATION]}
    body = {"choices": [{"message": message, "finish_reason": "stop"}], "citations": ["https://b.example"]}
    answer = ask(api_base=server.add("s", json_answer(body)))
    (told,) = of_kind(answer, "Citations")
    assert {source.url for source in told.citations} == {"https://a.example/x", "https://b.example"}


def test_row_16_a_message_at_the_end_may_know_more_sources(server: FaultServer) -> None:
    more = {"type": "url_citation", "url_citation": {"url": "https://b.example", "title": "B"}}
    end = {"message": {"content": "x", "annotations": [ANNOTATION, more]}, "finish_reason": "stop"}
    deltas = [bare(content="x"), bare(annotations=[ANNOTATION])]
    answer = ask(api_base=server.add("s", stream(*deltas, event({"choices": [end]}), DONE)))
    (told,) = of_kind(answer, "Citations")
    assert [source.title for source in told.citations] == ["A", "B"]
    assert answer.text == "x"


def test_row_16_many_sources_without_an_address_take_linear_time() -> None:
    from jmuz_magic.providers.dialects.extras import Extras

    began, extras = time.process_time(), Extras()
    for _ in range(2):
        extras.cite([{"file": number} for number in range(20_000)])
    assert len(extras.chunks()) == 20_000
    assert time.process_time() - began < 5


def test_row_16_a_source_without_an_address_is_kept(server: FaultServer) -> None:
    file = {"type": "file_citation", "file_citation": {"file_id": "f"}}
    (unshown,) = of_kind(read(server, bare(content="x"), *[bare(annotations=[file])] * 2), "Unshown")
    assert unshown.value == file


# --- rows 17 and 18


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            {
                "usage": {
                    "prompt_tokens": 10,
                    "completion_tokens": 120,
                    "total_tokens": 130,
                    "cost": 0.00085,
                    "prompt_tokens_details": {"cached_tokens": 0},
                    "completion_tokens_details": {"reasoning_tokens": 104},
                }
            },
            (10, 120, 130, 0, 104, 0.00085),
        ),
        ({"x_groq": {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}}, (1, 2, None, None, None, None)),
        ({"usage": {"input_tokens": 1, "output_tokens": 2}}, (1, 2, None, None, None, None)),
        (
            {"usage": {"prompt_tokens": 9, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 5}},
            (9, None, None, 4, None, None),
        ),
        ({"usage": {"prompt_tokens": 9, "cost": {"total_cost": 0.006}}}, (9, None, None, None, None, 0.006)),
        ({"usage": {"prompt_tokens": -38, "completion_tokens": 2, "cost": -1}}, (None, 2, None, None, None, None)),
        (
            {"usage": {"prompt_tokens": 1e30, "completion_tokens": 10**18, "total_tokens": 3}},
            (None, None, 3, None, None, None),
        ),
    ],
)
def test_rows_17_and_18_counts_from_wherever_they_stand(
    server: FaultServer, payload: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    answer = read(server, bare(content="x"), event({"choices": []} | payload))
    assert answer.usage == Usage(*expected)


def test_row_18_counts_in_a_choice(server: FaultServer) -> None:
    counts = {"prompt_tokens": 1, "completion_tokens": 2, "cached_tokens": 1}
    end = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": counts}]})
    answer = ask(api_base=server.add("s", stream(bare(content="x"), end, DONE)))
    assert answer.usage == Usage(1, 2, None, 1)


@pytest.mark.parametrize("usage", [{}, {"prompt_tokens": -1}, [], "none"])
def test_counts_that_are_none_take_no_others_away(server: FaultServer, usage: Any) -> None:
    counts = event({"choices": [], "usage": {"total_tokens": 3}})
    answer = read(server, bare(content="x"), counts, event({"choices": [], "usage": usage}))
    assert answer.usage == Usage(total_tokens=3)


def test_counts_beside_text_that_are_none_take_no_others_away(server: FaultServer) -> None:
    counts = [{"total_tokens": 3}, {"total_tokens": 4}, {"total_tokens": None}]
    events = [event({"choices": [{"delta": {"content": "x"}}], "usage": usage}) for usage in counts]
    assert read(server, *events).usage == Usage(total_tokens=4)


# --- rows 19 to 22


def test_row_19_timings_and_progress_are_no_part_of_the_reply(server: FaultServer) -> None:
    progress = event({"choices": [], "prompt_progress": {"processed": 50, "total": 100}})
    timed = event({"choices": [{"index": 0, "delta": {"content": "x"}}], "timings": {"prompt_n": 5}})
    answer = read(server, progress, timed)
    assert (answer.text, answer.finish_reason) == ("x", "stop")


def test_row_20_who_answered_is_told_once_at_the_end(server: FaultServer) -> None:
    from jmuz_magic.messages import Answered

    asked, answered = "gemini-2.5-flash", "gemini-3.5-flash-lite"
    named = {"model": answered, "system_fingerprint": "fp_1", "provider": "Example"}
    events = [event({"choices": [{"delta": {"content": text}}]} | named) for text in "abc"]
    answer = read(server, *events, model=asked)
    assert of_kind(answer, "Answered") == [Answered(answered, "fp_1", "Example")]


@pytest.mark.parametrize("end", [event({"error": "gone"}), b"data: {oops\n\n"])
def test_row_20_who_answered_is_told_of_a_reply_that_broke_off(server: FaultServer, end: bytes) -> None:
    named = event({"model": "m-2", "choices": [{"delta": {"content": "x"}}]})
    answer = ask(api_base=server.add("s", stream(named, end)))
    assert answer.error is not None
    assert [chunk.model for chunk in of_kind(answer, "Answered")] == ["m-2"]


def test_row_20_a_name_that_comes_late_holds(server: FaultServer) -> None:
    events = [event({"model": "", "choices": []}), event({"model": "", "choices": [{"delta": {"content": "x"}}]})]
    late = event({"model": "m-2", "choices": [{"delta": {}, "finish_reason": "stop"}]})
    answer = ask(api_base=server.add("s", stream(*events, late, DONE)))
    assert [chunk.model for chunk in of_kind(answer, "Answered")] == ["m-2"]


# Row 21, other dialects: `test_foreign.py`.


def test_row_22_azure(server: FaultServer) -> None:
    events = [
        event({"choices": [], "model": "", "prompt_filter_results": [{"prompt_index": 0}]}),
        event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}], "model": "gpt-4o"}),
        bare(content="Hello"),
        event({"choices": [{"index": 0, "content_filter_offsets": {"check_offset": 1}, "delta": None}]}),
    ]
    answer = read(server, *events)
    assert (answer.text, answer.finish_reason) == ("Hello", "stop")


# --- what else may come in a content


def test_a_part_that_cannot_be_shown_is_kept(server: FaultServer) -> None:
    part = {"type": "reference", "reference_ids": [1, 2]}
    answer = read(server, bare(content=[{"type": "text", "text": "x"}, part]))
    (unshown,) = of_kind(answer, "Unshown")
    assert (answer.text, unshown.value) == ("x", part)
    assert "reference" in unshown.kind


def test_a_refusal_may_be_a_part(server: FaultServer) -> None:
    answer = read(server, bare(content=[{"type": "refusal", "refusal": "I cannot."}]))
    assert (answer.text, answer.finish_reason) == ("I cannot.", "refusal")


def test_calls_of_a_reply_that_broke_off_are_kept_but_not_to_be_run(server: FaultServer) -> None:
    call = {"index": 0, "id": "1", "function": {"name": "f", "arguments": '{"x"'}}
    answer = ask(api_base=server.add("s", stream(bare(tool_calls=[call]), event({"error": "gone"}))))
    (unshown,) = of_kind(answer, "Unshown")
    assert answer.tool_calls == ()
    assert unshown.kind == "unfinished tool call"
    assert unshown.value == {"id": "1", "name": "f", "arguments": '{"x"', "extra": {}}


@pytest.mark.parametrize("member", ["tool_calls", "images", "annotations", "reasoning_details", "refusal", "audio"])
@pytest.mark.parametrize("empty", [None, [], "", {}])
def test_members_that_hold_nothing_cost_nothing(server: FaultServer, member: str, empty: Any) -> None:
    answer = read(server, bare(content="Hel", **{member: empty}), bare(content="lo", **{member: empty}))
    assert (answer.text, answer.tool_calls, of_kind(answer, "Unshown")) == ("Hello", (), [])


def test_a_reply_of_every_shape_at_once_nests_no_error(server: FaultServer) -> None:
    deep = json.loads("[" * 90 + "]" * 90)
    for name in ("content", "reasoning_details", "images", "annotations", "audio", "tool_calls", "extra_content"):
        assert delta()  # a fresh event
        assert read(server, bare(**{name: deep}), bare(content="x")).text == "x"
