"""`%%jmuz`: one question to a model, its reply in the cell's output."""

from __future__ import annotations

import argparse
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from traitlets import Bool, Enum, Float

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.conversation.turn import Turn
from jmuz_magic.display.view import View, make_view
from jmuz_magic.magics.asking import run_turn
from jmuz_magic.magics.options import MagicParser, documented_by, read_question
from jmuz_magic.magics.session import Session, usage_errors

__all__ = ["JmuzMagics"]


ASK = MagicParser(
    "%jmuz",
    """Ask a chat model; the reply streams into the cell's output and is kept as `_jmuz`.

    Options come first; from the first word that is no option on, all is the question, as it stands.
    """,
)
ASK.add_argument("-m", "--model", metavar="MODEL", help="id or alias; default: the selected one (%%jmuz_use)")
ASK.add_argument("-p", "--provider", metavar="PROVIDER", help="a known endpoint, such as openai or ollama")
ASK.add_argument("-s", "--system", metavar="TEXT", help="the system message")
ASK.add_argument("-t", "--temperature", metavar="NUMBER", type=float, help="0 is the most predictable")
ASK.add_argument("--max-tokens", metavar="N", type=int, help="most tokens of the reply")
ASK.add_argument("--no-stream", action="store_true", help="ask for the reply in one piece")
ASK.add_argument("--no-reasoning", action="store_true", help="do not show what the model thinks first")
ASK.add_argument("--timeout", metavar="SECONDS", type=float, help="from the request to the first data")


@magics_class
class JmuzMagics(Magics):
    """`%%jmuz` and its settings: `%config JmuzMagics` shows them."""

    display = Enum(["auto", "html", "text"], "auto", help="how replies are shown").tag(config=True)
    show_reasoning = Bool(True, help="show what a model thinks before its reply, folded").tag(config=True)
    timeout = Float(600.0, min=0.1, help="seconds from the request to the first data").tag(config=True)

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell)
        self.session = session

    @no_var_expand
    @line_cell_magic
    @documented_by(ASK)
    def jmuz(self, line: str, cell: str = "") -> None:
        target, options, question = read_question(ASK, line, cell)
        if not question.strip():
            raise UsageError("%jmuz: expected a question, got nothing; write it behind %jmuz or below %%jmuz")
        turn = self._turn(options, question)
        reply = run_turn(self.session, turn, self._view(options))
        if target:
            self.session.bind(target, reply)

    def _turn(self, options: argparse.Namespace, question: str) -> Turn:
        with usage_errors():
            endpoint = self.session.endpoint(options.provider)
            conversation = Conversation(system=options.system)
            return conversation.turn(
                question,
                endpoint=endpoint,
                model=options.model,
                stream=not options.no_stream,
                temperature=options.temperature,
                max_tokens=options.max_tokens,
                timeout=options.timeout or self.timeout,
            )

    def _view(self, options: argparse.Namespace) -> View:
        show_reasoning = self.show_reasoning and not options.no_reasoning
        return make_view(self.display, shell=self.shell, show_reasoning=show_reasoning)
