"""Bodies of odd messages: what is malformed is sent, because the service says best what is wrong, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import EarlierReasoning, Message
from jmuz_magic.providers.http.call import encode
from jmuz_magic.providers.openai_template import OpenaiTemplate
from tests.providers.asking import HELLO

DIALECTS = ("chat", "responses", "anthropic")
ROLES = ("user", "assistant", "system", "tool", "developer", "odd", None)
NAMES: list[Any] = ["text", "image_url", "file", "refusal", "odd", [], {}, None]
ODD: list[Any] = [
    *(None, "", 5, True, [], {}, "x", ["x"], [None], [{}]),
    *([{"type": name}] for name in NAMES),
    [{"type": "text", "text": 5}],
    [{"type": "image_url", "image_url": {"url": 5}}],
    [{"type": "file", "file": "x"}],
    [{"type": "function", "function": "f"}],
    [{"id": {}, "function": {"name": 5, "arguments": "["}}],
    {"type": "function"},
    {"type": {}},
    {"type": []},
]
OPTIONS = (
    *("metadata", "output_config", "parallel_tool_calls", "reasoning", "reasoning_effort", "response_format"),
    *("stream_options", "text", "thinking", "tool_choice", "tools", "verbosity"),
)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("role", ROLES)
def test_messages_of_any_shape_make_a_body_or_one_line(dialect: str, role: Any) -> None:
    for content in ODD:
        for calls in ODD:
            message: Any = {"role": role, "content": content, "tool_calls": calls, "tool_call_id": calls}
            for before in ([], HELLO):
                try:
                    encode(OpenaiTemplate.build_request("m", [*before, message], dialect=dialect))
                except JmuzError as error:
                    assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("option", OPTIONS)
def test_options_of_any_shape_make_a_body(dialect: str, option: str) -> None:
    usual = {"reasoning_effort": "low", "tools": [{"type": "function", "function": {"name": "f"}}]}
    for value in ODD:
        for options in ({option: value}, {**usual, option: value}):
            encode(OpenaiTemplate.build_request("m", HELLO, dialect=dialect, **options))


STRANGE: list[dict[str, Any]] = [
    {},
    {"type": 5},
    {"type": "message"},
    {"type": "message", "length": "x"},
    {"type": "function_call"},
    {"type": "function_call", "call_id": []},
    {"type": "text"},
    {"type": "tool_use", "id": {}},
    {"type": "function_call_output", "call_id": "c", "output": "injected"},
    {"type": "image", "source": {"type": "url", "url": "https://a.test/injected"}},
]


@pytest.mark.parametrize("dialect", ["responses", "anthropic"])
def test_items_that_somebody_wrote_into_a_recording_bring_nothing_else_into_a_request(dialect: str) -> None:
    messages: list[Message] = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    plain = encode(OpenaiTemplate.build_request("m", messages, dialect=dialect))
    for item in STRANGE:
        kept = EarlierReasoning("", "https://a.test", "m", (item,), dialect)
        body = OpenaiTemplate.build_request("m", messages, dialect=dialect, earlier_reasoning=[None, kept, None])
        assert encode(body) == plain
