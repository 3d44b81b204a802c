"""How a recording is used."""

from __future__ import annotations

from typing import Literal, TypeAlias, cast, get_args

from jmuz_magic.errors import JmuzError

__all__ = ["ReplayMode", "read_mode"]

ReplayMode: TypeAlias = Literal["auto", "only", "off"]


def read_mode(word: str) -> ReplayMode:
    """The mode with that name; `auto` for "".

    Raises:
        JmuzError: there is no such mode.
    """
    mode = word.strip().lower() or "auto"
    if mode not in get_args(ReplayMode):
        raise JmuzError(f"JMUZ_REPLAY: expected auto, only or off, got {word!r}")
    return cast("ReplayMode", mode)
