"""Numbers of `%%jmuz`: refused in one line that names the option, before anything is sent."""

from __future__ import annotations

import inspect

import pytest
from IPython.core.error import UsageError

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.demo import DemoServer
from jmuz_magic.magics.request_options import check_option_names
from jmuz_magic.providers.openai_template import OpenaiTemplate
from tests.magics.loaded import UserShell

TEMPERATURE = "-t/--temperature: expected a number such as 0.7"
TOKENS = "--max-tokens: expected a whole number of at least 1, such as 500"
TIMEOUT = "--timeout: expected a number of seconds above 0, such as 60"


@pytest.mark.fault(57)
@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("-t", "nan", TEMPERATURE),
        ("-t", "inf", TEMPERATURE),
        ("--temperature", "-inf", TEMPERATURE),
        ("-t", "warm", TEMPERATURE),
        ("-t", "{{number}}", TEMPERATURE),
        ("--max-tokens", "0", TOKENS),
        ("--max-tokens", "-3", TOKENS),
        ("--max-tokens", "1.5", TOKENS),
        ("--max-tokens", "{{number}}", TOKENS),
        ("--timeout", "0", TIMEOUT),
        ("--timeout", "-1", TIMEOUT),
        ("--timeout", "nan", TIMEOUT),
        ("--timeout", "soon", TIMEOUT),
    ],
)
def test_a_number_that_is_none_is_refused_before_anything_is_sent(
    user: UserShell, demo_endpoint: DemoServer, option: str, value: str, says: str
) -> None:
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    user.line("number = float('nan')")
    said = user.refusal(f"%%jmuz -m demo-echo {option} {value}\nhi\n")
    got = "nan" if value == "{{number}}" else value
    assert f"argument {says}, got {got!r} (" in said
    assert not demo_endpoint.requests


def test_numbers_are_sent_as_they_are_given(user: UserShell, demo_endpoint: DemoServer) -> None:
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    user.line("%jmuz -m demo-echo -t 0 --max-tokens 1 --timeout inf hi")
    body = demo_endpoint.requests[-1].body
    assert (body["temperature"], body["max_tokens"]) == (0, 1)


@pytest.mark.finding("B27")
def test_what_a_request_takes_from_elsewhere_is_what_the_signatures_say() -> None:
    parameters = [
        each
        for function in (Conversation.turn, OpenaiTemplate.create_async_generator)
        for each in inspect.signature(function).parameters.values()
    ]
    named = {each.name for each in parameters if each.kind is not each.VAR_KEYWORD} - {"timeout"}
    assert named >= {"allow_http", "fresh", "model", "prompt", "self"}
    for name in named:
        with pytest.raises(UsageError):
            check_option_names([name])
    check_option_names(["timeout", "temperature", "seed", "images"])
