"""What is sent in the Responses dialect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import (
    EarlierReasoning,
    Message,
)
from jmuz_magic.providers.catalog import OpenAI
from jmuz_magic.providers.dialects.choosing import choose
from jmuz_magic.providers.dialects.responses.responses import Responses
from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint
from jmuz_magic.providers.openai_template import OpenaiTemplate
from tests.providers.responses_events import SEARCH, THOUGHT, mark, said
from tests.providers.test_pictures import png

HELLO: list[Message] = [{"role": "user", "content": "Hello"}]


def body(messages: list[Any] | None = None, *, model: str = "gpt-5.6-luna", **options: Any) -> dict[str, Any]:
    return OpenAI.build_request(model, messages or HELLO, dialect="responses", **options)


def test_a_plain_prompt_is_one_item_and_nothing_is_stored() -> None:
    assert body() == {
        "model": "gpt-5.6-luna",
        "input": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    assert Responses().body(OpenAI, "m", HELLO, False)["stream"] is False


@pytest.mark.parametrize(
    "model", ["gpt-4o", "gpt-4.1-mini", "openai/gpt-4o-mini", "gpt-3.5-turbo", "gpt-5-chat-latest"]
)
def test_models_that_never_think_are_not_asked_for_thoughts(model: str) -> None:
    assert "include" not in body(model=model)
    assert "include" in body(model="o4-mini")


def test_the_system_message_is_the_instructions_and_later_ones_stay_in_their_place() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        *HELLO,
        {"role": "system", "content": "Be quick."},
    ]
    sent = body(messages)
    assert sent["instructions"] == "Be brief.\n\nBe kind."
    assert sent["input"] == [*HELLO, {"role": "system", "content": "Be quick."}]
    assert body(messages[:1])["input"] == messages[:1]


def test_images_and_pdfs_are_parts_of_their_own_kinds() -> None:
    parts: list[Any] = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://x.test/a.png", "detail": "low"}, "filename": "a.png"},
        {"type": "file", "file": {"filename": "b.pdf", "file_data": "data:application/pdf;base64,AA=="}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ]
    (item,) = body([{"role": "user", "content": parts}])["input"]
    assert item["content"] == [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "low"},
        {"type": "input_file", "filename": "b.pdf", "file_data": "data:application/pdf;base64,AA=="},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ]
    attached = body(images=[png(1, 1)])["input"][0]["content"]
    assert [part["type"] for part in attached] == ["input_text", "input_image"]
    assert attached[1]["image_url"].startswith("data:image/png;base64,")
    local = OpenaiTemplate.build_request("m", [{"role": "user", "content": parts[2:3]}], dialect="responses")
    assert "takes no PDF" in local["input"][0]["content"]


CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}, "caller": {"a": 1}}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "2"}
CALL_ITEM = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"x":1}', "caller": {"a": 1}}
RESULT_ITEM = {"type": "function_call_output", "call_id": "call_1", "output": "2"}


def test_what_the_model_said_and_called_goes_back_as_items() -> None:
    messages = [*HELLO, {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL]}, RESULT]
    assert body(messages)["input"] == [*HELLO, said("Let me see."), CALL_ITEM, RESULT_ITEM]
    silent = [*HELLO, {"role": "assistant", "content": None, "tool_calls": [CALL]}, RESULT]
    assert body(silent)["input"] == [*HELLO, CALL_ITEM, RESULT_ITEM]
    assert body([*HELLO, {"role": "assistant", "content": ""}, *HELLO])["input"] == [*HELLO, *HELLO]


MORE = THOUGHT | {"id": "rs_2"}


def with_items(items: list[dict[str, Any]], message: dict[str, Any], model: str = "m") -> list[Any]:
    earlier = EarlierReasoning("", "https://a.test", model, tuple(items), "responses")
    return list(body([*HELLO, message], model="m", earlier_reasoning=[None, earlier])["input"][1:])


def test_thoughts_go_back_as_they_came_and_where_they_stood() -> None:
    message = {"role": "assistant", "content": "First.\n\nSecond.", "tool_calls": [CALL]}
    marks: list[dict[str, Any]] = [
        *(THOUGHT, mark(6, phase="commentary"), SEARCH, MORE),
        *({"type": "function_call", "call_id": "call_1"}, mark(0), mark(7, phase="final_answer")),
    ]
    assert with_items(marks, message) == [
        *(THOUGHT, said("First.", phase="commentary"), SEARCH, MORE),
        *(CALL_ITEM, said("Second.", phase="final_answer")),
    ]
    assert json.dumps(with_items(marks, message)[0]) == json.dumps(THOUGHT)
    assert with_items(marks, message, "other") == [said("First.\n\nSecond."), CALL_ITEM]


def test_a_text_that_the_marks_do_not_fit_goes_back_whole() -> None:
    edited = {"role": "assistant", "content": "Something else.", "tool_calls": [CALL]}
    assert with_items([THOUGHT, mark(6), mark(7)], edited) == [THOUGHT, said("Something else."), CALL_ITEM]
    assert with_items([THOUGHT], edited) == [THOUGHT, said("Something else."), CALL_ITEM]
    gone: list[dict[str, Any]] = [THOUGHT, {"type": "function_call", "call_id": "call_9"}, mark(15)]
    assert with_items(gone, edited) == [THOUGHT, said("Something else."), CALL_ITEM]


SCHEMA = {"name": "answer", "schema": {"type": "object"}, "strict": True}
FUNCTION = {"name": "f", "description": "d", "parameters": {"type": "object"}}


@pytest.mark.parametrize(
    ("option", "members"),
    [
        ({"max_tokens": 9}, {"max_output_tokens": 9}),
        ({"max_completion_tokens": 9}, {"max_output_tokens": 9}),
        ({"reasoning_effort": "low"}, {"reasoning": {"effort": "low", "summary": "auto"}}),
        ({"reasoning_effort": "none"}, {"reasoning": {"effort": "none"}}),
        (
            {"reasoning_effort": "low", "reasoning": {"summary": "detailed"}},
            {"reasoning": {"effort": "low", "summary": "detailed"}},
        ),
        ({"verbosity": "low"}, {"text": {"verbosity": "low"}}),
        (
            {"response_format": {"type": "json_schema", "json_schema": SCHEMA}, "verbosity": "low"},
            {"text": {"format": {"type": "json_schema", **SCHEMA}, "verbosity": "low"}},
        ),
        ({"response_format": {"type": "json_object"}}, {"text": {"format": {"type": "json_object"}}}),
        # A function is strict in Responses unless it says otherwise, in chat completions only if it says so.
        (
            {"tools": [{"type": "function", "function": FUNCTION}]},
            {"tools": [{"type": "function", "strict": False, **FUNCTION}]},
        ),
        (
            {"tools": [{"type": "function", "function": FUNCTION | {"strict": True}}, {"type": "web_search"}]},
            {"tools": [{"type": "function", "strict": True, **FUNCTION}, {"type": "web_search"}]},
        ),
        ({"tool_choice": "required"}, {"tool_choice": "required"}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
            {"tool_choice": {"type": "function", "name": "f"}},
        ),
        (
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]},
                }
            },
            {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}},
        ),
        ({"stream_options": {"include_usage": True}}, {}),
        ({"stream_options": {"include_obfuscation": False}}, {"stream_options": {"include_obfuscation": False}}),
        ({"temperature": 0, "top_p": 0.5, "user": "u"}, {"temperature": 0, "top_p": 0.5, "user": "u"}),
        ({"store": True, "include": []}, {"store": True, "include": []}),
        ({"temperature": None, "max_tokens": None}, {}),
        ({"extra_body": {"service_tier": "flex", "max_tokens": 3}}, {"service_tier": "flex", "max_output_tokens": 3}),
    ],
)
def test_options_are_sent_in_the_words_of_responses(option: dict[str, Any], members: dict[str, Any]) -> None:
    assert body(**option) == body() | members
    given = {name: value for name, value in option.items() if name != "extra_body"}
    assert Responses().only_chat(given) == ()


ONLY_CHAT = (
    *("stop", "seed", "n", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs"),
    *("modalities", "audio", "prediction", "web_search_options", "top_k", "min_p", "functions", "something_new"),
)


@pytest.mark.parametrize("name", ONLY_CHAT)
def test_what_responses_does_not_have_goes_by_chat(name: str) -> None:
    found = choose(resolve_endpoint(OpenAI), {"temperature": 0, name: 1})
    assert found.dialect.name == "chat"
    assert found.reason == f"chat/completions, since {name} is unknown to Responses"


def test_openai_speaks_responses_at_its_own_origin_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose(resolve_endpoint(OpenAI), {}).dialect.name == "responses"
    assert choose(resolve_endpoint(OpenAI, dialect="chat"), {}).dialect.name == "chat"
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.test/v1")
    assert choose(resolve_endpoint(OpenAI), {}).dialect.name == "chat"
    assert choose(resolve_endpoint(OpenAI, dialect="responses"), {}).dialect.name == "responses"


def test_the_services_own_types_take_every_kind_of_item() -> None:
    from openai.types.responses import ResponseInputItemParam
    from pydantic import TypeAdapter

    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
        {"type": "file", "file": {"filename": "b.pdf", "file_data": "data:application/pdf;base64,AA=="}},
    ]
    caller = {"type": "program", "caller_id": "call_0"}
    messages = [
        {"role": "user", "content": parts},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL | {"caller": caller}]},
        *(RESULT, {"role": "tool", "tool_call_id": "call_2", "content": parts[:1]}),
        *({"role": "system", "content": "Be quick."}, *HELLO),
    ]
    thought = {name: value for name, value in THOUGHT.items() if name != "new"}
    items = body(messages)["input"] + with_items(
        [thought, mark(6, phase="final_answer")], {"role": "assistant", "content": "First."}
    )
    check = TypeAdapter(ResponseInputItemParam)
    assert len(items) == 9
    for item in items:
        check.validate_python(item, extra="forbid")


def test_a_message_that_is_none_is_refused_as_in_every_dialect() -> None:
    with pytest.raises(JmuzError, match="expected messages such as"):
        body(["Hello"])
