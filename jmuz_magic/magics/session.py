"""What the magics of one shell share."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from jmuz_magic.conversation.selection import Choice, Selection, get_selection, pick_endpoint
from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.alias_store import Aliases
from jmuz_magic.magics.cells import CellLog
from jmuz_magic.magics.saved import SavedChoices
from jmuz_magic.providers.base import UNNAMED
from jmuz_magic.providers.endpoint.keys import expect_saved
from jmuz_magic.recordings.replaying import get_recording
from jmuz_magic.request.alias import Alias
from jmuz_magic.text import clean_text

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation
    from jmuz_magic.conversation.turn import Turn
    from jmuz_magic.demo.server import DemoServer
    from jmuz_magic.messages import Reply
    from jmuz_magic.providers.endpoint.endpoint import Endpoint, Provider

__all__ = ["CODE_NAME", "MAIN", "REPLY_NAME", "Session", "usage_errors"]

REPLY_NAME = "_jmuz"
CODE_NAME = "_jmuz_code"
MAIN = "main"


# What was said is the user's, as the variables of the shell are: loading the extension again loses none of it.
_conversations: WeakKeyDictionary[InteractiveShell, dict[str, Conversation]] = WeakKeyDictionary()


class Settings(Protocol):
    """What magics ask of `%config JmuzMagics`."""

    @property
    def system(self) -> str: ...

    @property
    def display(self) -> str: ...

    @property
    def timeout(self) -> float | None: ...

    @property
    def max_prompt_bytes(self) -> int: ...

    @property
    def show_reasoning(self) -> bool: ...

    def use_recording(self, path: str, mode: str) -> None:
        """Use this recording from here on."""


class Session:
    """One shell with the extension loaded.

    Attributes:
        shell: IPython's.
        selection: what cells use where they name nothing else.
        conversations: by name, made by `--chat` and by the panel; they outlive `%reload_ext`.
        saved: choices that outlive the session.
        aliases: the user's own names for models.
        cells: what the notebook's cells did.
        settings: what `%config JmuzMagics` shows.
        pending: lines from other threads, for a cell to say.
        remarks: the same, of things that matter only the first time.
        configured: the provider that a configuration file names, until it is taken up at first use.
        undo: closed on unload, in reverse order; whatever loading adds to the shell is taken away by it.
    """

    settings: Settings

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell: Any = shell  # IPython's annotations say Optional where a running shell has no None
        self.selection: Selection = get_selection()
        self.conversations = _conversations.setdefault(shell, {})
        self.undo = ExitStack()
        self.saved = SavedChoices()
        self.aliases = Aliases(self.saved)
        self.cells = CellLog(shell)
        self.configured: str | None = None
        self.pending: deque[str] = deque()
        self.remarks: deque[str] = deque()
        self._said: set[object] = set()
        self._demo: DemoServer | None = None

    @property
    def is_kernel(self) -> bool:
        """Whether a front end shows what is displayed; False in terminal IPython."""
        return hasattr(self.shell, "kernel")

    def keep(self, reply: Reply) -> None:
        """Make the reply the last one: `_jmuz`."""
        self.bind(REPLY_NAME, reply)

    def bind(self, name: str, value: object) -> None:
        """Set a variable of the user's namespace."""
        self.shell.push({name: value}, interactive=False)

    def say(self, text: str) -> None:
        """Print a line or more; text from outside is made harmless here."""
        print(clean_text(text))  # noqa: T201  # the one place where a magic prints

    def say_pending(self) -> None:
        """Print what other threads had to say, such as where the new log is."""
        while self.pending:
            self.say(self.pending.popleft())
        while self.remarks:
            self._remark(self.remarks.popleft())

    def _remark(self, text: str) -> None:
        """Print a line that is no result: where nobody watches, as in scripts and nbclient, it goes to stderr."""
        print(clean_text(text), file=sys.stdout if self.is_watched else sys.stderr)  # as `say`

    @property
    def is_watched(self) -> bool:
        """Whether somebody sits at a front end of this kernel; nbclient, papermill and nbval take no input."""
        request = self.shell.get_parent() if self.is_kernel else None
        return bool(((request or {}).get("content") or {}).get("allow_stdin"))

    def show(self, bundle: dict[str, str]) -> None:
        """Display a bundle of `text/html` and `text/plain` where a front end does, else print its text."""
        if self.is_kernel:
            display(bundle, raw=True)  # type: ignore[no-untyped-call]  # IPython leaves it unannotated
        else:
            self.say(bundle["text/plain"])

    def once(self, topic: object) -> bool:
        """True the first time a topic (anything hashable) is asked for."""
        if topic in self._said:
            return False
        self._said.add(topic)
        return True

    def announce(self, turn: Turn) -> None:
        """Say what has to be said once before prompts leave: who reads them, and what of a history is left out."""
        if turn.recorded:
            return  # nothing leaves
        request = turn.request
        if (endpoint := request.endpoint) is not None:
            self.introduce(endpoint.provider)
            notice = endpoint.notice
            if endpoint.unencrypted:
                notice = f"{endpoint.origin} is asked over plain http: prompts and replies can be read on the way"
            if notice and self.once(("notice", endpoint.origin)):
                self.say(notice)
        if turn.omitted and self.once(("omitted", request.conversation)):
            oldest = "turn is" if turn.omitted == 1 else f"{turn.omitted} turns are"
            self.say(f"the conversation is long: its oldest {oldest} no longer sent")

    def introduce(self, provider: Provider) -> None:
        """Say once which package a provider comes from, if it is not ours."""
        from jmuz_magic.providers.registry import source_of

        if (source := source_of(provider)) and self.once(("source", provider)):
            self._remark(f"the provider {provider.spoken_name} comes from the package {source}")

    def conversation(self, name: str) -> Conversation:
        """The conversation of that name, made when it is first named."""
        from jmuz_magic.conversation.conversation import Conversation

        return self.conversations.setdefault(name, Conversation(name=name))

    def start_demo(self) -> str:
        """The api_base of the demo endpoint, which runs in its own thread from now until the unload."""
        from jmuz_magic.demo.server import DemoServer

        if self._demo is None:
            self._demo = DemoServer()
            self._demo.start()
            self.undo.callback(self._stop_demo, self._demo, self._demo.api_base)
        return self._demo.api_base

    def _stop_demo(self, demo: DemoServer, api_base: str) -> None:
        demo.stop()
        choice = self.selection.choice
        if choice is not None and choice.api_base == api_base:
            self.selection.set(choice=replace(choice, api_base=None))  # loaded again, it is started at first use

    def place(self, endpoint: Endpoint) -> str:
        """How an endpoint is called: provider and address, but for our own demo, whose port differs with each run."""
        if self._demo is not None and endpoint.api_base == self._demo.api_base:
            return "Demo in this process (no language model)"
        return f"{endpoint.provider_name} at {endpoint.api_base}"

    def provider(self, name: str) -> Provider:
        """A provider class of the user's namespace, or a registered one.

        Raises:
            JmuzError: neither; the nearest names are given.
        """
        from jmuz_magic.providers.registry import find_provider, is_provider

        value = self.shell.user_ns.get(name)
        return value if is_provider(value) else find_provider(name)

    def choice(
        self, name: str, api_base: str | None = None, key_env: str | None = None, allow_http: bool = False
    ) -> Choice:
        """The choice of a provider's name ("" for any OpenAI-compatible endpoint); the demo endpoint is started.

        Raises:
            JmuzError: there is no such provider, or no address.
        """
        from jmuz_magic.providers.catalog import Demo
        from jmuz_magic.providers.endpoint.endpoint import find_address

        provider = self.provider(name or UNNAMED)
        if provider is Demo and not api_base:
            api_base = self.start_demo()
        find_address(provider, api_base)
        return Choice(provider, api_base, key_env, allow_http)

    def endpoint(self, provider: str | None = None) -> Endpoint:
        """The endpoint of a provider's name, or the one in use.

        Raises:
            JmuzError: nothing is configured, or there is no such provider.
        """
        self.load_saved()
        return pick_endpoint(self.selection, self.provider(provider) if provider else None)

    def alias(self, name: str | None) -> Alias | None:
        """The user's alias of that name; None where there is none."""
        return self.aliases.find(name) if name else None

    def whom(self, model: str | None, provider: str | None) -> tuple[Endpoint | None, Alias | str | None]:
        """Whom a cell asks that names this model (an id or the user's alias) and this provider, or None.

        Returns:
            The endpoint, None where only a recording may answer; and the model: an alias, an id, "" for the
            endpoint's default, None for the selected one.

        Raises:
            JmuzError: nothing is configured, or there is no such provider; or the recording cannot be used.
        """
        recording = get_recording()
        if recording and recording.mode == "only":
            return None, self._model(model, provider)
        self.load_saved()
        alias = self.alias(model or (self.selection.model if provider is None else None))
        if alias is None:
            return self.endpoint(provider), self._model(model, provider)
        if provider or not (alias.api_base or alias.key_env):
            return self.endpoint(provider or alias.provider), alias
        return self.choice(alias.provider or "", alias.api_base, alias.key_env, alias.allow_http).endpoint(), alias

    def _model(self, model: str | None, provider: str | None) -> str | None:
        return model or ("" if self.is_elsewhere(provider) else None)

    def is_elsewhere(self, provider: str | None) -> bool:
        """Whether that is another provider than the selected one: the selected model is none of its models."""
        selected = self.selection.choice
        return provider is not None and selected is not None and selected.provider is not self.provider(provider)

    def load_saved(self) -> None:
        """Take up, where nothing was chosen yet, whom to ask: as configured, else as saved; and where keys are kept.

        Raises:
            JmuzError: what was configured or saved names a provider that there is not.
        """
        if self.once("saved keys"):
            expect_saved(self.saved.section("keys"))
        choice, model = self.selection.choice, self.selection.model
        if choice is None and self.configured:
            try:
                self._take_up(self.configured, model)
            except JmuzError as error:
                raise JmuzError(f"JmuzMagics.provider: {error}") from None
        elif choice is not None and not choice.api_base and choice.provider.spoken_name == "demo":
            self._take_up("demo", model)
        elif self.once("saved choice") and choice is None and (saved := self.saved.section("use")):
            self._take_up_saved(model, allow_http=saved.get("allow_http") is True)

    def _take_up_saved(self, model: str | None, *, allow_http: bool) -> None:
        name, chosen, *options = (self.saved.text("use", key) for key in ("provider", "model", "api_base", "key_env"))
        try:
            self._take_up(name or "", model or chosen, *options, allow_http)
        except JmuzError as error:
            self._said.discard("saved choice")  # each cell says so until another is chosen
            raise JmuzError(f"the saved choice cannot be used: {error}; %jmuz_use chooses another") from None

    def _take_up(self, name: str, model: str | None, *options: Any) -> None:
        self.selection.set(choice=self.choice(name, *options), model=model)
        self.configured = None

    def close(self) -> None:
        """Take everything away."""
        self.undo.close()


@contextmanager
def usage_errors() -> Iterator[None]:
    """A `JmuzError` inside becomes IPython's one-line `UsageError`: nothing was asked, the line was wrong."""
    try:
        yield
    except JmuzError as error:
        raise UsageError(clean_text(str(error))) from None
