"""The exact result of a sum. A module of its own, because fractions take a while to import."""

from __future__ import annotations

import ast
from fractions import Fraction

from jmuz_magic.demo.answer import Answer

__all__ = ["result_of"]

MAX_BITS = 4_096
"""Of a power: 9**9**9 would keep the endpoint busy for minutes."""

MAX_PLACES = 12


def result_of(written: str) -> Answer | None:
    """The sum with its result; None if it is not one, or would take too long."""
    try:
        result = _shown(_sum(ast.parse(written, mode="eval").body, written))
    except ZeroDivisionError:
        return Answer(f"`{written}` has **no** result: nothing can be divided by zero.\n", "A divisor is zero.\n")
    except (OverflowError, SyntaxError, ValueError):
        return None
    return Answer(f"`{written}` is {result}.\n", "This is a sum, so it can be calculated exactly.\n")


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
