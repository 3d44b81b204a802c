"""Options that cannot change a prepared reply: checked all the same, and refused if they ask for another reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from jmuz_magic.demo.fields import check_kind, check_number
from jmuz_magic.demo.request_error import RequestError

__all__ = ["CHAT", "Options", "check_options"]


class Options(NamedTuple):
    """The options of a dialect.

    Attributes:
        ranges: of numbers.
        kinds: the type of others, and how a message calls it.
        cannot: what a prepared reply cannot do.
        harmless: values of those that ask for nothing more than what is sent anyway.
        others: names that are read elsewhere; a name that stands nowhere is refused. None: any name is accepted.
    """

    ranges: Mapping[str, tuple[float, float]]
    kinds: Mapping[str, tuple[type, str]]
    cannot: Mapping[str, str]
    harmless: Mapping[str, tuple[Any, ...]]
    others: frozenset[str] | None = None


CHAT = Options(
    ranges={  # https://platform.openai.com/docs/api-reference/chat/create (2026-11)
        "temperature": (0, 2),
        "top_p": (0, 1),
        "frequency_penalty": (-2, 2),
        "presence_penalty": (-2, 2),
    },
    kinds={
        "logit_bias": (dict, "an object"),
        "metadata": (dict, "an object"),
        "parallel_tool_calls": (bool, "a boolean"),
        "reasoning_effort": (str, "text"),
        "seed": (int, "an integer"),
        "service_tier": (str, "text"),
        "store": (bool, "a boolean"),
        "user": (str, "text"),
    },
    cannot={
        "tools": "call tools",
        "tool_choice": "call tools",
        "functions": "call functions",
        "function_call": "call functions",
        "response_format": "follow a format",
        "logprobs": "report probabilities",
        "top_logprobs": "report probabilities",
        "audio": "speak",
        "modalities": "answer in anything but text",
        "web_search_options": "search the web",
    },
    harmless={
        "tools": ([],),
        "functions": ([],),
        "tool_choice": ("none",),
        "function_call": ("none",),
        "response_format": ({"type": "text"},),
        "logprobs": (False,),
        "top_logprobs": (0,),
        "modalities": (["text"],),
    },
)


def check_options(body: Mapping[str, Any], options: Options) -> None:
    """Refuse values of the wrong type or out of range, and options that ask for more than the prepared reply.

    Raises:
        RequestError: a 400 that names the first of them.
    """
    for name, value in body.items():
        if value is None:
            continue
        if name in options.cannot:
            if value not in options.harmless.get(name, ()):
                message = (
                    f"this demo endpoint has no language model and cannot {options.cannot[name]}; leave {name} out"
                )
                raise RequestError(message, param=name, code="unsupported_parameter")
        elif name in options.ranges:
            check_number(name, value, *options.ranges[name])
        elif name in options.kinds:
            check_kind(name, value, *options.kinds[name])
        elif options.others is not None and name not in options.others:
            raise RequestError(f"unknown parameter {name!r}", param=name, code="unknown_parameter")
