"""The JSON body of a request to the Messages API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import EarlierReasoning
from jmuz_magic.providers.dialects.anthropic.content import system_of, turns_of
from jmuz_magic.providers.dialects.anthropic.options import OPTIONS, members
from jmuz_magic.providers.dialects.anthropic.places import NAME
from jmuz_magic.providers.dialects.dialect import Service, items_by_message
from jmuz_magic.providers.dialects.sending import Image, attach_images, copied

__all__ = ["build_body"]


def build_body(
    service: Service,
    model: str,
    messages: Sequence[Any],
    stream: bool = True,
    *,
    images: Sequence[Image] | None = None,
    extra_body: Mapping[str, Any] | None = None,
    earlier_reasoning: Sequence[EarlierReasoning | None] = (),
    **options: Any,
) -> dict[str, Any]:
    """The body for `messages`; see `OpenaiTemplate.build_request`.

    `max_tokens` is always sent, since the service demands it: what was asked for, else what a fetched list of models
    states for the model, else the service's `default_max_tokens`.

    Raises:
        JmuzError: a message or an image is invalid, or there are only system messages.
    """
    id_ = service.get_model(model)
    sent = copied(messages, takes_pdf=True)  # every model takes them (…/build-with-claude/pdf-support, 2026-11-28)
    items = items_by_message(messages, earlier_reasoning, id_, NAME)
    if images:
        sent = attach_images(sent, images)
    turns = turns_of(sent, items)
    if not turns:
        raise JmuzError("expected a message of a user, got only system messages")
    added = dict(extra_body or {})
    given = {name: value for name, value in options.items() if value is not None} | added
    limits = (given.get(name) for name in ("max_tokens", "max_completion_tokens"))
    limit = next((each for each in limits if each is not None), None)
    body: dict[str, Any] = {
        "model": id_,
        "max_tokens": _usual_limit(service, id_) if limit is None else limit,
        **({"system": system} if (system := system_of(sent)) else {}),
        "messages": turns,
        "stream": stream,
    }
    as_they_are = {name: value for name, value in added.items() if value is None or name not in OPTIONS}
    return {**body, **members(given), **as_they_are}


def _usual_limit(service: Service, model: str) -> int:
    return service.stated_max_tokens(model) or service.default_max_tokens
