r"""Formulas: where they begin and end in a reply, and how they are shown.

Models write TeX between `$…$`, `$$…$$`, `\(…\)`, `\[…\]` and `\begin{…}…\end{…}`. Dollars mostly mean money, so a
single one opens a formula only where pandoc's rule allows: no space just inside the delimiters and no digit just
outside. As in TeX, no formula contains a blank line, so a growing reply decides about an open one at the next blank
line at the latest.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from jmuz_magic.display.html.mathml import rewrite_mathml
from jmuz_magic.display.html.styles import SCROLL
from jmuz_magic.display.text import escape_html

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

__all__ = ["OPEN_END", "delimited", "enable_maths", "formula_end", "mathml_html", "tex_html"]

OPEN_END = "jmuz_open_end"
"""Key of markdown-it's env: more source follows, so a formula that reaches the end may still be closed."""

_MAX_FORMULA = 8_000
_MAX_NESTING = 40  # MathJax in JupyterLab 4.6 typesets 60 nested fractions; 100 crash the page
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_ENVIRONMENTS = (
    "align|alignat|aligned|bmatrix|Bmatrix|cases|darray|dcases|eqnarray|equation|flalign|gather|gathered|math|"
    "matrix|multline|pmatrix|smallmatrix|split|subarray|vmatrix|Vmatrix"
)
_BLOCK_OPENER = re.compile(rf"\$\$|\\\[|\\begin\{{((?:{_ENVIRONMENTS})\*?)\}}")

# Commands that reach beyond a formula: links, styles, classes, extensions, macros. JupyterLab's MathJax ignores or
# confines them, others (nbconvert's page loads MathJax 2.7) do not, so such a formula is shown as its source.
_REACHES_OUT = re.compile(
    r"\\(?:href|url|require|class|cssId|style|data|html[A-Za-z]*|includegraphics|bbox|texttip|mathtip|toggle|action|"
    r"unicode|[egx]?def|let|newcommand|renewcommand|providecommand|newenvironment|renewenvironment|Newextarrow|"
    r"DeclareMathOperator|csname|input|special|mmlToken|definecolor)(?![A-Za-z])"
)


def enable_maths(parser: MarkdownIt) -> None:
    """Teach `parser` formulas: tokens `maths` (inline) and `maths_block`, with the source in `content`."""
    parser.inline.ruler.before("escape", "maths", _inline_rule)
    interrupts = ["paragraph", "reference", "blockquote", "list"]
    parser.block.ruler.before("fence", "maths_block", _block_rule, {"alt": interrupts})


def formula_end(source: str, start: int) -> int:
    """Where the formula that opens at `start` of a line ends; 0 if none opens there."""
    return _inline_end(source, start, min(len(source), start + _MAX_FORMULA))


def _inline_rule(state: StateInline, silent: bool) -> bool:
    end = _inline_end(state.src, state.pos, min(state.posMax, state.pos + _MAX_FORMULA))
    if not end:
        return False
    if not silent:
        token = state.push("maths", "", 0)
        token.content = state.src[state.pos : end]
    state.pos = end
    return True


def _inline_end(source: str, start: int, limit: int) -> int:
    """Where the formula that opens at `start` ends; 0 if none opens there."""
    two = source[start : start + 2]
    if two in ("\\(", "\\[", "$$"):
        closer = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}[two]
        end = source.find(closer, start + 2, limit)
        return end + 2 if end >= 0 and source[start + 2 : end].strip() else 0
    return _dollar_end(source, start, limit) if two[:1] == "$" else 0


def _dollar_end(source: str, start: int, limit: int) -> int:
    if start and (source[start - 1].isdigit() or source[start - 1] == "$"):
        return 0
    end = source.find("$", start + 1, limit)
    while end > 0 and source[end - 1] == "\\":  # \$ is a dollar sign inside a formula
        end = source.find("$", end + 1, limit)
    content = source[start + 1 : end] if end > 0 else ""
    if not content or content[0].isspace() or content[-1].isspace() or "`" in content:
        return 0
    after = source[end + 1 : end + 2]
    return 0 if after.isdigit() or after == "$" else end + 1


