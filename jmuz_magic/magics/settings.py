"""The settings of the magics: what `%config JmuzMagics` and `c.JmuzMagics` in `ipython_config.py` know.

A wrong value never breaks anything: one line says what was expected, and the setting stays as it was. Three settings
(`provider`, `model`, `options`) are the selection that `%jmuz_use`, the model selector and the panel share: either
side follows the other. A key is never a setting.
"""

from __future__ import annotations

import math
from typing import Any

import traitlets
from IPython.core.error import UsageError
from IPython.core.magic import Magics
from traitlets import TraitError
from traitlets.config import Config

from jmuz_magic.conversation.selection import Choice, Selection
from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.line.values import check_option_names
from jmuz_magic.magics.prompt.limits import MAX_PROMPT_BYTES
from jmuz_magic.magics.session import Session

__all__ = ["Settings"]

MIRRORED = ("provider", "model", "options")


class _Forgiving(traitlets.TraitType):  # type: ignore[type-arg]
    """A trait that keeps its value and says so where it is given one that it cannot take."""

    def validate(self, obj: Any, value: Any) -> Any:
        try:
            value = super().validate(obj, value)  # type: ignore[misc]  # the type mixed in has it
            return obj.checked(self.name, value)
        except (TraitError, JmuzError, UsageError) as error:
            expected = f"expected {self.metadata['expects']}, got {value!r}"
            problem = expected if isinstance(error, TraitError) else str(error)
        kept = self.get(obj, type(obj))
        obj.rejected.add(self.name)
        obj.session.say(f"JmuzMagics.{self.name} stays {kept!r}: {problem}")
        return kept


# Named like what they are made of, since `%config JmuzMagics` shows these names. Not subscripted: traitlets before
# 5.10 cannot be, and its Dict never.
class Bool(_Forgiving, traitlets.Bool):  # type: ignore[type-arg]
    """True or False."""


class Dict(_Forgiving, traitlets.Dict):
    """A dict with text as keys."""


class Enum(_Forgiving, traitlets.Enum):  # type: ignore[type-arg]
    """One of some words."""


class Float(_Forgiving, traitlets.Float):  # type: ignore[type-arg]
    """A number."""


class Int(_Forgiving, traitlets.Int):  # type: ignore[type-arg]
    """A whole number."""


class Unicode(_Forgiving, traitlets.Unicode):  # type: ignore[type-arg]
    """A text."""


class Settings(Magics):
    """The traits, and what keeps them and the selection the same."""

    provider = Unicode("", help="whom cells ask, as in %jmuz_use; empty for none").tag(
        config=True, expects="the name of a provider, such as openai"
    )
    model = Unicode("", help="id or alias of the model; empty for the default, or one picked from the list").tag(
        config=True, expects="the id of a model"
    )
    options = Dict(help="sent with every request, such as {'temperature': 0.2}").tag(
        config=True, expects="a dict such as {'temperature': 0.2}"
    )
    system = Unicode("", help="the system message where -s gives none").tag(config=True, expects="a text")
    display = Enum(
        ["auto", "html", "once", "text"], "auto", help="how replies are shown; once: whole, when they are complete"
    ).tag(config=True, expects="auto, html, once or text")
    show_reasoning = Bool(True, help="show what a model thinks before its reply, folded").tag(
        config=True, expects="True or False"
    )
    timeout = Float(
        None,
        allow_none=True,
        min=0.1,
        help="seconds to wait for the first and for further data; None: 600 for the first byte, then 120 without any "
        "byte, or 1800 while the endpoint keeps the connection alive",
    ).tag(config=True, expects="seconds, at least 0.1, or None")
    max_prompt_bytes = Int(MAX_PROMPT_BYTES, min=1, help="larger prompts are refused; most are a mistake").tag(
        config=True, expects="a number of bytes, at least 1"
    )

    def __init__(self, shell: Any, session: Session) -> None:
        self.session = session
        self._selection = session.selection
        self._loaded = False
        self.rejected: set[str | None] = set()
        super().__init__(shell)
        self._meet(self._selection)
        self._loaded = True
        self.observe(self._to_selection, MIRRORED)
        session.undo.callback(self._selection.on_change(self._from_selection))
        session.undo.callback(self._keep)

    def checked(self, name: str, value: Any) -> Any:
        """The value, if it can be had; what is read at load is checked at first use, for that costs imports.

        Raises:
            JmuzError: there is no such provider.
            UsageError: an option would be a key.
        """
        if name == "options":
            check_option_names(value)
        if isinstance(value, float) and math.isnan(value):
            raise TraitError("not a number")
        if (
            name == "provider"
            and value
            and self._loaded
            and value not in (self.provider, _name(self._selection.choice))
        ):
            self.session.choice(value)
        return value

    def update_config(self, config: Config) -> None:
        """As `%config` does it; what was rejected is not remembered either."""
        self.rejected.clear()
        super().update_config(config)
        for name in self.rejected:
            self.config[type(self).__name__].pop(name, None)

    def _meet(self, selection: Selection) -> None:
        """What was chosen in this process goes before what a configuration file says."""
        if selection.choice is None:
            self.session.configured = self.provider or None
        given = {"model": self.model, "options": self.options}
        changes = {name: value for name, value in given.items() if value and not getattr(selection, name)}
        if changes:
            selection.set(**changes)
        self._from_selection(selection)

    def _from_selection(self, selection: Selection) -> None:
        with self.hold_trait_notifications():
            self.provider = _name(selection.choice) or self.session.configured or ""
            self.model = selection.model or ""
            self.options = dict(selection.options)

    def _to_selection(self, change: Any) -> None:
        selection = self._selection
        if change.name == "model" and change.new != (selection.model or ""):
            selection.set(model=change.new or None)
        elif change.name == "options" and change.new != selection.options:
            selection.set(options=dict(change.new))
        elif change.name == "provider" and change.new != (_name(selection.choice) or self.session.configured or ""):
            self.session.configured = None
            self.session.once("saved choice")  # also who wants none does not want the saved one
            choice = self.session.choice(change.new) if change.new else None
            selection.set(choice=choice, model=None)

    def _keep(self) -> None:
        """What `%config` changed holds after `%reload_ext`, too, whose new object reads the shell's configuration."""
        section = self.session.shell.config[type(self).__name__]
        for name, trait in self.traits(config=True).items():
            value = getattr(self, name)
            if value == trait.default(self):
                section.pop(name, None)
            else:
                section[name] = value
        if not section:
            del self.session.shell.config[type(self).__name__]


def _name(choice: Choice | None) -> str:
    """What `%jmuz_use` takes for the choice's provider."""
    return choice.provider.spoken_name if choice else ""
