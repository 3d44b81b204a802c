"""`%jmuz_log`: what was asked and answered, kept on this machine only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from IPython.core.error import UsageError

from jmuz_magic.content import described
from jmuz_magic.log.log import exchange_log
from jmuz_magic.magics.line.magic import magic
from jmuz_magic.magics.line.options import Options, option
from jmuz_magic.magics.line.values import whole_number
from jmuz_magic.magics.session import Session, usage_errors
from jmuz_magic.magics.wording import PROMPT, lone_yes
from jmuz_magic.text import clean_line, counted, minute

if TYPE_CHECKING:
    from jmuz_magic.log.exchange import Exchange

__all__ = ["LogOptions", "jmuz_log"]

GONE = "the kernel died mid-reply; this is what had arrived"
STREAMING = "still streaming; this is what has arrived so far"
HEADINGS = ("id", "asked", "notebook", "state", "model", "prompt")
SHOWN = 20  # turns, unless -n says otherwise
NO_NUMBER = 0  # exchanges are counted from 1


def _number(text: str) -> int:
    """The number of an exchange; `NO_NUMBER` if the line gives none."""
    return whole_number(text) if text else NO_NUMBER


@dataclass(frozen=True, eq=False, repr=False)
class LogOptions(Options):
    """The options of `%jmuz_log`."""

    id: str | None = option("ID|last", "show one exchange: its whole prompt, as it was sent, and the reply")
    n: int | None = option("-n N", f"how many; default: {SHOWN}", read=whole_number)
    here: bool = option("--here", "what was asked in this notebook, or if its name is unknown in this kernel")
    search: tuple[str, ...] = option("--search WORD …", "those whose prompt or reply contains all the words")
    show: str | None = option("--show ID|last", "display a reply again as its cell did; of several requests, all")
    export: str | None = option("--export FILE.jsonl", "write all exchanges to a new JSON Lines file", completes="file")
    delete: int | None = option(
        "--delete [ID]", "delete an exchange for good, with the others of its turn", read=_number, absent=""
    )
    before: str | None = option(
        "--before DATE", "with --delete instead of ID: all exchanges asked before a day, such as 2025-12-31"
    )
    yes: bool = option("--yes", "with --delete --before: do not ask, even if that is all of the log")


@magic(LogOptions)
def jmuz_log(session: Session, options: LogOptions) -> None:
    """List what was asked, newest first: in all notebooks, or with --here in this one. Only you can read the log."""
    _check(options)
    with usage_errors():
        if options.id is not None:
            _show_requests(session, exchange_log.turn(options.id))
        elif options.show is not None:
            _show(session, exchange_log.turn(options.show))
        elif options.export is not None:
            session.say(f"{counted(exchange_log.export(options.export), 'exchange')} written")
        elif options.delete is not None:
            _delete(session, options)
        else:
            _list(session, options)


def _check(options: LogOptions) -> None:
    _check_before(options)
    given = ["ID"] if options.id is not None else []
    given += [f"--{name}" for name in ("show", "export", "delete") if getattr(options, name) is not None]
    listing = {"--search": bool(options.search), "--here": options.here, "-n": options.n is not None}
    given += [flag for flag, is_given in listing.items() if is_given][:1]  # those go together
    if len(given) > 1:
        raise UsageError(f"%jmuz_log: {given[0]} and {given[1]} cannot be combined")
    if options.n is not None and options.n < 1:
        raise UsageError(f"%jmuz_log: -n: expected a whole number of at least 1, got {options.n}")


def _check_before(options: LogOptions) -> None:
    """`--before` only says what `--delete` deletes: alone it reads like a filter, though it deleted in 0.1."""
    if options.before is not None and options.delete is None:
        raise UsageError(
            "%jmuz_log: --before only says what to delete; nothing was deleted: "
            f"to delete all exchanges asked before that day, write --delete --before {clean_line(options.before, 40)}"
        )
    if options.yes and options.before is None:
        raise UsageError(lone_yes("%jmuz_log", "--delete --before DATE"))
    if options.delete is not None and (options.delete == NO_NUMBER) == (options.before is None):
        raise UsageError("%jmuz_log: --delete: expected either an exchange's number or --before DATE")


def _show(session: Session, turn: tuple[Exchange, ...]) -> None:
    from jmuz_magic.display.bundle import reply_bundle
    from jmuz_magic.display.pictures import image_bundles

    if len(turn) > 1:
        _show_requests(session, turn)
        return
    reply, as_outputs, error = turn[0].reply, session.is_kernel, _error_of(turn[0])
    bundle = reply_bundle(
        reply,
        show_reasoning=session.settings.show_reasoning,
        show_footer=session.settings.show_footer,
        error=error,
        images_shown=as_outputs,
    )
    for shown in (bundle, *(image_bundles(reply.images) if as_outputs else ())):
        session.show(shown)


def _show_requests(session: Session, turn: tuple[Exchange, ...]) -> None:
    """Show each request of a turn: what it added to the messages, and the reply to it."""
    from jmuz_magic.display.transcript import transcript_bundle, turn_bundle

    shown, known = [], 0
    for number, each in enumerate(turn, 1):
        added = [message for message in each.messages[known:] if message["role"] != "assistant"]
        said = "\n".join(f"{message['role']}: {described(message)}" for message in added) if known else _prompt(each)
        note = f"request {number} of {len(turn)}" if len(turn) > 1 else ""
        shown.append(turn_bundle(said, each.reply, _error_of(each), note))
        known = len(each.messages)
    session.show(transcript_bundle(shown))


def _prompt(exchange: Exchange) -> str:
    """The whole prompt, with a line for each file."""
    asked = exchange.messages[-1:]
    return described(asked[0]) if asked and asked[0]["role"] == "user" else exchange.prompt


def _error_of(exchange: Exchange) -> str | None:
    if exchange.state == "streaming":
        return GONE if exchange.gone else STREAMING
    return exchange.error if exchange.state == "failed" else None


def _delete(session: Session, options: LogOptions) -> None:
    if options.before is not None:
        moment = _day(options.before)
        if not options.yes:
            _ask_before_all_goes(moment)
        count = exchange_log.delete_before(moment)
    else:
        count = exchange_log.delete(options.delete or NO_NUMBER)
        if not count:
            raise UsageError(f"%jmuz_log: the log has no exchange {options.delete}")
    session.say(f"{counted(count, 'exchange')} deleted")


def _ask_before_all_goes(moment: datetime) -> None:
    """Ask if nothing was asked since: a day that has not come yet is more often a slip than a wish."""
    from jmuz_magic.magics.resuming import confirm

    for last in exchange_log.rows(1):
        asked_at = last.asked_at if moment.tzinfo else last.asked_at.astimezone().replace(tzinfo=None)
        if asked_at < moment:
            said = f"that is all of the log, up to {minute(last.asked_at)}; delete it for good?"
            confirm(said, "nothing was deleted")


def _day(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"%jmuz_log: --before: expected a day such as 2025-12-31, got {text!r}") from None


def _list(session: Session, options: LogOptions) -> None:
    from jmuz_magic.display.table import table_bundle

    words = " ".join(options.search)
    turns = exchange_log.turns(words, SHOWN if options.n is None else options.n, here=options.here)
    rows = list(map(_row, turns))
    columns = list(HEADINGS)
    if options.here or not any(row["notebook"] for row in rows):
        columns.remove("notebook")
    shown = [[row[column] for column in columns] for row in rows]
    session.show(table_bundle(columns, shown, _nothing(words, options.here)))


def _row(turn: tuple[Exchange, ...]) -> dict[str, str]:
    first, last = turn[0], turn[-1]
    requests = sum(each.requests for each in turn)
    state = "kernel died" if last.gone else last.state
    return {
        "id": str(first.id),
        "asked": minute(first.asked_at),
        "notebook": first.notebook or "",
        "state": f"{state}, {requests} requests" if requests > 1 else state,
        "model": first.model,
        "prompt": clean_line(first.typed, PROMPT),
    }


def _nothing(words: str, here: bool) -> str:
    if words:
        return f"no {'exchange of this notebook' if here else 'logged exchange'} contains {words!r}"
    return "nothing was asked in this notebook yet" if here else "nothing is logged yet"
