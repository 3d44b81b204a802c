"""`%%jmuz`: one prompt to a model, its reply in the cell's output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from IPython.core.error import UsageError

from jmuz_magic.content import MAX_IMAGE_BYTES
from jmuz_magic.conversation.numbers import read_temperature, read_token_count
from jmuz_magic.display.views.make import Kind, make_view
from jmuz_magic.display.views.view import View
from jmuz_magic.magics.code import take_code
from jmuz_magic.magics.line.magic import magic
from jmuz_magic.magics.line.options import Options, option, sent_with
from jmuz_magic.magics.line.values import cell_count, model_name, provider_name, seconds
from jmuz_magic.magics.prompt.scope import scope_of_caller
from jmuz_magic.magics.running.foreground import run_turn
from jmuz_magic.magics.session import MAIN, Session, usage_errors
from jmuz_magic.magics.wording import lone_yes
from jmuz_magic.messages import Message, Reply
from jmuz_magic.notebook.cells import MAX_CONTEXT
from jmuz_magic.request.alias import Alias
from jmuz_magic.request.cell import find_cell

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation
    from jmuz_magic.conversation.turn import Turn
    from jmuz_magic.magics.running.background import Job
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["AskOptions", "WhomOptions", "ask", "context_option", "jmuz", "whom"]


@dataclass(frozen=True, eq=False, repr=False)
class WhomOptions(Options):
    """The options that say whom to ask."""

    model: str | None = option(
        "-m, --model MODEL", "id or alias; default: the selected one (%jmuz_use)", read=model_name, completes="model"
    )
    provider: str | None = option(
        "-p, --provider PROVIDER",
        "a provider, such as openai or ollama",
        read=provider_name,
        completes="provider",
    )


def context_option() -> Any:
    """A field for the option that adds earlier cells to a prompt: how many."""
    return option(
        "--context prev|N|all",
        f"also send earlier cells, keys masked (at most {MAX_CONTEXT:,} characters)",
        read=cell_count,
    )


@dataclass(frozen=True, eq=False, repr=False)
class AskOptions(WhomOptions):
    """The options of `%%jmuz`."""

    system: str | None = option("-s, --system TEXT", "the system message", may_be_empty=True)
    temperature: float | None = option(
        "-t, --temperature NUMBER", "0 is the most predictable", read=read_temperature, sent=True
    )
    max_tokens: int | None = option("--max-tokens N", "token limit for the reply", read=read_token_count, sent=True)
    chat: str | None = option(
        "-c, --chat [NAME]",
        "join the conversation main, or another one with --chat=NAME",
        absent=MAIN,
        completes="conversation",
    )
    new: bool = option("--new", "start that conversation afresh")
    continues: bool = option(
        "--continue", "start that conversation, or main, with the last reply above that stands alone"
    )
    resume: str | None = option(
        "--resume [NAME|ID]",
        "go on with that conversation as it was before the kernel started, or with another of the log",
        absent="",
        completes="conversation",
    )
    yes: bool = option("--yes", "with --resume: send the turns to another origin than before without asking")
    code: str | None = option(
        "-x, --code [LANG]",
        "keep the reply's code as _jmuz_code: Python, or with --code=LANG that language, or all",
        absent="",
    )
    next: bool = option("--next", "with -x: put the code into a new cell below; it is not run")
    usage: bool = option("-u, --usage", "show tokens and seconds even if show_footer is off or the output is a file")
    quiet: bool = option("--quiet", "show nothing")
    background: bool = option("--background", "return a job at once; the reply streams meanwhile")
    no_stream: bool = option("--no-stream", "ask for the reply in one piece")
    no_reasoning: bool = option("--no-reasoning", "do not show the model's reasoning")
    timeout: float | None = option(
        "--timeout SECONDS", "how long to wait for the first and for further data", read=seconds, sent=True
    )
    options: tuple[tuple[str, str], ...] = option(
        "-o, --option KEY VALUE", "add to the request, as JSON or text; repeatable", repeats=True
    )
    attach: tuple[str, ...] = option(
        "-a, --attach PATH|VARIABLE",
        f"send a figure, an image (at most {MAX_IMAGE_BYTES >> 20} MiB), or a file with a text or PDF; repeatable",
        repeats=True,
        completes="file",
    )
    context: int | None = context_option()
    raw: bool = option("--raw", "send {{expressions}} verbatim, for LaTeX and templates")
    fresh: bool = option("--fresh", "ask even if the recording has the reply, and replace it")
    dry_run: bool = option("--dry-run", "show the request instead of sending it")
    assigned: bool = option("--assigned")  # added to `answer = %jmuz …`: the reply is returned


@magic(AskOptions, takes_prompt=True, expands=True)
def jmuz(session: Session, target: str | None, options: AskOptions, prompt: str) -> Reply | Job | None:
    """Ask a chat model; the reply streams into the cell's output and is kept as `_jmuz`.

    Options come first; the first word that is not an option starts the prompt, which is sent verbatim. Only
    {{expressions}} of the notebook are replaced by their values: in the prompt, in -s and in the values of options.

    Examples:
      %jmuz what is a monad?               a prompt of one line
      answer = %jmuz what is a monad?      its reply is assigned to answer
      %%jmuz -p ollama -m qwen3:8b -t 0    the lines below are the prompt
      %%jmuz answer << -s "Be brief."      the reply is assigned to answer
      %%jmuz --chat=trip                   joins the conversation trip
      %%jmuz --continue                    goes on with the last reply above
      %%jmuz -x --next                     puts the reply's code into a new cell
      %%jmuz --context prev -a figure      also sends the last cell and an image
      %%jmuz --dry-run                     shows the request, sends nothing
    """
    from jmuz_magic.magics.prompt.builder import PromptBuilder  # 12 ms, which loading need not pay

    options = _checked(options, prompt)
    scope = scope_of_caller(session.shell.user_ns)
    builder = PromptBuilder(session, scope, raw=options.raw, max_bytes=session.settings.max_prompt_bytes)
    options = jmuz.parser.put_in(options, builder.expanded)
    builder.check_system(options.system)
    endpoint, model = whom(session, options)
    secrets = endpoint.secrets if endpoint else ()
    takes_pdf = endpoint is None or bool(getattr(endpoint.provider, "takes_pdf", False))  # a recording takes all
    message = builder.message(
        prompt, attached=options.attach, context=options.context, secrets=secrets, takes_pdf=takes_pdf
    )
    body = builder.body(options.options)
    about = builder.wording, builder.sent_in_part
    return ask(session, options, endpoint, model, message, *about, body=body, target=target)


def whom(session: Session, options: WhomOptions) -> tuple[Endpoint | None, Alias | str | None]:
    """The endpoint and model that a cell asks."""
    with usage_errors():
        return session.endpoints.whom(options.model, options.provider)


def ask(
    session: Session,
    options: AskOptions,
    endpoint: Endpoint | None,
    model: Alias | str | None,
    message: Message,
    wording: Message | None = None,
    sent_in_part: Sequence[str] = (),
    *,
    body: Mapping[str, Any] | None = None,
    target: str | None = None,
) -> Reply | Job | None:
    """Ask as the options say, or show what would be sent.

    Args:
        session: the notebook's session.
        options: the cell's options.
        endpoint: the endpoint to ask.
        model: the model to ask for.
        message: the user's message.
        wording: the message as the cell has it, if it differs.
        sent_in_part: see `Reply`.
        body: what `-o` adds to the request.
        target: the variable for the reply, besides `_jmuz`.

    Returns:
        The reply if it is assigned; the job, if the reply comes in the background and no variable takes it.
    """
    turn = _turn(session, options, endpoint, model, message, wording, sent_in_part, body)
    if options.dry_run:
        from jmuz_magic.magics.running.dry_run import describe_request

        with usage_errors():
            session.show(describe_request(turn.request))
        return None
    session.announce(turn)
    if options.chat is None:
        session.lone_replies.add(turn)
    if options.background:
        return _start(session, turn, options, target)
    reply = run_turn(session, turn, _view(session, options, turn))
    if target:
        session.bind(target, reply)
    if options.code is not None:
        take_code(session, reply, options.code, insert=options.next)
    return reply if options.assigned else None


def _checked(options: AskOptions, prompt: str) -> AskOptions:
    """The options, with the conversation that `--continue` starts, if they go together."""
    if not prompt.strip():
        raise UsageError("%jmuz: expected a prompt, got nothing; write it after %jmuz or below %%jmuz")
    if options.next and options.code is None:
        raise UsageError("%jmuz: --next says where code goes; add -x to take it from the reply")
    if options.continues and options.chat is None:
        options = replace(options, chat=MAIN)
    if options.new and options.chat is None:
        raise UsageError("%jmuz: --new starts a conversation afresh; add --chat or --chat=NAME to say which")
    if options.resume is not None and (options.chat is None or options.new or options.continues):
        raise UsageError("%jmuz: --resume goes with --chat or --chat=NAME, not with --new or --continue")
    if options.yes and options.resume is None:
        raise UsageError(lone_yes("%jmuz", "--resume"))
    if options.background and (options.code is not None or options.usage or options.quiet):
        raise UsageError("%jmuz: -x, -u and --quiet need the reply; use job.result(), or leave --background out")
    return options


def _turn(
    session: Session,
    options: AskOptions,
    endpoint: Endpoint | None,
    model: Alias | str | None,
    message: Message,
    wording: Message | None,
    sent_in_part: Sequence[str],
    body: Mapping[str, Any] | None,
) -> Turn:
    sent = sent_with(options)
    typed = {name: options.written[name][0] for name in sent} | {name: f"-o {name}" for name in body or ()}
    if not (isinstance(model, Alias) and "timeout" in model.options):
        sent.setdefault("timeout", session.settings.timeout)
    with usage_errors():
        return _conversation(session, options, endpoint).turn(
            message,
            endpoint=endpoint,
            model=model,
            stream=not options.no_stream,
            cell=find_cell() if options.chat else None,
            wording=wording,
            fresh=options.fresh,
            typed=typed,
            sent_in_part=sent_in_part,
            **sent,
            extra_body=body or None,
        )


def _conversation(session: Session, options: AskOptions, endpoint: Endpoint | None) -> Conversation:
    from jmuz_magic.conversation.conversation import Conversation

    system = session.settings.system if options.system is None else options.system
    if options.chat is None:
        return Conversation(system=system)
    known = session.conversations.get(options.chat)
    conversation = _rehearsal(known, system) if options.dry_run else known or Conversation(name=options.chat)
    if options.new:
        conversation.clear()
    if options.continues:
        session.lone_replies.begin(conversation, options.chat)
    if options.resume is not None:
        _resume(session, conversation, options, endpoint)
    if options.system is not None or (known is None and conversation.system is None):
        conversation.configure(system=system)
    if not options.dry_run:
        session.conversations[options.chat] = conversation
    return conversation


def _rehearsal(known: Conversation | None, system: str | None) -> Conversation:
    """A copy of the conversation, for a turn that is not sent and must not change it."""
    from jmuz_magic.conversation.conversation import Conversation

    if known is None:
        return Conversation(system=system)
    rehearsal = Conversation(known.model, known.system, options=known.options, max_messages=known.max_messages)
    rehearsal.transcript = known.transcript
    return rehearsal


def _resume(session: Session, conversation: Conversation, options: AskOptions, endpoint: Endpoint | None) -> None:
    from jmuz_magic.magics.resuming import rehearse, resume

    wanted = options.resume or options.chat
    if options.dry_run:
        rehearse(conversation, wanted)
    else:
        resume(session, conversation, wanted, endpoint, yes=options.yes)


def _start(session: Session, turn: Turn, options: AskOptions, target: str | None) -> Job | None:
    from jmuz_magic.magics.running.background import start_job

    once = session.settings.display == "once"
    job = start_job(session, turn, show_reasoning=_shows_reasoning(session, options), once=once)
    if target is None:
        return job
    session.bind(target, job)
    return job if options.assigned else None


def _view(session: Session, options: AskOptions, turn: Turn) -> View:
    kind = cast("Kind", "quiet" if options.quiet else session.settings.display)
    recorded = turn.recorded.date if turn.recorded else None
    show_reasoning = _shows_reasoning(session, options)
    show_footer = True if options.usage else None if session.settings.show_footer else False
    return make_view(
        kind, shell=session.shell, show_reasoning=show_reasoning, show_footer=show_footer, recorded=recorded
    )


def _shows_reasoning(session: Session, options: AskOptions) -> bool:
    return bool(session.settings.show_reasoning) and not options.no_reasoning
