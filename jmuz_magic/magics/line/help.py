"""The help of a magic, which is its docstring: usage, description and options."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Iterator

from jmuz_magic.magics.line.options import Option

__all__ = ["help_text"]

WIDTH = 78
COLUMN = 24  # where the descriptions of options begin


def help_text(usage: str, description: str | None, options: Iterable[Option]) -> str:
    """Usage, description and options.

    Args:
        usage: how a call begins, such as `%jmuz_use`.
        description: what the magic does, possibly with examples.
        options: the magic's options; those without help are left out.
    """
    shown = [each for each in options if each.help]
    arguments, flagged = [each for each in shown if not each.flags], [each for each in shown if each.flags]
    blocks = [
        _usage(usage, [*flagged, *arguments]),
        *map(_paragraph, inspect.cleandoc(description or "").split("\n\n")),
        *_rows("positional arguments", arguments),
        *_rows("options", flagged),
    ]
    return "\n\n".join(blocks) + "\n"


def _usage(usage: str, options: Iterable[Option]) -> str:
    words = " ".join(f"[{_short(each)}]".replace(" ", "\0") for each in options)
    lines = _wrapped(words, WIDTH, f"usage: {usage} ", " " * len(f"usage: {usage} "))
    return "\n".join(lines).replace("\0", " ")


def _short(option: Option) -> str:
    values = (word for word in option.usage.split() if not word.startswith("-"))
    return " ".join([*option.flags[:1], *values])


def _rows(title: str, options: list[Option]) -> Iterator[str]:
    if options:
        yield "\n".join([f"{title}:", *map(_row, options)])


def _paragraph(text: str) -> str:
    """The paragraph as wide as the options; examples, which are indented, stay as they are."""
    return text if "\n " in text else "\n".join(_wrapped(text, WIDTH))


def _row(option: Option) -> str:
    first = f"  {option.usage}".ljust(COLUMN)
    lines = _wrapped(option.help, WIDTH - COLUMN)
    if not first.endswith(" "):
        lines = ["", *lines]
    return f"\n{' ' * COLUMN}".join([first + lines[0], *lines[1:]])


def _wrapped(text: str, width: int, first: str = "", others: str = "") -> list[str]:
    whole = textwrap.TextWrapper(width, first, others, break_long_words=False, break_on_hyphens=False)
    return whole.wrap(text)
