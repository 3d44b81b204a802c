"""Options that a service refuses: what is left out, what is renamed, and what fails."""

from __future__ import annotations

import asyncio
import itertools
from types import MappingProxyType
from typing import Any

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.errors import ResponseStatusError
from jmuz_magic.messages import OptionLeftOut, Retry
from jmuz_magic.providers.dialects.chat.chat import Chat
from jmuz_magic.providers.http.members import members_at
from jmuz_magic.providers.openai_template import OpenaiTemplate
from tests.fault_server import FaultServer, json_answer, reply
from tests.providers.asking import Answer, Patient, ask, collect
from tests.strict_services import (
    Refusal,
    Rule,
    StrictService,
    forbids_extras,
    refuses_deprecated,
    refuses_old_limit,
    refuses_values,
    strict_service,
    takes_one_of,
)

EVERYTHING = {"temperature": 0.2, "top_p": 0.9, "seed": 7}


def unspoken(service: StrictService, **options: Any) -> Answer:
    """Ask with options that nobody typed for this request."""
    return ask(api_base=service.api_base, typed={}, **options)


def left_out(answer: Answer) -> list[str]:
    return [notice.name for notice in answer.notices if isinstance(notice, OptionLeftOut)]


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        (refuses_values("temperature"), {"temperature": 0.2}),
        (refuses_deprecated("temperature"), {"temperature": 0.2}),
        (refuses_deprecated("top_k"), {"top_k": 40}),
        (refuses_values("presence_penalty"), {"presence_penalty": 0.5}),
        (refuses_values("repetition_penalty"), {"repetition_penalty": 0.5}),
        (forbids_extras("stream_options"), {"seed": 7}),
        (forbids_extras("stream_options"), {"reasoning_effort": "low"}),
        (forbids_extras(), {}),
    ],
)
def test_an_option_that_nobody_typed_is_left_out(rule: Rule, options: dict[str, Any]) -> None:
    with strict_service(rule) as service:
        answer = unspoken(service, **options)
    name = next(iter(options), "stream_options")
    assert answer.error is None
    assert answer.text == "fine"
    assert left_out(answer) == [name]
    first, second = service.requests
    assert name in first
    assert second == {member: value for member, value in first.items() if member != name}


def test_three_options_of_a_turn_can_be_left_out_and_no_fourth() -> None:
    with strict_service(refuses_deprecated(*EVERYTHING)) as service:
        three = unspoken(service, **EVERYTHING)
        four = ask(
            api_base=service.api_base, model="other", typed={}, frequency_penalty=1, presence_penalty=1, top_k=1, n=2
        )
    assert left_out(three) == list(EVERYTHING)
    assert four.text == "fine"
    with strict_service(refuses_deprecated(*EVERYTHING, "top_k")) as service:
        answer = unspoken(service, **EVERYTHING, top_k=40)
        assert len(service.requests) == 4
    assert left_out(answer) == list(EVERYTHING)
    assert isinstance(answer.error, ResponseStatusError)
    assert "`top_k` is deprecated" in str(answer.error)
    assert answer.error.attempts == 4


@pytest.mark.parametrize("name", ["stop", "store", "user", "logit_bias", "n"])
def test_any_other_option_fails_at_once(name: str) -> None:
    with strict_service(refuses_deprecated(name)) as service:
        answer = unspoken(service, **{name: "x"})
        assert len(service.requests) == 1
    assert str(answer.error).endswith(
        f"(this model does not support {name}; it comes from an alias, a setting or the conversation)"
    )


@pytest.mark.parametrize(
    ("rule", "options", "said"),
    [
        (
            refuses_values("temperature"),
            {"temperature": 0},
            "this model does not support temperature; leave temperature= out",
        ),
        (refuses_deprecated("seed"), {"seed": 7}, "this model does not support seed; leave seed= out"),
        (
            forbids_extras("stream_options"),
            {"extra_body": {"top_k": 40}},
            "this model does not support top_k; leave extra_body['top_k'] out",
        ),
        (forbids_extras(), {"stream_options": {"include_usage": False}}, "leave stream_options= out"),
        (refuses_deprecated("stop"), {"stop": ["x"]}, "this model does not support stop; leave stop= out"),
    ],
)
def test_an_option_given_in_python_is_typed_and_fails_with_a_hint(
    rule: Rule, options: dict[str, Any], said: str
) -> None:
    with strict_service(rule) as service:
        answer = ask(api_base=service.api_base, **options)
        assert len(service.requests) == 1
    assert answer.notices == []
    assert isinstance(answer.error, ResponseStatusError)
    assert said in str(answer.error)


