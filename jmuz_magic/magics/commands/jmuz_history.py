"""`%jmuz_history`: show or change what the next turn of a conversation will know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from IPython.core.error import UsageError

from jmuz_magic.magics.line.magic import magic
from jmuz_magic.magics.line.options import Options, option
from jmuz_magic.magics.session import MAIN, Session, usage_errors
from jmuz_magic.magics.wording import listed, lone_yes
from jmuz_magic.text import counted

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation

__all__ = ["HistoryOptions", "jmuz_history"]


@dataclass(frozen=True, eq=False, repr=False)
class HistoryOptions(Options):
    """The options of `%jmuz_history`."""

    name: str | None = option("NAME", "as given to --chat=NAME; default: main", completes="conversation")
    undo: bool = option(
        "--undo",
        "remove the last turn and restore what it replaced, or bring back what was cleared",
    )
    clear: bool = option("--clear", "remove all turns")
    export: str | None = option("--export FILE", "write it to a new file: .md, .ipynb or .json", completes="file")
    list: bool = option("--list", "list the conversations of this notebook that are in the log")
    all: bool = option("--all", "list those of all notebooks")
    search: tuple[str, ...] = option("--search WORD …", "list those whose turns contain all the words")
    delete: str | None = option("--delete ID", "delete one from the log, with all its turns, for good")
    yes: bool = option("--yes", "with --delete: do not ask")


@magic(HistoryOptions)
def jmuz_history(session: Session, options: HistoryOptions) -> None:
    """Show a conversation of this kernel, or change what its next turn will know; or list those of the log.

    %jmuz_chat --resume and %%jmuz --chat --resume go on with one of the log. Replies that were asked for without
    --chat are in no conversation: %jmuz_log --here lists all of this notebook.
    """
    _check(options)
    if options.delete or options.list or options.all or options.search:
        with usage_errors():
            _use_log(session, options)
        return
    conversation = _find(session, options.name or MAIN)
    if options.export or options.undo or options.clear:
        with usage_errors():
            _change(session, conversation, options)
    else:
        _show(session, conversation)


def _check(options: HistoryOptions) -> None:
    listing = {"--list": options.list, "--all": options.all, "--search": bool(options.search)}
    lists = [flag for flag, is_given in listing.items() if is_given][:1]  # those go together
    others = {"--undo": options.undo, "--clear": options.clear, "--export": bool(options.export)}
    given = [*lists, *(["--delete"] if options.delete else [])]
    given += [flag for flag, is_given in others.items() if is_given] if given else []
    if len(given) > 1:
        raise UsageError(f"%jmuz_history: {given[0]} and {given[1]} cannot be combined")
    if given and options.name:
        raise UsageError(f"%jmuz_history: {given[0]} takes no name of a conversation, got {options.name!r}")
    if options.yes and not options.delete:
        raise UsageError(lone_yes("%jmuz_history", "--delete"))


def _use_log(session: Session, options: HistoryOptions) -> None:
    from jmuz_magic.magics.logged import conversations_bundle, delete_logged

    if options.delete:
        delete_logged(session, options.delete, yes=options.yes)
    else:
        session.show(conversations_bundle(" ".join(options.search), everywhere=options.all))


def _find(session: Session, name: str) -> Conversation:
    known = session.conversations
    if name in known:
        return known[name]
    there = listed(sorted(known), "%%jmuz --chat starts one")
    raise UsageError(
        f"%jmuz_history: there is no conversation {name!r}; {there}; "
        "%jmuz_history --list shows those of the log, %jmuz_log --here all replies"
    )


def _change(session: Session, conversation: Conversation, options: HistoryOptions) -> None:
    from jmuz_magic.conversation.branches import undone_words
    from jmuz_magic.conversation.export import write_export
    from jmuz_magic.display.bundle import reply_bundle

    if options.export:  # before anything is removed, so that nothing is lost
        session.say(f"written: {write_export(conversation, options.export, reply_bundle)}")
    if options.undo:
        before = conversation.transcript
        session.say(undone_words(conversation.undo(), before, conversation.transcript))
    if options.clear:
        count = len(conversation.transcript)
        conversation.clear()
        session.say(f"{counted(count, 'turn')} removed")


def _show(session: Session, conversation: Conversation) -> None:
    from jmuz_magic.content import described
    from jmuz_magic.conversation.history import noted
    from jmuz_magic.display.transcript import transcript_bundle, turn_bundle

    turns = [
        turn_bundle(described(turn.prompt), turn.reply, str(turn.error) if turn.error else None, note)
        for turn, note in noted(conversation.transcript)
    ]
    session.show(transcript_bundle(turns))
