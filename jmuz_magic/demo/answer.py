"""What a script answers, and how it finds the question in a prompt."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Answer", "code_blocks", "question_of"]

PROMPT_CHARACTERS = 100_000
"""Looked at, from the end; some prompts contain a whole notebook."""

QUESTION_CHARACTERS = 2_000

FENCE = re.compile(r"(`{3,})(\w*)")


class Answer(NamedTuple):  # a dataclass takes 0.4 ms to make, in the first demo cell of each process
    """Markdown, and what was "thought" before it.

    Attributes:
        is_refusal: whether the text declines to answer.
        error: what goes wrong at the end of the text, so that the reply never ends properly.
    """

    text: str
    reasoning: str = ""
    is_refusal: bool = False
    error: str = ""


def question_of(prompt: str) -> str:
    """What is left of a prompt without its code blocks; of much text the start and the end, where questions are."""
    text = "\n".join(_parted(prompt)[0]).strip()
    half = QUESTION_CHARACTERS // 2
    return text if len(text) <= QUESTION_CHARACTERS else f"{text[:half]}\n{text[-half:]}"


def code_blocks(prompt: str) -> list[tuple[str, str]]:
    """The language and the code of each block of a prompt."""
    return _parted(prompt)[1]


def _parted(prompt: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The lines outside code blocks, and the blocks; each line is read once, however many fences are never closed."""
    lines, text, blocks = prompt[-PROMPT_CHARACTERS:].split("\n"), list[str](), list[tuple[str, str]]()
    fence, language, start = "", "", 0
    for number, line in enumerate(lines):
        if fence and line == fence:
            blocks.append((language, "\n".join(lines[start + 1 : number])))
            fence = ""
        elif not fence and (opened := FENCE.fullmatch(line)):
            (fence, language), start = opened.groups(), number
        elif not fence:
            text.append(line)
    return text + (lines[start:] if fence else []), blocks
