"""A list of models as the widgets show it: ids with notes, and the one in use."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.picking import model_notes
from jmuz_magic.secret import model_looks_like_key
from jmuz_magic.text import clean_id, storable
from jmuz_magic.widgets.protocol import ModelEntry

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Endpoint, Provider

__all__ = ["ask_models", "model_entries", "model_of"]

NO_MODEL = (
    "that looks like a key, not like the id of a model, so it was not used; %jmuz_key takes keys, in a hidden field"
)


def model_of(text: str) -> str | None:
    """The id that was typed or chosen in a widget; None for an empty field.

    Raises:
        JmuzError: it seems to be a key, which would be shown, stored and sent as the model.
    """
    if model_looks_like_key(text):
        raise JmuzError(NO_MODEL)
    return text.strip() or None


def model_entries(
    provider: Provider, models: Sequence[str], notes: Mapping[str, str] | None = None
) -> list[ModelEntry]:
    """`[id, note]` for each model, with the label as a third item if it differs from the id.

    The note says `default`, which aliases the model has, and what `notes` says about its id. An alias for an unlisted
    model gets its own entry.
    """
    further = notes or {}
    aliases: dict[str, list[str]] = {}
    for alias, target in provider.model_aliases.items():
        aliases.setdefault(target, []).append(alias)
    listed = dict.fromkeys(storable(model) for model in models)
    default = provider.default_model
    entries = [_entry(model, _note(model, default, aliases.get(model, []), further.get(model))) for model in listed]
    unlisted = [alias for target, names in aliases.items() if target not in listed for alias in names]
    return entries + [_entry(alias, f"alias of {provider.model_aliases[alias]}") for alias in unlisted]


def _entry(model: str, note: str) -> ModelEntry:
    label = clean_id(model)
    return [model, note] if label == model else [model, note, label]


def _note(model: str, default: str, aliases: Sequence[str], further: str | None) -> str:
    notes = ["default"] if model == default else []
    notes += [f"alias {clean_id(alias)}" for alias in sorted(aliases)]
    return ", ".join([*notes, *([further] if further else [])])


async def ask_models(endpoint: Endpoint, *, refresh: bool = False) -> list[ModelEntry]:
    """The entries of an endpoint, which is asked unless they are known.

    Raises:
        JmuzError: the endpoint did not answer with a list.
    """
    # The synchronous form waits for the bridge, so it needs another thread.
    models = await asyncio.to_thread(endpoint.provider.get_models, endpoint=endpoint, refresh=refresh)
    return model_entries(endpoint.provider, models, model_notes(endpoint))
