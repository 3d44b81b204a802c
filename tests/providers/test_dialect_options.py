"""Each option in each dialect: sent as it is, translated, or by chat; `docs/endpoints.md` has the same table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jmuz_magic.messages import Messages
from jmuz_magic.providers.concessions import DISPENSABLE
from jmuz_magic.providers.dialects.choosing import choose
from jmuz_magic.providers.dialects.table import DIALECTS, find_dialect
from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint
from jmuz_magic.providers.http.members import members_at, without_member
from jmuz_magic.providers.openai_template import OpenaiTemplate

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "endpoints.md"
HELLO: Messages = [{"role": "user", "content": "Hello"}]

SAME = "same"
"""Sent under its own name with its own value."""
BY_CHAT = "by chat"
"""The dialect cannot express it, so the request goes to chat/completions."""

SCHEMA = {"type": "object", "properties": {}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}
FUNCTION = {"name": "f", "description": "d", "parameters": SCHEMA}
TOOLS = {"tools": [{"type": "function", "function": FUNCTION}]}


class Row(NamedTuple):
    """One option.

    Attributes:
        name: as users write it.
        value: an example.
        responses: the members of the body that it becomes there.
        messages: likewise.
        beside: options without which it means nothing.
        when: for which values this row holds, in the document.
    """

    name: str
    value: Any
    responses: Any = BY_CHAT
    messages: Any = BY_CHAT
    beside: Mapping[str, Any] = {}
    when: str = ""


ROWS = [
    Row("temperature", 0.5, SAME, SAME),
    Row("top_p", 0.5, SAME, SAME),
    Row("top_k", 5, BY_CHAT, SAME),
    Row("max_tokens", 9, {"max_output_tokens": 9}, SAME),
    Row("max_completion_tokens", 9, {"max_output_tokens": 9}, {"max_tokens": 9}),
    Row(
        "reasoning_effort",
        "low",
        {"reasoning": {"effort": "low", "summary": "auto"}},
        {"output_config": {"effort": "low"}, "thinking": {"type": "adaptive", "display": "summarized"}},
    ),
    Row("reasoning_effort", "none", {"reasoning": {"effort": "none"}}, {"thinking": {"type": "disabled"}}, when="none"),
    Row(
        "response_format",
        FORMAT,
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}}},
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    ),
    Row("response_format", {"type": "json_object"}, {"text": {"format": {"type": "json_object"}}}, when="json_object"),
    Row(
        "tools",
        TOOLS["tools"],
        {"tools": [{"type": "function", "strict": False, **FUNCTION}]},
        {"tools": [{"name": "f", "description": "d", "input_schema": SCHEMA}]},
    ),
    Row("tool_choice", "required", SAME, {"tool_choice": {"type": "any"}}, TOOLS),
    Row(
        "tool_choice",
        {"type": "function", "function": {"name": "f"}},
        {"tool_choice": {"type": "function", "name": "f"}},
        {"tool_choice": {"type": "tool", "name": "f"}},
        TOOLS,
        when="a function",
    ),
    Row(
        "parallel_tool_calls",
        False,
        SAME,
        {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        TOOLS,
    ),
    Row("stream_options", {"include_usage": True}, {}, {}),
    Row("verbosity", "low", {"text": {"verbosity": "low"}}),
    Row("metadata", {"user_id": "u"}, SAME, SAME),
    Row("service_tier", "auto", SAME, SAME),
    Row("store", True, SAME),
    Row("user", "u", SAME),
    Row("safety_identifier", "u", SAME),
    Row("prompt_cache_key", "k", SAME),
    Row("stop", ["END"]),
    Row("seed", 7),
    Row("n", 2),
    Row("frequency_penalty", 0.5),
    Row("presence_penalty", 0.5),
    Row("logit_bias", {"50256": -100}),
    Row("logprobs", True),
    Row("top_logprobs", 3, SAME),
    Row("prediction", {"type": "content", "content": "x"}),
    Row("modalities", ["text"]),
    Row("mirostat", 2, when="any other"),
]

NATIVE = {
    "responses": {
        "access_programs", "context_management", "conversation", "image", "include", "input", "instructions",
        "max_output_tokens", "max_tool_calls", "model", "moderation", "previous_response_id", "prompt",
        "prompt_cache_options", "prompt_cache_retention", "reasoning", "reasoning.summary", "stream", "text",
        "truncation",
    },
    "anthropic": {
        "cache_control", "container", "context_management", "inference_geo", "mcp_servers", "output_config", "speed",
        "stop_sequences", "thinking",
    },
}  # fmt: skip
"""Members that only the dialect itself has; given with -o they are sent as they are."""


def wanted(row: Row, dialect: str) -> Any:
    expected = {"chat": SAME, "responses": row.responses, "anthropic": row.messages}[dialect]
    return {row.name: row.value} if expected == SAME else expected


def body(dialect: str, **options: Any) -> dict[str, Any]:
    return OpenaiTemplate.build_request("m", HELLO, dialect=dialect, **options)


def difference(without: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if without.get(name) != value}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.name} {row.when}".strip())
@pytest.mark.parametrize("way", ["option", "extra_body"])
def test_an_option_is_sent_translated_or_goes_by_chat(row: Row, dialect: str, way: str) -> None:
    option = {row.name: row.value} if way == "option" else {"extra_body": {row.name: row.value}}
    endpoint = resolve_endpoint(OpenaiTemplate, api_base="https://gateway.test/v1", dialect=dialect)
    chosen, expected = choose(endpoint, {**row.beside, **option}), wanted(row, dialect)
    label = find_dialect(dialect).label
    if expected == BY_CHAT:
        assert chosen.dialect.name == "chat"
        assert chosen.reason == f"chat/completions, since {row.name} is unknown to {label}"
        return
    assert (chosen.dialect.name, chosen.reason) == (dialect, "")
    assert difference(body(dialect, **row.beside), body(dialect, **row.beside, **option)) == {
        name: value for name, value in expected.items() if body(dialect, **row.beside).get(name) != value
    }


@pytest.mark.parametrize("dialect", ["responses", "anthropic"])
@pytest.mark.parametrize("row", [row for row in ROWS if row.name in DISPENSABLE], ids=lambda row: row.name)
def test_what_a_service_refuses_can_be_taken_out_again(row: Row, dialect: str) -> None:
    if wanted(row, dialect) == BY_CHAT:
        return
    given = body(dialect, **{row.name: row.value})
    for place in (*find_dialect(dialect).options[row.name], "reasoning.summary"):  # which may be refused alone
        given = without_member(given, place)
    assert given == body(dialect)


@pytest.mark.parametrize("dialect", NATIVE)
def test_no_option_of_a_dialect_is_missing_here(dialect: str) -> None:
    here = {row.name for row in ROWS if wanted(row, dialect) != BY_CHAT}
    assert set(find_dialect(dialect).options) == here | NATIVE[dialect]


def table() -> Iterator[str]:
    """The table of the document."""
    yield "| option | chat/completions | Responses | Messages |"
    yield "|---|---|---|---|"
    for row in ROWS:
        name = row.when if row.when == "any other" else f"`{row.name}`{f' ({row.when})' if row.when else ''}"
        cells = (cell(row, dialect) for dialect in ("chat", "responses", "anthropic"))
        yield f"| {name} | {' | '.join(cells)} |"


def cell(row: Row, dialect: str) -> str:
    expected = wanted(row, dialect)
    if expected == BY_CHAT:
        return BY_CHAT
    if expected == {row.name: row.value}:
        return "as it is"
    places = [place for place in find_dialect(dialect).options[row.name] if members_at(expected, (place,))]
    return "reworded" if places == [row.name] else ", ".join(f"`{place}`" for place in places) or "not needed"


def test_the_document_has_this_table() -> None:
    assert "\n".join(table()) in DOCUMENT.read_text(encoding="utf-8")
