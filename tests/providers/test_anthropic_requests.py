"""What is sent to Anthropic's Messages API, and with which headers."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from jmuz_magic.content import image_part, pdf_part, text_file_part
from jmuz_magic.errors import JmuzError, ModelNotFoundError
from jmuz_magic.messages import EarlierReasoning, OptionLeftOut
from jmuz_magic.providers.catalog import Anthropic
from jmuz_magic.providers.dialects.anthropic.options import OPTIONS, only_chat
from tests.fault_server import FaultServer, json_answer, stream
from tests.hosted_services import message_events
from tests.providers.asking import FAKE_KEY, ask

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 16
ORIGIN = "https://api.anthropic.com"
CALL = {"id": "toolu_1", "type": "function", "function": {"name": "look", "arguments": '{"at": "sky"}'}}
RESULT = {"role": "tool", "tool_call_id": "toolu_1", "content": "blue"}


def body(*messages: Any, model: str = "claude-x", **options: Any) -> dict[str, Any]:
    said: list[Any] = [{"role": "user", "content": each} if isinstance(each, str) else each for each in messages]
    return Anthropic.build_request(model, said or [{"role": "user", "content": "hi"}], **options)


def turns(*messages: Any, **options: Any) -> list[Any]:
    found: list[Any] = body(*messages, **options)["messages"]
    return found


def test_the_least_that_the_service_demands() -> None:
    assert body("hi", stream=False) == {
        "model": "claude-x",
        "max_tokens": 16_000,
        "messages": [{"role": "user", "content": "hi"}],
        "stream": False,
    }


def test_system_messages_stand_beside_the_others() -> None:
    sent = body(
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "In French."}]},
        "hi",
    )
    assert sent["system"] == "Be brief.\n\nIn French."
    assert [turn["role"] for turn in sent["messages"]] == ["user"]


def test_messages_of_one_role_in_a_row_are_one() -> None:
    sent = turns("a", "b", {"role": "assistant", "content": "c"}, {"role": "assistant", "content": "d"}, "e")
    assert [turn["role"] for turn in sent] == ["user", "assistant", "user"]
    assert sent[0]["content"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert sent[2]["content"] == "e"


def test_blank_texts_which_the_service_refuses_are_left_out() -> None:
    assert turns("a", {"role": "assistant", "content": " \n"}, "b")[0]["content"] == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
    ]


@pytest.mark.parametrize("messages", [[{"role": "system", "content": "x"}], []])
def test_a_request_needs_a_message_besides_the_system_message(messages: list[Any]) -> None:
    with pytest.raises(JmuzError, match="expected"):
        Anthropic.build_request("m", messages)


def test_images_go_as_data_or_as_an_address() -> None:
    parts = [{"type": "text", "text": "what?"}, image_part("https://x.example/a.png", "a.png")]
    (turn,) = turns({"role": "user", "content": parts}, images=[PNG])
    text, at_address, with_data = turn["content"]
    assert text == {"type": "text", "text": "what?"}
    assert at_address == {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}}
    data = base64.b64encode(PNG).decode()
    assert with_data == {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def test_a_pdf_is_a_document_and_a_text_file_is_text() -> None:
    parts = [pdf_part(b"%PDF-1.7", "paper.pdf"), text_file_part("a,b", "table.csv", b"a,b")]
    (turn,) = turns({"role": "user", "content": parts})
    document, table = turn["content"]
    source = {"type": "base64", "media_type": "application/pdf", "data": base64.b64encode(b"%PDF-1.7").decode()}
    assert document == {"type": "document", "source": source, "title": "paper.pdf"}
    assert table == {"type": "text", "text": "a,b"}


def test_a_pdf_that_chat_cannot_take_is_named() -> None:
    (turn,) = turns({"role": "user", "content": [pdf_part(b"%PDF-1.7", "paper.pdf")]}, dialect="chat")
    assert turn["content"] == "[file: paper.pdf, 8 bytes; not sent, since this service takes no PDF]"


def test_blocks_in_the_services_own_words_are_sent_as_they_are() -> None:
    block = {"type": "document", "source": {"type": "file", "file_id": "file_1"}, "citations": {"enabled": True}}
    cached = {"type": "text", "text": "long", "cache_control": {"type": "ephemeral"}}
    assert turns({"role": "user", "content": [block, cached]})[0]["content"] == [block, cached]


def test_calls_and_their_results_are_blocks() -> None:
    said = {"role": "assistant", "content": "Let me look.", "tool_calls": [CALL]}
    assert turns("hi", said, RESULT, "and now?") == [
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "sky"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "blue"},
                {"type": "text", "text": "and now?"},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("arguments", "read"),
    [("", {}), ("{}", {}), ('{"a": 1}', {"a": 1}), ('{"a": ', {"arguments": '{"a": '}), ("[1]", {"arguments": "[1]"})],
)
def test_arguments_are_an_object_whatever_the_model_wrote(arguments: str, read: dict[str, Any]) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    said = {"role": "assistant", "content": None, "tool_calls": [call]}
    assert turns("hi", said)[1]["content"][0]["input"] == read


def test_a_result_may_hold_an_image() -> None:
    result = {**RESULT, "content": [image_part("data:image/png;base64,AAAA")]}
    (block,) = turns("hi", {"role": "assistant", "content": None, "tool_calls": [CALL]}, result)[2]["content"]
    source = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    assert block["content"] == [{"type": "image", "source": source}]


# --- options

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": SCHEMA}}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True}}
SENT_TOOL = {"name": "f", "description": "d", "strict": True, "input_schema": SCHEMA}
NATIVE_TOOL = {"type": "web_search_20260318", "name": "web_search", "max_uses": 3}

TRANSLATED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"max_tokens": 50}, {"max_tokens": 50}),
    ({"max_completion_tokens": 50}, {"max_tokens": 50}),
    ({"temperature": 0, "top_p": 0.5, "top_k": 3}, {"temperature": 0, "top_p": 0.5, "top_k": 3}),
    ({"metadata": {"user_id": "u"}}, {"metadata": {"user_id": "u"}}),
    ({"stop_sequences": ["END"]}, {"stop_sequences": ["END"]}),
    ({"stream_options": {"include_usage": True}}, {}),
    ({"response_format": FORMAT}, {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
    ({"response_format": {"type": "text"}}, {}),
    (
        {"reasoning_effort": "high"},
        {"output_config": {"effort": "high"}, "thinking": {"type": "adaptive", "display": "summarized"}},
    ),
    (
        {"reasoning_effort": "minimal"},
        {"output_config": {"effort": "low"}, "thinking": {"type": "adaptive", "display": "summarized"}},
    ),
    ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
    (
        {"reasoning_effort": "low", "thinking": {"type": "enabled", "budget_tokens": 2000}},
        {"output_config": {"effort": "low"}, "thinking": {"type": "enabled", "budget_tokens": 2000}},
    ),
    (
        {"response_format": FORMAT, "output_config": {"effort": "max"}},
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "max"}},
    ),
    ({"tools": [TOOL, NATIVE_TOOL]}, {"tools": [SENT_TOOL, NATIVE_TOOL]}),
    (
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]},
    ),
    ({"tools": [TOOL], "tool_choice": "auto"}, {"tools": [SENT_TOOL], "tool_choice": {"type": "auto"}}),
    ({"tools": [TOOL], "tool_choice": "required"}, {"tools": [SENT_TOOL], "tool_choice": {"type": "any"}}),
    ({"tools": [TOOL], "tool_choice": "none"}, {"tools": [SENT_TOOL], "tool_choice": {"type": "none"}}),
    (
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"tools": [SENT_TOOL], "tool_choice": {"type": "tool", "name": "f"}},
    ),
    (
        {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f"}},
        {"tools": [SENT_TOOL], "tool_choice": {"type": "tool", "name": "f"}},
    ),
    (
        {"tools": [TOOL], "parallel_tool_calls": False},
        {"tools": [SENT_TOOL], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
    ),
    (
        {"tools": [TOOL], "tool_choice": "required", "parallel_tool_calls": False},
        {"tools": [SENT_TOOL], "tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
    ),
    (
        {"tools": [TOOL], "tool_choice": "none", "parallel_tool_calls": False},
        {"tools": [SENT_TOOL], "tool_choice": {"type": "none"}},
    ),
    ({"tools": [TOOL], "parallel_tool_calls": True}, {"tools": [SENT_TOOL]}),
    ({"tool_choice": "auto"}, {}),
    ({"temperature": None, "tools": None}, {}),
    ({"extra_body": {"temperature": 1}, "temperature": 0}, {"temperature": 1}),
    ({"extra_body": {"reasoning_effort": "none"}, "reasoning_effort": "low"}, {"thinking": {"type": "disabled"}}),
    (
        {"extra_body": {"reasoning_effort": "low", "thinking": {"type": "enabled", "budget_tokens": 2000}}},
        {"output_config": {"effort": "low"}, "thinking": {"type": "enabled", "budget_tokens": 2000}},
    ),
    ({"extra_body": {"max_completion_tokens": 9}}, {"max_tokens": 9}),
    ({"extra_body": {"max_tokens": 9}, "max_completion_tokens": 8}, {"max_tokens": 9}),
]


@pytest.mark.parametrize(("options", "members"), TRANSLATED)
def test_options_in_the_services_words(options: Mapping[str, Any], members: Mapping[str, Any]) -> None:
    assert not only_chat({name: value for name, value in options.items() if name != "extra_body"})
    sent = {name: value for name, value in body(**options).items() if name not in ("model", "messages", "stream")}
    assert sent == {"max_tokens": 16_000, **members}


@pytest.mark.parametrize(("options", "members"), TRANSLATED)
def test_the_table_says_where_each_option_stands(options: Mapping[str, Any], members: Mapping[str, Any]) -> None:
    if "extra_body" not in options:
        places = {place.partition(".")[0] for name in options for place in OPTIONS[name]}
        assert members.keys() <= places


@pytest.mark.parametrize(
    "options",
    [
        *(
            {name: 1}
            for name in ("stop", "seed", "n", "logprobs", "logit_bias", "presence_penalty", "user", "whatever")
        ),
        {"response_format": {"type": "json_object"}},
        {"tools": [{"type": "custom"}]},
        {"tool_choice": {"type": "allowed_tools"}},
        {"tool_choice": "sometimes"},
    ],
)
def test_what_only_chat_knows(options: dict[str, Any]) -> None:
    assert only_chat({"temperature": 0, **options}) == tuple(options)


# --- what goes back untouched

THINKING = {"type": "thinking", "thinking": "Hm.", "signature": "sig-1"}
REDACTED = {"type": "redacted_thinking", "data": "abc"}
SEARCH = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "q"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"encrypted_content": "e"}]}


def joined(message: Any, *items: Any, model: str = "claude-x", dialect: str = "anthropic") -> Any:
    earlier = EarlierReasoning("Hm.", ORIGIN, model, items, dialect)
    return turns("hi", message, RESULT, earlier_reasoning=[None, earlier, None])[1]["content"]


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


SAID = {"role": "assistant", "content": "Let me see. Well.", "tool_calls": [CALL]}
USE = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "sky"}}


def test_thoughts_stand_where_they_stood() -> None:
    items = (THINKING, {"type": "text", "characters": 12}, REDACTED, {"type": "text", "characters": 5},
             {"type": "tool_use", "id": "toolu_1", "caller": {"type": "direct"}})  # fmt: skip
    assert joined(SAID, *items) == [
        THINKING, text("Let me see. "), REDACTED, text("Well."), {**USE, "caller": {"type": "direct"}},
    ]  # fmt: skip


def test_what_the_services_own_tools_did_goes_back_whole() -> None:
    items = (SEARCH, FOUND, {"type": "text", "characters": 17}, {"type": "tool_use", "id": "toolu_1"})
    assert joined(SAID, *items) == [SEARCH, FOUND, text("Let me see. Well."), USE]


def test_what_a_text_cites_goes_back_with_it() -> None:
    cited = [{"type": "web_search_result_location", "url": "https://x.example", "encrypted_index": "Ep"}]
    items = (SEARCH, FOUND, {"type": "text", "characters": 12}, {"type": "text", "characters": 5, "citations": cited})
    assert joined(SAID, *items)[2:] == [text("Let me see. "), text("Well.") | {"citations": cited}, USE]


def test_a_text_that_changed_stands_in_one_piece() -> None:
    items = (THINKING, {"type": "text", "characters": 3}, REDACTED, {"type": "text", "characters": 4},
             {"type": "tool_use", "id": "toolu_1"})  # fmt: skip
    assert joined(SAID, *items) == [THINKING, text("Let me see. Well."), REDACTED, USE]


def test_a_call_that_is_not_sent_takes_the_thoughts_before_it_along() -> None:
    items = ({"type": "text", "characters": 4}, THINKING, {"type": "tool_use", "id": "toolu_1"})
    assert joined({"role": "assistant", "content": "Well"}, *items) == "Well"


def test_a_call_without_a_mark_is_sent_all_the_same() -> None:
    assert joined(SAID, THINKING)[-2:] == [text("Let me see. Well."), USE]


UNBOUND = (
    "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation. "
    'Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior` to "drop_block".'
)


def test_thoughts_of_a_conversation_that_changed_are_left_out_and_it_is_said(server: FaultServer) -> None:
    refused = {"type": "error", "error": {"type": "invalid_request_error", "message": UNBOUND}}
    base = server.add("s", json_answer(refused, "400 Bad Request"), answered("fine"))
    earlier = EarlierReasoning("Hm.", base.removesuffix("/v1/s"), "claude-x", (THINKING,), "anthropic")
    messages = [{"role": "user", "content": "hi"}, SAID, RESULT]
    answer = ask(
        Anthropic,
        api_base=base,
        model="claude-x",
        messages=messages,
        earlier_reasoning=[None, earlier, None],
        reasoning_effort="high",
    )
    assert answer.text == "fine"
    assert answer.notices == [OptionLeftOut("earlier reasoning")]
    before, after = (request.json["messages"][1]["content"] for request in server.requests)
    assert (before[0], before[1:]) == (THINKING, after)
    assert server.requests[1].json["output_config"] == {"effort": "high"}


@pytest.mark.parametrize("other", [{"model": "claude-y"}, {"dialect": "responses"}])
def test_another_model_or_dialect_gets_none_of_it(other: dict[str, str]) -> None:
    assert THINKING not in joined(SAID, THINKING, **other)


# --- headers, limits, and the list of models


class Here(Anthropic):
    """The service itself, at a loopback address."""


def here(server: FaultServer, *scripts: Any) -> type[Anthropic]:
    Here.api_base = server.add("s", *scripts)
    return Here


def answered(*texts: str) -> list[Any]:
    return stream(*(event for said in texts for event in message_events("claude-x", said)))


def test_at_anthropic_the_key_goes_in_its_own_header_alone(server: FaultServer) -> None:
    provider = here(server, json_answer({"data": [{"id": "claude-x"}]}), answered("hello"))
    assert provider.get_models(api_key=FAKE_KEY, refresh=True) == ["claude-x"]
    assert ask(provider, model="claude-x", api_key=FAKE_KEY).text == "hello"
    assert [request.target.rpartition("/")[2] for request in server.requests] == ["models", "messages"]
    for request in server.requests:
        assert request.headers["x-api-key"] == FAKE_KEY
        assert request.headers["anthropic-version"] == "2023-06-01"
        assert "authorization" not in request.headers


def test_a_gateway_gets_a_bearer_token_too(server: FaultServer) -> None:
    ask(Anthropic, api_base=server.add("s", answered("hello")), api_key=FAKE_KEY)
    (request,) = server.requests
    assert request.headers["x-api-key"] == FAKE_KEY
    assert request.headers["authorization"] == f"Bearer {FAKE_KEY}"


@pytest.mark.parametrize("late", [False, True])
def test_a_key_that_the_service_repeats_is_not_shown(server: FaultServer, late: bool) -> None:
    said = {"type": "error", "error": {"type": "authentication_error", "message": f"invalid x-api-key {FAKE_KEY}"}}
    script = stream(b"data: " + json.dumps(said).encode() + b"\n\n") if late else json_answer(said, "401 Unauthorized")
    answer = ask(here(server, script), api_key=FAKE_KEY)
    assert "invalid x-api-key ***" in str(answer.error)
    assert FAKE_KEY not in repr(answer.error)


def test_an_option_that_only_chat_knows_goes_by_chat_with_a_bearer_token(server: FaultServer) -> None:
    ask(here(server, json_answer({"choices": [{"message": {"content": "x"}}]})), api_key=FAKE_KEY, stop="END")
    (request,) = server.requests
    assert request.target.endswith("/chat/completions")
    assert request.headers["authorization"] == f"Bearer {FAKE_KEY}"
    assert request.json["stop"] == "END"


LISTED = {
    "data": [
        {"type": "model", "id": "claude-x", "max_tokens": 64_000, "retires_at": "2027-03-01T00:00:00Z"},
        {"type": "model", "id": "claude-y", "max_tokens": None},
    ],
    "has_more": False,
}


def test_the_limit_is_what_the_list_states_for_the_model(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", FAKE_KEY)

    class Listing(Anthropic):
        api_base: ClassVar[str] = server.add("s", json_answer(LISTED))

    def limit(model: str, **options: Any) -> int:
        return int(Listing.build_request(model, [{"role": "user", "content": "hi"}], **options)["max_tokens"])

    assert limit("claude-x") == 16_000
    Listing.get_models()
    assert [limit("claude-x"), limit("claude-y"), limit("claude-z")] == [64_000, 16_000, 16_000]
    assert limit("claude-x", max_tokens=5) == 5
    first, _ = Listing.listed_models()
    assert (first.max_tokens, str(first.shutdown)) == (64_000, "2027-03-01")


def test_a_gateway_without_messages_is_asked_once_more_by_chat(server: FaultServer) -> None:
    missing = json_answer({"error": "Not Found"}, "404 Not Found")
    chat = json_answer({"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]})
    base = server.add("s", missing, chat)
    assert [ask(Anthropic, api_base=base, api_key=FAKE_KEY).text for _ in range(2)] == ["hello", "hello"]
    asked = [request.target.removeprefix("/v1/s/") for request in server.requests]
    assert asked == ["messages", "chat/completions", "chat/completions"]


def test_a_model_that_is_missing_is_not_sought_by_chat(server: FaultServer) -> None:
    missing = {"type": "error", "error": {"type": "not_found_error", "message": "model: claude-x"}}
    answer = ask(Anthropic, api_base=server.add("s", json_answer(missing, "404 Not Found")), api_key=FAKE_KEY)
    assert isinstance(answer.error, ModelNotFoundError)
    assert len(server.requests) == 1
