r"""Turns Markdown tokens into LaTeX: a fragment that compiles in nbconvert's document, whatever the reply was.

Commands come from this folder; everything else is escaped text. It needs amsmath, amssymb, fancyvrb, hyperref and
longtable. TeX's own limits (lists in lists, groups in groups, long lines) end the making of a PDF, so they are kept.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from jmuz_magic.display.html.links import bare_urls, host_of, safe_href
from jmuz_magic.display.html.parser import make_parser
from jmuz_magic.display.html.rendering import Link
from jmuz_magic.display.latex.text import code_latex, escape_latex, url_latex, verbatim_latex

if TYPE_CHECKING:
    from markdown_it.token import Token

    from jmuz_magic.display.latex.tables import Cell

__all__ = ["link_latex", "render_latex"]

_MAX_LISTS = 4  # LaTeX stops at the fifth list in lists, and at the seventh list or quotation
_MAX_MARKS = 12  # TeX has 255 groups, of which bold text in italic text takes some
_LINE = 4_000
_SIZES = ("Large", "large", "normalsize")
_MARKS = {"em": "emph", "strong": "textbf"}


def render_latex(sources: Sequence[str], references: MutableMapping[str, Any]) -> str:
    """Blocks of untrusted Markdown as LaTeX.

    Args:
        sources: see `Blocks.sources`.
        references: the link definitions of the whole text.
    """
    parser = make_parser()
    return "".join(_Renderer().blocks(parser.parse(source, {"references": references})) for source in sources)


def link_latex(url: str, label: str) -> str:
    """A link with its address in full, as for paper."""
    href = safe_href(url)
    shown = escape_latex(url).replace("/", r"/\allowbreak{}")
    linked = shown if href is None else rf"\href{{{url_latex(href)}}}{{{shown}}}"
    return f"{escape_latex(label)} ({linked})" if label else linked


class _Renderer:
    """Writes LaTeX for the tokens of one block."""

    def __init__(self) -> None:
        self._lists: list[str] = []  # what ends each open list or quotation; "" beyond LaTeX's limit

    def blocks(self, tokens: Sequence[Token]) -> str:
        parts: list[str] = []
        rows: list[list[Cell]] | None = None
        for token in tokens:
            if token.type == "table_open":
                rows = []
            elif token.type == "table_close" and rows is not None:
                parts.append(_table(rows))
                rows = None
            elif rows is not None:
                self._in_table(token, rows)
            else:
                parts.append(self._block(token))
        return "".join(parts)

    @staticmethod
    def _in_table(token: Token, rows: list[list[Cell]]) -> None:
        from jmuz_magic.display.latex.tables import Cell

        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(Cell("", str(token.attrs.get("style", "")).removeprefix("text-align:"), 0))
        elif token.type in ("inline", "plain"):
            cell = rows[-1][-1]
            content = _Inline().latex(token.children or []) if token.type == "inline" else escape_latex(token.content)
            rows[-1][-1] = cell._replace(latex=content, width=len(token.content))

    def _block(self, token: Token) -> str:
        match token.type:
            case "inline":
                return _Inline().latex(token.children or [])
            case "fence" | "code_block":
                return "\n" + verbatim_latex(token.content)
            case "maths_block":
                return _formula(token.content, True)
            case "hr":
                return "\\par\\noindent\\rule{\\linewidth}{0.4pt}\\par\n\n"
            case "definition":
                return ""
            case "bullet_list_open" | "ordered_list_open" | "blockquote_open":
                return self._begin("quote" if token.type == "blockquote_open" else "itemize")
            case "bullet_list_close" | "ordered_list_close" | "blockquote_close":
                return self._lists.pop() + "\n"
            case "list_item_open":
                return self._item(token.info)
        return self._paragraph(token)

    @staticmethod
    def _paragraph(token: Token) -> str:
        size = _SIZES[min(int(token.tag[1]), len(_SIZES)) - 1] if token.type.startswith("heading_") else ""
        if size:
            return f"\\par{{\\{size}\\bfseries " if token.nesting > 0 else "\\par}\n\n"
        if token.nesting:
            return "\n\n" if token.nesting < 0 else ""
        return escape_latex(token.content) + "\n\n"

    def _begin(self, environment: str) -> str:
        within = len(self._lists) < _MAX_LISTS
        self._lists.append(f"\\end{{{environment}}}\n" if within else "\n")
        return f"\\begin{{{environment}}}\n" if within else "\n"

    def _item(self, number: str) -> str:
        if len(self._lists) > _MAX_LISTS:
            return f"\\par {escape_latex(number) + '.' if number else chr(92) + 'textbullet'}{{}} "
        return f"\\item[{{{escape_latex(number)}.}}] " if number else "\\item{} "


class _Inline:
    """Writes LaTeX for the text of one paragraph, heading or cell; nothing of it ends a paragraph."""

    def __init__(self) -> None:
        self._link: Link | None = None
        self._inside = 0  # links in a link, which are part of its text
        self._marks: list[str] = []  # what ends each open mark

    def latex(self, tokens: Sequence[Token]) -> str:
        parts, line = [], 0
        for index in range(len(tokens)):
            parts.append(self._one(tokens, index))
            line += len(parts[-1])
            if line > _LINE:  # which would be one line for many short tokens, and TeX's lines are bounded
                parts.append("%\n{}")
                line = 0
        return "".join(parts).strip(" ")

    def _one(self, tokens: Sequence[Token], index: int) -> str:
        token = tokens[index]
        match token.type:
            case "link_open":
                return self._open_link(Link.opened_by(tokens, index))
            case "link_close":
                return self._close_link()
            case "text":
                return escape_latex(token.content) if self._link else _linked(token.content)
            case "code_inline":
                return code_latex(token.content)
            case "maths":
                return _formula(token.content, False)
            case "image":
                return self._image(token)
            case "softbreak":
                return "\n{}"  # after which no line is empty, which would end the paragraph
            case "hardbreak":
                return "\\leavevmode\\newline{}\n{}"
        return self._mark(token) if token.nesting else escape_latex(token.content)

    def _mark(self, token: Token) -> str:
        name = token.type.rpartition("_")[0]
        if token.nesting < 0:
            return self._marks.pop() if self._marks else ""
        command = _MARKS.get(name, "")
        struck = r"\textasciitilde{}\textasciitilde{}" if name == "s" else ""
        fits = bool(command) and len(self._marks) < _MAX_MARKS
        self._marks.append("}" if fits else struck)
        return f"\\{command}{{" if fits else struck

    def _open_link(self, link: Link) -> str:
        if self._link:
            self._inside += 1
            return ""
        self._link = link
        return rf"\href{{{url_latex(link.href)}}}{{" if link.href else ""

    def _close_link(self) -> str:
        if self._inside:
            self._inside -= 1
            return ""
        link, self._link = self._link, None
        if link is None or not link.href:
            return ""
        return "}" + (f" ({escape_latex(link.target)})" if link.target else "")

    def _image(self, token: Token) -> str:
        """An image becomes a link that shows its host, as in HTML."""
        label = escape_latex("image: " + (token.content or "no description"))
        href = safe_href(str(token.attrs.get("src", "")))
        if href is None or self._link:
            return f"{{[}}{label}{{]}}"
        return rf"\href{{{url_latex(href)}}}{{{label}}} ({escape_latex(host_of(href) or href)})"


def _table(rows: Sequence[Sequence[Cell]]) -> str:
    from jmuz_magic.display.latex.tables import table_latex  # 0.3 ms, which a reply without tables need not pay

    return table_latex(rows)


def _formula(source: str, block: bool) -> str:
    from jmuz_magic.display.latex.formulas import formula_latex  # 5 ms, which a reply without formulas need not pay

    return formula_latex(source, block)


def _linked(text: str) -> str:
    """Text whose bare addresses become links."""
    parts, end = [], 0
    for start, after in bare_urls(text):
        parts += [escape_latex(text[end:start]), link_latex(text[start:after], "")]
        end = after
    return "".join(parts) + escape_latex(text[end:])
