"""What the description of an endpoint fixes for every request: a system prompt, and options.

It is joined when a request is sent or shown, and is no part of what was asked: recordings do not see it. Whoever asks
cannot take it away: what they set by the same name is dropped, and refused if they typed it for this request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jmuz_magic.content import parts_of, text_part
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Messages

__all__ = ["check_typed", "fixed_names", "with_fixed"]

SYSTEM_ROLES = ("system", "developer")
SYSTEM_MEMBERS = frozenset({"input", "instructions", "messages", "system"})
"""Members of a body that hold, or replace, the system prompt in one of the dialects."""
ONE_OPTION = (
    frozenset({"max_completion_tokens", "max_output_tokens", "max_tokens"}),
    frozenset({"output_config", "reasoning", "reasoning_effort", "thinking"}),
    frozenset({"output_config", "response_format", "text"}),
    frozenset({"text", "verbosity"}),
    frozenset({"parallel_tool_calls", "tool_choice"}),
    frozenset({"stop", "stop_sequences"}),
)
"""Names of one option in different dialects, those of objects that hold it among them."""


def with_fixed(provider: object, messages: Messages, options: Mapping[str, Any]) -> tuple[Messages, dict[str, Any]]:
    """Messages and options of a request, with what the provider's class fixes.

    Args:
        provider: the class; its `system` and `options` count.
        messages: as asked.
        options: as for `OpenaiTemplate.build_request`.
    """
    system, fixed = _system(provider), _options(provider)
    if not (system or fixed):
        return messages, dict(options)
    taken = _taken(provider)
    given = {name: value for name, value in options.items() if name not in taken}
    if given.get("extra_body"):
        given["extra_body"] = {name: value for name, value in given["extra_body"].items() if name not in taken}
    joined = _join(system, messages)
    if len(joined) > len(messages) and given.get("earlier_reasoning"):
        given["earlier_reasoning"] = [None, *given["earlier_reasoning"]]
    return joined, given | fixed


def check_typed(provider: object, typed: Mapping[str, str]) -> None:
    """Refuse options that somebody typed for a request and that are fixed.

    Args:
        provider: the class.
        typed: what was typed, and how: `{"temperature": "-t"}`.

    Raises:
        JmuzError: one is fixed.
    """
    taken, fixed = _taken(provider), _options(provider)
    for name in typed:
        if name in taken:
            what = f"{name} is fixed at {fixed[name]!r}" if name in fixed else f"{name} is fixed"
            raise JmuzError(f"{what} for {getattr(provider, 'spoken_name', 'this endpoint')}; leave {typed[name]} out")


def fixed_names(provider: object) -> list[str]:
    """What the class fixes, by name."""
    return [*(["the system prompt"] if _system(provider) else []), *_options(provider)]


def _taken(provider: object) -> frozenset[str]:
    """The names of options by which nobody can change what is fixed."""
    names = frozenset(_options(provider))
    same = [each for each in ONE_OPTION if each & names]
    return names.union(*same, SYSTEM_MEMBERS if _system(provider) else ())


def _system(provider: object) -> str:
    return getattr(provider, "system", "")


def _options(provider: object) -> dict[str, Any]:
    return dict(getattr(provider, "options", {}))


def _join(system: str, messages: Messages) -> Messages:
    """The messages, with this text before that of the system message: some models take only one."""
    if not system or not messages or not all(isinstance(each, Mapping) for each in messages):
        return messages  # whatever is wrong with them is found later
    first, *others = messages
    if first.get("role") not in SYSTEM_ROLES:
        return [{"role": "system", "content": system}, *messages]
    content = first.get("content") or ""
    if isinstance(content, str):
        return [{**first, "content": f"{system}\n\n{content}" if content else system}, *others]
    return [{**first, "content": [text_part(system), *parts_of(first)]}, *others]
