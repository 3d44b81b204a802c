"""Text from outside as LaTeX that only prints it."""

from __future__ import annotations

import re

from jmuz_magic.text import clean_text

__all__ = ["code_latex", "escape_latex", "quoted_latex", "url_latex", "verbatim_latex"]

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "'": "'{}",  # not half of ''
    "-": "-{}",  # not half of a dash
    "\0": r"\allowbreak{}",
    "☐": r"\ensuremath{\square}",  # of tasks, which the document's font lacks
    "☑": r"\ensuremath{\checkmark}",
}
_ESCAPED = str.maketrans(_SPECIAL)

# TeX cannot read a line of more than 200,000 bytes, and a character may become 20; words of many kilobytes crash XeTeX.
_LONG_WORD = re.compile(r"\S{60}(?=\S)")
_PIECE = re.compile(r".{1,2000}", re.DOTALL)
_COLUMNS = 88  # of a line of code in nbconvert's document; what is wider would run off the page
_CONTINUED = r"\ensuremath{\hookrightarrow}"
_ENCODED = {character: rf"\%{ord(character):02X}" for character in '\\{}$^~|"`<> '}
_IN_URL = str.maketrans({**_ENCODED, "%": r"\%", "#": r"\#", "&": r"\&", "_": r"\_"})


def escape_latex(text: str) -> str:
    """`text` cleaned and escaped, on one line as TeX counts them: its white space becomes single spaces."""
    line = _LONG_WORD.sub("\\g<0>\0", re.sub(r"\s+", " ", clean_text(text)))
    return "%\n{}".join(piece.translate(_ESCAPED) for piece in _PIECE.findall(line))


def code_latex(text: str) -> str:
    """`text` as code inside a line."""
    return rf"\texttt{{{escape_latex(text)}}}" if text else ""


def url_latex(href: str) -> str:
    r"""An address that `safe_href` let pass, as the first argument of `\href`, also inside other arguments."""
    return href.translate(_IN_URL)


def quoted_latex(text: str) -> str:
    """`text` as a quotation that keeps its lines; each is a paragraph, since TeX reads a paragraph as a whole."""
    lines = [escape_latex(line) or "\\leavevmode" for line in clean_text(text).split("\n")]
    return "\\par\\medskip\\begin{quote}\\setlength{\\parskip}{0pt}\n" + "\\par\n".join(lines) + "\n\\end{quote}\n\n"


def verbatim_latex(text: str) -> str:
    """`text` as a block of code that keeps its lines.

    fancyvrb looks for the end of the block in what is printed, too, so commands stay active there and the text is
    escaped as everywhere.
    """
    lines = [row for line in clean_text(text).rstrip("\n").split("\n") for row in _rows(line.expandtabs(8))]
    return "\\begin{Verbatim}[commandchars=\\\\\\{\\},fontsize=\\small]\n" + "\n".join(lines) + "\n\\end{Verbatim}\n\n"


def _rows(line: str) -> list[str]:
    """A line of code in pieces that fit on a page."""
    rows = [line[start : start + _COLUMNS].translate(_ESCAPED) for start in range(0, len(line), _COLUMNS)] or [""]
    return [rows[0], *(_CONTINUED + row for row in rows[1:])]
