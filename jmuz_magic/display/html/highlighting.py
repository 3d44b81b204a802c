"""Colours for code: Pygments' token classes, which notebook front ends style to match their theme."""

from __future__ import annotations

import itertools
import re
import time
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from jmuz_magic.display.text import escape_html

if TYPE_CHECKING:
    from pygments.lexer import Lexer

__all__ = ["can_highlight", "highlight"]

# Language and text are untrusted. These are the languages common in chats, each tested with difficult input
# (test_highlighting.py); `_MAX_SECONDS` bounds whatever is slow all the same.
# fmt: off
_LANGUAGES = frozenset((
    "asm", "awk", "bash", "bat", "bibtex", "c", "c#", "c++", "clojure", "cmake", "console", "cpp", "cs", "csharp",
    "css", "cuda", "cython", "dart", "diff", "docker", "dockerfile", "elixir", "erl", "erlang", "f#", "fortran",
    "fsharp", "go", "golang", "graphql", "groovy", "haskell", "hcl", "hs", "html", "http", "ini",
    "ipython", "java", "javascript", "jl", "js", "json", "jsx", "julia", "kotlin", "latex", "less", "lisp", "lua",
    "make", "makefile", "markdown", "matlab", "md", "mysql", "nasm", "nginx", "nim", "nix", "objective-c", "ocaml",
    "octave", "perl", "php", "pl", "plpgsql", "postgresql", "powershell", "proto", "protobuf", "ps1",
    "pwsh", "py", "pycon", "python", "python3", "r", "rb", "rs", "rst", "ruby", "rust", "sass", "scala", "scheme",
    "scss", "sh", "shell", "shell-session", "solidity", "sql", "sqlite3", "swift", "terraform", "tex", "tf",
    "toml", "ts", "tsx", "typescript", "udiff", "verilog", "vhdl", "vim", "wast", "xml", "yaml", "yml", "zig", "zsh",
))
# fmt: on
_MAX_CHARS = 50_000
_MAX_LINE = 5_000

# Pygments' lexers for C-like languages take quadratic time for many empty lines. Real code of the largest size
# allowed takes a tenth of this.
_MAX_SECONDS = 1.5
_TOKENS_PER_LOOK = 16
_CSS_CLASS = re.compile(r"[a-z][a-z0-9]{0,3}")
_UNCOLOURED = frozenset({"n", "w"})  # names and blanks, a third of all tokens, look like the text around them


def highlight(code: str, language: str) -> str:
    """`code` as escaped HTML, with `<span class="…">` around tokens if the language is known."""
    return _spans(code, language.lower()) if _is_fit(code, language) else escape_html(code)


def can_highlight(code: str, language: str) -> bool:
    """Whether a lexer can read this code in reasonable time."""
    return _is_fit(code, language) and _tokens(code, language.lower()) is not None


def _is_fit(code: str, language: str) -> bool:
    if language.lower() not in _LANGUAGES or len(code) > _MAX_CHARS:
        return False
    return max(map(len, code.split("\n"))) <= _MAX_LINE


@lru_cache(maxsize=64)
def _spans(code: str, name: str) -> str:
    tokens = _tokens(code, name)
    if tokens is None or "".join(text for _, text in tokens) != code:  # a lexer that changes its text
        return escape_html(code)
    runs = itertools.groupby(tokens, lambda token: _css_class(token[0]))
    return "".join(_span(css_class, "".join(text for _, text in run)) for css_class, run in runs)


def _tokens(code: str, name: str) -> list[tuple[Any, str]] | None:
    """The lexer's tokens of `code`; None if it takes too long."""
    tokens: list[tuple[Any, str]] = []
    end = time.thread_time() + _MAX_SECONDS
    for token in _lexer(name).get_tokens(code):
        tokens.append(token)
        if len(tokens) % _TOKENS_PER_LOOK == 0 and time.thread_time() > end:
            return None
    return tokens


def _span(css_class: str, text: str) -> str:
    return f'<span class="{css_class}">{escape_html(text)}</span>' if css_class else escape_html(text)


@cache
def _css_class(kind: Any) -> str:
    from pygments.token import STANDARD_TYPES

    while kind not in STANDARD_TYPES:
        kind = kind.parent
    css_class: str = STANDARD_TYPES[kind]
    is_coloured = _CSS_CLASS.fullmatch(css_class) and css_class not in _UNCOLOURED
    return css_class if is_coloured else ""  # other packages may add to that table


@cache
def _lexer(name: str) -> Lexer:
    from pygments.lexers import get_lexer_by_name

    return get_lexer_by_name(name, stripnl=False, ensurenl=False)
