"""`%jmuz_chat`: a conversation as a panel in the cell's output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from IPython.core.error import UsageError

from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.line.magic import magic
from jmuz_magic.magics.line.options import Options, option
from jmuz_magic.magics.line.values import model_name
from jmuz_magic.magics.session import MAIN, Session, usage_errors
from jmuz_magic.magics.wording import lone_yes

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation

__all__ = ["ChatOptions", "jmuz_chat"]

NO_NOTEBOOK = "%jmuz_chat: the panel is a widget and needs a notebook; here use %%jmuz --chat={name}"
NO_WIDGETS = "%jmuz_chat: the panel needs ipywidgets and anywidget, which cannot be imported here ({error})"


@dataclass(frozen=True, eq=False, repr=False)
class ChatOptions(Options):
    """The options of `%jmuz_chat`."""

    name: str = option("NAME", "the conversation; default: main", default=MAIN, completes="conversation")
    model: str | None = option(
        "-m, --model MODEL", "for this conversation only; default: the selected one", read=model_name, completes="model"
    )
    system: str | None = option("-s, --system TEXT", "its system message", may_be_empty=True)
    resume: str | None = option(
        "--resume [NAME|ID]",
        "go on with it as it was before the kernel started, or with another of the log (%jmuz_history --all)",
        absent="",
        completes="conversation",
    )
    yes: bool = option("--yes", "with --resume: send the turns to another origin than before without asking")


@magic(ChatOptions)
def jmuz_chat(session: Session, options: ChatOptions) -> None:
    """Open a chat panel in this cell's output; cells join in with %%jmuz --chat=NAME."""
    if options.yes and options.resume is None:
        raise UsageError(lone_yes("%jmuz_chat", "--resume"))
    if not session.is_kernel:
        raise UsageError(NO_NOTEBOOK.format(name=options.name))
    try:
        from jmuz_magic.widgets.panel import ChatPanel, close_panels
    except ImportError as error:
        raise UsageError(NO_WIDGETS.format(error=error)) from None
    if session.once(close_panels):
        session.undo.callback(close_panels)
    ChatPanel(_conversation(session, options), suggestions=session.settings.suggestions).show()


def _conversation(session: Session, options: ChatOptions) -> Conversation:
    from jmuz_magic.conversation.conversation import Conversation

    with usage_errors():
        session.endpoints.load_saved()
        name = _name(options)
        conversation = session.conversations.get(name) or Conversation(name=name)
        if options.model:
            _choose(session, conversation, options.model)
        if options.resume is not None:
            from jmuz_magic.magics.resuming import resume

            resume(session, conversation, options.resume or options.name, None, yes=options.yes)
    if options.system is not None:
        conversation.configure(system=options.system)
    session.conversations[name] = conversation
    return conversation


def _name(options: ChatOptions) -> str:
    """The conversation's name: as given, else that of the one to resume."""
    if not options.resume or "name" in options.written:
        return options.name
    from jmuz_magic.conversation.resuming import find_earlier

    return find_earlier(options.resume).name or options.name


def _choose(session: Session, conversation: Conversation, model: str) -> None:
    session.endpoints.whom(model, None)  # so that errors are reported now
    alias = session.endpoints.alias(model)
    if alias is not None and (alias.api_base or alias.key_env):
        raise JmuzError(f"%jmuz_chat: {model} has its own address or key; select it first: %jmuz_use --api-base URL")
    if alias is None:
        conversation.configure(model=model)
        return
    conversation.configure(model=alias.model, options={**conversation.options, **alias.options})
    if alias.provider:
        conversation.configure(provider=alias.provider)
