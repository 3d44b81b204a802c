"""What a magic suggests instead of an option that it does not have."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from jmuz_magic.magics.line.options import Option

__all__ = ["suggestion"]

# Options that services take by these names, and that go into the request with -o.
_OF_REQUESTS = frozenset({
    "frequency_penalty", "logit_bias", "logprobs", "max_completion_tokens", "min_p", "n", "presence_penalty",
    "reasoning_effort", "repetition_penalty", "response_format", "seed", "service_tier", "stop",
    "tool_choice", "tools", "top_k", "top_logprobs", "top_p", "user", "verbosity",
})  # fmt: skip
# What belongs to an endpoint, and so to the magics that choose or name one.
_OF_ENDPOINTS = frozenset({"allow_http", "api_base", "dialect", "header", "header_env", "key_env"})


def suggestion(magic: str, options: Iterable[Option], word: str, rest: str) -> str:
    """`; did you mean --model?` or the like, or "".

    Args:
        magic: its name, such as `%jmuz_use`.
        options: the magic's options; those without help are not suggested.
        word: the unknown option, possibly with its value after an equals sign.
        rest: the line after it.
    """
    offered = [each for each in options if each.help]
    known = [flag for each in offered for flag in each.flags]
    flag, _, value = word.partition("=")
    value = value or rest.partition(" ")[0]
    name = flag.lstrip("-").replace("-", "_")
    if "-o" in known and flag.startswith("--") and name in _OF_REQUESTS:
        plain = value and value[0] not in "-#{['\""
        return f"; for an option of the request write -o {name} {value if plain else 'VALUE'}"
    if flag in ("-p", "--provider") and any(not each.flags and each.name == "provider" for each in offered):
        return f"; write {magic} {value or 'PROVIDER'}"
    if flag.startswith("--") and name in _OF_ENDPOINTS:
        return "; give it to %jmuz_use or %jmuz_alias"
    near = [each for each in known if each.startswith(flag)] or difflib.get_close_matches(flag, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
