"""`%%jmuz`: one question to a model, its reply in the cell's output."""

from __future__ import annotations

import argparse
from typing import cast

from IPython.core.error import UsageError
from IPython.core.magic import line_cell_magic, magics_class, no_var_expand

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.conversation.turn import Turn
from jmuz_magic.display.reply import usage_line
from jmuz_magic.display.view import Kind, View, make_view
from jmuz_magic.magics.asking import run_turn
from jmuz_magic.magics.code import take_code
from jmuz_magic.magics.jobs import Job, start_job
from jmuz_magic.magics.options import MagicParser, documented_by, read_question
from jmuz_magic.magics.session import MAIN, usage_errors
from jmuz_magic.magics.settings import Settings
from jmuz_magic.messages import Reply

__all__ = ["ASK", "JmuzMagics"]


ASK = MagicParser(
    "%jmuz",
    """Ask a chat model; the reply streams into the cell's output and is kept as `_jmuz`.

    Options come first; from the first word that is no option on, all is the question, as it stands.
    """,
    takes_question=True,
)
ASK.add_argument("-m", "--model", metavar="MODEL", help="id or alias; default: the selected one (%%jmuz_use)")
ASK.add_argument("-p", "--provider", metavar="PROVIDER", help="a known endpoint, such as openai or ollama")
ASK.add_argument("-s", "--system", metavar="TEXT", help="the system message")
ASK.add_argument("-t", "--temperature", metavar="NUMBER", type=float, help="0 is the most predictable")
ASK.add_argument("--max-tokens", metavar="N", type=int, help="most tokens of the reply")
ASK.add_argument("-c", "--chat", nargs="?", const=MAIN, metavar="NAME", help="join a conversation, by default main")
ASK.add_argument("--new", action="store_true", help="start that conversation afresh")
ASK.add_argument(
    "-x",
    "--code",
    nargs="?",
    const="",
    metavar="LANG",
    help="keep the reply's code as _jmuz_code: Python's, LANG's, or all",
)
ASK.add_argument("--next", action="store_true", help="with -x: put the code into a new cell below; it is not run")
ASK.add_argument("-u", "--usage", action="store_true", help="show tokens, seconds and tokens per second")
ASK.add_argument("--quiet", action="store_true", help="show nothing")
ASK.add_argument("--background", action="store_true", help="return a job at once; the reply streams meanwhile")
ASK.add_argument("--no-stream", action="store_true", help="ask for the reply in one piece")
ASK.add_argument("--no-reasoning", action="store_true", help="do not show what the model thinks first")
ASK.add_argument("--timeout", metavar="SECONDS", type=float, help="from the request to the first data")
SENT = ("temperature", "max_tokens", "timeout")
"""Options that a request takes along where they are given; else what the alias or the selection says holds."""


@magics_class
class JmuzMagics(Settings):
    """`%%jmuz` and its settings: `%config JmuzMagics` shows them."""

    @no_var_expand
    @line_cell_magic
    @documented_by(ASK)
    def jmuz(self, line: str, cell: str = "") -> Job | None:
        target, options, question = read_question(ASK, line, cell)
        _check(options, question)
        turn = self._turn(options, question)
        self.session.announce(turn)
        if options.background:
            return self._start(turn, options, target)
        reply = run_turn(self.session, turn, self._view(options))
        if target:
            self.session.bind(target, reply)
        self._after(reply, options)
        return None

    def _start(self, turn: Turn, options: argparse.Namespace, target: str | None) -> Job | None:
        job = start_job(self.session, turn, show_reasoning=self._shows_reasoning(options))
        if target is None:
            return job
        self.session.bind(target, job)
        return None

    def _after(self, reply: Reply, options: argparse.Namespace) -> None:
        if options.usage:
            self.session.say(usage_line(reply))
        if options.code is not None:
            take_code(self.session, reply, options.code, insert=options.next)

    def _conversation(self, options: argparse.Namespace) -> Conversation:
        system = self.system if options.system is None else options.system
        if options.chat is None:
            return Conversation(system=system)
        is_new = options.chat not in self.session.conversations
        conversation = self.session.conversation(options.chat)
        if options.new:
            conversation.clear()
        if options.system is not None or is_new:
            conversation.configure(system=system)
        return conversation

    def _turn(self, options: argparse.Namespace, question: str) -> Turn:
        sent = {name: value for name in SENT if (value := getattr(options, name)) is not None}
        with usage_errors():
            target = self.session.target(options.model, options.provider)
            conversation = self._conversation(options)
            return conversation.turn(
                question,
                endpoint=target.endpoint,
                model=target.model,
                stream=not options.no_stream,
                **{"timeout": self.timeout, **target.options, **sent},
            )

    def _view(self, options: argparse.Namespace) -> View:
        kind = cast("Kind", "quiet" if options.quiet else self.display)
        return make_view(kind, shell=self.shell, show_reasoning=self._shows_reasoning(options))

    def _shows_reasoning(self, options: argparse.Namespace) -> bool:
        return self.show_reasoning and not options.no_reasoning


def _check(options: argparse.Namespace, question: str) -> None:
    if not question.strip():
        raise UsageError("%jmuz: expected a question, got nothing; write it behind %jmuz or below %%jmuz")
    if options.next and options.code is None:
        raise UsageError("%jmuz: --next says where code goes; add -x to take it from the reply")
    if options.new and options.chat is None:
        raise UsageError("%jmuz: --new starts a conversation afresh; add --chat or --chat=NAME to say which")
    if options.background and (options.code is not None or options.usage or options.quiet):
        raise UsageError("%jmuz: -x, -u and --quiet need the reply; use job.result(), or leave --background out")
