r"""A formula read by a strict parser and rewritten from a list of commands, as LaTeX that compiles.

TeX is a programming language, and one error ends the making of a PDF. So nothing of a formula is copied: what is
written is well formed whatever was read, and what is not listed in `commands.py`, or would not compile, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from jmuz_magic.display.html.maths import delimited
from jmuz_magic.display.latex.commands import (
    ARGUMENTS,
    BIG,
    CHARACTERS,
    DELIMITERS,
    DROPPED,
    ENVIRONMENTS,
    OPERATORS,
    RELATIONS,
    SAME,
    SYMBOLS,
    TEXTS,
)
from jmuz_magic.display.latex.text import code_latex, escape_latex, verbatim_latex
from jmuz_magic.display.latex.tokens import RefusedError, Tokens

__all__ = ["formula_latex"]

_NAME = re.compile(r"\s*\{\s*([A-Za-z]+)\*?\s*\}")
_COLUMNS = re.compile(r"\s*\{((?:[lcr|]|\s){1,40})\}")
_NUMBER = re.compile(r"\s*\{\s*[0-9]{1,2}\s*\}")
_SKIP = re.compile(r"\s*\[\s*-?[0-9.]{1,6}\s*(?:pt|em|ex|mm|cm)\s*\]")
_TEXT = re.compile(r"\s*\{((?:[^\\{}$%#&~^_]|\\[%#&$_{}, ])*)\}")
_TEXT_ESCAPE = re.compile(r"\\(.)")
_LABEL = re.compile(r"\s*\{[^\\{}$%]*\}")
_GROUPED = ARGUMENTS.keys() - {"mathop", "operatorname", "overbrace", "underbrace"}
_NEGATED = frozenset(("=", "<", ">", *(f"\\{name}" for name in RELATIONS)))


def formula_latex(source: str, block: bool) -> str:
    """`source` with its delimiters as a formula, or its source as code if it cannot be written as one."""
    inside = delimited(source)
    try:
        formula = None if inside is None else _Reader(inside[0]).formula()
    except RefusedError:
        formula = None
    if not formula or formula.isspace():
        return verbatim_latex(source) if block else code_latex(source)
    if block:
        return f"\\[{formula}\\]\n\n"
    style = r"\displaystyle " if inside and inside[1] else ""
    if "&" in formula:  # which `\emph`, or a link, in a table would take for the end of the table's cell
        formula = f"{{{formula}}}"
    return f"${style}{formula}$"


class _Reader(Tokens):
    """Reads a formula and returns what it writes; raises `RefusedError`."""

    def formula(self) -> str:
        rows = self._rows("", 30)
        if self.peek():
            raise RefusedError(self.peek())
        if len(rows) == 1 and len(rows[0]) == 1:
            return rows[0][0]
        return _table("aligned", "", rows)

    def _terms(self, stops: Collection[str]) -> str:
        self.deeper()
        parts = []
        while (token := self.peek()) and token not in stops:
            parts.append(self._term())
        self.depth -= 1
        return "".join(parts)

    def _term(self) -> str:
        """A nucleus with its scripts, of which TeX takes one above and one below."""
        first = self.peek()
        nucleus = "{}" if first in ("^", "_", "'") else self._nucleus()
        primes, scripts = "", {"^": "", "_": ""}
        while (token := self.peek()) in ("^", "_", "'"):
            self.next()
            if token == "'":  # noqa: S105  # of TeX
                primes += r"\prime "
            elif scripts[token]:
                raise RefusedError("two scripts")
            else:
                scripts[token] = self._script() or "{}"
        above = primes + scripts["^"]
        if above or scripts["_"]:
            # Else they would join those of the term before, or those inside `\mathcal{x^2}`.
            nucleus = f"{{{nucleus}}}" if not nucleus or first[1:] in _GROUPED else nucleus
        return nucleus + (f"_{{{scripts['_']}}}" if scripts["_"] else "") + (f"^{{{above}}}" if above else "")

    def _script(self) -> str:
        self.deeper()
        script = self._nucleus()
        self.depth -= 1
        return script

    def _nucleus(self) -> str:
        token = self.next()
        if token == "{":  # noqa: S105  # of TeX
            content = self._terms("}")
            self.take("}")
            return f"{{{content}}}"
        if token in CHARACTERS:
            return token
        if token in ("~", "\\ "):  # not a space after a backslash: at an end it might be cut off
            return "~"
        if token[:1] != "\\":
            raise RefusedError(token)
        return self._command(token[1:])

    def _command(self, name: str) -> str:
        if name in SYMBOLS:
            return self._symbol(name)
        if name.removesuffix("*") in ARGUMENTS and (not name.endswith("*") or name == "operatorname*"):
            return self._with_arguments(name)
        if name in TEXTS:
            return f"\\{SAME.get(name, name)}{{{self._text()}}}"
        if name in DROPPED:
            return ""
        special = {"left": self._left, "begin": self._environment, "sqrt": self._sqrt, "not": self._not}
        special |= {"substack": self._substack, "tag": self._tag, "tag*": self._tag, "label": self._label}
        if name in special:
            return special[name]()
        if name in BIG:
            return f"\\{name}{self._delimiter()}"
        raise RefusedError(name)

    def _symbol(self, name: str) -> str:
        written = "\\" + SAME.get(name, name)
        if name in OPERATORS:
            written += self._limits()
        return written + " " if written[-1].isalpha() else written

    def _limits(self) -> str:
        if self.peek() != r"\limits":
            return ""
        return self.next()

    def _with_arguments(self, name: str) -> str:
        written = SAME.get(name, name)
        arguments = "".join(f"{{{self._argument()}}}" for _ in range(ARGUMENTS[name.removesuffix("*")]))
        return f"\\{written}{arguments}{self._limits() if name in ('mathop', 'operatorname*') else ''}"

    def _argument(self) -> str:
        r"""A group, or a single character or symbol, as in `\frac12`."""
        token = self.peek()
        if token == "{":  # noqa: S105  # of TeX
            return self._nucleus()[1:-1]
        if token in CHARACTERS or token[1:] in SYMBOLS:
            return self._nucleus()
        raise RefusedError("argument")

    def _text(self) -> str:
        found = self.taken(_TEXT)
        if found is None:
            raise RefusedError("text")
        return escape_latex(_TEXT_ESCAPE.sub(lambda escaped: escaped[1].replace(",", " "), found[1]))

    def _delimiter(self) -> str:
        token = self.next()
        token = {"<": r"\langle", ">": r"\rangle"}.get(token, token)
        if token not in DELIMITERS:
            raise RefusedError(token)
        return token + " " if token[-1].isalpha() else token

    def _left(self) -> str:
        parts = [r"\left", self._delimiter(), self._terms((r"\right", r"\middle"))]
        while self.peek() == r"\middle":
            self.next()
            parts += [r"\middle", self._delimiter(), self._terms((r"\right", r"\middle"))]
        self.take(r"\right")
        return "".join([*parts, r"\right", self._delimiter()])

    def _sqrt(self) -> str:
        if self.peek() != "[":
            return f"\\sqrt{{{self._argument()}}}"
        self.next()
        degree = self._terms("]")
        self.take("]")
        return f"\\sqrt[{{{degree}}}]{{{self._argument()}}}"

    def _not(self) -> str:
        token = self.peek()
        if token not in _NEGATED or token[1:] in SAME:
            raise RefusedError(token)
        return r"\not" + self._nucleus()

    def _tag(self) -> str:
        return f"\\qquad \\text{{({self._text()})}}"

    def _label(self) -> str:
        if not self.taken(_LABEL):
            raise RefusedError("label")
        return ""

    def _substack(self) -> str:
        self.take("{")
        rows = self._rows("}", 1)
        self.take("}")
        return "\\substack{" + r"\\\relax ".join(row[0] for row in rows) + "}"

    def _environment(self) -> str:
        opened = self.taken(_NAME)
        if opened is None or opened[1] not in ENVIRONMENTS:
            raise RefusedError("environment")
        written, most = ENVIRONMENTS[opened[1]]
        spec = self._columns(opened[1], written)
        if spec:
            most = sum(map(spec.count, "lcr"))
        rows = self._rows(r"\end", most, lines=written == "array")
        self.take(r"\end")
        closed = self.taken(_NAME)
        if closed is None or closed[1] != opened[1]:
            raise RefusedError("end")
        return _table(written, spec, rows)

    def _columns(self, name: str, written: str) -> str:
        """The columns of an array; the number of columns that `alignat` takes is not needed."""
        if name in ("alignat", "alignedat") and not self.taken(_NUMBER):
            raise RefusedError("columns")
        if written != "array":
            return ""
        found = self.taken(_COLUMNS)
        if found is None:
            raise RefusedError("columns")
        return "".join(found[1].split())

    def _rows(self, end: str, most: int, *, lines: bool = False) -> list[list[str]]:
        r"""Cells by row until `end`; an `\hline` above a row begins its first cell."""
        rows: list[list[str]] = []
        while True:
            above = self._lines() if lines else ""
            row = [self._terms(("&", r"\\", end))]
            while self.peek() == "&":
                self.next()
                row.append(self._terms(("&", r"\\", end)))
            if len(row) > most:
                raise RefusedError("columns")
            rows.append([above + row[0], *row[1:]])
            if self.peek() != r"\\":
                return rows
            self.next()
            self.taken(_SKIP)
            if self.peek() == end:
                return rows

    def _lines(self) -> str:
        count = 0
        while self.peek() == r"\hline":
            self.next()
            count += 1
        return r"\hline " * count


def _table(name: str, spec: str, rows: list[list[str]]) -> str:
    r"""An environment; `\relax` keeps a `[` that begins a row from being read as an argument."""
    lines = [" & ".join(row) for row in rows]
    guarded = [line if line.startswith(r"\hline") else rf"\relax {line}" for line in lines]
    columns = f"{{{spec}}}" if spec else ""
    return f"\\begin{{{name}}}{columns}" + r"\\".join(guarded) + f"\\end{{{name}}}"