def test_a_value_that_is_refused_is_to_be_changed() -> None:
    def too_large(body: dict[str, Any]) -> Refusal | None:
        said = "max_tokens is too large: 99999. This model supports at most 4096 completion tokens"
        return (400, {"error": {"message": said, "param": "max_tokens"}}) if body.get("max_tokens", 0) > 4096 else None

    with strict_service(too_large) as service:
        answer = ask(api_base=service.api_base, max_tokens=99_999)
        assert len(service.requests) == 1
    assert "this model does not accept this value of max_tokens; change max_tokens=, or leave it out" in str(
        answer.error
    )


def test_a_limit_that_is_too_large_under_either_name_is_not_renamed() -> None:
    def too_large(body: dict[str, Any]) -> Refusal | None:
        said = (
            "'max_tokens' or 'max_completion_tokens' is too large: 99999. This model's maximum context length is 4096"
        )
        over = max(body.get("max_tokens", 0), body.get("max_completion_tokens", 0)) > 4096
        return (400, {"error": {"message": said, "param": None}}) if over else None

    with strict_service(too_large) as service:
        answer = ask(api_base=service.api_base, max_tokens=99_999)
        ask(api_base=service.api_base, max_tokens=5)
        assert [body.get("max_tokens") for body in service.requests] == [99_999, 5]
    assert "this model does not accept this value of max_tokens; change max_tokens=, or leave it out" in str(
        answer.error
    )


def test_a_value_that_was_refused_says_nothing_of_others() -> None:
    def hot(body: dict[str, Any]) -> Refusal | None:
        error = {"error": {"message": "temperature must be at most 1.5", "param": "temperature"}}
        return (400, error) if body.get("temperature", 0) > 1.5 else None

    with strict_service(hot) as service:
        assert left_out(unspoken(service, temperature=2)) == ["temperature"]
        assert left_out(unspoken(service, temperature=2)) == ["temperature"]
        assert left_out(unspoken(service, temperature=1)) == []
        assert [body.get("temperature") for body in service.requests] == [2, None, None, 1]


def test_an_effort_that_one_model_does_not_know_says_nothing_of_others() -> None:
    def no_minimal(body: dict[str, Any]) -> Refusal | None:
        said = (
            "Unsupported value: 'minimal' is not supported with the 'gpt-x' model. "
            "Supported values are: 'none', 'low' and 'high'."
        )
        error = {"error": {"message": said, "param": "reasoning_effort", "code": "unsupported_value"}}
        return (400, error) if body.get("reasoning_effort") == "minimal" else None

    with strict_service(no_minimal) as service:
        assert left_out(unspoken(service, reasoning_effort="minimal")) == ["reasoning_effort"]
        assert left_out(unspoken(service, reasoning_effort="low")) == []
        typed = ask(api_base=service.api_base, reasoning_effort="minimal")
    assert "does not accept this value of reasoning_effort; change reasoning_effort=, or leave it out" in str(
        typed.error
    )


@pytest.mark.parametrize("typed", [{}, {"max_tokens": "--max-tokens"}])
def test_max_tokens_gets_its_new_name_and_keeps_it(typed: dict[str, str]) -> None:
    with strict_service(refuses_old_limit) as service:
        for _ in range(2):
            answer = ask(api_base=service.api_base, max_tokens=5, typed=typed)
            assert answer.text == "fine"
            assert left_out(answer) == []
    limits = [(body.get("max_tokens"), body.get("max_completion_tokens")) for body in service.requests]
    assert limits == [(5, None), (None, 5), (None, 5)]


def test_a_rename_is_told_as_a_further_request() -> None:
    with strict_service(refuses_old_limit) as service:
        answer = ask(api_base=service.api_base, max_tokens=5)
    assert [type(notice) for notice in answer.notices] == [Retry]
    assert "max_completion_tokens instead of max_tokens" in answer.retries[0].reason


def test_a_limit_that_is_refused_by_both_names_is_never_dropped() -> None:
    rule = refuses_deprecated("max_completion_tokens")
    with strict_service(refuses_old_limit, rule) as service:
        answer = ask(api_base=service.api_base, max_tokens=5, typed={"max_tokens": "--max-tokens"})
        assert len(service.requests) == 2
    assert "this model does not support max_completion_tokens; leave --max-tokens out" in str(answer.error)


