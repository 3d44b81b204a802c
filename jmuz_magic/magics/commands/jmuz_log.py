"""`%jmuz_log`: what was asked and answered, kept on this machine only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from IPython.core.error import UsageError

from jmuz_magic.log.log import exchange_log
from jmuz_magic.magics.line.magic import magic
from jmuz_magic.magics.line.options import Options, option
from jmuz_magic.magics.line.values import whole_number
from jmuz_magic.magics.session import Session, usage_errors
from jmuz_magic.magics.wording import PROMPT, counted
from jmuz_magic.text import clean_line

if TYPE_CHECKING:
    from jmuz_magic.log.exchange import Exchange

__all__ = ["LogOptions", "jmuz_log"]

GONE = "the kernel died mid-reply; this is what had arrived"
STREAMING = "still streaming; this is what has arrived so far"
SHOWN = 20  # exchanges, unless -n says otherwise


@dataclass(frozen=True)
class LogOptions(Options):
    """The options of `%jmuz_log`."""

    n: int | None = option("-n N", f"how many; default: {SHOWN}", read=whole_number)
    search: tuple[str, ...] = option("--search WORD …", "those whose prompt or reply contains all the words")
    show: str | None = option("--show ID|last", "display a reply again as its cell did")
    export: str | None = option("--export FILE.jsonl", "write all exchanges to a new JSON Lines file", completes="file")
    delete: int | None = option("--delete ID", "delete an exchange for good", read=whole_number)
    before: str | None = option("--before DATE", "delete all exchanges asked before a day, such as 2025-12-31")


@magic(LogOptions)
def jmuz_log(session: Session, options: LogOptions) -> None:
    """List the latest exchanges, newest first; only you can read the log."""
    _check(options)
    with usage_errors():
        if options.show is not None:
            _show(session, exchange_log.get(options.show))
        elif options.export is not None:
            session.say(f"{counted(exchange_log.export(options.export), 'exchange')} written")
        elif options.delete is not None or options.before is not None:
            _delete(session, options)
        else:
            _list(session, " ".join(options.search), SHOWN if options.n is None else options.n)


def _check(options: LogOptions) -> None:
    given = [name for name in ("show", "export", "delete", "before") if getattr(options, name) is not None]
    if options.search or options.n is not None:
        given.append("search" if options.search else "n")
    if len(given) > 1:
        raise UsageError(f"%jmuz_log: --{given[0]} and --{given[1]} exclude each other")
    if options.n is not None and options.n < 1:
        raise UsageError(f"%jmuz_log: -n: expected a whole number of at least 1, got {options.n}")


def _show(session: Session, exchange: Exchange) -> None:
    from jmuz_magic.display.pictures import image_bundles
    from jmuz_magic.display.reply import reply_bundle

    error = exchange.error if exchange.state == "failed" else None
    if exchange.state == "streaming":
        error = GONE if exchange.gone else STREAMING
    reply, as_outputs = exchange.reply, session.is_kernel
    bundle = reply_bundle(reply, show_reasoning=session.settings.show_reasoning, error=error, images_shown=as_outputs)
    for shown in (bundle, *(image_bundles(reply.images) if as_outputs else ())):
        session.show(shown)


def _delete(session: Session, options: LogOptions) -> None:
    if options.delete is not None:
        count = int(exchange_log.delete(options.delete))
        if not count:
            raise UsageError(f"%jmuz_log: the log has no exchange {options.delete}")
    else:
        count = exchange_log.delete_before(_day(options.before or ""))
    session.say(f"{counted(count, 'exchange')} deleted")


def _day(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"%jmuz_log: --before: expected a day such as 2025-12-31, got {text!r}") from None


def _list(session: Session, words: str, limit: int) -> None:
    from jmuz_magic.display.table import table_bundle

    rows = [
        (
            str(each.id),
            f"{each.asked_at.astimezone():%Y-%m-%d %H:%M}",
            "kernel died" if each.gone else each.state,
            each.model,
            clean_line(each.prompt, PROMPT),
        )
        for each in exchange_log.search(words, limit)
    ]
    empty = f"no logged exchange contains {words!r}" if words else "nothing is logged yet"
    session.show(table_bundle(("id", "asked", "state", "model", "prompt"), rows, empty))
