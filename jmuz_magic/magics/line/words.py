"""Splits a line into words, quoted as in a shell; `{{expressions}}` and JSON stay whole."""

from __future__ import annotations

import json
import os
import re
import shlex
from contextlib import suppress
from pathlib import Path

__all__ = ["OpenQuoteError", "ends_at", "json_at", "next_word"]

# What a shell would take as one word (quoted parts, escaped characters, anything but blanks), and expressions, which
# may contain quotes and blanks.
_PART = re.compile(r"""\{\{.*?\}\} | '[^']*' | "(?:\\.|[^"\\])*" | \\. | [^\s'"\\{]+ | \{""", re.VERBOSE | re.DOTALL)
_WORD = re.compile(rf"(?:{_PART.pattern})+", re.VERBOSE | re.DOTALL)
_COMMENT = re.compile(r"#(?:\s|$)")
_KEPT_BACKSLASH = re.compile(r"\\\w")
_NETWORK_PATH = re.compile(r"\\\\\w")  # \\server\share


class OpenQuoteError(ValueError):
    """A word has an unclosed quote."""


def ends_at(line: str) -> bool:
    """Whether no more values follow: the line is over, or a comment begins."""
    return not line or _COMMENT.match(line) is not None


def next_word(line: str) -> tuple[str, str]:
    """The first word, and the rest of the line.

    Raises:
        OpenQuoteError: the word never ends.
    """
    found = _WORD.match(line)
    end = found.end() if found else 0
    if end < len(line) and not line[end].isspace():
        raise OpenQuoteError(f"an unclosed quote in {line!r}; close it")
    return (_read(found[0]) if found else ""), line[end:].lstrip()


def json_at(line: str) -> str | None:
    """The JSON object or list at the start of `line`, verbatim, including its blanks and quotes.

    Raises:
        ValueError: a brace begins neither JSON nor an expression.
    """
    if not line.startswith(("{", "[")):
        return None
    with suppress(ValueError, RecursionError):
        _, end = json.JSONDecoder().raw_decode(line)
        if not line[end : end + 1].strip():
            return line[:end]
    if line.startswith("{") and "{{" not in line:
        shown = line if len(line) <= 60 else f"{line[:60]}…"
        raise ValueError(f"expected JSON, got {shown!r}; put text that begins with a brace in quotes")
    return None


def _read(written: str) -> str:
    r"""What a shell would make of the word, except that a backslash before a letter or digit stays: `notes\chat.md`.

    If the word with slashes for backslashes names a file in an existing folder, it becomes that path, so that a line
    written on Windows runs elsewhere too.
    """
    word = "".join(map(_unquoted, _PART.findall(written)))
    if _NETWORK_PATH.match(written):
        word = "\\" + word
    as_path = Path(word.replace("\\", os.sep))
    if '"' in written or "'" in written or word.rfind("\\") < 1 or not as_path.expanduser().parent.is_dir():
        return word
    return str(as_path)


def _unquoted(part: str) -> str:
    if part.startswith("{{") or _KEPT_BACKSLASH.fullmatch(part):
        return part
    return shlex.split(part)[0]
