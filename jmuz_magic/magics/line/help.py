"""The help of a magic, which is its docstring: usage, what it does, and its options, each in a few words."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Iterator

from jmuz_magic.magics.line.options import Option

__all__ = ["help_text"]

WIDTH = 78
COLUMN = 24  # where the text about an option begins


def help_text(usage: str, description: str | None, options: Iterable[Option]) -> str:
    """All that the user may write.

    Args:
        usage: how a call begins, such as `%jmuz_use`.
        description: what the magic does.
        options: those without help are left out.
    """
    shown = [each for each in options if each.help]
    arguments, flagged = [each for each in shown if not each.flags], [each for each in shown if each.flags]
    blocks = [
        f"::\n\n{_usage(usage, [*flagged, *arguments])}",
        inspect.cleandoc(description or ""),
        *_rows("positional arguments", arguments),
        *_rows("options", flagged),
    ]
    return "\n\n".join(blocks) + "\n"


def _usage(usage: str, options: Iterable[Option]) -> str:
    words = " ".join(f"[{' '.join([*each.flags[:1], *_values(each)])}]".replace(" ", "\0") for each in options)
    indent = " " * (len(usage) + 3)
    return "\n".join(_wrapped(words, WIDTH, f"  {usage} ", indent)).replace("\0", " ")


def _rows(title: str, options: list[Option]) -> Iterator[str]:
    if options:
        yield "\n".join([f"{title}:", *map(_row, options)])


def _row(option: Option) -> str:
    written = " ".join(filter(None, [", ".join(option.flags), *_values(option)]))
    text = _wrapped(option.help, WIDTH - COLUMN)
    first = f"  {written}".ljust(COLUMN)
    if not first.endswith(" "):
        text = ["", *text]
    return f"\n{' ' * COLUMN}".join([first + text[0], *text[1:]])


def _values(option: Option) -> list[str]:
    more = " …" if option.many else ""
    return [f"[{value}]" if option.absent is not None else f"{value}{more}" for value in option.values]


def _wrapped(text: str, width: int, first: str = "", others: str = "") -> list[str]:
    whole = textwrap.TextWrapper(width, first, others, break_long_words=False, break_on_hyphens=False)
    return whole.wrap(text)
