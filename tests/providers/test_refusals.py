"""Which options of a request an error names."""

from __future__ import annotations

import time
from typing import Any

import pytest

from jmuz_magic.providers.http.members import Members
from jmuz_magic.providers.http.refusals import refused_by, refused_options


def request(prompt: Any = "Hello", **options: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": prompt}], "stream": True, **options}


SAMPLED = request(temperature=0.2, top_p=0.9, seed=7, presence_penalty=1, stream_options={"include_usage": True})


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        # in a field of its own
        ({"error": {"message": "no", "param": "temperature"}}, ("temperature",)),
        ({"error": {"message": "no", "param": "stream_options.include_usage"}}, ("stream_options",)),
        ([{"error": {"message": "no", "param": "seed"}}], ("seed",)),
        ({"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}, ("seed",)),
        ({"message": {"detail": [{"loc": ["body", "top_p"], "msg": "no"}]}, "param": None}, ("top_p",)),
        ({"detail": [{"loc": ["body", "ChatRequest", "stream_options", "include_usage"], "msg": "no"}]},
         ("stream_options",)),
        ({"error": {"message": "Provider returned error", "metadata": {"raw": '{"error": {"param": "seed"}}'}}},
         ("seed",)),
        ({"error": {"message": "Provider returned error", "metadata": {"raw": "`top_p` is deprecated"}}}, ("top_p",)),
        ({"error": {"message": "'seed' is not 'top_p'", "param": "seed"}}, ("seed", "top_p")),
        # in the text, standing apart
        ({"error": {"message": "`temperature` is deprecated for this model"}}, ("temperature",)),
        ({"error": 'Unknown name "presence_penalty": Cannot find field.'}, ("presence_penalty",)),
        ("This model doesn't support 'temperature'", ("temperature",)),
        ("“seed” is not supported", ("seed",)),
        ("`temperature` and `top_p` cannot both be specified", ("temperature", "top_p")),
        ("Unrecognized request argument supplied: stream_options", ("stream_options",)),
        ("Unknown parameter: stream_options", ("stream_options",)),
        ("Model grok-4 does not support parameter presencePenalty.", ("presence_penalty",)),
        ("temperature: Extra inputs are not permitted", ("temperature",)),
        # named in passing, or not at all
        ("The temperature is too high", ()),
        ("'hot' is no number", ()),
        ({"error": {"message": "'max_tokens' is too large"}}, ()),
        ({"error": {"message": "the model `m` does not exist", "param": "model"}}, ()),
        ({"error": {"message": "'temperature' in messages[0]", "param": "messages[0].content"}}, ()),
        ({"error": {"message": "", "param": 7}}, ()),
        ([], ()),
        (None, ()),
        (7, ()),
    ],
)  # fmt: skip
def test_what_an_error_names(answer: Any, names: tuple[str, ...]) -> None:
    assert refused_options(answer, SAMPLED) == names


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("what does 'temperature' do?", "Invalid prompt: \"what does 'temperature' do?\""),
        ("what does 'temperature' do?", "Invalid prompt: what does 'temperature' do?"),
        ("what does 'temperature' do? Tell me", "Invalid prompt: \"what does 'temperature' do"),
        ('say "temperature" twice', 'Blocked: "say \\"temperature\\" twice"'),
        ('say "temperature" twice', 'Blocked: "say "temperature" twice"'),
        ("a line\n`temperature` and `seed`", "cannot read 'a line\\n`temperature` and `seed`'"),
        ("a line\n`temperature` and `seed`", "cannot read a line `temperature` and `seed`"),
        ("temperature", "Invalid prompt: 'temperature'"),
        ("temperature: 20 °C, is that cold?", "temperature: 20 °C, is that cold? is blocked"),
        ([{"type": "text", "text": "set parameter: seed to 3"}], "flagged: set parameter: seed to 3"),
    ],
)
def test_a_quoted_piece_of_the_prompt_names_nothing(prompt: Any, said: str) -> None:
    options = {"temperature": 0.2, "seed": 7}
    assert refused_options({"error": {"message": said}}, request(prompt, **options)) == ()


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("Why do you refuse 'temperature'?", "Unsupported parameter: 'temperature' is not supported"),
        ("`temperature`", "this model takes no `temperature` option"),
        ("what does 'temperature' do?", "for \"what does 'temperature' do?\": 'temperature' is not supported"),
    ],
)
def test_an_option_that_the_prompt_speaks_of_can_still_be_refused(prompt: str, said: str) -> None:
    assert refused_options(said, request(prompt, temperature=0.2)) == ("temperature",)


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ({"error": {"message": "no", "param": "response_format.json_schema.strict"}}, ("strict",)),
        ({"detail": [{"loc": ["body", "tools", 0, "function", "strict"], "msg": "no"}]}, ("strict",)),
        ({"error": "Unknown name 'strict'"}, ("strict",)),
        ({"error": {"message": "no", "param": "response_format"}}, ("response_format",)),
    ],
)
def test_strict_is_named_wherever_it_stands(answer: Any, names: tuple[str, ...]) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": {}}}
    tools = [{"type": "function", "function": {"name": "f", "strict": True}}]
    assert refused_options(answer, request(response_format=schema, tools=tools)) == names


