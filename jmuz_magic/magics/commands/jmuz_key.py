"""`%jmuz_key`: a key typed into a hidden field, for one origin."""

from __future__ import annotations

import difflib
import getpass
import os
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from IPython.core.error import StdinNotImplementedError, UsageError

from jmuz_magic.conversation.selection import Choice, nothing_configured
from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.endpoints import KEYS
from jmuz_magic.magics.line.magic import magic
from jmuz_magic.magics.line.options import Options, option
from jmuz_magic.magics.line.values import KEY_ON_LINE, provider_name
from jmuz_magic.magics.running.foreground import ReplyInterrupted
from jmuz_magic.magics.session import Session, usage_errors
from jmuz_magic.providers.allowed import allowed_names
from jmuz_magic.providers.base import UNNAMED
from jmuz_magic.providers.endpoint.keys import forget_key, remember_key, save_key
from jmuz_magic.secret import Secret

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Endpoint, Provider

__all__ = ["KeyOptions", "jmuz_key"]

_NO_KEY = re.compile(r"(?!sk[_-])[A-Za-z._-]{1,16}")  # too short for a key, and without digits


@dataclass(frozen=True, eq=False, repr=False)
class KeyOptions(Options):
    """The options of `%jmuz_key`."""

    provider: str | None = option(
        "PROVIDER", "a provider; default: the one in use", read=provider_name, completes="provider"
    )
    typed: tuple[str, ...] = option("KEY …")  # so that a key typed here after all is not repeated
    api_base: str | None = option("--api-base URL", "the address that the key is for")
    save: bool = option("--save", "also keep it in the system keyring for later sessions")
    forget: bool = option("--forget", "forget the key, in the keyring too")


@magic(KeyOptions)
def jmuz_key(session: Session, options: KeyOptions) -> None:
    """Ask for a key and keep it, for the endpoint in use or another, until the kernel ends.

    It is sent only to that endpoint's origin, and takes precedence over a key in the environment. You type it into a
    hidden field, so it reaches neither the notebook nor IPython's history.
    """
    from jmuz_magic.providers.endpoint.endpoint import Endpoint, find_address

    if options.typed:
        raise UsageError(KEY_ON_LINE)
    if options.save and options.forget:
        raise UsageError("%jmuz_key: --save and --forget cannot be combined")
    with usage_errors():
        session.endpoints.load_saved()
        choice = _choice(session, options)
        session.introduce(choice.provider)
        endpoint = Endpoint(choice.provider, find_address(choice.provider, choice.api_base))
        if options.forget:
            _forget(session, choice, endpoint.origin)
        else:
            _give(session, choice, endpoint, save=options.save)


def _choice(session: Session, options: KeyOptions) -> Choice:
    selected = session.endpoints.selection.choice
    if options.api_base:
        provider = _provider(session, options.provider or UNNAMED)
        return Choice(provider, options.api_base, allow_http=bool(selected and selected.allow_http))
    if options.provider:
        provider = _provider(session, options.provider)
        return selected if selected and selected.provider is provider else Choice(provider)
    if selected:
        return selected
    if os.environ.get("JMUZ_API_BASE"):
        return Choice(_provider(session, "jmuz"))
    raise JmuzError(nothing_configured())


def _provider(session: Session, name: str) -> Provider:
    try:
        return session.endpoints.provider(name)
    except JmuzError:
        if allowed_names() is not None:
            raise
        near = _near(name)
    if near:
        raise UsageError(f"%jmuz_key: there is no provider {name!r}; did you mean {near}?")
    # The word is not repeated, since it may well be the key.
    raise UsageError(
        "%jmuz_key: expected a known provider or --api-base URL; the key is asked for afterwards. If you typed a key, "
        "it is now in the notebook and in IPython's history: revoke it where you got it"
    )


def _give(session: Session, choice: Choice, endpoint: Endpoint, *, save: bool) -> None:
    from jmuz_magic.providers.endpoint.endpoint import ALLOW_HTTP_HINT, check_key

    provider, origin = endpoint.provider, endpoint.origin
    if provider.third_party_notice is not None and origin == provider.own_origin():  # a free one, not a proxy of it
        raise JmuzError(f"{origin} gets a public key; yours is never sent there")
    if endpoint.unencrypted and not choice.allow_http:
        raise JmuzError(f"plain http would send the key to {origin} unencrypted: {ALLOW_HTTP_HINT}")
    key = check_key(_ask(endpoint), "%jmuz_key")
    if not key:
        raise JmuzError("%jmuz_key: no key entered; nothing changed")
    remember_key(origin, key)
    session.say(f"the key for {origin} is {_kept(session, origin, key, save)}")
    _warn_of_other(session, choice)


def _kept(session: Session, origin: str, key: Secret, save: bool) -> str:
    if not save:
        return "in use until the kernel ends"
    try:
        save_key(origin, key)
    except JmuzError as error:
        return f"kept in memory only, until the kernel ends: {error}"
    session.endpoints.saved.change(KEYS, lambda saved: {**saved, origin: "keyring"})
    return "in use and saved in the system keyring"


def _warn_of_other(session: Session, choice: Choice) -> None:
    if choice.key_env or choice.api_key:
        source = f"the variable {choice.key_env}" if choice.key_env else "what was given in Python"
        session.say(f"but the endpoint in use takes its key from {source}; choose it again with %jmuz_use")


def _forget(session: Session, choice: Choice, origin: str) -> None:
    had = forget_key(origin)
    if origin in session.endpoints.saved.section(KEYS):
        session.endpoints.saved.change(KEYS, lambda saved: {name: v for name, v in saved.items() if name != origin})
    source = choice.endpoint().key_source
    left = "" if source == "none" else f"; the key from {source} remains"
    session.say(f"{'forgot the key' if had else 'no key was kept'} for {origin}{left}")


def _near(name: str) -> str | None:
    """The known provider that a word was probably meant to be, if it is certainly not a key."""
    from jmuz_magic.providers.registry import known_names

    near = difflib.get_close_matches(name.lower(), known_names(), n=1) if _NO_KEY.fullmatch(name) else []
    return near[0] if near else None


def _ask(endpoint: Endpoint) -> Secret:
    """What the user types; if the front end cannot ask, an error says what to do instead."""
    problem = "this front end cannot ask for input"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # otherwise it only warns, and shows what is typed
            return Secret(getpass.getpass(f"Key for {endpoint.label}: "))
    except getpass.GetPassWarning:
        problem = "this terminal cannot hide what is typed"
    except (StdinNotImplementedError, EOFError):
        pass
    except KeyboardInterrupt:
        raise ReplyInterrupted("no key entered; nothing changed") from None
    raise JmuzError(f"%jmuz_key: {problem}; {_instead(endpoint)}")


def _instead(endpoint: Endpoint) -> str:
    """What to do if the key cannot be typed."""
    provider = endpoint.provider
    if provider.api_key_env and endpoint.origin == provider.key_origin():
        return f"set the environment variable {provider.api_key_env[0]} before the kernel starts"
    use = f"%jmuz_use --api-base {endpoint.api_base} --key-env NAME"
    return f"put the key in an environment variable before the kernel starts and name it: {use}"