@pytest.mark.parametrize(
    ("typed", "kept", "error"),
    [
        ({}, "top_p", ""),
        ({"temperature": "-t"}, "temperature", ""),
        ({"top_p": "-o top_p"}, "top_p", ""),
        (
            {"temperature": "-t", "top_p": "-o top_p"},
            "",
            "this model takes temperature or top_p, not both; leave -t out",
        ),
    ],
)
def test_of_two_options_that_exclude_each_other_the_typed_one_stays(
    typed: dict[str, str], kept: str, error: str
) -> None:
    with strict_service(takes_one_of("temperature", "top_p")) as service:
        answer = ask(api_base=service.api_base, typed=typed, temperature=0.2, top_p=0.9)
        assert (answer.error is None) == (not error)
        assert error in str(answer.error)
        if kept:
            assert {"temperature", "top_p"} & service.requests[-1].keys() == {kept}
            alone = unspoken(service, temperature=0.2)
            assert left_out(alone) == []
            assert service.requests[-1]["temperature"] == 0.2


def test_strict_is_left_out_of_schemas_and_tools() -> None:
    def nested(body: dict[str, Any]) -> Refusal | None:
        if "strict" not in body["response_format"]["json_schema"]:
            return None
        loc = ["body", "response_format", "json_schema", "strict"]
        return 422, {"detail": [{"type": "extra_forbidden", "loc": loc, "msg": "Extra inputs are not permitted"}]}

    schema = {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": {"type": "object"}}}
    tools = [{"type": "function", "function": {"name": "f", "strict": True}}]
    with strict_service(nested) as service:
        answer = unspoken(service, response_format=schema, tools=tools)
        typed = ask(api_base=service.api_base, typed={"response_format": "-o response_format"}, response_format=schema)
    assert left_out(answer) == ["strict"]
    assert service.requests[1]["response_format"]["json_schema"] == {"name": "n", "schema": {"type": "object"}}
    assert service.requests[1]["tools"] == [{"type": "function", "function": {"name": "f"}}]
    assert schema["json_schema"]["strict"] is True, "what the caller gave stays as it is"  # type: ignore[index]
    assert "leave -o response_format out" in str(typed.error)


@pytest.mark.parametrize("rule", [refuses_values("temperature"), refuses_deprecated("temperature"), forbids_extras()])
def test_what_was_refused_is_remembered_and_said_each_time(rule: Rule) -> None:
    with strict_service(rule) as service:
        first, second = (unspoken(service, temperature=temperature) for temperature in (0.2, 0.3))
        asked = len(service.requests)
        assert left_out(first) == left_out(second)
        assert [notice.remembered for notice in first.notices] == [False] * (asked - 2)
        assert all(notice.remembered for notice in second.notices)
        typed = ask(api_base=service.api_base, temperature=0.2)
        assert "leave temperature= out" in str(typed.error), "the service decides about what is typed"
        before = len(service.requests)
        unspoken(service, temperature=0.2, model="another")
        assert "temperature" in service.requests[before]


def test_what_one_endpoint_refused_holds_for_no_other() -> None:
    with strict_service(refuses_deprecated("seed")) as one, strict_service() as other:
        unspoken(one, seed=7)
        assert left_out(unspoken(other, seed=7)) == []
        assert other.requests[0]["seed"] == 7


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "404 Not Found", "413 Too Large"])
def test_other_statuses_refuse_no_option(server: FaultServer, status: str) -> None:
    error = {"error": {"message": "'temperature' is not supported", "param": "temperature"}}
    answer = ask(api_base=server.add("s", json_answer(error, status), reply("x")), typed={}, temperature=0.2)
    assert answer.error is not None
    assert len(server.requests) == 1


def test_an_option_that_a_quoted_prompt_speaks_of_is_not_left_out(server: FaultServer) -> None:
    prompt = "what does 'temperature' do?"
    error = {"error": {"message": f'Invalid prompt: "{prompt}"'}}
    base = server.add("s", json_answer(error, "400 Bad Request"), reply("x"))
    answer = ask(api_base=base, typed={}, temperature=0.2, messages=[{"role": "user", "content": prompt}])
    assert "Invalid prompt" in str(answer.error)
    assert len(server.requests) == 1


def test_a_refused_option_does_not_mean_that_the_model_is_missing(server: FaultServer) -> None:
    said = "The model `grok-4` exists, but the parameter 'stop' is not supported by it."
    answer = ask(api_base=server.add("s", json_answer({"error": said}, "400 Bad Request")), stop=["x"])
    assert type(answer.error) is ResponseStatusError
    assert answer.error.refused == ("stop",)
    assert "leave stop= out" in str(answer.error)


