"""Small edits of a source, whose places are found by symbol and never by a line's exact text.

A symbol is a module and a qualified name in it, such as `jmuz_magic.widgets.panel:ChatPanel._esm`; with nothing after
the colon it is the whole module. Inside it an edit finds its place in the syntax tree, by the words that stand there
(names, attributes, keywords, whole strings and numbers): exactly one place has to fit.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Edit",
    "PlaceError",
    "call",
    "condition",
    "edited",
    "find_symbol",
    "first",
    "never",
    "operand",
    "option",
    "path_of",
    "piece",
    "returns",
    "statement",
]

Span = tuple[int, int]
Found = tuple[ast.AST, str]
"""A node that an edit may replace, and what it is replaced by."""


class PlaceError(Exception):
    """A symbol, or a place in it, is not there exactly once."""


@dataclass(frozen=True)
class Edit:
    """One edit; `spans` finds where it fits in a symbol, and what stands there afterwards."""

    what: str
    spans: Callable[[ast.AST, bytes], list[tuple[Span, str]]]


def edited(source: str, symbol: str, edits: tuple[Edit, ...]) -> str:
    """The source with all edits in a symbol.

    Raises:
        PlaceError: the symbol or a place in it is missing, or there are several.
    """
    for edit in edits:
        data = source.encode()
        found = edit.spans(find_symbol(ast.parse(source), symbol.partition(":")[2]), data)
        if len(found) != 1:
            raise PlaceError(f"{symbol}: expected one place to {edit.what}, found {len(found)}")
        (start, end), text = found[0]
        source = (data[:start] + text.encode() + data[end:]).decode()
    return source


def path_of(symbol: str, root: Path) -> Path:
    """The file of the symbol's module."""
    path = root.joinpath(*symbol.partition(":")[0].split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def find_symbol(tree: ast.AST, name: str) -> ast.AST:
    """The node of a qualified name: a class, a function, or what is assigned to a name."""
    for part in filter(None, name.split(".")):
        found = [node for node in statements(tree) if part in bound_names(node)]
        if len(found) != 1:
            raise PlaceError(f"expected one {part!r} of {name!r}, found {len(found)}")
        tree = found[0]
    return tree


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """What is defined in it, also under `if` and `try`, but not in another class or function."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.expr)):
            yield from statements(node)


def bound_names(node: ast.AST) -> set[str]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def words_of(node: ast.AST) -> set[str]:
    """Names, attributes, keywords, strings and numbers that stand in a node."""
    found = set()
    for each in ast.walk(node):
        match each:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.keyword(arg=str(word)) | ast.arg(arg=word):
                found.add(word)
            case ast.Constant(value=str() | int() | float() as value):
                found.add(str(value))
    return found


def replacing(
    what: str, candidates: Callable[[ast.AST], Iterator[Found]], words: tuple[str, ...], unless: tuple[str, ...]
) -> Edit:
    """An edit of one candidate: the one in which all of `words` stand, and none of `unless`."""

    def spans(symbol: ast.AST, data: bytes) -> list[tuple[Span, str]]:
        fitting = [
            (node, text)
            for node, text in candidates(symbol)
            if words_of(node) >= set(words) and not words_of(node) & set(unless)
        ]
        return [(span_of(node, data), filled(text, node, data)) for node, text in fitting]

    named = f" of {', '.join(words)}" if words else ""
    return Edit(f"{what}{named}", spans)


def span_of(node: ast.AST, data: bytes) -> Span:
    assert isinstance(node, (ast.expr, ast.stmt))
    assert node.end_lineno is not None and node.end_col_offset is not None  # noqa: PT018  # parsed nodes have both
    return offset(data, node.lineno, node.col_offset), offset(data, node.end_lineno, node.end_col_offset)


def offset(data: bytes, line: int, column: int) -> int:
    return sum(map(len, data.split(b"\n")[: line - 1])) + line - 1 + column


def filled(text: str, node: ast.AST, data: bytes) -> str:
    """The text, with the arguments of the call that it replaces for $1, $2 …, and for $0 the object that it is of."""
    if not isinstance(node, ast.Call):
        return text
    of = [node.func.value] if isinstance(node.func, ast.Attribute) else [node.func]
    for number, part in enumerate([*of, *node.args]):
        start, end = span_of(part, data)
        text = text.replace(f"${number}", data[start:end].decode())
    return text


def first(code: str, what: str = "") -> Edit:
    """The function begins with this code."""

    def spans(symbol: ast.AST, data: bytes) -> list[tuple[Span, str]]:
        assert isinstance(symbol, (ast.FunctionDef, ast.AsyncFunctionDef))
        body = symbol.body[1:] if ast.get_docstring(symbol) is not None and len(symbol.body) > 1 else symbol.body
        start, _ = span_of(body[0], data)
        return [
            ((start, start), textwrap.indent(code, " " * body[0].col_offset).lstrip() + "\n" + " " * body[0].col_offset)
        ]

    return Edit(what or f"begin with {code.splitlines()[0]}", spans)


def returns(value: str) -> Edit:
    """The function returns this at once."""
    return first(f"return {value}", f"return {value} at once")


def condition(*words: str, becomes: str, unless: tuple[str, ...] = ()) -> Edit:
    """A condition: of `if`, `elif`, `while`, `… if … else …`, or in a comprehension."""

    def candidates(symbol: ast.AST) -> Iterator[Found]:
        for node in ast.walk(symbol):
            match node:
                case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
                    yield test, becomes
                case ast.comprehension(ifs=tests):
                    yield from ((test, becomes) for test in tests)

    return replacing(f"put {becomes} for the condition", candidates, words, unless)


def never(*words: str, unless: tuple[str, ...] = ()) -> Edit:
    """A condition is never met."""
    return condition(*words, becomes="False", unless=unless)


def operand(*words: str, unless: tuple[str, ...] = ()) -> Edit:
    """An operand of `and` or `or` decides nothing any more."""

    def candidates(symbol: ast.AST) -> Iterator[Found]:
        for node in ast.walk(symbol):
            if isinstance(node, ast.BoolOp):
                yield from ((value, str(isinstance(node.op, ast.And))) for value in node.values)

    return replacing("drop the operand", candidates, words, unless)


def statement(*words: str, becomes: str = "pass", unless: tuple[str, ...] = ()) -> Edit:
    """A statement of one line, or at least without a block."""

    def candidates(symbol: ast.AST) -> Iterator[Found]:
        for node in ast.walk(symbol):
            if isinstance(node, ast.stmt) and not hasattr(node, "body"):
                yield node, becomes

    return replacing(f"put {becomes} for the statement", candidates, words, unless)


def call(name: str, becomes: str, *words: str, unless: tuple[str, ...] = ()) -> Edit:
    """The call of a function or method; its arguments may be named in `becomes` as $1, $2 …, its object as $0."""

    def candidates(symbol: ast.AST) -> Iterator[Found]:
        for node in ast.walk(symbol):
            match node:
                case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called)) if called == name:
                    yield node, becomes

    return replacing(f"put {becomes} for the call of {name}", candidates, words, unless)


def option(name: str, becomes: str) -> Edit:
    """The value of a keyword argument, or of a string key in a dict."""

    def candidates(symbol: ast.AST) -> Iterator[Found]:
        for node in ast.walk(symbol):
            match node:
                case ast.keyword(arg=key, value=value) if key == name:
                    yield value, becomes
                case ast.Dict(keys=keys, values=values):
                    named = zip(keys, values, strict=True)
                    yield from ((value, becomes) for key, value in named if getattr(key, "value", None) == name)

    return replacing(f"set {name}={becomes}", candidates, (), ())


def piece(before: str, after: str) -> Edit:
    """A piece of a string, such as a character class of a pattern, as it is spelled in the source."""

    def spans(symbol: ast.AST, data: bytes) -> list[tuple[Span, str]]:
        start, end = span_of(symbol, data)
        return [((at, at + len(before.encode())), after) for at in positions(data[:end], before.encode(), start)]

    return Edit(f"put {after!r} for {before!r}", spans)


def positions(data: bytes, wanted: bytes, start: int) -> Iterator[int]:
    while (start := data.find(wanted, start)) >= 0:
        yield start
        start += 1
