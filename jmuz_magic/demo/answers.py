"""What the demo endpoint answers to a prompt, chosen by what it asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from jmuz_magic.demo.answer import Answer
from jmuz_magic.demo.arithmetic import calculate, compare
from jmuz_magic.demo.corrections import correct
from jmuz_magic.demo.errors import explain_error
from jmuz_magic.demo.phrases import translate
from jmuz_magic.demo.prepared import look_up
from jmuz_magic.demo.reading import explain_code, recall, summarise
from jmuz_magic.demo.request import ChatRequest

__all__ = ["find_answer"]

Answering: TypeAlias = Callable[[ChatRequest], Answer | None]

KINDS: Sequence[Answering] = (
    correct,
    calculate,
    compare,
    translate,
    recall,
    explain_error,
    summarise,
    explain_code,
    look_up,
)
"""In this order: what a prompt contains says more about it than single words."""


def find_answer(request: ChatRequest) -> Answer | None:
    """The answer of the first that has one; None if none has, and to images, which nothing here can see."""
    answers = (answer(request) for answer in KINDS)
    return None if request.images else next((answer for answer in answers if answer), None)
