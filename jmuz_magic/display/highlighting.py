"""Colours for code: Pygments' token classes, which notebook front ends map to their theme."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from jmuz_magic.display.text import escape_html

if TYPE_CHECKING:
    from pygments.lexer import Lexer

__all__ = ["highlight", "is_known"]

# A stranger chooses the language. These lexers were run on hostile text (tests/display/test_highlighting.py) and
# stay linear; some others of Pygments' 500 do not.
# fmt: off
_LANGUAGES = frozenset((
    "asm", "awk", "bash", "bat", "bibtex", "c", "c#", "c++", "clojure", "cmake", "console", "cpp", "cs", "csharp",
    "css", "cuda", "cython", "dart", "diff", "docker", "dockerfile", "elixir", "erl", "erlang", "f#", "fortran",
    "fsharp", "go", "golang", "graphql", "groovy", "h", "haskell", "hcl", "hpp", "hs", "html", "http", "ini",
    "ipython", "java", "javascript", "jl", "js", "json", "jsx", "julia", "kotlin", "latex", "less", "lisp", "lua",
    "make", "makefile", "markdown", "matlab", "md", "mysql", "nasm", "nginx", "nim", "nix", "objective-c", "ocaml",
    "octave", "patch", "perl", "php", "pl", "plpgsql", "postgresql", "powershell", "proto", "protobuf", "ps1",
    "pwsh", "py", "pycon", "python", "python3", "r", "rb", "rs", "rst", "ruby", "rust", "sass", "scala", "scheme",
    "scss", "sh", "shell", "shell-session", "sol", "solidity", "sql", "sqlite3", "swift", "terraform", "tex", "tf",
    "toml", "ts", "tsx", "typescript", "udiff", "verilog", "vhdl", "vim", "wast", "xml", "yaml", "yml", "zig", "zsh",
))
# fmt: on
_MAX_CHARS = 200_000
_MAX_LINE = 5_000


def highlight(code: str, language: str) -> str:
    """`code` as HTML: escaped, with `<span class="…">` around tokens where the language is known."""
    name = language.lower()
    if not is_known(name) or len(code) > _MAX_CHARS or _longest_line(code) > _MAX_LINE:
        return escape_html(code)
    return _spans(code, name)


def is_known(language: str) -> bool:
    """Whether code in this language is given to a lexer."""
    return language.lower() in _LANGUAGES


def _longest_line(code: str) -> int:
    return max(map(len, code.split("\n")))


@lru_cache(maxsize=64)
def _spans(code: str, name: str) -> str:
    lexer = _lexer(name)
    if lexer is None:
        return escape_html(code)
    tokens = list(lexer.get_tokens(code))
    if "".join(text for _, text in tokens) != code:  # a lexer that changes its text: show the text, not the colours
        return escape_html(code)
    return "".join(_span(_css_class(kind), text) for kind, text in tokens)


def _span(css_class: str, text: str) -> str:
    return f'<span class="{css_class}">{escape_html(text)}</span>' if css_class else escape_html(text)


@cache
def _css_class(kind: Any) -> str:
    from pygments.token import STANDARD_TYPES

    while kind not in STANDARD_TYPES:
        kind = kind.parent
    css_class: str = STANDARD_TYPES[kind]
    return css_class


@cache
def _lexer(name: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
