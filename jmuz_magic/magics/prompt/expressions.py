"""Finds `{{expression}}` in a text: its end is where Python's parser considers the expression complete."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

__all__ = ["BraceError", "Expression", "braced", "split"]

MAX_LENGTH = 10_000  # characters of one expression
MAX_ENDS = 100  # possible ends tried; each costs a parse of everything before it
_CLOSING = re.compile(r"(?=\}\})")  # a lookahead, since `}}}}` has three


class BraceError(ValueError):
    """Braces that contain no expression.

    Attributes:
        shown: what was written, including the braces.
    """

    def __init__(self, shown: str, reason: str) -> None:
        super().__init__(reason)
        self.shown = shown


@dataclass(frozen=True)
class Expression:
    """One `{{…}}`.

    Attributes:
        source: the text between the braces, stripped.
        code: compiled, for `eval`.
        names: the names that it mentions.
        end: where the text continues after the closing braces.
    """

    source: str
    code: CodeType
    names: frozenset[str]
    end: int


def split(template: str) -> Iterator[str | Expression]:
    """The literal text and the expressions of `template`, in order.

    Only `{{` begins an expression. Single braces are text, as is a `}}` that closes nothing.

    Raises:
        BraceError: a `{{` without an expression. It is never silently taken as text: LaTeX, C or a template language
            would arrive half expanded.
    """
    position = 0
    while (start := template.find("{{", position)) >= 0:
        if start > position:
            yield template[position:start]
        expression = _read(template, start)
        yield expression
        position = expression.end
    if position < len(template):
        yield template[position:]


def _read(template: str, start: int) -> Expression:
    """The expression after the `{{` at `start`: the shortest complete one, including any braces inside."""
    body = start + 2
    shortest = None
    for tried, closing in enumerate(_CLOSING.finditer(template, body, body + MAX_LENGTH)):
        source = template[body : closing.start()]
        shortest = source if shortest is None else shortest
        node = _parse(source) if tried < MAX_ENDS else None
        if node is not None:
            _refuse_literals(node, source)
            names = frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))
            return Expression(source.strip(), _compile(node, source), names, closing.start() + 2)
    if shortest is None:
        raise BraceError(template[start : body + 80].partition("\n")[0], "two opening braces, but no }} closes them")
    raise BraceError(
        braced(shortest), "this is not a Python expression" if shortest.strip() else "there is no expression in it"
    )


def braced(source: str) -> str:
    """The expression as written."""
    return f"{{{{{source}}}}}"


def _parse(source: str) -> ast.expr | None:
    # As an index, an expression may span lines, and a bracket inside cannot pair with ours: `a] + b[c` parses, but not
    # as a single subscript of `_`.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole = ast.parse(f"_[\n{source}\n]", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):  # the last three: NUL, and extreme nesting
        return None
    if not isinstance(whole, ast.Subscript) or not isinstance(whole.value, ast.Name):
        return None
    parts = whole.slice.elts if isinstance(whole.slice, ast.Tuple) else [whole.slice]
    return None if any(isinstance(part, ast.Slice) for part in parts) else whole.slice


def _refuse_literals(node: ast.expr, source: str) -> None:
    """Refuse braces around bare literals: that is LaTeX or C, and without its braces would mean something else."""
    if isinstance(node, ast.Set) and source.startswith("{") and source.endswith("}"):
        raise BraceError(
            braced(source), "three braces may mean a set or a value in braces; put a space after the first or second"
        )
    if _is_literal(node):
        raise BraceError(braced(source), "it contains nothing to look up")


def _is_literal(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(_is_literal(element) for element in node.elts)
    if isinstance(node, ast.UnaryOp):
        return _is_literal(node.operand)
    return isinstance(node, ast.Constant) and not isinstance(node.value, str)


def _compile(node: ast.expr, source: str) -> CodeType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compile(ast.Expression(node), "<prompt>", "eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):  # such as `await` or `yield`
        raise BraceError(braced(source), "this expression cannot be evaluated here") from None
