"""What of exchanges is kept: the settings of log and recording, and how both meet the notebook."""

from __future__ import annotations

from typing import Any

from jmuz_magic.errors import JmuzError
from jmuz_magic.log.log import MAX_AGE_DAYS, MAX_BYTES, exchange_log
from jmuz_magic.magics.session import Session
from jmuz_magic.magics.settings import Enum, Float, Int, Settings, Unicode
from jmuz_magic.recordings.replaying import get_recording, name_recording
from jmuz_magic.request.place import Place, set_place_finder

__all__ = ["Keeping"]

LOG = ("log", "log_max_bytes", "log_max_days")
RECORDING = ("recording", "replay")


class Keeping(Settings):
    """The traits of the exchange log and of recordings."""

    log = Unicode("", help="where exchanges are logged: a path, or off; empty for JMUZ_LOG or the usual place").tag(
        config=True, expects="a path, or off"
    )
    log_max_bytes = Int(MAX_BYTES, min=2**20, help="beyond it the oldest exchanges leave the log").tag(
        config=True, expects="a number of bytes, at least 1048576"
    )
    log_max_days = Float(MAX_AGE_DAYS, min=1.0, help="older exchanges leave the log").tag(
        config=True, expects="a number of days, at least 1"
    )
    recording = Unicode("", help="replies are recorded here and replayed from here; empty for JMUZ_RECORDING").tag(
        config=True, expects="a path, such as chat.jmuz.jsonl"
    )
    replay = Enum(["", "auto", "only", "off"], "", help="how the recording is used; empty for JMUZ_REPLAY").tag(
        config=True, expects="auto, only or off"
    )

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell, session)
        session.keeping = self
        if any(getattr(self, name) != self.traits()[name].default() for name in LOG):
            self._configure_log()  # else what a script may have configured holds
        name_recording(self.recording, self.replay)  # opened at first use: loading reads no file
        self.observe(self._configure_log, LOG)
        self.observe(self._configure_recording, RECORDING)
        session.undo.callback(name_recording)
        _meet(session)

    def use_recording(self, path: str, mode: str) -> None:
        """Use this recording from here on, its askings counted anew, also where it is the one in use."""
        self.unobserve(self._configure_recording, RECORDING)  # who calls says itself what is wrong
        try:
            self.recording, self.replay = path, mode
        finally:
            self.observe(self._configure_recording, RECORDING)
        name_recording(path, mode)

    def _configure_log(self, change: Any = None) -> None:
        exchange_log.configure(self.log or None, max_bytes=self.log_max_bytes, max_age_days=self.log_max_days)

    def _configure_recording(self, change: Any) -> None:
        name_recording(self.recording, self.replay)
        try:
            get_recording()
        except JmuzError as error:
            self.session.say(f"JmuzMagics.{change.name}: {error}")


def _meet(session: Session) -> None:
    """Let log and recordings know this notebook, until the extension is unloaded."""
    say, notebook = exchange_log.on_message, exchange_log.notebook

    def part() -> None:
        exchange_log.on_message, exchange_log.notebook = say, notebook
        set_place_finder(None)

    exchange_log.on_message = session.pending.append  # it comes on the log's thread; a cell says it
    exchange_log.notebook = lambda: _notebook_name(session) or notebook()
    set_place_finder(lambda: _place(session))
    session.undo.callback(part)


def _notebook_name(session: Session) -> str | None:
    """As VS Code tells its kernels."""
    path = session.shell.user_ns.get("__vsc_ipynb_file__")
    return path.replace("\\", "/").rpartition("/")[2] if isinstance(path, str) else None


def _place(session: Session) -> Place | None:
    """The cell that runs now; None where the front end does not tell, as nbclient and terminals."""
    if not session.is_kernel:
        return None
    request = session.shell.get_parent() or {}
    cell = (request.get("metadata") or {}).get("cellId")
    return Place(cell, request["header"]["msg_id"]) if cell else None
