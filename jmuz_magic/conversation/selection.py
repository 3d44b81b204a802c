"""What is used by default: one selection of endpoint, model and options for the process."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jmuz_magic.conversation.callbacks import Callbacks
from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.advice import advice

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Endpoint, Provider
    from jmuz_magic.providers.endpoint.headers import Header
    from jmuz_magic.secret import Secret

__all__ = [
    "Choice",
    "Selection",
    "endpoint_advice",
    "get_selection",
    "nothing_configured",
    "pick_endpoint",
    "pick_model",
]

NOTHING_CONFIGURED = (
    "no endpoint is configured, so nothing was sent; choose one: %jmuz_use demo (built in, no model), "
    "%jmuz_use --local (finds Ollama and others here), %jmuz_use openai, %jmuz_use jmuz (a free third party), "
    "or set JMUZ_API_BASE"
)
NOTHING_NAMED = (
    "no endpoint is configured, so nothing was sent; name one: Conversation(provider='ollama'), "
    "Conversation(provider='openai'), Conversation(api_base=…), or set JMUZ_API_BASE"
)


@dataclass(frozen=True)
class Choice:
    """A chosen endpoint; its address and key are looked up for each request.

    Attributes:
        provider: the class that speaks to it.
        api_base: an address instead of the provider's own; None for that.
        key_env: the environment variable with the key for this address; None to find it as the provider does.
        allow_http: whether the key may travel over plain http to a host other than loopback.
        api_key: a key given in Python; never saved.
        dialect: the name of the dialect to use instead of the provider's; "" for that.
        headers: what this address wants besides the usual ones.
    """

    provider: Provider
    api_base: str | None = None
    key_env: str | None = None
    allow_http: bool = False
    api_key: Secret | None = field(default=None, repr=False)
    dialect: str = ""
    headers: tuple[Header, ...] = ()

    def endpoint(self) -> Endpoint:
        """The endpoint with its current address and key.

        Raises:
            JmuzError: the address is invalid, or the key must not go there.
        """
        from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint

        return resolve_endpoint(
            self.provider,
            api_base=self.api_base,
            api_key=self.api_key,
            key_env=self.key_env,
            allow_http=self.allow_http,
            dialect=self.dialect,
            headers=self.headers,
        )


class Selection:
    """Endpoint, model and options for cells, panels and conversations that name none.

    Attributes:
        choice: the chosen endpoint; None if none was chosen.
        model: the model's id or alias; None for the provider's default, or one picked from its list when sent.
        options: sent with every request, such as `{"temperature": 0.2}`.
    """

    def __init__(self) -> None:
        self.choice: Choice | None = None
        self.model: str | None = None
        self.options: dict[str, Any] = {}
        self._callbacks: Callbacks[Selection] = Callbacks()

    def set(self, **changes: Any) -> None:
        """Change `choice`, `model` or `options` and call the registered callbacks."""
        unknown = changes.keys() - {"choice", "model", "options"}
        if unknown:
            raise TypeError(f"a selection has choice, model and options, not {', '.join(sorted(unknown))}")
        for name, value in changes.items():
            setattr(self, name, value)
        self._callbacks.tell(self)

    def on_change(self, callback: Callable[[Selection], None]) -> Callable[[], None]:
        """Call `callback(selection)` after each `set`, on the setting thread; return a function that undoes this."""
        return self._callbacks.add(callback)

    @property
    def endpoint(self) -> Endpoint | None:
        """The chosen endpoint, else Jmuz at `JMUZ_API_BASE`, else the only one that an administrator allows, else None.

        Nothing is sent anywhere by accident.
        """
        choice = self.choice or _unchosen()
        return choice.endpoint() if choice else None


def nothing_configured() -> str:
    """What to say if no endpoint is chosen: nothing was sent, and how to choose one."""
    from jmuz_magic.providers.allowed import allowed_names, missing_names, refusal

    if allowed_names() is None:
        return advice(NOTHING_CONFIGURED, NOTHING_NAMED)
    if how := endpoint_advice():
        gap = f"; there is no endpoint called {', '.join(missing_names())}" if missing_names() else ""
        return f"no endpoint is chosen, so nothing was sent; {how}{gap}"
    return str(refusal())


def endpoint_advice() -> str:
    """What to do to choose one of the endpoints that may be asked; "" if all may be asked, or none."""
    from jmuz_magic.providers.allowed import allowed_names, missing_names

    names = [name for name in allowed_names() or () if name not in missing_names()]
    return (
        advice(f"choose one: %jmuz_use {', %jmuz_use '.join(names)}", f"name one: {', '.join(names)}") if names else ""
    )


def _unchosen() -> Choice | None:
    """What is asked if nothing was chosen."""
    if os.environ.get("JMUZ_API_BASE"):
        from jmuz_magic.providers.jmuz import Jmuz

        return Choice(Jmuz)
    from jmuz_magic.providers.allowed import allowed_names

    if allowed_names() is None:
        return None
    from jmuz_magic.providers.registry import only_provider  # brings the catalog

    provider = only_provider()
    return Choice(provider) if provider else None


def pick_endpoint(selection: Selection, provider: Provider | str | None) -> Endpoint:
    """The endpoint for a request that names `provider`; None for the selected one.

    If that provider is also the selected one, the selection's address and key are kept.

    Raises:
        JmuzError: nothing is configured, or the provider is unknown.
    """
    if provider is None:
        endpoint = selection.endpoint
        if endpoint is None:
            raise JmuzError(nothing_configured())
        return endpoint
    if isinstance(provider, str):
        from jmuz_magic.providers.registry import find_provider

        provider = find_provider(provider)
    chosen = selection.choice
    if chosen is not None and chosen.provider is provider:
        return chosen.endpoint()
    return Choice(provider).endpoint()


def pick_model(selection: Selection, provider: Provider | str | None) -> str:
    """The selected model, for a request that names `provider`; "" if that is not the selected one."""
    chosen = selection.choice
    is_selected = provider is None or (
        chosen is not None and provider in (chosen.provider, chosen.provider.spoken_name)
    )
    return selection.model or "" if is_selected else ""


_selection = Selection()


def get_selection() -> Selection:
    """The selection of this process, which the magics' traits and the widgets mirror."""
    return _selection