def test_nothing_is_left_out_after_the_first_byte(server: FaultServer) -> None:
    from tests.fault_server import delta, event, stream

    error = {"error": {"message": "'temperature' is not supported", "param": "temperature"}}
    answer = ask(api_base=server.add("s", stream(delta("x"), event(error))), typed={}, temperature=0.2)
    assert answer.text == "x"
    assert answer.error is not None
    assert len(server.requests) == 1


def test_a_conversation_leaves_out_its_own_options_and_not_those_of_a_turn() -> None:
    with strict_service(refuses_deprecated("temperature"), models=["m"]) as service:
        talk = Conversation("m", api_base=service.api_base, options={"temperature": 0.2})
        first = talk.ask("Hello")
        assert (first.text, first.left_out, first.requests) == ("fine", ("temperature",), 2)
        second = talk.ask("Hello again")
        assert (second.left_out, second.requests) == (("temperature",), 1)
        with pytest.raises(
            ResponseStatusError, match=r"this model does not support temperature; leave temperature= out"
        ):
            talk.ask("Hello", temperature=0)
        assert len(talk.turns) == 2


def test_what_two_turns_learn_at_once_is_known_afterwards() -> None:
    async def both(base: str) -> list[Answer]:
        turns = (collect(Patient, api_base=base, typed={}, **EVERYTHING) for _ in range(2))
        return await asyncio.gather(*turns)

    with strict_service(refuses_deprecated(*EVERYTHING)) as service:
        assert [answer.text for answer in asyncio.run(both(service.api_base))] == ["fine", "fine"]
        asked = len(service.requests)
        assert left_out(unspoken(service, **EVERYTHING)) == list(EVERYTHING)
        assert len(service.requests) == asked + 1


def test_a_class_that_asks_for_no_usage_is_refused_nothing() -> None:
    class Quiet(OpenaiTemplate):
        asks_stream_usage = False

    with strict_service(forbids_extras()) as service:
        answer = ask(Quiet, api_base=service.api_base)
    assert answer.notices == []
    assert list(itertools.chain.from_iterable(service.requests)) == ["model", "messages", "stream"]


# --- options that a dialect puts elsewhere


class Nested(Chat):
    """Chat, but the effort stands where Messages has it."""

    name = "nested"
    options = MappingProxyType(
        {
            "max_tokens": ("max_tokens",),
            "reasoning_effort": ("output_config.effort", "thinking"),
            "temperature": ("temperature",),
            "thinking": ("thinking",),
        }
    )

    def body(self, *asked: Any, **options: Any) -> dict[str, Any]:
        effort = options.pop("reasoning_effort", None)
        body = super().body(*asked, **options)
        return ({"output_config": {"effort": effort}, "thinking": {"type": "adaptive"}} if effort else {}) | body


class Nests(Patient):
    dialect = Nested()


def refuses_effort(body: dict[str, Any]) -> Refusal | None:
    if "effort" not in body.get("output_config", {}):
        return None
    said = "output_config.effort: Extra inputs are not permitted"
    return 400, {"type": "error", "error": {"type": "invalid_request_error", "message": said}}


def test_what_stands_elsewhere_is_left_out_whole_and_remembered_for_its_dialect() -> None:
    with strict_service(refuses_effort) as service:
        first, second = (
            ask(Nests, api_base=service.api_base, typed={}, reasoning_effort="low", extra_body=extra)
            for extra in ({}, {"output_config": {"effort": "low", "format": {}}})
        )
        in_chat = ask(Nests, api_base=service.api_base, typed={}, reasoning_effort="low", dialect="chat")
    assert (first.text, second.text, in_chat.text) == ("fine", "fine", "fine")
    assert [notice for notice in second.notices if isinstance(notice, OptionLeftOut)] == [
        OptionLeftOut("reasoning_effort", remembered=True)
    ]
    refused, again, remembered, chat = service.requests
    assert (refused["output_config"], refused["thinking"]) == ({"effort": "low"}, {"type": "adaptive"})
    assert not {"output_config", "thinking"} & again.keys()
    assert remembered["output_config"] == {"format": {}}
    assert chat["reasoning_effort"] == "low"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"reasoning_effort": "--effort"}, "this model does not support reasoning_effort; leave --effort out"),
        ({"output_config": "-o output_config"}, "not support reasoning_effort; leave -o output_config out"),
    ],
)
def test_what_stands_elsewhere_is_named_as_it_was_typed(typed: dict[str, str], said: str) -> None:
    with strict_service(refuses_effort) as service:
        answer = ask(Nests, api_base=service.api_base, typed=typed, reasoning_effort="low")
        assert len(service.requests) == 1
    assert said in str(answer.error)


