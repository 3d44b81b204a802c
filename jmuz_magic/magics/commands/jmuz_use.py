"""`%jmuz_use` and `%jmuz_models`: whom the cells ask, and what is there."""

from __future__ import annotations

import argparse
import fnmatch
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from jmuz_magic.conversation.selection import NOTHING_CONFIGURED, Choice
from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.commands.jmuz_chat import show_selector
from jmuz_magic.magics.line.parser import MagicParser, documented_by, read_arguments
from jmuz_magic.magics.running.foreground import ReplyInterrupted, without_traceback
from jmuz_magic.magics.session import Session, usage_errors
from jmuz_magic.magics.wording import short
from jmuz_magic.providers.picking import PICKED_WHEN_SENT, model_notes

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["EndpointMagics"]


USE = MagicParser(
    "%jmuz_use", "Choose whom cells ask; without arguments, say what is in use and where its key comes from."
)
USE.add_argument("provider", nargs="?", metavar="PROVIDER[:MODEL]", help="a known endpoint or a provider class")
USE.add_argument("apart", nargs="?", help=argparse.SUPPRESS)  # PROVIDER MODEL, as other tools have it
USE.add_argument("-m", "--model", metavar="MODEL", help="the model; without PROVIDER, of the endpoint in use")
USE.add_argument("--api-base", metavar="URL", help="another address; without PROVIDER any OpenAI-compatible endpoint")
USE.add_argument("--key-env", metavar="NAME", help="the environment variable that holds the key for this address")
USE.add_argument("--allow-http", action="store_true", help="let the key travel over plain http")
USE.add_argument("--save", action="store_true", help="keep the choice for later sessions")


MODELS = MagicParser("%jmuz_models", "List the models of the endpoint in use, the default and the aliases marked.")
MODELS.add_argument("pattern", nargs="?", metavar="PATTERN", help="show ids that hold this text, or match it (gpt-*)")
MODELS.add_argument("-p", "--provider", metavar="PROVIDER", help="of another endpoint than the one in use")
MODELS.add_argument("--refresh", action="store_true", help="ask the endpoint again")


@magics_class
class EndpointMagics(Magics):
    """Whom the cells ask."""

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell)
        self.session = session

    @no_var_expand
    @line_magic
    @documented_by(USE)
    def jmuz_use(self, line: str) -> None:
        options = read_arguments(USE, line)
        name, model = self._names(options)
        if name or options.api_base:
            self._choose(name, model, options)
        elif options.key_env or options.allow_http or options.save:
            raise UsageError("%jmuz_use: expected a provider or --api-base besides, such as %jmuz_use openai --save")
        elif model:
            self._choose_model(model)
        with usage_errors():
            self.session.load_saved()
            self.session.say(self._in_use())

    def _names(self, options: argparse.Namespace) -> tuple[str, str]:
        """Provider and model, however they are written: `openai:MODEL`, `openai MODEL`, `openai/MODEL`, `-m MODEL`."""
        written = options.provider or ""
        name, _, behind = written.partition(":")
        first, slash, rest = written.partition("/")
        if slash and "/" in name and self._is_provider(first):
            name, behind = first, rest
            if written == self.session.provider(first).default_model:  # openrouter/auto is one of its own ids
                behind = written
        given = list(filter(None, (behind, options.apart, options.model)))
        if len(given) > 1:
            raise UsageError(f"%jmuz_use: expected one model, got {' and '.join(map(repr, given))}")
        return name, "".join(given)

    def _choose_model(self, model: str) -> None:
        """Another model of the endpoint in use."""
        with usage_errors():
            self.session.load_saved()
            if self.session.selection.endpoint is None:
                raise JmuzError(f"%jmuz_use: expected a provider besides, such as %jmuz_use openai:{model}")
        self.session.selection.set(model=model)

    def _is_provider(self, name: str) -> bool:
        try:
            self.session.provider(name)
        except JmuzError:
            return False
        return True

    def _choose(self, name: str, model: str, options: argparse.Namespace) -> None:
        with usage_errors():
            choice = self.session.choice(name, options.api_base, options.key_env, options.allow_http)
            self.session.introduce(choice.provider)
            choice.endpoint()  # refuses an address or a key now, not in the middle of a cell
        if options.save:
            self._save(name, model, options, choice)
        self.session.once("saved choice")  # a choice made now is not to be replaced by a saved one
        self.session.selection.set(choice=choice, model=model or None)

    def _save(self, name: str, model: str, options: argparse.Namespace, choice: Choice) -> None:
        from jmuz_magic.providers.registry import is_registered

        if name and not is_registered(choice.provider):
            raise UsageError(f"%jmuz_use: {name} is a class of this session and cannot be saved; use --api-base URL")
        saved = {"provider": name, "model": model, "api_base": options.api_base, "key_env": options.key_env}
        self.session.saved.save("use", {**{k: v for k, v in saved.items() if v}, "allow_http": options.allow_http})

    def _in_use(self) -> str:
        selection = self.session.selection
        endpoint = selection.endpoint
        if endpoint is None:
            return NOTHING_CONFIGURED
        default = endpoint.provider.default_model
        said = f"model {default} (default)" if default else f"model: {PICKED_WHEN_SENT}"
        if selection.model:
            said = f"model {selection.model}"
        key = f"key: {endpoint.key_source}" if endpoint.key else "no key"
        if endpoint.provider.needs_auth and not endpoint.key:
            key = f"no key yet ({' or '.join([*endpoint.provider.api_key_env[:1], '%jmuz_key'])} gives one)"
        return f"{self.session.place(endpoint)}; {said}; {key}"

    @no_var_expand
    @line_magic
    @documented_by(MODELS)
    def jmuz_models(self, line: str) -> None:
        options = read_arguments(MODELS, line)
        with usage_errors():
            endpoint = self.session.endpoint(options.provider)
            self.session.introduce(endpoint.provider)
        try:
            models = endpoint.provider.get_models(endpoint=endpoint, refresh=options.refresh)
        except JmuzError as error:
            raise without_traceback(error) from None
        except KeyboardInterrupt:
            raise ReplyInterrupted("the list of models was not waited for") from None
        show_selector(self.session, options.pattern, options.provider)
        matching, selected = _matching(models, options.pattern), self.session.selection.model
        if models and not matching:
            held = "its only model does not hold" if len(models) == 1 else f"none of its {len(models)} models holds"
            self.session.say(f"{self.session.place(endpoint)}: {held} {short(options.pattern)!r}")
        else:
            self._list(endpoint, matching, None if self.session.is_elsewhere(options.provider) else selected)

    def _list(self, endpoint: Endpoint, models: Sequence[str], chosen: str | None) -> None:
        from jmuz_magic.display.listing import models_bundle

        provider = endpoint.provider
        default = chosen or provider.default_model
        title = self.session.place(endpoint) + ("" if default else f" (model: {PICKED_WHEN_SENT})")
        notes = model_notes(endpoint)
        self.session.show(models_bundle(title, models, default=default, aliases=provider.model_aliases, notes=notes))


def _matching(models: Sequence[str], pattern: str | None) -> list[str]:
    if not pattern:
        return list(models)
    wanted = pattern.lower()
    return [model for model in models if wanted in model.lower() or fnmatch.fnmatch(model.lower(), wanted)]
