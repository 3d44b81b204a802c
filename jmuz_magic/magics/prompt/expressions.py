"""Finding `{{expression}}` in a text: its end is where Python's parser says that an expression is complete."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

__all__ = ["BraceError", "Expression", "braced", "split"]

MAX_LENGTH = 10_000  # characters of one expression
MAX_ENDS = 100  # places where `}}` could end it; each one tried costs a parse of what is before it
_CLOSING = re.compile(r"(?=\}\})")  # a lookahead, since in `}}}}` there are three places


class BraceError(ValueError):
    """Braces that hold no expression.

    Attributes:
        shown: what was written, with its braces.
    """

    def __init__(self, shown: str, reason: str) -> None:
        super().__init__(reason)
        self.shown = shown


@dataclass(frozen=True)
class Expression:
    """One `{{…}}`.

    Attributes:
        source: what stands between the braces, without the blanks around it.
        code: compiled, for `eval`.
        names: that it mentions.
        end: where the text goes on after the closing braces.
    """

    source: str
    code: CodeType
    names: frozenset[str]
    end: int


def split(template: str) -> Iterator[str | Expression]:
    """The literal text and the expressions of `template`, in order.

    Only `{{` begins an expression. Single braces are text, and so is a `}}` that closes nothing.

    Raises:
        BraceError: a `{{` without an expression after it. It is never taken as text silently: LaTeX, C or a
            template language would arrive half expanded.
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
    """The expression after the `{{` at `start`: the shortest one that is whole Python, braces inside and all."""
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
        raise BraceError(template[start : body + 80].partition("\n")[0], "two opening braces, and no }} closes them")
    raise BraceError(
        braced(shortest), "this is no Python expression" if shortest.strip() else "there is no expression in it"
    )


def braced(source: str) -> str:
    """As it was written."""
    return f"{{{{{source}}}}}"


def _parse(source: str) -> ast.expr | None:
    # As an index, an expression may span lines, and a bracket inside cannot pair with one of ours: `a] + b[c`
    # parses, but not as one subscript of `_`.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole = ast.parse(f"_[\n{source}\n]", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):  # the last three: NUL, and nesting without end
        return None
    if not isinstance(whole, ast.Subscript) or not isinstance(whole.value, ast.Name):
        return None
    parts = whole.slice.elts if isinstance(whole.slice, ast.Tuple) else [whole.slice]
    return None if any(isinstance(part, ast.Slice) for part in parts) else whole.slice


def _refuse_literals(node: ast.expr, source: str) -> None:
    """Braces around bare numbers are LaTeX or C; without the braces they would read alike and mean something else."""
    if isinstance(node, ast.Set) and source.startswith("{") and source.endswith("}"):
        raise BraceError(
            braced(source), "three braces may mean a set or a value in braces; put a blank after the first or second"
        )
    if _is_literal(node):
        raise BraceError(braced(source), "there is nothing to look up in it")


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
        raise BraceError(braced(source), "this is no expression that can be evaluated here") from None
