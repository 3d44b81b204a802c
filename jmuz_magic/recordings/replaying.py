"""The recording that this process uses: named by a setting or the environment, or none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from jmuz_magic.errors import JmuzError
from jmuz_magic.recordings.mode import ReplayMode, read_mode

if TYPE_CHECKING:
    from jmuz_magic.recordings.recording import Recording

__all__ = [
    "asks_nobody",
    "get_recording",
    "may_replay",
    "name_recording",
    "open_recording",
    "recording_mode",
    "recording_path",
]

_named = ("", "")
_opened: tuple[tuple[str, str], Recording] | None = None


def name_recording(path: str = "", mode: str = "") -> None:
    """From now on use the recording at `path` in this mode, with its counts reset.

    Args:
        path: the file, opened at first use; "" for `JMUZ_RECORDING`, else none.
        mode: `auto`, `only` or `off`; "" for `JMUZ_REPLAY`, else `auto`.
    """
    global _named, _opened
    _named = (str(Path(path).expanduser().absolute()) if path else "", mode)
    _opened = None


def get_recording() -> Recording | None:
    """The recording in use, or None.

    Raises:
        JmuzError: it cannot be opened; or the mode is `only` but no recording is named, so that nothing may be sent
            and nothing can answer.
    """
    global _opened
    path, mode = recording_path(), recording_mode()
    if not path:
        if mode == "only":
            raise JmuzError(
                "the replay mode is only, but no recording is named; use %jmuz_record FILE, or set JMUZ_RECORDING"
            )
        return None
    if _opened is None or _opened[0] != (path, mode):
        _opened = (path, mode), _open(path, mode)
    return _opened[1]


def asks_nobody(recording: Recording | None = None) -> bool:
    """Whether only a recording may answer: the given one, else the one in use.

    Raises:
        JmuzError: see `get_recording`.
    """
    recording = recording or get_recording()
    return recording is not None and recording.mode == "only"


def may_replay(recording: Recording | None = None) -> bool:
    """Whether a recording may answer: the given one, else the one in use.

    Raises:
        JmuzError: see `get_recording`.
    """
    recording = recording or get_recording()
    return recording is not None and recording.mode != "off"


def recording_path() -> str:
    """The path of the recording in use, whether or not it can be opened; "" without one."""
    return _named[0] or os.environ.get("JMUZ_RECORDING", "").strip()


def recording_mode() -> ReplayMode:
    """The mode that applies by default.

    Raises:
        JmuzError: `JMUZ_REPLAY` is not a mode.
    """
    return read_mode(_named[1] or os.environ.get("JMUZ_REPLAY", ""))


def open_recording(path: str | os.PathLike[str], mode: str | None = None) -> Recording:
    """A recording besides the one in use, with its own counts.

    Args:
        path: the file.
        mode: `auto`, `only` or `off`; None for `JMUZ_REPLAY`, else `auto`.

    Raises:
        JmuzError: there is no such mode; the file is not a recording, or is missing in mode `only`.
    """
    return _open(path, read_mode(mode or os.environ.get("JMUZ_REPLAY", "")))


def _open(path: str | os.PathLike[str], mode: ReplayMode) -> Recording:
    # Imported here, so that those who do not record need not pay for it at load.
    from jmuz_magic.recordings.recording import Recording

    return Recording(path, mode)