def _block_rule(state: StateBlock, start: int, end_line: int, silent: bool) -> bool:
    closer = _block_closer(state, start)
    if closer is None:
        return False
    if silent:
        return True
    after_last = _block_end(state, start, end_line, closer)
    if after_last is None:
        return False
    token = state.push("maths_block", "", 0)
    token.map = [start, after_last]
    token.content = state.getLines(start, after_last, state.blkIndent, False).strip()
    state.line = after_last
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()


def _block_closer(state: StateBlock, line: int) -> str | None:
    """What closes the formula that opens on `line`; None if text follows its end, or none opens."""
    text = _line(state, line)
    opener = _BLOCK_OPENER.match(text)
    if opener is None or state.is_code_block(line):
        return None
    closers = {"$$": "$$", "\\[": "\\]"}
    closer = closers.get(opener.group()) or f"\\end{{{opener.group(1)}}}"
    same_line = text.find(closer, opener.end())
    if same_line < 0:
        return closer
    is_whole = same_line + len(closer) == len(text) and text[opener.end() : same_line].strip()
    return closer if is_whole else None


def _block_end(state: StateBlock, start: int, end_line: int, closer: str) -> int | None:
    """The line after the formula; None if a blank line, the container's end or the limit comes first."""
    first = _line(state, start)
    if first.endswith(closer) and len(first) > len(closer):
        return start + 1
    opener, size = _BLOCK_OPENER.match(first), 0
    assert opener is not None
    for line in range(start + 1, end_line):
        if state.isEmpty(line) or state.sCount[line] < state.blkIndent or size > _MAX_FORMULA:
            return None
        text = _line(state, line)
        if text.endswith(closer):
            return line + 1
        if text.startswith(opener.group()):  # another one opens; searching on would make many openers quadratic
            return None
        size += len(text)
    return end_line if state.env.get(OPEN_END) and end_line >= state.lineMax else None


def delimited(source: str) -> tuple[str, bool] | None:
    """The TeX inside the delimiters, and whether it is a display formula; None if it is not closed."""
    for opener, closer, display in (("$$", "$$", True), ("\\[", "\\]", True), ("\\(", "\\)", False), ("$", "$", False)):
        if source.startswith(opener):
            closed = source.endswith(closer) and len(source) >= len(opener) + len(closer)
            return (source[len(opener) : -len(closer)], display) if closed else None
    return (source, True) if re.search(r"\\end\{[A-Za-z]+\*?\}$", source) else None


def _shown_as_source(source: str) -> bool:
    return delimited(source) is None or _REACHES_OUT.search(source) is not None or _nesting(source) > _MAX_NESTING


def _nesting(source: str) -> int:
    """How deeply braces are nested in the formula."""
    depth = deepest = 0
    for brace in _BRACE.finditer(source):
        depth += {"{": 1, "}": -1}.get(brace.group(), 0)
        deepest = max(deepest, depth)
    return deepest


def tex_html(source: str, block: bool) -> str:
    """`source` as TeX for a front end to typeset, in its own element so that it cannot pair with another."""
    if _shown_as_source(source):
        return f"<p><code>{escape_html(source)}</code></p>\n" if block else f"<code>{escape_html(source)}</code>"
    if block:
        return f'<div class="jmuz-math" tabindex="0" style="{SCROLL}">{escape_html(source)}</div>\n'
    return f"<span>{escape_html(source)}</span>"


def mathml_html(source: str, block: bool) -> str:
    """`source` as MathML written by us, or as code if it cannot be converted or `math-core` is unavailable."""
    mathml = None if _shown_as_source(source) else _mathml(source)
    shown = mathml or f"<code>{escape_html(source)}</code>"
    return f'<div class="jmuz-math">{shown}</div>\n' if block else shown


def _mathml(source: str) -> str | None:
    inside = delimited(source)
    converter = _converter()
    # math-core is recursive native code: deep nesting would crash the process.
    if inside is None or converter is None or len(source) > 4000 or sum(map(source.count, "{\\^_")) > 200:
        return None
    try:
        converted: str = converter.convert_with_local_state(inside[0].strip(), displaystyle=inside[1])
    except Exception:  # noqa: BLE001  # a native parser may raise anything on untrusted text
        return None
    return rewrite_mathml(converted)


@cache
def _converter() -> Any:
    try:
        from math_core import LatexToMathML
    except ImportError:
        return None
    return LatexToMathML(fancy_error=False)
