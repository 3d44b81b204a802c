"""What a selector lists: the providers in their order, the models known of one, and what to do where there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.base import only_known
from jmuz_magic.providers.picking import model_notes
from jmuz_magic.text import clean_line
from jmuz_magic.widgets.models import model_entries
from jmuz_magic.widgets.protocol import ModelEntry

if TYPE_CHECKING:
    from jmuz_magic.conversation.selection import Selection
    from jmuz_magic.providers.endpoint.endpoint import Endpoint, Provider

__all__ = [
    "Listing",
    "endpoint_in_use",
    "failed_listing",
    "known_listing",
    "provider_rows",
    "providers_by_name",
]

CHOOSE = "Choose a provider; until then nothing is asked."
NOT_FETCHED = "This list has not been fetched yet: press Refresh, or type a model's id."
NO_MODELS = "{} lists no models; type the id of one to use it."
NO_KEY = "{} needs a key: {}; then press Refresh."


@dataclass(frozen=True)
class Listing:
    """The models known of an endpoint.

    Attributes:
        entries: the models, or the aliases if nothing else is known.
        hint: what to do if no model is listed.
        problem: why the endpoint cannot be asked, or what went wrong when it was.
    """

    entries: list[ModelEntry] = field(default_factory=list)
    hint: str = ""
    problem: str = ""


def known_listing(endpoint: Endpoint | None, fetched: Mapping[Endpoint, list[ModelEntry]]) -> Listing:
    """What is known without asking.

    Args:
        endpoint: None if nothing is in use.
        fetched: what endpoints answered to this selector.
    """
    if endpoint is None:
        return Listing(hint=CHOOSE)
    provider = endpoint.provider
    models = provider.cached_models(endpoint)
    if not models and fetched.get(endpoint):  # a class of its own kind, which keeps no list
        return Listing(fetched[endpoint])
    hint = "" if models else _hint(endpoint, is_fetched=endpoint in fetched)
    return Listing(model_entries(provider, models, model_notes(endpoint)), hint)


def failed_listing(listing: Listing, error: JmuzError) -> Listing:
    """The same models, with what went wrong instead of a hint."""
    return Listing(listing.entries, problem=clean_line(str(error)))


def _hint(endpoint: Endpoint, *, is_fetched: bool) -> str:
    provider = endpoint.provider
    if endpoint.key is None and provider.needs_auth and endpoint.own_origin:
        return NO_KEY.format(clean_line(provider.label), endpoint.key_advice)
    return NO_MODELS.format(endpoint.origin) if is_fetched else NOT_FETCHED


def providers_by_name() -> Mapping[str, Provider]:
    """The providers that this session knows."""
    from jmuz_magic.providers.registry import known_providers  # not at load: it imports every provider

    return known_providers()


def provider_rows(selection: Selection) -> list[list[str]]:
    """Names and labels: first the one in use, configured ones and those with a key; last the unreliable namesake."""
    from jmuz_magic.providers.jmuz import Jmuz
    from jmuz_magic.providers.registry import configured_provider

    selected = selection.choice.provider if selection.choice else None

    def place(provider: Provider) -> tuple[bool, bool]:
        described = configured_provider(provider.spoken_name) is provider
        return provider is Jmuz, not (provider is selected or described or _has_key(provider))

    named = sorted(providers_by_name().items(), key=lambda item: place(item[1]))
    return [[name, _label(provider)] for name, provider in named]


def _label(provider: Provider) -> str:
    """What a list of providers calls it, with what is promised of it."""
    from jmuz_magic.providers.endpoint.promise import promise_of  # not at load

    return " – ".join(filter(None, (clean_line(provider.label), promise_of(provider))))


def endpoint_in_use(selection: Selection) -> str:
    """The endpoint in use in words, or why it cannot be used; "" without one."""
    try:
        endpoint = selection.endpoint
    except JmuzError as error:
        return clean_line(str(error))
    return endpoint.label if endpoint else ""


def _has_key(provider: Provider) -> bool:
    """Whether a key for it is at hand; the keyring is not asked."""
    from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint
    from jmuz_magic.providers.endpoint.keys import is_saved

    try:
        with only_known():
            endpoint = resolve_endpoint(provider)
    except JmuzError:  # the demo without an address, or a key that must not travel
        return False
    return endpoint.key is not None or is_saved(endpoint.origin)
