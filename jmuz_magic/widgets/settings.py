"""The settings in a panel's drawer: provider, model, system message and options of a conversation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jmuz_magic.conversation.numbers import read_temperature, read_token_count
from jmuz_magic.conversation.selection import get_selection, pick_endpoint
from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.picking import unchosen
from jmuz_magic.text import clean_id, clean_line, clean_text, storable
from jmuz_magic.widgets.models import model_of
from jmuz_magic.widgets.protocol import SetSettings, Settings

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["apply_settings", "show_settings"]

_READ: dict[str, Callable[[str], float]] = {"temperature": read_temperature, "max_tokens": read_token_count}


def show_settings(conversation: Conversation, offer: str = "") -> Settings:
    """The settings for the next turn; keys are not among them.

    Args:
        conversation: whose settings.
        offer: what it may go on with while it is empty.
    """
    endpoint, problem = _endpoint(conversation)
    model = conversation.chosen_model or (endpoint.default_model if endpoint else "")
    options = {**get_selection().options, **conversation.options}
    return {
        "model": storable(model),
        "model_label": clean_id(model) or ("" if endpoint is None else unchosen(endpoint)),
        "provider": conversation.provider or "",
        "endpoint": endpoint.label if endpoint else "no endpoint",
        "shared": _shares_selection(conversation, endpoint),
        "system": clean_text(conversation.system or ""),
        "temperature": options.get("temperature"),
        "max_tokens": options.get("max_tokens"),
        "ready": endpoint is not None,
        "hint": problem or (endpoint and endpoint.notice) or _hint(conversation),
        "resume": offer,
    }


def _endpoint(conversation: Conversation) -> tuple[Endpoint | None, str]:
    try:
        return conversation.endpoint, ""
    except JmuzError as error:
        problem = str(error)
        return None, clean_line(problem[:1].upper() + problem[1:])


def _hint(conversation: Conversation) -> str:
    if conversation.name is None:
        return "Replies appear here."
    return f"Cells can join in with %%jmuz --chat={clean_line(conversation.name)}"


def _shares_selection(conversation: Conversation, endpoint: Endpoint | None) -> bool:
    """Whether the conversation uses what the cells use, so that choosing here changes both."""
    if conversation.model is not None:
        return False
    try:
        return endpoint == get_selection().endpoint
    except JmuzError:
        return False


def apply_settings(conversation: Conversation, changes: SetSettings) -> None:
    """Apply what was changed in the drawer.

    Raises:
        JmuzError: there is no such provider, its address or key cannot be used, what was typed is not a number, or is a
            key in the place of a model.
    """
    if changes.provider is not None:
        _choose_provider(conversation, changes.provider or None)
    if changes.model is not None:
        _choose_model(conversation, model_of(changes.model))
    if changes.system is not None:
        conversation.configure(system=changes.system.strip() or None)
    typed = {"temperature": changes.temperature, "max_tokens": changes.max_tokens}
    numbers = {name: _number(name, text.strip()) for name, text in typed.items() if text is not None}
    if numbers:
        conversation.configure(options=conversation.options | numbers)


def _choose_provider(conversation: Conversation, name: str | None) -> None:
    """Let this conversation ask another provider, with the model that is its default; None for what cells ask."""
    pick_endpoint(get_selection(), name)  # refuse a bad address or key now, not with the next prompt
    conversation.configure(provider=name, model=None)


def _choose_model(conversation: Conversation, model: str | None) -> None:
    endpoint, _ = _endpoint(conversation)
    if _shares_selection(conversation, endpoint):
        get_selection().set(model=model)
    else:
        conversation.configure(model=model)


def _number(name: str, text: str) -> float | None:
    """The number typed; None for an empty field."""
    try:
        return _READ[name](text) if text else None
    except ValueError as error:
        raise JmuzError(f"{clean_line(str(error))}; or leave it empty") from None
