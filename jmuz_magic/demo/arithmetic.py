"""Sums and comparisons of numbers: calculated, so that they are right."""

from __future__ import annotations

import re
from decimal import Decimal

from jmuz_magic.demo.answer import Answer, question_of
from jmuz_magic.demo.request import ChatRequest

__all__ = ["calculate", "compare"]

MAX_CHARACTERS = 200
MAX_DIGITS = 12
"""Before and after the point; `Decimal` is exact up to 28."""

NUMBER = r"(?<![\w.])-?\d+(?:\.\d+)?(?!\.?\w)"
TWO = re.compile(rf"{NUMBER}(?:, ?|,? (?:or|and) | \w+ than ){NUMBER}", re.IGNORECASE)
COMPARING = re.compile(
    r"\b(?:which|what|is)\b.*\b(?:larger|greater|bigger|higher|more|smaller|lower|less)\b", re.IGNORECASE | re.DOTALL
)

WORDS = (
    (r"(?<=\d),(?=\d{3}\b)", ""),
    (r"\b(?:what(?:'s| is)|how much is|calculate|compute|evaluate|work out)\b", ""),
    (r"\s*(?:%|\bpercent) of\b", " / 100 *"),
    (r"\bplus\b", "+"),
    (r"\bminus\b|−", "-"),
    (r"\b(?:times|multiplied by)\b|×", "*"),
    (r"\bdivided by\b|÷", "/"),
    (r"\bto the power of\b|\^", "**"),
    (r"\bsquared\b", "** 2"),
)
"""How people write a sum, and what it becomes."""

SUM = re.compile(r"\s*((?:[\d.()+*/-]|\s)+?)\s*(?:[=?!]|\.?\s*$)")


def compare(request: ChatRequest) -> Answer | None:
    """Which of the two numbers in a question is larger, if it asks that."""
    question = question_of(request.prompt)
    numbers = [Decimal(number) for number in re.findall(NUMBER, question[: MAX_CHARACTERS + 1])]
    if len(numbers) != 2 or len(question) > MAX_CHARACTERS or re.search(rf"\d{{{MAX_DIGITS + 1}}}", question):
        return None
    if not (COMPARING.search(question) and TWO.search(question)):
        return None
    smaller, larger = sorted(numbers)
    if smaller == larger:
        return Answer("The two numbers are **equal**.\n", "Their difference is 0.\n")
    places = max(-int(number.as_tuple().exponent) for number in numbers)
    low, high = f"{smaller:.{places}f}", f"{larger:.{places}f}"
    padded = f"${larger} = {high}$, and " if high != str(larger) else ""
    text = f"**{larger}** is larger: {padded}${high} - {f'({low})' if smaller < 0 else low} = {larger - smaller}$.\n"
    if smaller < 0 or int(smaller) != int(larger):
        return Answer(text, f"{larger} lies {larger - smaller} to the right of {smaller} on the number line.\n")
    reasoning = f"Both numbers have the whole part {int(larger)}, so the decimals decide.\n"
    reasoning += f"With {places} places they are {high} and {low}, and {high} is more.\n"
    if _as_version(smaller) > _as_version(larger):
        text += f"\n(As *versions* it would be the other way round: {smaller} comes after {larger}.)\n"
        reasoning += f"As version numbers {smaller} would come later, but these are numbers.\n"
    return Answer(text, reasoning)


def calculate(request: ChatRequest) -> Answer | None:
    """The result of a question that is a sum, such as `What is 17 * 23?`."""
    question = question_of(request.prompt)
    if len(question) > MAX_CHARACTERS:
        return None
    text = question.lower()
    for pattern, symbol in WORDS:
        text = re.sub(pattern, symbol, text)
    found = SUM.match(text)
    if not found:
        return None
    from jmuz_magic.demo.sums import result_of

    return result_of(re.sub(r"(?<=[\d)])\s*(\*\*|[+*/-])\s*", r" \1 ", found[1].strip()))


def _as_version(number: Decimal) -> list[int]:
    return [int(part) for part in str(number).split(".")]
