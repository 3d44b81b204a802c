"""Sums and comparisons of numbers: calculated, so that they are right."""

from __future__ import annotations

import ast
import re
from decimal import Decimal
from fractions import Fraction

from jmuz_magic.demo.answer import Answer, question_of
from jmuz_magic.demo.request import ChatRequest

__all__ = ["calculate", "compare"]

MAX_CHARACTERS = 200
MAX_BITS = 4_096
"""Of a power: 9**9**9 would keep the endpoint busy for minutes."""

MAX_PLACES = 12
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
    written = re.sub(r"(?<=[\d)])\s*(\*\*|[+*/-])\s*", r" \1 ", found[1].strip()) if found else ""
    try:
        result = _shown(_sum(ast.parse(written, mode="eval").body, written))
    except ZeroDivisionError:
        return Answer(f"`{written}` has **no** result: nothing can be divided by zero.\n", "A divisor is zero.\n")
    except (OverflowError, SyntaxError, ValueError):
        return None
    return Answer(f"`{written}` is {result}.\n", "This is a sum, so it can be calculated exactly.\n")


def _as_version(number: Decimal) -> list[int]:
    return [int(part) for part in str(number).split(".")]


def _sum(node: ast.expr, source: str) -> Fraction:
    if not isinstance(node, ast.BinOp):
        raise ValueError("only a number")  # caught above, like all that is not a sum
    return _value(node, source)


def _value(node: ast.expr, source: str) -> Fraction:
    match node:
        case ast.Constant(value=int() | float()):
            return Fraction(ast.get_source_segment(source, node) or "")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, source)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _value(left, source) + _value(right, source)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _value(left, source) - _value(right, source)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _value(left, source) * _value(right, source)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _value(left, source) / _value(right, source)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left, source), _value(right, source))
    raise ValueError("not a sum")


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if exponent.denominator != 1 or bits * abs(exponent) > MAX_BITS:
        raise ValueError("not a power that is calculated")
    return Fraction(base**exponent.numerator)


def _shown(result: Fraction) -> str:
    if result.denominator == 1:
        return f"**{result.numerator:,}**"
    places = next((n for n in range(1, MAX_PLACES) if (result * 10**n).denominator == 1), 0)
    if not places:
        return f"about **{float(result):,.6g}**, exactly {result.numerator}/{result.denominator}"
    whole, rest = divmod(abs(result.numerator) * 10**places // result.denominator, 10**places)
    return f"**{'-' if result < 0 else ''}{whole:,}.{rest:0{places}}**"
