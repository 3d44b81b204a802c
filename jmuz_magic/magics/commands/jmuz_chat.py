"""`%jmuz_chat`, and the widget above the list of `%jmuz_models`: what is opened in a cell and stays alive there."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.line.parser import MagicParser, documented_by, read_arguments
from jmuz_magic.magics.session import MAIN, Session, usage_errors

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation

__all__ = ["CHAT", "PanelMagics", "show_selector"]

CHAT = MagicParser("%jmuz_chat", "Open a chat panel in this cell's output; cells join in with %%jmuz --chat=NAME.")
CHAT.add_argument("name", nargs="?", default=MAIN, metavar="NAME", help="of the conversation; default: main")
CHAT.add_argument("-m", "--model", metavar="MODEL", help="for this conversation alone; default: the selected one")
CHAT.add_argument("-s", "--system", metavar="TEXT", help="its system message")

NO_NOTEBOOK = "%jmuz_chat: the panel is a widget and needs a notebook; here, %%jmuz --chat={name} works without it"
NO_WIDGETS = "%jmuz_chat: the panel needs ipywidgets and anywidget, which cannot be imported here ({error})"


@magics_class
class PanelMagics(Magics):
    """Conversations in a panel."""

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell)
        self.session = session

    @no_var_expand
    @line_magic
    @documented_by(CHAT)
    def jmuz_chat(self, line: str) -> None:
        options = read_arguments(CHAT, line)
        if not self.session.is_kernel:
            raise UsageError(NO_NOTEBOOK.format(name=options.name))
        try:
            from jmuz_magic.widgets.panel import ChatPanel, close_panels
        except ImportError as error:
            raise UsageError(NO_WIDGETS.format(error=error)) from None
        if self.session.once(close_panels):
            self.session.undo.callback(close_panels)
        ChatPanel(self._conversation(options)).show()

    def _conversation(self, options: argparse.Namespace) -> Conversation:
        with usage_errors():
            self.session.load_saved()
            conversation = self.session.conversation(options.name)
            if options.model:
                self._choose(conversation, options.model)
        if options.system is not None:
            conversation.configure(system=options.system)
        return conversation

    def _choose(self, conversation: Conversation, model: str) -> None:
        self.session.whom(model, None)  # what is wrong with it is said now
        alias = self.session.alias(model)
        if alias is not None and (alias.api_base or alias.key_env):
            raise JmuzError(
                f"%jmuz_chat: {model} has an address or key of its own; select it first: %jmuz_use --api-base URL"
            )
        if alias is None:
            conversation.configure(model=model)
            return
        conversation.configure(model=alias.model, options={**conversation.options, **alias.options})
        if alias.provider:
            conversation.configure(provider=alias.provider)


def show_selector(session: Session, pattern: str | None, provider: str | None) -> None:
    """Show the model selector in the running cell where a front end can; the list below it is for all others."""
    from jmuz_magic.providers.registry import known_providers

    if not session.is_kernel or (provider and provider not in known_providers()):
        return  # a class of the notebook's own is in no selector
    try:
        from jmuz_magic.widgets.selector import ModelSelector, close_selectors
    except ImportError:
        return
    if session.once(close_selectors):
        session.undo.callback(close_selectors)
    ModelSelector(pattern or "", provider=provider or "").show()