def test_no_limit_is_renamed_where_the_dialect_has_its_own_name() -> None:
    with strict_service(refuses_old_limit) as service:
        answer = ask(Nests, api_base=service.api_base, max_tokens=20)
        assert len(service.requests) == 1
    assert "this model does not support max_tokens; leave max_tokens= out" in str(answer.error)


# --- as the services say it in each dialect

FINE = {
    "responses": {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "fine"}]}],
    },
    "anthropic": {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "fine"}],
        "stop_reason": "end_turn",
    },
}


def of_openai(said: str, param: str | None) -> Refusal:
    return 400, {"error": {"message": said, "type": "invalid_request_error", "param": param, "code": None}}


def of_anthropic(said: str) -> Refusal:
    return 400, {"type": "error", "error": {"type": "invalid_request_error", "message": said}, "request_id": "req_1"}


SAID = [
    ("responses", "temperature", 0.2, "temperature",
     of_openai("Unsupported parameter: 'temperature' is not supported with this model.", "temperature")),
    ("responses", "reasoning_effort", "low", "reasoning.effort",
     of_openai("Unsupported parameter: 'reasoning.effort' is not supported with this model.", "reasoning.effort")),
    ("anthropic", "temperature", 0.2, "temperature", of_anthropic("`temperature` is deprecated for this model.")),
    ("anthropic", "reasoning_effort", "low", "output_config.effort",
     of_anthropic("output_config.effort: Extra inputs are not permitted")),
    ("anthropic", "reasoning_effort", "low", "thinking",
     of_anthropic("thinking.type: adaptive thinking is not supported on this model")),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "option", "value", "place", "refusal"), SAID)
def test_what_a_service_refuses_in_its_dialect_is_left_out(
    server: FaultServer, dialect: str, option: str, value: Any, place: str, refusal: Refusal
) -> None:
    base = server.add("s", json_answer(refusal[1], "400 Bad Request"), json_answer(FINE[dialect]))
    asked: dict[str, Any] = {"api_base": base, "dialect": dialect, "typed": {}, option: value}
    first, second = ask(**asked), ask(**asked)
    assert (first.text, left_out(first)) == ("fine", [option])
    assert (second.text, left_out(second)) == ("fine", [option])
    refused, *accepted = [request.json for request in server.requests]
    assert members_at(refused, (place,))
    assert len(accepted) == 2
    assert not any(members_at(body, (place,)) for body in accepted)


@pytest.mark.parametrize(("dialect", "option", "value", "place", "refusal"), SAID)
def test_one_that_was_typed_is_named_as_it_was_typed(
    server: FaultServer, dialect: str, option: str, value: Any, place: str, refusal: Refusal
) -> None:
    base = server.add("s", json_answer(refusal[1], "400 Bad Request"), json_answer(FINE[dialect]))
    answer = ask(api_base=base, dialect=dialect, typed={option: f"-o {option}"}, **{option: value})
    assert str(answer.error).endswith(f"(this model does not support {option}; leave -o {option} out)")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("dialect", "options", "typed", "refusal", "said"),
    [
        ("responses", {"max_tokens": 5}, "--max-tokens",
         of_openai("Invalid 'max_output_tokens': must be at least 16.", "max_output_tokens"), "value of max_tokens"),
        ("responses", {"response_format": {"type": "json_object"}}, "-o response_format",
         of_openai("Invalid value for 'text.format': it must be a schema.", "text.format"), "value of response_format"),
        ("anthropic", {"max_tokens": 5_000_000}, "--max-tokens",
         of_anthropic("max_tokens: 5000000 > 64000, which is the maximum; it must be lower"), "value of max_tokens"),
    ],
)  # fmt: skip
def test_what_cannot_be_left_out_is_named_as_it_was_typed_too(
    server: FaultServer, dialect: str, options: dict[str, Any], typed: str, refusal: Refusal, said: str
) -> None:
    base = server.add("s", json_answer(refusal[1], "400 Bad Request"), json_answer(FINE[dialect]))
    answer = ask(api_base=base, dialect=dialect, typed=dict.fromkeys(options, typed), **options)
    assert str(answer.error).endswith(f"(this model does not accept this {said}; change {typed}, or leave it out)")
