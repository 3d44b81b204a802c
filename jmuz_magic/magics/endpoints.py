"""The endpoint that cells ask: chosen, configured or saved, and the user's names for models."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jmuz_magic.conversation.selection import Choice, endpoint_advice, get_selection, pick_endpoint
from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.alias_store import Aliases
from jmuz_magic.magics.saved import SavedChoices, saved_headers
from jmuz_magic.providers.allowed import allow_at, allowed_names, checked_later
from jmuz_magic.providers.base import UNNAMED
from jmuz_magic.providers.endpoint.keys import expect_saved
from jmuz_magic.recordings.replaying import asks_nobody, may_replay
from jmuz_magic.request.alias import Alias

if TYPE_CHECKING:
    from jmuz_magic.demo.server import DemoServer
    from jmuz_magic.providers.endpoint.endpoint import Endpoint, Provider
    from jmuz_magic.providers.endpoint.headers import Header

__all__ = ["KEYS", "Endpoints"]

USE = "use"
"""The section of the saved choices with the endpoint."""
KEYS = "keys"
"""The section with the origins for which the keyring has a key; never with a key."""


class Endpoints:
    """The endpoints that one shell knows.

    Attributes:
        selection: what cells use by default.
        saved: choices that outlive the session.
        aliases: the user's names for models.
        configured: the provider that a configuration file names, until its first use.
    """

    def __init__(self, shell: Any, undo: ExitStack) -> None:
        self.selection = get_selection()
        self.saved = SavedChoices()
        self.aliases = Aliases(self.saved)
        self.configured: str | None = None
        self._shell, self._undo = shell, undo
        self._expects_keys = self._has_chosen = False
        self._demo: DemoServer | None = None

    def start_demo(self) -> str:
        """Start the demo endpoint, which runs in its own thread until the unload; return its api_base."""
        from jmuz_magic.demo.server import DemoServer
        from jmuz_magic.providers.catalog import Demo

        if self._demo is None:
            self._demo = DemoServer()
            self._demo.start()
            self._undo.callback(self._stop_demo, self._demo, self._demo.api_base)
            allow_at(Demo, self._demo.api_base)
        return self._demo.api_base

    def _stop_demo(self, demo: DemoServer, api_base: str) -> None:
        demo.stop()
        choice = self.selection.choice
        if choice is not None and choice.api_base == api_base:
            self.selection.set(choice=replace(choice, api_base=None))  # after a reload it is started at first use

    def label(self, endpoint: Endpoint) -> str:
        """Provider and address of an endpoint; for our demo no address, since its port differs with each run."""
        if self._demo is not None and endpoint.api_base == self._demo.api_base:
            return "Demo in this process (no language model)"
        return f"{endpoint.provider_name} at {endpoint.api_base}"

    def provider(self, name: str) -> Provider:
        """A provider of the configuration, a class from the user's namespace, or another registered one.

        Raises:
            JmuzError: there is none; the message suggests the closest name.
        """
        from jmuz_magic.providers.registry import configured_provider, find_provider, is_provider

        if configured_provider(name):
            return find_provider(name)
        value = self._shell.user_ns.get(name)
        return value if is_provider(value) else find_provider(name)

    def configure(self, providers: Sequence[Provider]) -> None:
        """Let these be the providers of the configuration; a choice of one of them follows its description."""
        from jmuz_magic.providers.registry import configure_providers, configured_provider

        choice = self.selection.choice
        before = configured_provider(choice.provider.spoken_name) if choice else None
        configure_providers(providers)
        if choice and before is choice.provider:
            now = configured_provider(choice.provider.spoken_name)
            if now and now is not before:
                self.selection.set(choice=replace(choice, provider=now))

    def choice(
        self,
        name: str,
        api_base: str | None = None,
        key_env: str | None = None,
        allow_http: bool = False,
        headers: Sequence[Header] = (),
        dialect: str = "",
    ) -> Choice:
        """The choice for a provider's name ("" for any OpenAI-compatible endpoint); starts the demo endpoint.

        Headers without an origin become those of the address that it has now.

        Raises:
            JmuzError: there is no such provider, or no address.
        """
        from jmuz_magic.providers.catalog import Demo
        from jmuz_magic.providers.endpoint.address import origin_of
        from jmuz_magic.providers.endpoint.endpoint import find_address
        from jmuz_magic.providers.endpoint.headers import headers_at

        provider = self.provider(name or UNNAMED)
        if provider is Demo and not api_base:
            api_base = self.start_demo()
            headers = [replace(header, origin="") for header in headers]  # its port differs with each run
        origin = origin_of(find_address(provider, api_base))
        bound = tuple(replace(header, origin=header.origin or origin) for header in headers)
        headers_at(origin, provider, bound)  # refuse now what would fail in a later cell
        return Choice(provider, api_base, key_env, allow_http, dialect=dialect, headers=bound)

    def endpoint(self, provider: str | None = None) -> Endpoint:
        """The endpoint of the named provider, or the one in use.

        Raises:
            JmuzError: nothing is configured, or there is no such provider.
        """
        self.load_saved()
        return pick_endpoint(self.selection, self.provider(provider) if provider else None)

    def alias(self, name: str | None) -> Alias | None:
        """The user's alias with that name, or None."""
        return self.aliases.find(name) if name else None

    def whom(self, model: str | None, provider: str | None) -> tuple[Endpoint | None, Alias | str | None]:
        """Endpoint and model for a cell that names this model (an id or an alias) and provider, or None for either.

        Returns:
            The endpoint, None if only a recording may answer; and the model: an alias, an id, "" for the endpoint's
            default, None for the selected one.

        Raises:
            JmuzError: nothing is configured, or there is no such provider; or the recording cannot be used.
        """
        with checked_later(may_replay()):
            return self._whom(model, provider)

    def _whom(self, model: str | None, provider: str | None) -> tuple[Endpoint | None, Alias | str | None]:
        if asks_nobody():
            return None, self._model(model, provider)
        self.load_saved()
        alias = self.alias(model or (self.selection.model if provider is None else None))
        if alias is None:
            return self.endpoint(provider), self._model(model, provider)
        if provider or not (alias.api_base or alias.key_env or alias.headers or alias.dialect):
            return self.endpoint(provider or alias.provider), alias
        options = (alias.api_base, alias.key_env, alias.allow_http, alias.headers, alias.dialect)
        return self.choice(alias.provider or "", *options).endpoint(), alias

    def _model(self, model: str | None, provider: str | None) -> str | None:
        return model or ("" if self.is_elsewhere(provider) else None)

    def is_elsewhere(self, provider: str | None) -> bool:
        """Whether that is not the selected provider, so that the selected model does not apply."""
        selected = self.selection.choice
        return provider is not None and selected is not None and selected.provider is not self.provider(provider)

    def choose(self, choice: Choice | None, model: str | None = None) -> None:
        """Ask this one from now on, or none; what was saved no longer applies."""
        self._has_chosen = True
        self.selection.set(choice=choice, model=model)

    def save(self, **chosen: object) -> None:
        """Use what is given in later sessions too."""
        self.saved.save(USE, {name: value for name, value in chosen.items() if value})

    def load_saved(self) -> None:
        """If nothing was chosen yet, use the configured endpoint, else the saved one; and learn where keys are kept.

        Raises:
            JmuzError: the configured or saved provider does not exist.
        """
        if not self._expects_keys:
            self._expects_keys = True
            expect_saved(self.saved.section(KEYS))
        choice, model = self.selection.choice, self.selection.model
        if choice is None and self.configured:
            try:
                self._take_up(self.configured, model)
            except JmuzError as error:
                how = endpoint_advice()
                raise JmuzError(f"JmuzMagics.provider: {error}{f'; {how}' if how else ''}") from None
        elif choice is not None and not choice.api_base and choice.provider.spoken_name == "demo":
            self._take_up("demo", model)
        elif not self._has_chosen:
            self._has_chosen = True
            if choice is None and (saved := self.saved.section(USE)):
                self._take_up_saved(model, saved)
        if self.selection.choice is None and not os.environ.get("JMUZ_API_BASE"):
            self._take_up_only(model)

    def _take_up_only(self, model: str | None) -> None:
        """Use the endpoint that an administrator allows, if it is the only one."""
        names = allowed_names()
        if names and len(names) == 1:
            self._take_up(names[0], model)

    def _take_up_saved(self, model: str | None, saved: Mapping[str, Any]) -> None:
        members = ("provider", "model", "dialect", "api_base", "key_env")
        name, chosen, dialect, *address = (self.saved.text(USE, member) for member in members)
        try:
            allow_http, headers = saved.get("allow_http") is True, saved_headers(saved)
            self._take_up(name or "", model or chosen, *address, allow_http, headers, dialect or "")
        except JmuzError as error:
            self._has_chosen = False  # each cell reports it until another is chosen
            raise JmuzError(f"the saved choice cannot be used: {error}; choose another with %jmuz_use") from None

    def _take_up(self, name: str, model: str | None, *options: Any) -> None:
        self.choose(self.choice(name, *options), model)
        self.configured = None
