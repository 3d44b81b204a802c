"""Picks a model if none was chosen: the newest listed one of a provider's small general family."""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from jmuz_magic.errors import JmuzError, ModelNotFoundError, RateLimitError, ResponseError
from jmuz_magic.providers.advice import advice, list_advice
from jmuz_magic.text import clean_line

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Endpoint
    from jmuz_magic.providers.endpoint.listed import Listed

__all__ = [
    "IN_PYTHON",
    "PICKED_WHEN_SENT",
    "days_left",
    "how_to_choose",
    "model_notes",
    "pick",
    "pick_listed",
    "shutdown_text",
    "unchosen",
    "undecided",
]

PICKED_WHEN_SENT = "picked from the list when sent"
NONE_TO_PICK = "none chosen yet"
IN_PYTHON = "Conversation(model=…)"
SUGGESTED = 5  # ids in the message that asks for a choice
LONGEST_ID = 60  # characters of an id in that message; real ids stay below

# One digit after the point: xAI's 4.20 is older than its 4.3, and no service has counted beyond 9 yet (2026-11).
_PLACEHOLDERS = {"version": r"(?P<version>\d{1,2}(?:[.-]\d)?)", "date": r"\d{8}"}


def pick(families: Sequence[str], models: Sequence[Listed]) -> str:
    """The id to use if none was chosen; "" if the list leaves the choice open.

    The highest version wins; of equal versions the one whose family is named first, then the one with the later date.
    If no family matches, a single candidate is picked: the only loaded model if the list says which are loaded, else
    the only one for chat, else the only one.

    Args:
        families: see `OpenaiTemplate.model_families`.
        models: as listed.
    """
    ranked = [
        (_version(found), -rank, model.id)
        for rank, family in enumerate(families)
        for model in models
        if not model.adapter and (found := _pattern(family).fullmatch(model.id))
    ]
    if ranked:
        return max(ranked)[2]
    chatting = [model for model in models if model.chats] or list(models)
    candidates = [model for model in chatting if model.loaded] or chatting
    return candidates[0].id if len(candidates) == 1 else ""


async def pick_listed(endpoint: Endpoint, ask: Callable[[], Awaitable[object]]) -> str:
    """The id to use, from the endpoint's list.

    Args:
        endpoint: the endpoint to ask.
        ask: fetches its list; awaited unless the list is known.

    Raises:
        ModelNotFoundError: the list leaves the choice open, or there is none; the message says how to choose.
        JmuzError: the list could not be fetched for another reason, such as a missing key.
    """
    provider = endpoint.provider
    if not provider.may_pick:
        text = f"no model is chosen, and {provider.label} lists none to pick; choose one with {how_to_choose(endpoint)}"
        raise ModelNotFoundError(text, origin=endpoint.origin)
    try:
        if not provider.listed_models(endpoint):
            await ask()
    except RateLimitError:
        raise
    except (ResponseError, ModelNotFoundError) as error:
        raise _unlisted(endpoint, error) from None
    models = provider.listed_models(endpoint)
    picked = pick(provider.model_families, models)
    if not picked:
        raise undecided(endpoint, models)
    return picked


def unchosen(endpoint: Endpoint) -> str:
    """What is said of the model where none was chosen."""
    return PICKED_WHEN_SENT if endpoint.provider.may_pick else NONE_TO_PICK


def undecided(endpoint: Endpoint, models: Sequence[Listed]) -> ModelNotFoundError:
    """The error for a list that leaves the choice open; it shows some ids and how to choose one."""
    shown = [model.id for model in models if model.chats] or [model.id for model in models]
    ids = ", ".join(clean_line(id_, LONGEST_ID) for id_ in shown[:SUGGESTED])
    if not ids:
        text = f"no model is chosen, and {endpoint.origin} lists none; choose one with {how_to_choose(endpoint)}"
    else:
        more = f" ({list_advice()} lists all {len(models)})" if len(models) > len(shown[:SUGGESTED]) else ""
        text = f"no model is chosen; choose one with {how_to_choose(endpoint)}, such as {ids}{more}"
    return ModelNotFoundError(text, origin=endpoint.origin)


def _unlisted(endpoint: Endpoint, error: JmuzError) -> ModelNotFoundError:
    """The error for an endpoint that has no list."""
    text = f"no model is chosen, and none can be picked: {error}; choose one with {how_to_choose(endpoint)}"
    return ModelNotFoundError(text, origin=endpoint.origin, attempts=error.attempts)


def how_to_choose(endpoint: Endpoint) -> str:
    """What to type to choose a model at this endpoint."""
    from jmuz_magic.providers.endpoint.endpoint import find_address

    provider = endpoint.provider
    has_address = provider.api_base or provider.environment_api_base()
    at_home = has_address and endpoint.api_base == find_address(provider)
    return advice(f"%jmuz_use {provider.spoken_name}:MODEL" if at_home else "-m MODEL", IN_PYTHON)


def model_notes(endpoint: Endpoint) -> dict[str, str]:
    """Notes on listed models, by id: which one would be picked, which one answers, and when one is switched off."""
    listed = endpoint.provider.listed_models(endpoint)
    picked = "" if endpoint.provider.default_model else pick(endpoint.provider.model_families, listed)
    notes = {each.id: "; ".join(_notes(endpoint, each, picked)) for each in listed}
    return {id_: note for id_, note in notes.items() if note}


def _notes(endpoint: Endpoint, model: Listed, picked: str) -> Iterator[str]:
    if model.id == picked:
        yield "picked if none is chosen"
    if model.root and not model.adapter:  # an adapter's root is a path on the server
        yield f"answered by {clean_line(model.root, LONGEST_ID)}"
    if model.shutdown:
        yield shutdown_text(endpoint, model.shutdown)


def shutdown_text(endpoint: Endpoint, day: date) -> str:
    """When a model will be switched off, in words."""
    days = days_left(endpoint, day)
    if days < 0:
        return f"was to be switched off on {day}"
    when = {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
    return f"will be switched off on {day}, {when}"


def days_left(endpoint: Endpoint, day: date) -> int:
    """Days until then, by the provider's clock."""
    return (day - endpoint.provider.today()).days


@functools.lru_cache(maxsize=64)
def _pattern(family: str) -> re.Pattern[str]:
    literal = re.escape(family)
    for name, pattern in _PLACEHOLDERS.items():
        literal = literal.replace(re.escape(f"{{{name}}}"), pattern)
    return re.compile(literal)


def _version(found: re.Match[str]) -> tuple[int, ...]:
    named = found.groupdict().get("version") or "0"
    return tuple(map(int, re.split("[.-]", named)))
