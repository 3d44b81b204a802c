"""`%jmuz_history`: what the next turn of a named conversation will know, and how to change that."""

from __future__ import annotations

import argparse
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.conversation.turn import Turn
from jmuz_magic.magics.line.parser import MagicParser, documented_by, read_arguments
from jmuz_magic.magics.session import MAIN, Session, usage_errors
from jmuz_magic.magics.wording import listed

__all__ = ["HISTORY", "ConversationMagics"]

HISTORY = MagicParser("%jmuz_history", "Show a conversation, or change what its next turn will know.")
HISTORY.add_argument("name", nargs="?", metavar="NAME", help="as given to --chat=NAME; default: main")
HISTORY.add_argument("--undo", action="store_true", help="remove the last turn; a turn that it replaced comes back")
HISTORY.add_argument("--clear", action="store_true", help="remove all turns")
HISTORY.add_argument("--export", metavar="FILE", help="write it to a new file: .md, .ipynb or .json")


@magics_class
class ConversationMagics(Magics):
    """Conversations by name."""

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell)
        self.session = session

    @no_var_expand
    @line_magic
    @documented_by(HISTORY)
    def jmuz_history(self, line: str) -> None:
        options = read_arguments(HISTORY, line)
        conversation = self._find(options.name or MAIN)
        if options.export or options.undo or options.clear:
            with usage_errors():
                self._change(conversation, options)
        else:
            self._show(conversation)

    def _find(self, name: str) -> Conversation:
        known = self.session.conversations
        if name in known:
            return known[name]
        there = listed(sorted(known), "%%jmuz --chat starts one")
        raise UsageError(f"%jmuz_history: there is no conversation {name!r}; {there}")

    def _change(self, conversation: Conversation, options: argparse.Namespace) -> None:
        from jmuz_magic.conversation.export import write_export
        from jmuz_magic.display.reply import reply_bundle

        if options.export:  # before anything is taken out: nothing is lost
            self.session.say(f"written: {write_export(conversation, options.export, reply_bundle)}")
        if options.undo:
            self.session.say(_undone(conversation.undo()))
        if options.clear:
            count = len(conversation.transcript)
            conversation.clear()
            self.session.say(f"{count} turn{'' if count == 1 else 's'} removed")

    def _show(self, conversation: Conversation) -> None:
        from jmuz_magic.content import described
        from jmuz_magic.conversation.history import noted
        from jmuz_magic.display.transcript import Shown, transcript_bundle

        turns = (
            Shown(described(turn.prompt), turn.reply, str(turn.error) if turn.error else None, note)
            for turn, note in noted(conversation.transcript)
        )
        self.session.show(transcript_bundle(turns))


def _undone(turn: Turn | None) -> str:
    if turn is None:
        return "there is no turn to remove"
    if turn.replaced:
        return "the last turn was removed; the reply that it replaced is back"
    return "the last turn, which failed, was removed" if turn.state == "failed" else "the last turn was removed"