@pytest.mark.parametrize(("status", "names"), [(400, ("seed",)), (422, ("seed",)), (403, ()), (429, ()), (500, ())])
def test_only_two_statuses_refuse_options(status: int, names: tuple[str, ...]) -> None:
    assert refused_by(status, b"'seed' is not supported", b'{"seed": 7, "messages": []}') == names


@pytest.mark.parametrize("sent", [None, b"", b"[]", b"\xff"])
def test_what_is_no_request_has_no_options(sent: bytes | None) -> None:
    assert refused_by(400, b"'seed' is not supported", sent) == ()


@pytest.mark.parametrize("unit", ["“", "‘", "'seed' ", "“'seed", "`", "'a"])
def test_any_error_is_read_in_little_time(unit: str) -> None:
    prompt = [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 2_000_000}}]
    began = time.process_time()
    refused_options({"error": {"message": unit * 20_000}}, request(prompt, seed=7))
    assert time.process_time() - began < 1.5


def test_a_quotation_that_is_not_closed_hides_no_name() -> None:
    assert refused_options("‘seed’ is refused, “as is ‘top_p", request(seed=7, top_p=1)) == ("seed",)
    assert refused_options("“you said 'seed'” and then “`top_p` no", request(seed=7, top_p=1)) == ("top_p",)


# --- options that stand elsewhere in the body

RESPONSES: Members = {
    "max_tokens": ("max_output_tokens",),
    "reasoning_effort": ("reasoning.effort",),
    "response_format": ("text.format",),
    "temperature": ("temperature",),
    "verbosity": ("text.verbosity",),
}
MESSAGES: Members = {
    "reasoning_effort": ("output_config.effort", "thinking"),
    "response_format": ("output_config.format",),
    "thinking": ("thinking",),
}
IN_RESPONSES = {
    "model": "m",
    "input": [{"role": "user", "content": "What is `temperature`?"}],
    "instructions": "Say 'verbosity'.",
    "include": ["reasoning.encrypted_content"],
    "max_output_tokens": 20,
    "reasoning": {"effort": "low", "summary": "auto"},
    "temperature": 0,
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "strict": True}, "verbosity": "low"},
}
IN_MESSAGES = {
    "model": "m",
    "max_tokens": 20,
    "messages": [],
    "output_config": {"effort": "low", "format": {}},
    "thinking": {"type": "adaptive"},
}


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({"param": "reasoning.effort", "message": "no"}, ("reasoning_effort",)),
        ({"param": "reasoning_effort", "message": "no"}, ("reasoning_effort",)),
        ({"param": "reasoning.summary", "message": "no"}, ("reasoning.summary",)),
        ({"param": "reasoning", "message": "no"}, ("reasoning_effort",)),
        ({"param": "text.format", "message": "no"}, ("response_format",)),
        ({"param": "text.format.schema", "message": "no"}, ("response_format",)),
        ({"param": "text.format.strict", "message": "no"}, ("strict",)),
        ({"param": "text.verbosity", "message": "no"}, ("verbosity",)),
        ({"param": "max_output_tokens", "message": "no"}, ("max_tokens",)),
        ({"param": "include", "message": "no"}, ("include",)),
        ({"param": "input[0].content", "message": "`temperature` no"}, ()),
        ({"message": "Unknown parameter: 'reasoning.effort'."}, ("reasoning_effort",)),
        ({"message": "you said “What is `temperature`?”, and the temperature is what it is"}, ()),
        ({"message": "not Say 'verbosity'."}, ()),
    ],
)
def test_an_option_that_stands_elsewhere_is_named_as_its_user_writes_it(said: Any, names: tuple[str, ...]) -> None:
    assert refused_options({"error": said}, IN_RESPONSES, RESPONSES) == names


@pytest.mark.parametrize(
    ("said", "sent", "names"),
    [
        ("output_config.effort: Input should be 'low' or 'high'", IN_MESSAGES, ("reasoning_effort",)),
        ("output_config.format.schema: is too complex", IN_MESSAGES, ("response_format",)),
        ("thinking.type: adaptive is not supported", IN_MESSAGES, ("reasoning_effort",)),
        ("thinking.type: no", {"model": "m", "thinking": {"type": "enabled"}}, ("thinking",)),
        ("messages.0.content.1.text: must be non-empty", IN_MESSAGES, ()),
        ("messages.1.content.0: Invalid `signature` in `thinking` block", IN_MESSAGES, ()),
        ("max_tokens: 20 > 10", IN_MESSAGES, ("max_tokens",)),
        ("`effort` is not supported", IN_MESSAGES | {"output_config": "odd"}, ("reasoning_effort",)),
    ],
)
def test_one_place_of_several_is_enough(said: str, sent: dict[str, Any], names: tuple[str, ...]) -> None:
    assert refused_options({"error": {"message": said}}, sent, MESSAGES) == names
