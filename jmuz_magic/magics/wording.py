"""Phrases that one-line messages share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from jmuz_magic.text import clean_text

__all__ = ["PROMPT", "did_you_mean", "listed", "lone_yes"]

PROMPT = 60  # characters of a prompt in a list


def did_you_mean(name: str, known: Iterable[object]) -> str:
    """`; did you mean 'data'?`, or "" if no known name is close."""
    near = difflib.get_close_matches(name, [each for each in known if isinstance(each, str)], n=1, cutoff=0.76)
    return f"; did you mean {near[0]!r}?" if near else ""


def listed(names: Iterable[str], first: str) -> str:
    """`there are: a, b`; without any, `there are none yet`, and `first` says how to create one."""
    there = ", ".join(clean_text(name) for name in names)
    return f"there are: {there}" if there else f"there are none yet: {first}"


def lone_yes(magic: str, asks: str) -> str:
    """Why `--yes` is refused without the option that asks."""
    return f"{magic}: --yes answers the question of {asks}; add {asks}, or leave --yes out"
