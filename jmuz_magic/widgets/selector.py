"""The model selector: which endpoint and model the cells of this notebook use."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, assert_never

import anywidget
from traitlets import Dict, Unicode

from jmuz_magic.conversation.selection import Choice, Selection, get_selection
from jmuz_magic.display.views.publish import publish_widget
from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.allowed import is_allowed, refusal
from jmuz_magic.providers.picking import PICKED_WHEN_SENT, unchosen
from jmuz_magic.streaming.bridge import get_bridge
from jmuz_magic.text import clean_id, clean_line, storable
from jmuz_magic.widgets.answers import Answers
from jmuz_magic.widgets.front_end import joined
from jmuz_magic.widgets.listing import (
    Listing,
    endpoint_in_use,
    failed_listing,
    known_listing,
    provider_rows,
    providers_by_name,
)
from jmuz_magic.widgets.models import ask_models, model_of
from jmuz_magic.widgets.protocol import (
    SELECTOR_MESSAGES,
    Answer,
    AnsweredMessage,
    AnswerMessage,
    ChooseProvider,
    ModelEntry,
    Refresh,
    Resync,
    SelectorAbout,
    SelectorOperation,
    SelectorState,
    Unknown,
    Use,
    queued_words,
    read,
    taken,
)

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["ModelSelector", "close_selectors"]

IN_USE = ""  # the selected provider, which may be one without a registered name
MOST_SHOWN = 8  # every listing of models shows one; of older ones only the plain list stays

_shown: deque[ModelSelector] = deque()


class ModelSelector(anywidget.AnyWidget):
    """Providers and their models to search and choose from: `display(ModelSelector())`.

    A choice here applies to `%%jmuz` without `-m` and to every panel without its own model; a choice made elsewhere
    shows here. A list that is not known yet is fetched only when the user presses refresh.

    Attributes:
        value: id or alias of the model in use, or the provider's default if none was chosen; "" without an endpoint,
            or if the model is picked from the list when sent. Set it to choose a model; `observe` it to follow.
    """

    _esm, _css = joined("selector")

    about = Dict().tag(sync=True)
    state = Dict().tag(sync=True)
    value = Unicode("")

    def __init__(self, pattern: str = "", provider: str = "") -> None:
        """Nothing is sent.

        Args:
            pattern: initial text of the search field.
            provider: name of the provider whose models are listed first; "" for the one in use.
        """
        self._selection = get_selection()
        self._pattern = pattern
        self._provider = provider if provider in providers_by_name() else IN_USE
        self._closed = False
        self._asking: dict[str, str] = {}  # addresses, by the provider that was chosen
        self._fetched: dict[Endpoint, list[ModelEntry]] = {}
        self._listing = Listing()
        self._list_known()
        self._answers = Answers()
        about: SelectorAbout = {"operations": queued_words(SelectorOperation)}
        super().__init__(value=_model_in_use(self._selection), state=self._state(), about=about)
        self._unsubscribe = self._selection.on_change(self._follow)
        self.observe(self._choose_value, "value")
        self.on_msg(self._receive)

    def show(self) -> None:
        """Display it; of many shown before, close the oldest."""
        publish_widget(self.model_id, "Model selector; the list of models follows.")
        _shown.append(self)
        while len(_shown) > MOST_SHOWN:
            _shown.popleft().close()

    def close(self) -> None:
        """Remove the widget; the choice stays."""
        if not self._closed:
            self._closed = True
            self._unsubscribe()
            self.layout.close()  # ipywidgets leaves that open
        super().close()

    # --- What is shown ---

    def _state(self) -> SelectorState:
        using = endpoint_in_use(self._selection)
        providers = [[IN_USE, f"In use: {using}" if using else "Choose a provider"]]
        providers += provider_rows(self._selection)
        return {
            "providers": providers,
            "provider": self._provider,
            "entries": self._listing.entries,
            "model": storable(_model_in_use(self._selection)) if self._provider == IN_USE else "",
            "using": using and f"{_model_label(self._selection)}, {using}",
            "hint": self._listing.hint,
            "problem": self._listing.problem,
            "asking": self._asking.get(self._provider, ""),
            "pattern": self._pattern,
        }

    def _show(self) -> None:
        if not self._closed:
            self.state = dict(self._state())

    def _list_known(self) -> None:
        """Show the list as far as it is known without asking; may wait for the keyring."""
        provider = self._provider
        try:
            listing = known_listing(self._endpoint(), self._fetched)
        except JmuzError as error:
            listing = failed_listing(Listing(), error)
        if provider == self._provider:  # else another was chosen meanwhile
            self._listing = listing

    def _endpoint(self) -> Endpoint | None:
        """The endpoint whose models are listed; None if nothing is selected."""
        if self._provider == IN_USE:
            return self._selection.endpoint
        return self._choice().endpoint()

    def _choice(self) -> Choice:
        """The listed provider; if it is also the selected one, it keeps its address and key."""
        from jmuz_magic.providers.registry import find_provider  # not at load: it imports every provider

        provider, selected = find_provider(self._provider), self._selection.choice
        return selected if selected and selected.provider is provider else Choice(provider)

    def _follow(self, _: Selection) -> None:
        """The selection has changed, here or elsewhere."""
        if self._provider == IN_USE:
            self._list_known()
        self.value = _model_in_use(self._selection)
        self._show()

    def _choose_value(self, change: Mapping[str, Any]) -> None:
        if change["new"] != _model_in_use(self._selection):
            self._selection.set(model=change["new"] or None)

    # --- What the user does ---

    def _receive(self, _: object, content: Any, __: Any) -> None:
        # On the kernel's thread, which must not wait: the bridge's does the work.
        if isinstance(content, dict) and not self._closed:
            contextvars.Context().run(get_bridge().submit, self._serve(content))

    async def _serve(self, content: dict[str, object]) -> None:
        asked = read(SELECTOR_MESSAGES, content)
        if isinstance(asked, Resync):
            lost: AnsweredMessage = {"answered": self._answers.given_to(asked.waiting)}
            self.send(lost)
            return
        if asked.asks:
            self.send(taken(asked.request))
        answer: Answer = {}
        try:
            await self._do(asked)
        except JmuzError as error:
            answer = {"error": clean_line(str(error))}
        self._show()
        self._answers.keep(asked.request, answer)
        message: AnswerMessage = {"type": "answer", "request": asked.request, **answer}
        self.send(message)

    async def _do(self, operation: SelectorOperation | Unknown) -> None:
        match operation:
            case ChooseProvider(name=name):
                if name != IN_USE and not is_allowed(name):
                    raise refusal()
                self._provider = name if name in providers_by_name() else IN_USE
                await asyncio.to_thread(self._list_known)
            case Refresh():
                await self._refresh()
            case Use(model=model):
                self._use(model_of(model))
            case Unknown():
                pass
            case _:
                assert_never(operation)

    async def _refresh(self) -> None:
        """Ask the endpoint; if that fails, the last list stays, with a line about the failure."""
        provider, failure = self._provider, None
        try:
            endpoint = await asyncio.to_thread(self._endpoint)
            if endpoint:
                self._asking[provider] = endpoint.origin
                self._listing = replace(self._listing, problem="")
                self._show()
                self._fetched[endpoint] = await ask_models(endpoint, refresh=True)
        except JmuzError as error:
            failure = error
        finally:
            self._asking.pop(provider, None)
        await asyncio.to_thread(self._list_known)
        if failure and provider == self._provider:
            self._listing = failed_listing(self._listing, failure)

    def _use(self, model: str | None) -> None:
        if self._provider == IN_USE:
            self._selection.set(model=model)
            return
        choice = self._choice()
        choice.endpoint()  # refuse a bad address or key now, not in a later cell
        self._provider = IN_USE
        self._selection.set(choice=choice, model=model)


def close_selectors() -> None:
    """Close every selector that `show` displayed."""
    while _shown:
        _shown.popleft().close()


def _model_in_use(selection: Selection) -> str:
    if selection.model:
        return selection.model
    endpoint = _endpoint_in_use(selection)
    return endpoint.default_model if endpoint else ""


def _model_label(selection: Selection) -> str:
    if model := clean_id(_model_in_use(selection)):
        return model
    endpoint = _endpoint_in_use(selection)
    return f"model {unchosen(endpoint) if endpoint else PICKED_WHEN_SENT}"


def _endpoint_in_use(selection: Selection) -> Endpoint | None:
    try:
        return selection.endpoint
    except JmuzError:
        return None
