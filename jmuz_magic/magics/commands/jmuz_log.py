"""`%jmuz_log` and `%jmuz_record`: what was said, and what is kept so that a notebook runs again the same."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from jmuz_magic.errors import JmuzError
from jmuz_magic.log.log import exchange_log
from jmuz_magic.magics.line.parser import MagicParser, documented_by, read_arguments
from jmuz_magic.magics.session import Session, usage_errors
from jmuz_magic.recordings.replaying import (
    ReplayMode,
    get_recording,
    open_recording,
    read_mode,
    recording_mode,
    recording_path,
)
from jmuz_magic.text import clean_line

if TYPE_CHECKING:
    from jmuz_magic.log.exchange import Exchange
    from jmuz_magic.recordings.recording import Recording

__all__ = ["LogbookMagics"]

LOG = MagicParser("%jmuz_log", "List the latest exchanges, newest first; they are logged for you alone.")
LOG.add_argument("-n", metavar="N", type=int, help="how many; default: 20")
LOG.add_argument("--search", nargs="+", metavar="WORD", help="those whose prompt or reply holds all the words")
LOG.add_argument("--show", metavar="ID|last", help="display a reply again as its cell did")
LOG.add_argument("--export", metavar="FILE.jsonl", help="write all exchanges to a new file of JSON lines")
LOG.add_argument("--delete", metavar="ID", type=int, help="delete an exchange for good")
LOG.add_argument("--before", metavar="DATE", help="delete all exchanges asked before a day, such as 2025-12-31")

RECORD = MagicParser("%jmuz_record", "Record replies, or replay them; without arguments, say what is in use.")
RECORD.add_argument("file", nargs="?", metavar="FILE.jmuz.jsonl", help="where replies are recorded; default: as before")
MODES = RECORD.add_mutually_exclusive_group()
MODES.add_argument("--auto", action="store_const", dest="mode", const="auto", help="replay, and record what is missing")
MODES.add_argument("--only", action="store_const", dest="mode", const="only", help="replay; never ask an endpoint")
MODES.add_argument("--off", action="store_const", dest="mode", const="off", help="neither replay nor record")

GONE = "the kernel died mid-reply; this is what had arrived"
PROMPT = 60  # characters of a prompt in a list
SAYS = {
    "auto": "recorded replies are shown again, others are asked for and recorded",
    "only": "replies come from it alone, no endpoint is asked",
    "off": "not in use; neither read nor written",
}


@magics_class
class LogbookMagics(Magics):
    """The exchange log and recordings."""

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell)
        self.session = session

    @no_var_expand
    @line_magic
    @documented_by(LOG)
    def jmuz_log(self, line: str) -> None:
        options = read_arguments(LOG, line)
        _check(options)
        with usage_errors():
            if options.show is not None:
                self._show(exchange_log.get(options.show))
            elif options.export is not None:
                self.session.say(f"{_count(exchange_log.export(options.export), 'exchange')} written")
            elif options.delete is not None or options.before is not None:
                self._delete(options)
            else:
                self._list(" ".join(options.search or ()), 20 if options.n is None else options.n)

    @no_var_expand
    @line_magic
    @documented_by(RECORD)
    def jmuz_record(self, line: str) -> None:
        options = read_arguments(RECORD, line)
        with usage_errors():
            if options.file or options.mode:
                self._use(options.file, options.mode)
            recording = get_recording()
        if recording is None:
            self.session.say("no recording is in use; %jmuz_record FILE.jmuz.jsonl records and replays")
            return
        self.session.say(f"{recording.path.name}: {SAYS[recording.mode]}")
        if not (options.file or options.mode) and recording.mode != "off":
            self._list_unused(recording)

    def _use(self, file: str | None, word: str | None) -> None:
        settings = self.session.keeping
        assert settings is not None  # loaded before this magic
        path, mode = file or recording_path(), _mode(file, word)
        if path and mode != "only":
            open_recording(path, mode)  # where that is refused, all stays as it was
        settings.use_recording(path, mode)
        if mode == "only":  # where that is refused, nothing is asked all the same
            _check_replay(path)

    def _list_unused(self, recording: Recording) -> None:
        unused = recording.unused()
        if unused:
            self.session.say(f"{_count(len(unused), 'recorded reply', 'recorded replies')} not yet used:")
            rows = [(line.date, line.asked.model, clean_line(line.asked.prompt, PROMPT)) for line in unused]
            self._table(("date", "model", "prompt"), rows)

    def _list(self, words: str, limit: int) -> None:
        exchanges = exchange_log.search(words, limit)
        rows = [
            (
                str(each.id),
                f"{each.asked_at.astimezone():%Y-%m-%d %H:%M}",
                _state(each),
                each.model,
                clean_line(each.prompt, PROMPT),
            )
            for each in exchanges
        ]
        empty = f"no logged exchange holds {words!r}" if words else "nothing is logged yet"
        self._table(("id", "asked", "state", "model", "prompt"), rows, empty)

    def _show(self, exchange: Exchange) -> None:
        from jmuz_magic.display.pictures import image_bundles
        from jmuz_magic.display.reply import reply_bundle

        error = exchange.error if exchange.state == "failed" else None
        if exchange.state == "streaming":
            error = GONE if exchange.gone else "still streaming; this is what has arrived so far"
        settings = self.session.keeping
        show_reasoning = settings is None or settings.show_reasoning
        reply, as_outputs = exchange.reply, self.session.is_kernel
        bundle = reply_bundle(reply, show_reasoning=show_reasoning, error=error, images_shown=as_outputs)
        for shown in (bundle, *(image_bundles(reply.images) if as_outputs else ())):
            self.session.show(shown)

    def _delete(self, options: argparse.Namespace) -> None:
        if options.delete is not None:
            count = int(exchange_log.delete(options.delete))
            if not count:
                raise UsageError(f"%jmuz_log: there is no exchange {options.delete}")
        else:
            count = exchange_log.delete_before(_moment(options.before))
        self.session.say(f"{_count(count, 'exchange')} deleted")

    def _table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], empty: str = "") -> None:
        from jmuz_magic.display.table import table_bundle

        self.session.show(table_bundle(headings, rows, empty))


def _mode(file: str | None, word: str | None) -> ReplayMode:
    """What was typed, else as before; but naming a file ends `off`."""
    mode = read_mode(word) if word else recording_mode()
    return "auto" if file and not word and mode == "off" else mode


def _check_replay(path: str) -> None:
    problem = "" if path else "expected a file to replay, such as chat.jmuz.jsonl --only"
    try:
        get_recording()
    except JmuzError as error:
        problem = problem or str(error)
    if problem:
        raise UsageError(f"%jmuz_record: {problem}; until then no endpoint is asked (%jmuz_record --off ends that)")


def _check(options: argparse.Namespace) -> None:
    asked = [name for name in ("show", "export", "delete", "before") if getattr(options, name) is not None]
    if options.search is not None or options.n is not None:
        asked.append("search" if options.search is not None else "n")
    if len(asked) > 1:
        raise UsageError(f"%jmuz_log: --{asked[0]} and --{asked[1]} do not go together; give one of them")
    if options.n is not None and options.n < 1:
        raise UsageError(f"%jmuz_log: -n: expected a number of exchanges, at least 1, got {options.n}")


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"%jmuz_log: --before: expected a day such as 2025-12-31, got {text!r}") from None


def _state(exchange: Exchange) -> str:
    return "kernel ended" if exchange.gone else exchange.state


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
