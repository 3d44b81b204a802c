"""The recording that this process uses: chosen by a magic, by the environment, or none."""

from __future__ import annotations

import os
from typing import get_args

from jmuz_magic.conversation.recording import Recording, ReplayMode
from jmuz_magic.errors import JmuzError

__all__ = ["get_recording", "open_recording", "read_mode", "use_recording"]

_chosen: Recording | None = None
_from_environment: tuple[tuple[str, str], Recording] | None = None


def get_recording() -> Recording | None:
    """The recording in use: the chosen one, else that of `JMUZ_RECORDING`, else none.

    Raises:
        JmuzError: it cannot be opened; or `JMUZ_REPLAY` is `only` and no recording is named, so that nothing
            may be asked and nothing can answer.
    """
    global _from_environment
    if _chosen is not None:
        return _chosen
    named = os.environ.get("JMUZ_RECORDING", "").strip(), os.environ.get("JMUZ_REPLAY", "").strip()
    if not named[0]:
        if read_mode(named[1]) == "only":
            raise JmuzError(
                "JMUZ_REPLAY is only, but no recording is named; set JMUZ_RECORDING or use %jmuz_record FILE"
            )
        return None
    if _from_environment is None or _from_environment[0] != named:
        _from_environment = named, open_recording(named[0])
    return _from_environment[1]


def use_recording(recording: Recording | None) -> None:
    """From now on this one; None for what the environment says."""
    global _chosen
    _chosen = recording


def open_recording(path: str | os.PathLike[str], mode: str | None = None) -> Recording:
    """A recording with its askings counted from here.

    Args:
        path: of the file.
        mode: `auto`, `only` or `off`; None for `JMUZ_REPLAY`, else `auto`.

    Raises:
        JmuzError: there is no such mode; the file is no recording, or is missing where the mode is `only`.
    """
    return Recording(path, read_mode(mode or os.environ.get("JMUZ_REPLAY", "")))


def read_mode(word: str) -> ReplayMode:
    """The mode of that name; `auto` for "".

    Raises:
        JmuzError: there is none of that name.
    """
    for mode in get_args(ReplayMode):
        if (word.strip().lower() or "auto") == mode:
            return mode  # type: ignore[no-any-return]  # one of the literals
    raise JmuzError(f"JMUZ_REPLAY: expected auto, only or off, got {word!r}")
