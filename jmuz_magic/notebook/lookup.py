"""`name.attribute['key'][0]`: the expressions of the chat panel, read with `getattr` and `[]` alone.

A cell evaluates what its author wrote. In a panel a prompt is easily something else (a template, a colleague's text),
so an expression there can name things, but call and compute nothing.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jmuz_magic.errors import JmuzError
from jmuz_magic.text import clean_line, raised

__all__ = ["Path", "look_up", "read_path"]

MAX_LENGTH = 500  # characters of an expression


@dataclass(frozen=True)
class _Attribute:
    name: str


@dataclass(frozen=True)
class _Index:
    key: Any


@dataclass(frozen=True)
class Path:
    """A name, and the attributes and indices that lead from its value to another.

    Attributes:
        source: as written.
        name: the variable.
        steps: in order.
    """

    source: str
    name: str
    steps: tuple[_Attribute | _Index, ...]


def read_path(source: str) -> Path | None:
    """The path that `source` is; None for anything else: a call, an operator, a template's own words."""
    if len(source) > MAX_LENGTH:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            node = ast.parse(text := source.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):  # the last three: NUL, and extreme nesting
        return None
    if (node.col_offset, node.end_col_offset) != (0, len(text.encode())):
        return None  # in parentheses, or with a comment
    steps: list[_Attribute | _Index] = []
    while not isinstance(node, ast.Name):
        match node:
            case ast.Attribute(value=inner, attr=name):
                steps.append(_Attribute(name))
            case ast.Subscript(value=inner, slice=index) if _is_literal(index):
                steps.append(_Index(ast.literal_eval(index)))
            case _:
                return None
        node = inner
    return Path(source, node.id, tuple(reversed(steps)))


def look_up(path: Path, namespace: Mapping[str, Any]) -> object:
    """The value that a path leads to; an attribute or an index of the user's own class may run its code.

    Raises:
        JmuzError: there is no such variable, or a step raised an error.
    """
    name = clean_line(path.source, 60)
    if path.name not in namespace:
        raise JmuzError(f"{{{{{name}}}}}: there is no variable {clean_line(path.name, 60)!r}")
    value = namespace[path.name]
    try:
        for step in path.steps:
            value = getattr(value, step.name) if isinstance(step, _Attribute) else value[step.key]
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # the user's own class may do anything
        line = f"{{{{{name}}}}} {raised(error)}"
    else:
        return value
    raise JmuzError(line)


def _is_literal(node: ast.expr) -> bool:
    """Whether it is a constant, a negative number, or a tuple of these, as in `array[0, -1]`."""
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() | complex() as number)):
            return not isinstance(number, bool)
        case ast.Tuple(elts=elements):
            return all(map(_is_literal, elements))
    return False
