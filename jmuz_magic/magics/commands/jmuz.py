"""`%%jmuz`: one question to a model, its reply in the cell's output."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, cast

from IPython.core.error import UsageError
from IPython.core.magic import line_cell_magic, line_magic, magics_class, no_var_expand

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.conversation.turn import Turn
from jmuz_magic.display.reply import usage_line
from jmuz_magic.display.views.make import Kind, make_view
from jmuz_magic.display.views.view import View
from jmuz_magic.magics.commands.jmuz_insert import take_code
from jmuz_magic.magics.keeping import Keeping
from jmuz_magic.magics.line.parser import AsTyped, MagicParser, cell_count, documented_by, read_question
from jmuz_magic.magics.line.values import seconds, temperature, token_count
from jmuz_magic.magics.prompt.limits import MAX_CONTEXT, MAX_IMAGE_BYTES
from jmuz_magic.magics.prompt.scope import scope_of_caller
from jmuz_magic.magics.running.background import Job, start_job
from jmuz_magic.magics.running.foreground import run_turn
from jmuz_magic.magics.session import MAIN, usage_errors
from jmuz_magic.messages import Message, Reply
from jmuz_magic.providers.endpoint.endpoint import Endpoint
from jmuz_magic.request.alias import Alias
from jmuz_magic.request.place import find_place
from jmuz_magic.secret import Secret

__all__ = ["ASK", "JmuzMagics"]


ASK = MagicParser(
    "%jmuz",
    """Ask a chat model; the reply streams into the cell's output and is kept as `_jmuz`.

    Options come first; the first word that is not an option starts the prompt, which is sent verbatim. Only
    {{expressions}} of the notebook are replaced by their values: in the prompt, in -s and in the values of options.
    """,
    takes_question=True,
)
ASK.add_argument("-m", "--model", metavar="MODEL", help="id or alias; default: the selected one (%%jmuz_use)")
ASK.add_argument("-p", "--provider", metavar="PROVIDER", help="a known endpoint, such as openai or ollama")
ASK.add_argument("-s", "--system", metavar="TEXT", help="the system message")
ASK.add_argument(
    "-t", "--temperature", metavar="NUMBER", type=temperature, action=AsTyped, help="0 is the most predictable"
)
ASK.add_argument("--max-tokens", metavar="N", type=token_count, action=AsTyped, help="most tokens of the reply")
ASK.add_argument(
    "-c",
    "--chat",
    nargs="?",
    const=MAIN,
    metavar="NAME",
    help="join a conversation, by default main; another as --chat=NAME",
)
ASK.add_argument("--new", action="store_true", help="start that conversation afresh")
ASK.add_argument(
    "-x",
    "--code",
    nargs="?",
    const="",
    metavar="LANG",
    help="keep the reply's code as _jmuz_code: Python's, as --code=LANG that language's, or all",
)
ASK.add_argument("--next", action="store_true", help="with -x: put the code into a new cell below; it is not run")
ASK.add_argument("-u", "--usage", action="store_true", help="show tokens, seconds and tokens per second")
ASK.add_argument("--quiet", action="store_true", help="show nothing")
ASK.add_argument("--background", action="store_true", help="return a job at once; the reply streams meanwhile")
ASK.add_argument("--no-stream", action="store_true", help="ask for the reply in one piece")
ASK.add_argument("--no-reasoning", action="store_true", help="do not show what the model thinks first")
ASK.add_argument("--timeout", metavar="SECONDS", type=seconds, help="wait that long for the first and for further data")
ASK.add_argument(
    "-o",
    "--option",
    nargs=2,
    action="append",
    default=[],
    metavar=("KEY", "VALUE"),
    help="sent in the request as it is, JSON or text; repeatable",
)
ASK.add_argument(
    "-a",
    "--attach",
    action="append",
    default=[],
    metavar="PATH|VARIABLE",
    help=f"send an image, a figure or an image file (at most {MAX_IMAGE_BYTES >> 20} MiB); repeatable",
)
ASK.add_argument(
    "--context",
    type=cell_count,
    metavar="prev|N|all",
    help=f"send earlier cells along, keys masked (at most {MAX_CONTEXT:,} characters)",
)
ASK.add_argument("--raw", action="store_true", help="leave {{expressions}} as they stand, for LaTeX and templates")
ASK.add_argument("--fresh", action="store_true", help="ask even where the recording in use has the reply; replace it")
ASK.add_argument("--dry-run", action="store_true", help="show the request instead of sending it")

FIX = MagicParser(
    "%jmuz_fix",
    """Ask about the last cell that failed: it is sent with its error, keys and the home directory masked.

    What follows the options is a hint for the model.
    """,
)
FIX.add_argument("-m", "--model", metavar="MODEL", help="id or alias; default: the selected one (%%jmuz_use)")
FIX.add_argument("-p", "--provider", metavar="PROVIDER", help="a known endpoint, such as openai or ollama")
FIX.add_argument("--next", action="store_true", help="put the corrected code into a new cell below; it is not run")
FIX.add_argument("--dry-run", action="store_true", help="show the request instead of sending it")

SENT = ("temperature", "max_tokens", "timeout")
"""Options that a request takes along where they are given; else what the alias or the selection says holds."""


@magics_class
class JmuzMagics(Keeping):
    """`%%jmuz` and its settings: `%config JmuzMagics` shows them."""

    @no_var_expand
    @line_cell_magic
    @documented_by(ASK)
    def jmuz(self, line: str, cell: str = "") -> Job | None:
        from jmuz_magic.magics.prompt.builder import PromptBuilder  # 12 ms, which loading need not pay

        target, options, question = read_question(ASK, line, cell)
        _check(options, question)
        scope = scope_of_caller(self.session.shell.user_ns)
        builder = PromptBuilder(self.session, ASK, options, scope=scope, max_bytes=self.max_prompt_bytes)
        endpoint, model = self._whom(options)
        message = builder.message(question, secrets=_secrets(endpoint))
        turn = self._turn(options, endpoint, model, message, builder.body(), builder.wording)
        return self._run(turn, options, target)

    @no_var_expand
    @line_magic
    @documented_by(FIX)
    def jmuz_fix(self, line: str) -> None:
        from jmuz_magic.magics.prompt.fix import build_fix

        target, asked, hint = read_question(FIX, line)
        options = argparse.Namespace(**{**vars(ASK.parse_args([])), **vars(asked), "code": "" if asked.next else None})
        failed = self.session.cells.failed
        if failed is None:
            raise UsageError("%jmuz_fix: no cell has failed since the extension was loaded")
        endpoint, model = self._whom(options)
        message: Message = {"role": "user", "content": build_fix(failed, hint, secrets=_secrets(endpoint))}
        self._run(self._turn(options, endpoint, model, message), options, target)

    def _run(self, turn: Turn, options: argparse.Namespace, target: str | None) -> Job | None:
        if options.dry_run:
            from jmuz_magic.magics.running.dry_run import describe_request

            with usage_errors():
                self.session.show(describe_request(turn.request))
            return None
        self.session.announce(turn)
        if options.background:
            return self._start(turn, options, target)
        reply = run_turn(self.session, turn, self._view(options, turn))
        if target:
            self.session.bind(target, reply)
        self._after(reply, options)
        return None

    def _start(self, turn: Turn, options: argparse.Namespace, target: str | None) -> Job | None:
        once = self.display == "once"
        job = start_job(self.session, turn, show_reasoning=self._shows_reasoning(options), once=once)
        if target is None:
            return job
        self.session.bind(target, job)
        return None

    def _after(self, reply: Reply, options: argparse.Namespace) -> None:
        if options.usage:
            self.session.say(usage_line(reply))
        if options.code is not None:
            take_code(self.session, reply, options.code, insert=options.next)

    def _whom(self, options: argparse.Namespace) -> tuple[Endpoint | None, Alias | str | None]:
        with usage_errors():
            return self.session.whom(options.model, options.provider)

    def _conversation(self, options: argparse.Namespace) -> Conversation:
        system = self.system if options.system is None else options.system
        if options.chat is None:
            return Conversation(system=system)
        known = self.session.conversations.get(options.chat)
        if options.dry_run:
            return _rehearsal(known, options, system)
        conversation = self.session.conversation(options.chat)
        if options.new:
            conversation.clear()
        if options.system is not None or known is None:
            conversation.configure(system=system)
        return conversation

    def _turn(
        self,
        options: argparse.Namespace,
        endpoint: Endpoint | None,
        model: Alias | str | None,
        message: Message,
        body: Mapping[str, Any] | None = None,
        wording: Message | None = None,
    ) -> Turn:
        sent = {name: value for name in SENT if (value := getattr(options, name)) is not None}
        if not (isinstance(model, Alias) and "timeout" in model.options):
            sent.setdefault("timeout", self.timeout)
        typed = {**getattr(options, "typed", {}), **{name: f"-o {name}" for name in body or ()}}
        with usage_errors():
            return self._conversation(options).turn(
                message,
                endpoint=endpoint,
                model=model,
                stream=not options.no_stream,
                place=find_place() if options.chat else None,
                wording=wording,
                fresh=options.fresh,
                typed=typed,
                **sent,
                extra_body=body or None,
            )

    def _view(self, options: argparse.Namespace, turn: Turn) -> View:
        kind = cast("Kind", "quiet" if options.quiet else self.display)
        recorded = turn.recorded.date if turn.recorded else None
        return make_view(kind, shell=self.shell, show_reasoning=self._shows_reasoning(options), recorded=recorded)

    def _shows_reasoning(self, options: argparse.Namespace) -> bool:
        return self.show_reasoning and not options.no_reasoning


def _check(options: argparse.Namespace, question: str) -> None:
    if not question.strip():
        raise UsageError("%jmuz: expected a question, got nothing; write it after %jmuz or below %%jmuz")
    if options.next and options.code is None:
        raise UsageError("%jmuz: --next says where code goes; add -x to take it from the reply")
    if options.new and options.chat is None:
        raise UsageError("%jmuz: --new starts a conversation afresh; add --chat or --chat=NAME to say which")
    if options.background and (options.code is not None or options.usage or options.quiet):
        raise UsageError("%jmuz: -x, -u and --quiet need the reply; use job.result(), or leave --background out")


def _rehearsal(known: Conversation | None, options: argparse.Namespace, system: str | None) -> Conversation:
    """What the conversation would be, for a turn that is not sent and must not change it."""
    if known is None:
        return Conversation(system=system)
    system = known.system if options.system is None else system
    rehearsal = Conversation(known.model, system, options=known.options, max_messages=known.max_messages)
    rehearsal.transcript = () if options.new else known.transcript
    return rehearsal


def _secrets(endpoint: Endpoint | None) -> list[Secret]:
    return [endpoint.key] if endpoint and endpoint.key and endpoint.key_source != "public" else []
