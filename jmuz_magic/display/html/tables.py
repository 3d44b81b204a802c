"""Tables as GitHub reads them, except that bars inside a formula or code stay in their cell.

GitHub cuts a row at every bar without a backslash, even inside `$|x|$` and `` `a|b` ``. Models do not know that, so
here such a bar cuts only if the row would otherwise have too few cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from jmuz_magic.display.html.maths import formula_end

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

__all__ = ["enable_tables"]

_IN_CELL = "jmuz_in_cell"
_MAX_ADDED_CELLS = 65_536  # to fill short rows: 2 kB of source could make 650 kB of empty cells
_DELIMITER_ROW = re.compile(r"\|?(?:[ \t]*:?-+:?[ \t]*\|)*[ \t]*:?-+:?[ \t]*\|?")
_MARK = re.compile(r"(?<!\\)(?:\||`+|\$|\\[(\[])")
_LINE_BREAK = re.compile(r"<br\s?/?>", re.IGNORECASE)


def enable_tables(parser: MarkdownIt) -> None:
    """Teach `parser` tables, with `<br>` as a line break in cells."""
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    parser.enable("table")
    parser.core.ruler.after("inline", "cell_breaks", _break_lines)


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    alignments = _alignments(state, start, end)
    header = _cells(_line(state, start), len(alignments)) if alignments else []
    if not header or len(header) != len(alignments) or "|" not in _line(state, start):
        return False
    if silent:
        return True
    outer, state.parentType = state.parentType, "table"
    table = state.push("table_open", "table", 1)
    head = state.push("thead_open", "thead", 1)
    _push_row(state, start, "th", header, alignments)
    state.push("thead_close", "thead", -1)
    state.line = _push_body(state, start + 2, end, alignments)
    state.push("table_close", "table", -1)
    table.map, head.map = [start, state.line], [start, start + 1]
    state.parentType = outer
    return True


def _alignments(state: StateBlock, start: int, end: int) -> list[str]:
    """The alignment of each column by the delimiter row; [] if the line is not one."""
    below = start + 1
    if below >= end or state.sCount[below] < state.blkIndent:
        return []
    if state.is_code_block(start) or state.is_code_block(below):
        return []
    line = _line(state, below)
    if not _DELIMITER_ROW.fullmatch(line) or re.match(r"-(?:[ \t]|$)", line):  # those start a list or a heading
        return []
    return [_alignment(cell.strip(" \t")) for cell in line.strip("|").split("|")]


def _alignment(dashes: str) -> str:
    if dashes.endswith(":"):
        return "center" if dashes.startswith(":") else "right"
    return "left" if dashes.startswith(":") else ""


def _push_body(state: StateBlock, start: int, end: int, alignments: Sequence[str]) -> int:
    """Push the rows below the header; return the line after the last one."""
    line, added = start, 0
    while line < end and not _ends_table(state, line, end):
        cells = _cells(_line(state, line), len(alignments))
        added += max(0, len(alignments) - len(cells))
        if added > _MAX_ADDED_CELLS:
            break
        if line == start:
            state.push("tbody_open", "tbody", 1)
        padded = [*cells, *[""] * len(alignments)][: len(alignments)]
        _push_row(state, line, "td", padded, alignments)
        line += 1
    if line > start:
        state.push("tbody_close", "tbody", -1)
    return line


def _ends_table(state: StateBlock, line: int, end: int) -> bool:
    if state.sCount[line] < state.blkIndent or state.isEmpty(line) or state.is_code_block(line):
        return True
    return any(rule(state, line, end, True) for rule in state.md.block.ruler.getRules("blockquote"))


def _push_row(state: StateBlock, line: int, tag: str, cells: Sequence[str], alignments: Sequence[str]) -> None:
    state.push("tr_open", "tr", 1)
    for cell, alignment in zip(cells, alignments, strict=True):
        opening = state.push(f"{tag}_open", tag, 1)
        if alignment:
            opening.attrs = {"style": f"text-align:{alignment}"}
        content = state.push("inline", "", 0)
        content.content, content.children, content.map = cell, [], [line, line + 1]
        content.meta[_IN_CELL] = True
        state.push(f"{tag}_close", tag, -1)
    state.push("tr_close", "tr", -1)


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip(" \t")


def _cells(row: str, columns: int) -> list[str]:
    """The cells of a row in a table with that many columns."""
    whole = _cut(row, _bars(row, spans=True))
    if len(whole) < columns and len(plain := _cut(row, _bars(row, spans=False))) == columns:
        return plain
    return whole


def _cut(row: str, bars: Iterator[int]) -> list[str]:
    cells, start = [], 0
    for bar in bars:
        cells.append(row[start:bar])
        start = bar + 1
    cells.append(row[start:])
    if not cells[0]:
        cells = cells[1:]
    if cells and not cells[-1]:
        cells.pop()
    return [cell.replace("\\|", "|").strip() for cell in cells]


def _bars(row: str, *, spans: bool) -> Iterator[int]:
    """Positions of the bars without a backslash; with `spans`, except those in formulas and code."""
    position = 0
    while mark := _MARK.search(row, position):
        position = mark.end()
        if mark.group() == "|":
            yield mark.start()
        elif spans and mark.group()[0] == "`":
            position = _code_end(row, position, len(mark.group()))
        elif spans:
            position = max(position, formula_end(row, mark.start()))


def _code_end(row: str, start: int, ticks: int) -> int:
    """Where the code whose opening backticks end at `start` ends; `start` if it is not closed."""
    closing = re.compile(rf"(?<!`)`{{{ticks}}}(?!`)").search(row, start)
    return closing.end() if closing else start


def _break_lines(state: StateCore) -> None:
    """Turn `<br>` in a cell's text into a line break of our own, the only kind a cell can have."""
    for token in state.tokens:
        if token.meta.get(_IN_CELL) and "<" in token.content:
            token.children = [piece for child in token.children or [] for piece in _broken(child)]


def _broken(token: Token) -> list[Token]:
    if token.type != "text":
        return [token]
    pieces: list[Token] = []
    for number, text in enumerate(_LINE_BREAK.split(token.content)):
        if number:
            pieces.append(token.copy(type="hardbreak", tag="br", content=""))
        pieces.append(token.copy(content=text))
    return pieces
