"""`%jmuz_models`: the models of an endpoint, as a list and, in front ends with widgets, as a selector."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.line.magic import magic
from jmuz_magic.magics.line.options import Options, option
from jmuz_magic.magics.line.values import model_name, provider_name
from jmuz_magic.magics.running.foreground import ReplyInterrupted, without_traceback
from jmuz_magic.magics.session import Session, usage_errors
from jmuz_magic.providers.picking import how_to_choose, model_notes, unchosen
from jmuz_magic.text import clean_line

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["ModelsOptions", "jmuz_models"]


@dataclass(frozen=True, eq=False, repr=False)
class ModelsOptions(Options):
    """The options of `%jmuz_models`."""

    patterns: tuple[str, ...] = option(
        "PATTERN …", "show ids that contain all these words, or match them (gpt-*)", completes="listed model"
    )
    provider: str | None = option(
        "-p, --provider PROVIDER", "list another provider's models", read=provider_name, completes="provider"
    )
    refresh: bool = option("--refresh", "fetch the list again")

    @property
    def words(self) -> str:
        """The patterns as one text, as the selector's search takes it."""
        return " ".join(self.patterns)


@magic(ModelsOptions)
def jmuz_models(session: Session, options: ModelsOptions) -> None:
    """List the models of the endpoint in use, with the default and the aliases marked."""
    for word in options.patterns:
        model_name(word)  # refuse a key before it is shown or kept
    with usage_errors():
        endpoint = session.endpoints.endpoint(options.provider)
        session.introduce(endpoint.provider)
    try:
        models = endpoint.provider.get_models(endpoint=endpoint, refresh=options.refresh)
    except JmuzError as error:
        raise without_traceback(error) from None
    except KeyboardInterrupt:
        raise ReplyInterrupted("stopped waiting for the list of models") from None
    _show_selector(session, options)
    matching, label = _matching(models, options.words), session.endpoints.label(endpoint)
    if not models:
        session.say(f"{label} lists no models; choose one by its id with {how_to_choose(endpoint)}")
    elif not matching:
        held = "its only model does not match" if len(models) == 1 else f"none of its {len(models)} models matches"
        session.say(f"{label}: {held} {clean_line(options.words, 200)!r}")
    else:
        elsewhere = session.endpoints.is_elsewhere(options.provider)
        _show(session, endpoint, matching, None if elsewhere else session.endpoints.selection.model)


def _show_selector(session: Session, options: ModelsOptions) -> None:
    """Show the model selector in the running cell if the front end can; the list below it is for all others."""
    from jmuz_magic.providers.registry import known_providers

    if not session.is_kernel or (options.provider and options.provider not in known_providers()):
        return  # a selector does not list the notebook's own classes
    try:
        from jmuz_magic.widgets.selector import ModelSelector, close_selectors
    except ImportError:
        return
    if session.once(close_selectors):
        session.undo.callback(close_selectors)
    ModelSelector(options.words, provider=options.provider or "").show()


def _matching(models: Sequence[str], patterns: str) -> list[str]:
    wanted = patterns.lower().split()

    def matches(model: str) -> bool:
        return all(word in model or fnmatch.fnmatchcase(model, word) for word in wanted)

    return [model for model in models if matches(model.lower())]


def _show(session: Session, endpoint: Endpoint, models: Sequence[str], chosen: str | None) -> None:
    from jmuz_magic.display.listing import models_bundle
    from jmuz_magic.providers.listing import is_part

    provider = endpoint.provider
    default = chosen or endpoint.default_model
    title = session.endpoints.label(endpoint) + ("" if default else f" (model: {unchosen(endpoint)})")
    notes = model_notes(endpoint)
    session.show(models_bundle(title, models, default=default, aliases=provider.model_aliases, notes=notes))
    if is_part(endpoint):
        session.say(
            f"this is a part of the list: {endpoint.origin} says that it has more models; -m MODEL takes any id"
        )
