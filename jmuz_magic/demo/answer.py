"""What a script answers, and how it finds the question in a prompt."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Answer", "code_blocks", "question_of"]

PROMPT_CHARACTERS = 100_000
"""Looked at, from the end; some prompts contain a whole notebook."""

QUESTION_CHARACTERS = 2_000

FENCE = re.compile(r"^(`{3,})(\w*)\n(.*?)\n\1$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """Markdown, and what was "thought" before it."""

    text: str
    reasoning: str = ""


def question_of(prompt: str) -> str:
    """What is left of a prompt without its code blocks: mostly its end, because context comes first."""
    return FENCE.sub("", prompt[-PROMPT_CHARACTERS:])[-QUESTION_CHARACTERS:].strip()


def code_blocks(prompt: str) -> list[tuple[str, str]]:
    """The language and the code of each block of a prompt."""
    return [(language, code) for _, language, code in FENCE.findall(prompt[-PROMPT_CHARACTERS:])]
