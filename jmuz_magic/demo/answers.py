"""What the demo endpoint answers to a prompt, chosen by what it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from string import digits
from typing import TypeAlias

from jmuz_magic.demo.answer import Answer
from jmuz_magic.demo.request import ChatRequest

__all__ = ["find_answer"]

Answering: TypeAlias = Callable[[ChatRequest], Answer | None]

KINDS: Sequence[tuple[Sequence[str], str, str]] = (
    (["\nthe cell:\n"], "corrections", "correct"),
    (digits, "arithmetic", "calculate"),
    (digits, "arithmetic", "compare"),
    (["translate", "in french", "in german", "in italian", "in spanish"], "phrases", "translate"),
    (["name", "who am i"], "reading", "recall"),
    (["error", "exception", "interrupt"], "errors", "explain_error"),
    (["summar", "describe", "overview"], "reading", "summarise"),
    (["explain", "describe", "what do", "how does"], "reading", "explain_code"),
    ([""], "prepared", "look_up"),
)
"""Module and function, in this order: what a prompt contains says more about it than single words.

Each is imported for a prompt with one of its words, in upper or lower case: regexes and tables of all of them cost a
new process 5 ms, and every first cell of a tutorial would pay for them.
"""


def find_answer(request: ChatRequest) -> Answer | None:
    """The answer of the first that has one; None if none has, and to images, which nothing here can see."""
    answers = (answer(request) for answer in _answering(request.prompt.lower()))
    return None if request.images else next((answer for answer in answers if answer), None)


def _answering(prompt: str) -> Iterator[Answering]:
    for words, module, name in KINDS:
        if any(word in prompt for word in words):
            yield getattr(import_module(f"jmuz_magic.demo.{module}"), name)
