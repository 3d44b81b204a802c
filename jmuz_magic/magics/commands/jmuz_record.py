"""`%jmuz_record`: replies kept in a file, so that a notebook can be re-run with the same results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from IPython.core.error import UsageError

from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.line.magic import magic
from jmuz_magic.magics.line.options import Options, option
from jmuz_magic.magics.session import Session, usage_errors
from jmuz_magic.magics.wording import PROMPT
from jmuz_magic.recordings.mode import ReplayMode
from jmuz_magic.recordings.replaying import (
    get_recording,
    open_recording,
    recording_mode,
    recording_path,
)
from jmuz_magic.text import clean_line, counted

if TYPE_CHECKING:
    from jmuz_magic.recordings.recording import Recording

__all__ = ["RecordOptions", "jmuz_record"]

SAYS: dict[ReplayMode, str] = {
    "auto": "recorded replies are replayed; other prompts are sent and their replies recorded",
    "only": "all replies come from it; no endpoint is asked",
    "off": "not in use; neither read nor written",
}


@dataclass(frozen=True, eq=False, repr=False)
class RecordOptions(Options):
    """The options of `%jmuz_record`."""

    file: str | None = option(
        "FILE.jmuz.jsonl", "where replies are recorded; default: the one in use", completes="file"
    )
    auto: bool = option("--auto", "replay, and record what is missing")
    only: bool = option("--only", "replay; never ask an endpoint")
    off: bool = option("--off", "neither replay nor record")

    @property
    def modes(self) -> list[ReplayMode]:
        """The modes that the user gives, of which there should be at most one."""
        given: dict[ReplayMode, bool] = {"auto": self.auto, "only": self.only, "off": self.off}
        return [mode for mode, wanted in given.items() if wanted]


@magic(RecordOptions)
def jmuz_record(session: Session, options: RecordOptions) -> None:
    """Record replies, or replay them; without arguments, show what is in use."""
    if len(options.modes) > 1:
        raise jmuz_record.parser.refusal(f"--{options.modes[0]} and --{options.modes[1]} cannot be combined")
    with usage_errors():
        if options.file or options.modes:
            _use(session, options.file, options.modes[0] if options.modes else None)
        recording = get_recording()
    if recording is None:
        session.say("no recording is in use; %jmuz_record FILE.jmuz.jsonl records and replays")
        return
    session.say(f"{recording.path.name}: {SAYS[recording.mode]}")
    if not (options.file or options.modes) and recording.mode != "off":
        _list_unused(session, recording)


def _use(session: Session, file: str | None, given: ReplayMode | None) -> None:
    path, mode = file or recording_path(), _mode(file, given)
    if path and mode != "only":
        open_recording(path, mode)  # if that is refused, nothing changes
    session.settings.use_recording(path, mode)
    if mode == "only":  # even if that is refused, nothing is sent
        _check_replay(path)


def _mode(file: str | None, given: ReplayMode | None) -> ReplayMode:
    """The mode that the user gives, else the current one; but naming a file ends `off`."""
    mode = given or recording_mode()
    return "auto" if file and not given and mode == "off" else mode


def _check_replay(path: str) -> None:
    problem = "" if path else "expected a file to replay, such as %jmuz_record chat.jmuz.jsonl --only"
    try:
        get_recording()
    except JmuzError as error:
        problem = problem or str(error)
    if problem:
        raise UsageError(f"%jmuz_record: {problem}; until then no endpoint is asked (%jmuz_record --off ends that)")


def _list_unused(session: Session, recording: Recording) -> None:
    from jmuz_magic.display.table import table_bundle

    if unused := recording.unused():
        session.say(f"{counted(len(unused), 'recorded reply', 'recorded replies')} not yet used:")
        rows = [
            (line.date, line.asked.model or line.reply.model, clean_line(line.asked.prompt, PROMPT)) for line in unused
        ]
        session.show(table_bundle(("date", "model", "prompt"), rows, ""))
