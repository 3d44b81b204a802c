"""The settings of the magics: `%config JmuzMagics`, and `c.JmuzMagics` in `ipython_config.py`.

A wrong value never breaks anything: one line says what was expected, and the setting is unchanged. Three settings
(`provider`, `model`, `options`) mirror the selection that `%jmuz_use`, the model selector and the panel share. A key is
never a setting.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, magics_class
from traitlets import TraitError
from traitlets import Unicode as TextTrait
from traitlets.config import Config

from jmuz_magic.content import MAX_PROMPT_BYTES
from jmuz_magic.conversation.selection import Choice, Selection
from jmuz_magic.errors import JmuzError
from jmuz_magic.log.log import MAX_AGE_DAYS, MAX_BYTES, exchange_log
from jmuz_magic.magics.administrator import AdministratorSettings
from jmuz_magic.magics.endpoints import Endpoints
from jmuz_magic.magics.request_options import check_option_names
from jmuz_magic.magics.traits import Bool, Dict, Enum, Float, Int, List, Unicode
from jmuz_magic.providers import allowed
from jmuz_magic.recordings.replaying import get_recording, name_recording

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Provider

__all__ = ["JmuzMagics"]


SUGGESTIONS = [
    "Explain what this error means: ",
    "Write a function that ",
    "Show me how to plot ",
    "Write tests for this code: ",
]

LOG = ("log", "log_max_bytes", "log_max_days")
RECORDING = ("recording", "replay")
MIRRORED = ("provider", "model", "options")


@magics_class
class JmuzMagics(Magics):
    """The traits, kept equal to the selection; all magics are registered with this class."""

    provider = Unicode("", help="the provider that cells ask, as in %jmuz_use; empty for none").tag(
        config=True, expects="the name of a provider, such as openai"
    )
    model = Unicode("", help="id or alias of the model; empty for the default, or one picked from the list").tag(
        config=True, expects="the id of a model"
    )
    options = Dict(help="sent with every request, such as {'temperature': 0.2}").tag(
        config=True, expects="a dict such as {'temperature': 0.2}"
    )
    endpoints = Dict(help="endpoints by name, for %jmuz_use and -p; see docs/endpoints.md").tag(
        config=True, expects="a dict such as {'campus': {'api_base': 'https://host/v1'}}", hides=True
    )
    only = List(
        TextTrait(), help="the endpoints that may be asked, by name; empty for all; can be narrowed, never widened"
    ).tag(config=True, expects="a list of names, such as ['campus']")
    system = Unicode("", help="the system message if -s gives none").tag(config=True, expects="a text")
    display = Enum(
        ["auto", "html", "once", "text"], "auto", help="how replies are shown; once: in one piece, when complete"
    ).tag(config=True, expects="auto, html, once or text")
    show_reasoning = Bool(True, help="show a model's reasoning, folded").tag(config=True, expects="True or False")
    show_footer = Bool(True, help="show who answered, tokens and seconds below a reply").tag(
        config=True, expects="True or False"
    )
    timeout = Float(
        None,
        allow_none=True,
        min=0.1,
        help="seconds to wait for the first and for further data; None: 600 for the first byte, then 120 without any "
        "byte, or 1800 while the endpoint keeps the connection alive",
    ).tag(config=True, expects="seconds, at least 0.1, or None")
    max_prompt_bytes = Int(MAX_PROMPT_BYTES, min=1, help="larger prompts are refused, since most are a mistake").tag(
        config=True, expects="a number of bytes, at least 1"
    )

    suggestions = List(
        TextTrait(), SUGGESTIONS, help="prompts that an empty chat panel offers; a click puts one into its field"
    ).tag(config=True, expects="a list of texts")

    log = Unicode(
        "", help="where exchanges are logged: a path, or off; empty for JMUZ_LOG or the default location"
    ).tag(config=True, expects="a path, or off")
    log_max_bytes = Int(MAX_BYTES, min=2**20, help="the oldest exchanges are deleted when the log is larger").tag(
        config=True, expects="a number of bytes, at least 1048576"
    )
    log_max_days = Float(MAX_AGE_DAYS, min=1.0, help="older exchanges are deleted").tag(
        config=True, expects="a number of days, at least 1"
    )
    recording = Unicode("", help="replies are recorded here and replayed from here; empty for JMUZ_RECORDING").tag(
        config=True, expects="a path, such as chat.jmuz.jsonl"
    )
    replay = Enum(["", "auto", "only", "off"], "", help="how the recording is used; empty for JMUZ_REPLAY").tag(
        config=True, expects="auto, only or off"
    )

    def __init__(self, shell: Any, endpoints: Endpoints, say: Callable[[str], None]) -> None:
        self.say = say
        self._shell = shell
        self._endpoints, self._selection = endpoints, endpoints.selection
        self._loaded = False
        self._providers: Sequence[Provider] = ()
        self.rejected: set[str | None] = set()
        self.administrator = AdministratorSettings()
        super().__init__(shell)

    def attach(self, undo: ExitStack) -> None:
        """Follow the selection, and make log and recording follow these settings, until `undo` is closed."""
        self._take_up_only(undo)
        self._take_up_selection()
        self._loaded = True
        if any(getattr(self, name) != self.traits()[name].default() for name in LOG):
            self._configure_log()  # else what a script may have configured applies
        name_recording(self.recording, self.replay)  # opened at first use, so that loading reads no file
        self.observe(self._to_selection, MIRRORED)
        self.observe(self._configure_log, LOG)
        self.observe(self._configure_recording, RECORDING)
        undo.callback(self._selection.on_change(self._from_selection))
        undo.callback(self._keep)
        undo.callback(name_recording)

    def checked(self, name: str, value: Any) -> Any:
        """The value, if valid; at load nothing is checked until first use, because a check costs imports.

        Raises:
            JmuzError: there is no such provider.
            UsageError: an option refers to a key.
        """
        if name == "options":
            check_option_names(value)
        if name == "endpoints" and self._loaded:
            return self._read_endpoints(value)
        if name == "only" and self._loaded and value != self.only:
            self._narrow(value)
        if isinstance(value, float) and math.isnan(value):
            raise TraitError("not a number")
        if (
            name == "provider"
            and value
            and self._loaded
            and value not in (self.provider, _name(self._selection.choice))
        ):
            self._endpoints.choice(value)
        return value

    def _read_endpoints(self, value: dict[str, Any]) -> dict[str, Any]:
        """The valid descriptions, secrets masked, which become providers; a line says what is wrong with another."""
        given = self.administrator.get("endpoints", {})
        if not value and given is None:
            self._providers = ()
            return {}
        from jmuz_magic.magics.descriptions import read_descriptions  # not at load: it imports every provider

        found = read_descriptions(value, given or {}, typed=self._loaded)
        for problem in found.problems:
            self.say(f"JmuzMagics.endpoints: {problem}")
        self._providers = found.providers
        return found.shown

    def _take_up_endpoints(self, undo: ExitStack) -> None:
        if self.administrator.problem:
            self.say(f"JmuzMagics: this file does not count: {self.administrator.problem}")
        self.endpoints = self._read_endpoints(self.endpoints)
        if self._providers:  # else nothing is imported
            self._endpoints.configure(self._providers)
        self.observe(lambda _: self._endpoints.configure(self._providers), "endpoints")
        undo.callback(self._endpoints.configure, ())

    def update_config(self, config: Config) -> None:
        """Update as `%config` does; a rejected value is not remembered."""
        self.rejected.clear()
        super().update_config(config)
        for name in self.rejected:
            self.config[type(self).__name__].pop(name, None)

    def _take_up_only(self, undo: ExitStack) -> None:
        """Ask only what an administrator, `JMUZ_ONLY` and the user allow, in that order, from the first load on."""
        given: Any = self.administrator.get("only", [])
        if given:
            allowed.administer(map(str, given) if isinstance(given, list | tuple | set) else [str(given)])
        elif self.administrator.unreadable:
            allowed.refuse_all(self.administrator.problem)
        self._take_up_endpoints(undo)
        problem = ""
        try:
            if self.only:
                allowed.narrow(self.only, "JmuzMagics.only")
        except JmuzError as error:
            problem = str(error)
        self.only = list(allowed.allowed_names() or ())
        if problem:
            self.say(f"JmuzMagics.only stays {self.only!r}: {problem}")
        if self.only:
            from jmuz_magic.providers.registry import settle  # brings the catalog

            settle()

    def _narrow(self, names: list[str]) -> None:
        """Ask only these from now on.

        Raises:
            JmuzError: one of them may not be asked, or does not exist.
        """
        from jmuz_magic.providers.registry import find_provider, settle

        for name in names:
            find_provider(name)  # a misspelt name would lock the user out
        allowed.narrow(names, "JmuzMagics.only")
        settle()

    def _take_up_selection(self) -> None:
        """Let what was chosen in this process take precedence over a configuration file."""
        selection = self._selection
        if selection.choice is None:
            self._endpoints.configured = self.provider or None
        given = {"model": self.model, "options": self.options}
        changes = {name: value for name, value in given.items() if value and not getattr(selection, name)}
        if changes:
            selection.set(**changes)
        self._from_selection(selection)

    def _from_selection(self, selection: Selection) -> None:
        with self.hold_trait_notifications():
            self.provider = _name(selection.choice) or self._endpoints.configured or ""
            self.model = selection.model or ""
            self.options = dict(selection.options)

    def _to_selection(self, change: Any) -> None:
        selection = self._selection
        if change.name == "model" and change.new != (selection.model or ""):
            selection.set(model=change.new or None)
        elif change.name == "options" and change.new != selection.options:
            selection.set(options=dict(change.new))
        elif change.name == "provider" and change.new != (_name(selection.choice) or self._endpoints.configured or ""):
            self._endpoints.configured = None
            self._endpoints.choose(self._endpoints.choice(change.new) if change.new else None)

    def _keep(self) -> None:
        """Keep what `%config` changed for `%reload_ext`, whose new object reads the shell's configuration."""
        section = self._shell.config[type(self).__name__]
        for name, trait in self.traits(config=True).items():
            value = getattr(self, name)
            if value == trait.default(self):
                section.pop(name, None)
            else:
                section[name] = value
        if not section:
            del self._shell.config[type(self).__name__]

    def use_recording(self, path: str, mode: str) -> None:
        """Use this recording from here on, with its counts reset, even if it is already in use."""
        self.unobserve(self._configure_recording, RECORDING)  # the caller reports errors
        try:
            self.recording, self.replay = path, mode
        finally:
            self.observe(self._configure_recording, RECORDING)
        name_recording(path, mode)

    def _configure_log(self, change: Any = None) -> None:
        exchange_log.configure(self.log or None, max_bytes=self.log_max_bytes, max_age_days=self.log_max_days)

    def _configure_recording(self, change: Any) -> None:
        name_recording(self.recording, self.replay)
        try:
            get_recording()
        except JmuzError as error:
            self.say(f"JmuzMagics.{change.name}: {error}")


def _name(choice: Choice | None) -> str:
    """What to give to `%jmuz_use` for the choice's provider."""
    return choice.provider.spoken_name if choice else ""
